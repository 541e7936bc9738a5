"""Measures of drawn samples: what is equal, near, copied, blurred or noise."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from stegfield import cli
from stegfield.errors import ConfigError
from stegfield.generative import measures
from stegfield.generative.wasserstein import sliced_wasserstein


def blobs(count: int, seed: int, side: int = 32) -> NDArray[np.float32]:
    """Smooth pictures, each with some bright spots in random places."""
    rng = np.random.default_rng(seed)
    at = np.arange(side) / side
    pictures = np.zeros((count, side, side, 3), np.float32)
    for _ in range(4):
        place, colour = rng.random((2, count)), rng.uniform(-1, 1, (count, 1, 1, 3))
        away = (at[None, :, None] - place[0][:, None, None]) ** 2
        away = away + (at[None, None, :] - place[1][:, None, None]) ** 2
        pictures += (np.exp(-away / 0.01)[..., None] * colour).astype(np.float32)
    return np.clip(pictures, -1, 1)


def test_equal_sets_are_at_no_distance_and_the_order_of_the_two_does_not_matter() -> None:
    one, other = blobs(40, 1), blobs(40, 2)
    assert sliced_wasserstein(one, one, seed=3).mean == pytest.approx(0, abs=1e-3)
    there = sliced_wasserstein(one, other, seed=3).mean
    assert there > 1
    assert sliced_wasserstein(other, one, seed=3).mean == pytest.approx(there, rel=0.3)


def test_other_real_samples_are_nearest_then_blurred_ones_then_noise() -> None:
    found = measures.anchors(blobs(120, 1), blobs(120, 2), seed=0)
    assert found["real"].mean < found["noise"].mean / 2
    assert found["blurred"].mean < found["noise"].mean


def test_a_report_tells_copies_and_lack_of_variety() -> None:
    training, held_out = blobs(100, 1), blobs(60, 2)
    copied = measures.evaluate(training, held_out, training[:30])
    assert copied.drawn.least_training == 0
    assert copied.drawn.nearest_ratio < 0.1 < copied.real.nearest_ratio
    same = np.repeat(training[:1], 30, axis=0)
    assert measures.evaluate(training, held_out, same).drawn.diversity < 0.01
    assert copied.drawn.diversity == pytest.approx(1, abs=0.3)
    assert copied.to_json()["drawn"]["swd"]["mean"] > 0


def test_nearest_neighbours_are_found() -> None:
    known = blobs(50, 1)
    found = measures.nearest(known[[7, 3]], known)
    assert found.index.tolist() == [7, 3]
    assert found.rms.max() < 1e-6


def test_the_second_psnr_is_that_to_the_nearest_real_image() -> None:
    real = blobs(20, 1)
    assert measures.psnr2(real[:4], real) == math.inf
    shifted = np.clip(real[:4] * 0.98, -1, 1)
    assert 30 < measures.psnr2(shifted, real) < 80


def test_sets_of_other_sizes_are_refused() -> None:
    with pytest.raises(ConfigError):
        measures.evaluate(blobs(8, 1), blobs(8, 2), blobs(8, 3, side=16))
    with pytest.raises(ConfigError):
        measures.evaluate(blobs(8, 1), blobs(3, 2), blobs(8, 3))


def test_evaluate_as_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["evaluate", "digits", "-o", "samples.png", "--count", "60"]) == 0
    told = capsys.readouterr().err
    assert all(name in told for name in ("drawn", "real", "blurred", "noise"))
    with Image.open("samples.png") as picture:
        assert picture.width > 100
    assert cli.run(["evaluate", "digits", "-o", "samples.png"]) == 1
