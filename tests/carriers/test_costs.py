from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stegfield.carriers.costs import FLATTEST, HIGH_PASS, flat, hill
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
def test_prices_are_positive_finite_and_1_on_average(levels: Samples) -> None:
    for prices in (hill(levels), flat(levels)):
        assert prices.shape == levels.shape
        assert prices.dtype == np.float32
        assert np.isfinite(prices).all()
        assert prices.min() > 0
        assert prices.mean() == pytest.approx(1, rel=1e-4)


def test_a_plain_image_has_one_price() -> None:
    assert np.allclose(hill(np.full((30, 21, 3), 77, np.uint8)), 1, rtol=1e-5)


def test_texture_is_cheaper_than_plain_places() -> None:
    levels = np.full((64, 64, 1), 100, np.uint8)
    levels[:, 32:] = np.random.default_rng(0).integers(0, 256, (64, 32, 1))
    prices = hill(levels)
    assert prices[:, :20].min() > 20 * prices[:, 44:].max()


def test_a_smooth_slope_is_as_dear_as_a_plain_place() -> None:
    # what the neighbours tell is no hiding place, however many levels it has
    slope = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None, None], (64, 64, 1)).copy()
    assert hill(slope)[10:-10, 10:-10].std() < 1e-3


def test_channels_are_priced_by_themselves() -> None:
    rng = np.random.default_rng(1)
    levels = rng.integers(0, 256, (24, 30, 3), dtype=np.uint8)
    levels[..., 1] //= 16
    alone = [hill(levels[..., [channel]]) for channel in range(3)]
    ratio = hill(levels) / np.concatenate(alone, axis=2)
    for channel in range(3):
        assert ratio[..., channel].std() < 1e-4 * ratio[..., channel].mean()
    assert ratio[0, 0, 1] > 5 * ratio[0, 0, 0]


def test_prices_are_the_published_filters() -> None:
    levels = np.random.default_rng(2).integers(0, 256, (40, 33, 1), dtype=np.uint8)
    detail = np.abs(filtered(levels[..., 0].astype(np.float64), np.array(HIGH_PASS)))
    detail = filtered(detail, np.full((3, 3), 1 / 9))
    expected = filtered(1 / np.maximum(detail, FLATTEST), np.full((15, 15), 1 / 225))
    expected /= expected.mean()
    assert np.allclose(hill(levels)[..., 0], expected, rtol=1e-4)


def test_turning_an_image_turns_its_prices() -> None:
    levels = np.random.default_rng(3).integers(0, 256, (20, 31, 3), dtype=np.uint8)
    turned = np.ascontiguousarray(levels.swapaxes(0, 1))
    assert np.allclose(hill(turned), hill(levels).swapaxes(0, 1), rtol=1e-4)
