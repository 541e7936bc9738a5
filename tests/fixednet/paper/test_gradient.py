from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield.config import DescentConfig
from stegfield.errors import CapacityError, ConfigError
from stegfield.fixednet.paper import gradient
from stegfield.fixednet.paper.gradient import (
    Descent,
    descend,
    embed_bits,
    noise_around,
    read_bits,
    read_logits,
)
from stegfield.fixednet.paper.relu import ReluNetwork
from stegfield.fixednet.progress import EmbedProgress
from stegfield.keys import Key
from stegfield.metrics import psnr_db

KEY = Key(bytes(range(32)))
SIDE = 12
QUICK = DescentConfig(restarts=30, repair=20, networks=2)


def cover(channels: int = 3) -> NDArray[np.uint8]:
    """Draw a smooth image with some grain."""
    rows, columns, channel = np.indices((SIDE, SIDE, channels))
    waves = 127.5 + 90 * np.sin(rows / 4 + channel) * np.cos(columns / 3)
    grain = np.random.default_rng(1).normal(0, 6, waves.shape)
    levels: NDArray[np.uint8] = np.round(waves + grain).clip(0, 255).astype(np.uint8)
    return levels


def message(count: int, seed: int = 0) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).integers(0, 2, count).astype(bool)


def wrong(network: ReluNetwork, bits: NDArray[np.bool_], levels: NDArray[np.uint8]) -> int:
    return int((read_bits(network, levels)[: len(bits)] != bits).sum())


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("channels", [1, 3])
def test_the_8_bit_image_says_every_bit(channels: int) -> None:
    network = ReluNetwork(KEY, depth=1, channels=channels)
    bits = message(SIDE * SIDE * channels // 6)
    assert wrong(network, bits, cover(channels)) > len(bits) / 4
    result = descend(network, bits, cover(channels))
    assert result.errors == wrong(network, bits, result.levels) == 0
    assert result.psnr_db == psnr_db(cover(channels), result.levels) < math.inf
    signs = np.where(bits, 1, -1)
    assert (signs * read_logits(network, result.levels).ravel()[: len(bits)]).min() > gradient.SAFE


@pytest.mark.usefixtures("one_thread")
@given(eps=st.floats(1 / 255, 1), seed=st.integers(0, 99))
@settings(max_examples=4)
def test_no_sample_leaves_its_bounds(eps: float, seed: int) -> None:
    network = ReluNetwork(KEY, depth=2)
    config = DescentConfig(eps=eps, restarts=2, repair=5)
    result = descend(network, message(2 * SIDE * SIDE, seed), cover(), config=config)
    change = np.abs(result.levels.astype(int) - cover())
    assert change.max() / 255 <= eps + 1e-9
    assert change.max() > 0


@pytest.mark.usefixtures("one_thread")
def test_a_start_outside_the_bounds_is_put_back() -> None:
    network, bits = ReluNetwork(KEY), message(SIDE * SIDE)
    away = 1 - torch.tensor(cover()) / 255
    config = DescentConfig(eps=10 / 255, restarts=1, repair=2)
    result = descend(network, bits, cover(), config=config, start=away)
    assert np.abs(result.levels.astype(int) - cover()).max() <= 10


@pytest.mark.usefixtures("one_thread")
def test_nothing_changes_where_the_cover_says_the_bits() -> None:
    network = ReluNetwork(KEY)
    bits = read_bits(network, cover())
    result = descend(network, bits, cover())
    assert result.restarts == result.errors == result.float_errors == 0
    assert np.array_equal(result.levels, cover())
    assert result.psnr_db == math.inf


@pytest.mark.usefixtures("one_thread")
def test_a_start_that_says_the_bits_is_the_result() -> None:
    network, start = ReluNetwork(KEY), noise_around(cover(), 0.02, torch.Generator().manual_seed(3))
    levels = (start * 255).round().to(torch.uint8).numpy()
    bits = read_bits(network, levels)
    assert wrong(network, bits, cover()) > 0
    assert np.array_equal(descend(network, bits, cover(), start=start).levels, levels)


@pytest.mark.usefixtures("one_thread")
def test_the_repair_leaves_fewer_bits_wrong() -> None:
    network, bits = ReluNetwork(KEY, depth=2), message(2 * SIDE * SIDE)
    plain, repaired = (
        descend(network, bits, cover(), config=DescentConfig(restarts=3, repair=steps))
        for steps in (0, 60)
    )
    assert plain.restarts == repaired.restarts == 3
    assert repaired.errors < plain.errors / 2
    assert repaired.float_errors == plain.float_errors


@pytest.mark.usefixtures("one_thread")
def test_the_best_image_is_kept() -> None:
    told: list[EmbedProgress] = []
    bits = message(SIDE * SIDE)
    result = descend(ReluNetwork(KEY), bits, cover(), config=QUICK, watch=told.append)
    shares = [progress.fraction for progress in told]
    errors = [progress.bits_left for progress in told]
    assert errors == sorted(errors, reverse=True)
    assert shares == sorted(shares)
    assert 0 < shares[0] <= shares[-1] <= 1
    assert result.errors <= errors[-1]


@pytest.mark.usefixtures("one_thread")
def test_a_watch_ends_the_work() -> None:
    network, bits = ReluNetwork(KEY, depth=4), message(4 * SIDE * SIDE)
    result = descend(network, bits, cover(), watch=lambda progress: True)
    assert result.restarts == 1
    assert result.errors >= wrong(network, bits, result.levels) > 0


@pytest.mark.usefixtures("one_thread")
def test_equal_work_gives_equal_images() -> None:
    bits, config = message(SIDE * SIDE), DescentConfig(restarts=2, repair=5)
    one, two = (descend(ReluNetwork(KEY), bits, cover(), config=config) for _ in range(2))
    assert np.array_equal(one.levels, two.levels)


@pytest.mark.usefixtures("one_thread")
def test_another_key_reads_something_else() -> None:
    bits = message(SIDE * SIDE)
    result = embed_bits(KEY, bits, cover(), 1)
    right = ReluNetwork(KEY, seed_index=result.seed_index)
    assert wrong(right, bits, result.descent.levels) == 0
    for other in (ReluNetwork(Key(bytes(32))), ReluNetwork(KEY, seed_index=result.seed_index ^ 1)):
        assert wrong(other, bits, result.descent.levels) > len(bits) / 4


def results(
    monkeypatch: pytest.MonkeyPatch, outcomes: list[tuple[int, float]], *, until_read: bool = True
) -> tuple[int, tuple[int, float]]:
    """Embed while descents come to these errors and dB; give the index and what it came to."""
    left = iter(outcomes)

    def fake(*_: object, **__: object) -> Descent:
        errors, found_db = next(left)
        return Descent(cover(), errors, float_errors=0, restarts=1, psnr_db=found_db)

    monkeypatch.setattr(gradient, "descend", fake)
    config = DescentConfig(networks=len(outcomes))
    result = embed_bits(KEY, message(8), cover(), 1, config=config, until_read=until_read)
    return result.seed_index, (result.descent.errors, result.descent.psnr_db)


@pytest.mark.parametrize(
    ("outcomes", "index"),
    [
        ([(0, 25.0), (0, 30.0)], 0),
        ([(0, 12.0), (0, 20.0), (0, 30.0)], 1),
        ([(3, 30.0), (0, 19.0), (0, 22.0)], 2),
        ([(3, 30.0), (0, 12.0), (0, 19.0), (1, 40.0)], 2),
        ([(5, 30.0), (4, 12.0), (4, 13.0)], 2),
    ],
)
def test_networks_are_tried_until_one_is_good_enough(
    monkeypatch: pytest.MonkeyPatch, outcomes: list[tuple[int, float]], index: int
) -> None:
    assert results(monkeypatch, outcomes) == (index, outcomes[index])


def test_the_paper_looks_at_the_psnr_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = [(0, 12.0), (3, 21.0), (0, 22.0)]
    assert results(monkeypatch, outcomes, until_read=False) == (1, (3, 21.0))


@pytest.mark.usefixtures("one_thread")
def test_a_network_below_20_db_is_given_up_unless_it_is_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gradient, "ENOUGH_DB", 200.0)
    told: list[EmbedProgress] = []
    config = DescentConfig(restarts=2, repair=5, networks=3)
    embed_bits(KEY, message(4 * SIDE * SIDE), cover(), 4, config=config, watch=told.append)
    shares = [progress.fraction for progress in told]
    assert shares == sorted(shares)
    assert [int(3 * share) for share in shares[:3]] == [0, 1, 2]
    assert len(shares) > 4


