from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from stegfield.errors import ConfigError
from stegfield.metrics import (
    Quality,
    Samples,
    luma,
    luma_psnr_db,
    mean_psnr_db,
    psnr_db,
    quality,
    ssim,
)

SIZES = [(11, 11, 1), (11, 40, 3), (33, 12, 3), (24, 31, 1)]
sizes = st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]))


def noise(size: tuple[int, ...], seed: int) -> Samples:
    """Draw an 8-bit image of independent samples."""
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def ramp(size: tuple[int, ...], phase: float) -> Samples:
    """Draw a smooth image."""
    rows, columns, channels = np.indices(size)
    waves = np.sin(rows / 5 + phase) * np.cos(columns / 7 - phase * channels)
    levels: Samples = np.round(127.5 + 127.5 * waves).astype(np.uint8)
    return levels


PAIRS: dict[str, Callable[[tuple[int, ...]], tuple[Samples, Samples]]] = {
    "noise": lambda size: (noise(size, 1), noise(size, 2)),
    "smooth": lambda size: (ramp(size, 0.3), ramp(size, 0.9)),
    "almost equal": lambda size: (ramp(size, 0.3), ramp(size, 0.3) ^ np.uint8(1)),
    "black and white": lambda size: (np.zeros(size, np.uint8), np.full(size, 255, np.uint8)),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pair", PAIRS)
def test_psnr_is_that_of_scikit_image(pair: str, size: tuple[int, int, int]) -> None:
    a, b = PAIRS[pair](size)
    expected = peak_signal_noise_ratio(a, b, data_range=255)  # type: ignore[no-untyped-call]
    assert psnr_db(a, b) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pair", PAIRS)
def test_ssim_is_that_of_scikit_image(pair: str, size: tuple[int, int, int]) -> None:
    a, b = PAIRS[pair](size)
    expected = structural_similarity(  # type: ignore[no-untyped-call]
        a,
        b,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=-1,
    )
    assert ssim(a, b) == pytest.approx(expected, abs=2e-6)  # float32


@given(sizes, st.integers(1, 255), st.data())
def test_one_distance_everywhere_has_closed_forms(
    size: tuple[int, int, int], distance: int, draw: st.DataObject
) -> None:
    level = draw.draw(st.integers(0, 255 - distance))
    a, b = np.full(size, level, np.uint8), np.full(size, level + distance, np.uint8)
    found = quality(a, b)
    assert found.rmse == found.mae == distance
    assert found.psnr_db == pytest.approx(20 * math.log10(255 / distance), abs=1e-12)


@given(sizes, st.integers(0, 99), st.integers(0, 99))
def test_rmse_and_mae_are_the_l2_and_l1_means_over_all_samples(
    size: tuple[int, int, int], seed: int, other: int
) -> None:
    a, b = noise(size, seed), noise(size, other)
    distances = [abs(int(x) - int(y)) for x, y in zip(a.flat, b.flat, strict=True)]
    found = quality(a, b)
    assert found.mae == pytest.approx(sum(distances) / len(distances), abs=1e-12)
    assert found.rmse**2 == pytest.approx(sum(d * d for d in distances) / len(distances), abs=1e-9)
    assert found.mae <= found.rmse + 1e-12


@pytest.mark.parametrize("size", [*SIZES, (3, 5, 3)])
def test_an_image_equals_itself(size: tuple[int, int, int]) -> None:
    image = noise(size, 3)
    found = quality(image, image.copy())
    assert (found.psnr_db, found.rmse, found.mae) == (math.inf, 0, 0)
    assert found.ssim is None or found.ssim == pytest.approx(1, abs=1e-12)


@given(sizes, st.integers(0, 99))
def test_quality_is_symmetric(size: tuple[int, int, int], seed: int) -> None:
    a, b = noise(size, seed), noise(size, seed + 1)
    one, other = quality(a, b), quality(b, a)
    assert one.to_json() == pytest.approx(other.to_json(), abs=1e-12)


@given(st.integers(0, 99), st.sampled_from(list(PAIRS)))
def test_ssim_is_within_its_bounds(seed: int, pair: str) -> None:
    a, b = PAIRS[pair]((13, 17, 3))
    for x, y in ((a, b), (a, noise((13, 17, 3), seed))):
        assert -1 <= ssim(x, y) <= 1


@pytest.mark.parametrize("size", SIZES)
def test_quality_does_not_change_its_images(size: tuple[int, int, int]) -> None:
    a, b = noise(size, 1), noise(size, 2)
    quality(a, b)
    assert np.array_equal(a, noise(size, 1))
    assert np.array_equal(b, noise(size, 2))


@pytest.mark.parametrize("size", [(10, 11, 3), (11, 10, 1), (1, 1, 3), (8, 200, 3)])
def test_an_image_smaller_than_the_window_has_no_ssim(size: tuple[int, int, int]) -> None:
    a, b = noise(size, 1), noise(size, 2)
    assert quality(a, b).ssim is None
    assert quality(a, b).to_json()["ssim"] is None
    with pytest.raises(ConfigError, match="11 pixels"):
        ssim(a, b)


def test_an_infinite_psnr_is_null_in_json() -> None:
    image = noise((12, 12, 3), 1)
    text = json.dumps(quality(image, image).to_json(), allow_nan=False)
    assert json.loads(text)["psnr_db"] is None


def test_json_has_the_values_themselves() -> None:
    found = quality(noise((12, 12, 3), 1), noise((12, 12, 3), 2))
    assert Quality(**json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize("compare", [quality, psnr_db, ssim])
@pytest.mark.parametrize("size", [(12, 15, 3), (15, 12, 1), (16, 12, 3), (12, 12, 3)])
def test_images_of_different_sizes_are_refused(
    compare: Callable[[Samples, Samples], object], size: tuple[int, ...]
) -> None:
    with pytest.raises(ConfigError, match=f"{size[1]}x{size[0]} with {size[2]} channel") as caught:
        compare(noise((15, 12, 3), 1), noise(size, 2))
    assert "12x15 with 3 channels" in str(caught.value)
    assert caught.value.hint is not None


def test_luma_of_grey_is_grey() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (9, 7, 1), dtype=np.uint8)
    assert np.array_equal(luma(grey), grey[..., 0])
    assert np.allclose(luma(np.repeat(grey, 3, axis=2)), grey[..., 0])


def test_luma_weighs_as_bt_601_does() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert np.allclose(luma(colours), [[76.245, 149.685, 29.07]])


def test_figures_do_not_depend_on_how_many_rows_are_compared_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a, b = noise((40, 31, 3), 1), noise((40, 31, 3), 2)
    at_once = quality(a, b), luma_psnr_db(a, b)
    assert at_once[1] == pytest.approx(mean_psnr_db(luma(a), luma(b)), abs=1e-9)
    monkeypatch.setattr("stegfield.metrics.ERROR_BAND", 70)
    monkeypatch.setattr("stegfield.metrics.SSIM_TILE", (7, 9))
    found, luma_db = quality(a, b), luma_psnr_db(a, b)
    assert found.ssim == pytest.approx(at_once[0].ssim, abs=2e-6)
    assert vars(replace(found, ssim=None)) == pytest.approx(
        vars(replace(at_once[0], ssim=None)), abs=1e-9
    )
    assert luma_db == pytest.approx(at_once[1], abs=1e-9)
