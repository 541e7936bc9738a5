from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stegfield import signals
from stegfield.carriers import costs
from stegfield.carriers.costs import FLATTEST, HIGH_PASS, WIDE_IN_TIME, along, flat, hill
from stegfield.metrics import Samples

covers = arrays.arrays(
    np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]))
)


def filtered(plane: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate with a kernel; beyond the borders the last sample goes on."""
    padded = np.pad(plane, len(kernel) // 2, mode="edge")
    windows = sliding_window_view(padded, kernel.shape)
    return np.asarray((windows * kernel).sum(axis=(2, 3)))


@given(covers)
@example(np.zeros((1, 1, 1), np.uint8))
@example(np.zeros((1, 17, 3), np.uint8))
@example(np.full((17, 1, 3), 255, np.uint8))
@example(np.indices((9, 9, 3)).sum(axis=0).astype(np.uint8) % 2 * 255)
def test_costs_are_positive_finite_and_1_on_average(levels: Samples) -> None:
    for found in (hill(levels), flat(levels)):
        assert found.shape == levels.shape
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        assert found.min() > 0
        assert found.mean() == pytest.approx(1, rel=1e-4)


def test_a_plain_image_has_one_cost() -> None:
    assert np.allclose(hill(np.full((30, 21, 3), 77, np.uint8)), 1, rtol=1e-5)


def test_texture_costs_less_than_plain_places() -> None:
    levels = np.full((64, 64, 1), 100, np.uint8)
    levels[:, 32:] = np.random.default_rng(0).integers(0, 256, (64, 32, 1))
    found = hill(levels)
    assert found[:, :20].min() > 20 * found[:, 44:].max()


def test_a_smooth_slope_costs_as_much_as_a_plain_place() -> None:
    # what the neighbours tell is no hiding place, however many levels it has
    slope = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None, None], (64, 64, 1)).copy()
    assert hill(slope)[10:-10, 10:-10].std() < 1e-3


def test_channels_have_costs_of_their_own() -> None:
    rng = np.random.default_rng(1)
    levels = rng.integers(0, 256, (24, 30, 3), dtype=np.uint8)
    levels[..., 1] //= 16
    alone = [hill(levels[..., [channel]]) for channel in range(3)]
    ratio = hill(levels) / np.concatenate(alone, axis=2)
    for channel in range(3):
        assert ratio[..., channel].std() < 1e-4 * ratio[..., channel].mean()
    assert ratio[0, 0, 1] > 5 * ratio[0, 0, 0]


@pytest.mark.parametrize("top", [256, 1 << 16])
@pytest.mark.parametrize("size", [(1, 1), (2, 40), (40, 3), (40, 33), (150, 20)])
def test_costs_are_the_published_filters(
    size: tuple[int, int], top: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = np.random.default_rng(2).integers(0, top, (*size, 1))
    levels = levels.astype(np.uint8 if top == 256 else np.uint16)
    detail = np.abs(filtered(levels[..., 0].astype(np.float64), np.array(HIGH_PASS)))
    detail = filtered(detail, np.full((3, 3), 1 / 9))
    expected = filtered(1 / np.maximum(detail, FLATTEST), np.full((15, 15), 1 / 225))
    expected /= expected.mean()
    for band in (costs.BAND, 1):  # the whole image at a time, and a few rows
        monkeypatch.setattr(costs, "BAND", band)
        assert np.allclose(hill(levels)[..., 0], expected, rtol=1e-5)


@pytest.mark.parametrize("samples", [1, 20, 300, 3000])
def test_costs_of_a_sound_are_the_same_filters_along_it(
    samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = np.random.default_rng(2).integers(-900, 900, (samples, 2)).astype(np.int16)

    def means(line: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        padded = np.pad(line, size // 2, mode="edge")
        return np.asarray(sliding_window_view(padded, size).mean(axis=1))

    expected = np.empty(levels.shape)
    for channel in range(2):
        line = np.pad(levels[:, channel].astype(np.float64), 1, mode="edge")
        detail = means(np.abs(np.diff(line, 2)), 3)
        expected[:, channel] = means(1 / np.maximum(detail, FLATTEST), WIDE_IN_TIME)
    expected /= expected.mean()
    for band in (costs.BAND, 1):
        monkeypatch.setattr(costs, "BAND", band)
        assert np.allclose(along(levels), expected, rtol=1e-5)


def test_turning_an_image_turns_its_costs() -> None:
    levels = np.random.default_rng(3).integers(0, 256, (20, 31, 3), dtype=np.uint8)
    turned = np.ascontiguousarray(levels.swapaxes(0, 1))
    assert np.allclose(hill(turned), hill(levels).swapaxes(0, 1), rtol=1e-4)


def test_costs_go_around_the_globe() -> None:
    levels = signals.to_levels(signals.globe(46, 90))
    turned = hill(np.roll(levels, 31, axis=1), around=True)
    assert np.allclose(np.roll(hill(levels, around=True), 31, axis=1), turned, rtol=1e-4)
    assert turned.mean() == pytest.approx(1, abs=1e-4)


def test_silence_costs_most() -> None:
    noise = np.random.default_rng(1).integers(-900, 900, (60_000, 1)).astype(np.int16)
    noise[20_000:40_000] = 0
    found = along(noise)
    assert found[20_300:39_700].min() > 100 * found[:19_500].max()
    assert found.mean() == pytest.approx(1, abs=1e-4)


def test_a_straight_line_costs_as_much_as_silence() -> None:
    ramp = np.arange(2000, dtype=np.int16)[:, None]
    noise = np.random.default_rng(2).integers(-900, 900, (2000, 1)).astype(np.int16)
    found = along(np.concatenate([ramp, noise]))
    assert found[:1800].min() > 100 * found[2300:].max()


def test_costs_shift_with_the_sound_and_do_not_mind_its_direction() -> None:
    levels = np.random.default_rng(3).integers(-900, 900, (3000, 2)).astype(np.int16)
    found = along(levels)
    assert np.allclose(along(levels[::-1].copy())[::-1], found, rtol=1e-3)
    assert np.allclose(along(levels[:, ::-1].copy())[:, ::-1], found, rtol=1e-3)