def test_the_watch_ends_all_networks() -> None:
    told: list[EmbedProgress] = []

    def watch(progress: EmbedProgress) -> bool:
        told.append(progress)
        return True

    embed_bits(KEY, message(4 * SIDE * SIDE), cover(), 4, config=QUICK, watch=watch)
    assert len(told) == 1


def test_a_starting_noise_stays_within_its_spread() -> None:
    start = noise_around(cover(), 0.1, torch.Generator().manual_seed(0))
    change = (start - torch.tensor(cover()) / 255).abs()
    assert 0.09 < float(change.max()) <= 0.1 + 1e-6
    assert start.min() >= 0
    assert start.max() <= 1


def test_more_bits_than_the_pixels_carry_are_refused() -> None:
    with pytest.raises(CapacityError, match="289 bits are needed"):
        descend(ReluNetwork(KEY, depth=2), message(2 * SIDE * SIDE + 1), cover())


def test_an_image_with_other_channels_is_refused() -> None:
    with pytest.raises(ConfigError, match="images with 3 channels, got 1"):
        descend(ReluNetwork(KEY), message(5), cover(1))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"eps": 0.0}, "DescentConfig(eps=...) must be from 1/255 to 1, got 0"),
        ({"eps": 1.5}, "DescentConfig(eps=...) must be from 1/255 to 1, got 1.5"),
        ({"eps": math.nan}, "DescentConfig(eps=...) must be"),
        ({"learning_rate": 0.0}, "DescentConfig(learning_rate=...) must be above 0"),
        ({"learning_rate": math.inf}, "DescentConfig(learning_rate=...) must be above 0"),
        ({"inner": 0}, "DescentConfig(inner=...) must be at least 1, got 0"),
        ({"restarts": 0}, "DescentConfig(restarts=...) must be at least 1, got 0"),
        ({"repair": -1}, "DescentConfig(repair=...) must be at least 0, got -1"),
        ({"networks": 0}, "DescentConfig(networks=...) must be from 1 to 10, got 0"),
        ({"networks": 11}, "DescentConfig(networks=...) must be from 1 to 10, got 11"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        DescentConfig(**values)  # type: ignore[arg-type]
