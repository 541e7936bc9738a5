from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stegfield import channel, signals
from stegfield.metrics import Samples, psnr_db

CHANNELS = {
    "jpeg": channel.jpeg(80),
    "webp": channel.webp(80),
    "scaled": channel.scaled(0.5),
    "noisy": channel.noisy(3.0),
    "covered": channel.covered(0.5),
    "coarser": channel.coarser(4),
    "without_planes": channel.without_planes(2),
}
covers = arrays.arrays(
    np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]))
)


def photo(rows: int = 64, columns: int = 48, channels: int = 3) -> Samples:
    return signals.to_samples(signals.waves(rows, columns, channels=channels))


@pytest.mark.parametrize("name", CHANNELS)
@given(covers)
@settings(max_examples=10)
def test_a_channel_keeps_size_and_channels_and_changes_no_input(name: str, levels: Samples) -> None:
    before = levels.copy()
    seen = CHANNELS[name](levels)
    assert seen.shape == levels.shape
    assert seen.dtype == np.uint8
    assert np.array_equal(levels, before)
    assert np.array_equal(CHANNELS[name](levels), seen)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("encoder", [channel.jpeg, channel.webp])
def test_a_lower_quality_loses_more(
    encoder: Callable[[int], channel.Channel], channels: int
) -> None:
    levels = photo(channels=channels)
    quality_db = [psnr_db(encoder(quality)(levels), levels) for quality in (20, 50, 95)]
    assert quality_db == sorted(quality_db)
    assert quality_db[-1] > quality_db[0] + 3


def test_noise_has_its_deviation_and_seed() -> None:
    levels = np.full((200, 200, 1), 128, np.uint8)
    noise = channel.noisy(4.0)(levels).astype(int) - 128
    assert noise.std() == pytest.approx(4, rel=0.02)
    assert abs(noise.mean()) < 0.1
    assert not np.array_equal(channel.noisy(4.0, seed=1)(levels), channel.noisy(4.0)(levels))
    assert np.array_equal(channel.noisy(0.0)(levels), levels)


def test_noise_is_cut_at_the_ends_of_the_range() -> None:
    ends = np.repeat(np.array([0, 255], np.uint8), 500).reshape(10, 100, 1)
    moved = channel.noisy(2.0)(ends).astype(int) - ends
    assert moved[ends == 0].min() == 0
    assert moved[ends == 255].max() == 0
    assert np.abs(moved).max() < 20  # no wrapping around


def test_what_is_covered_is_black_and_the_rest_stays() -> None:
    levels = np.full((40, 60, 3), 9, np.uint8)
    expected = np.zeros_like(levels)
    expected[10:30, 15:45] = 9
    assert np.array_equal(channel.covered(0.5)(levels), expected)
    assert np.array_equal(channel.covered(1.0)(levels), levels)
    assert not channel.covered(0.0)(levels).any()


def test_scaling_keeps_what_is_smooth() -> None:
    assert psnr_db(channel.scaled(0.5)(photo()), photo()) > 35
    assert np.array_equal(channel.scaled(1.0)(photo()), photo())
    assert (channel.scaled(0.01)(np.full((9, 5, 3), 200, np.uint8)) == 200).all()


def test_coarser_levels_are_the_nearest_multiples() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    coarse = channel.coarser(5)(ramp).astype(int)
    assert (coarse % 5 == 0).all()
    assert np.abs(coarse - ramp).max() <= 2
    assert np.array_equal(channel.coarser(1)(ramp), ramp)
    assert channel.coarser(2)(ramp).max() == 255  # 256 would be none of 8 bits


def test_bit_planes_are_put_to_zero_from_the_lowest() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    for planes in range(9):
        assert np.array_equal(channel.without_planes(planes)(ramp), ramp >> planes << planes)


@pytest.mark.parametrize("factor", [2, 3])
def test_an_average_over_whole_samples_is_their_mean(factor: int) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (12, 18, 3), dtype=np.uint8)
    parts = levels.reshape(12 // factor, factor, 18 // factor, factor, 3)
    assert np.array_equal(
        channel.averaged(18 // factor)(levels), np.rint(parts.mean((1, 3))).astype(np.uint8)
    )


@pytest.mark.parametrize("side", [7, 18, 25])
def test_an_average_keeps_an_even_image(side: int) -> None:
    levels = np.full((12, 18, 1), 77, np.uint8)
    assert np.array_equal(np.unique(channel.averaged(side)(levels)), [77])
