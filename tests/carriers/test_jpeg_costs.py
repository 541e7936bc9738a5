"""Costs of JPEG coefficients: against another implementation, and what bounds them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield.carriers import blocks, jpeg_costs
from stegfield.signals import to_samples, waves

FIRST = blocks.ZIGZAG[1:29]


def table(seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(1, 80, 64)


def picture(rows: int, columns: int, seed: int) -> NDArray[np.float64]:
    """Return waves with noise on one half, and nothing but grey on a corner."""
    drawn = to_samples(waves(8 * rows, 8 * columns))[..., 0].astype(np.float64)
    noise = np.random.default_rng(seed).integers(-20, 21, drawn.shape)
    noise[:, : 4 * columns] = 0
    drawn = (drawn + noise).clip(0, 255)
    drawn[: 4 * rows, : 2 * columns] = 90
    return drawn


def coefficients(rows: int, columns: int, seed: int) -> NDArray[np.int16]:
    steps = blocks.to_coefficients(picture(rows, columns, seed), table(seed))
    whole: NDArray[np.int16] = np.rint(steps).astype(np.int16)
    return whole


def test_the_zigzag_goes_by_diagonals() -> None:
    assert sorted(blocks.ZIGZAG) == list(range(64))
    assert blocks.ZIGZAG[:11].tolist() == [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32]
    assert blocks.ZIGZAG[-1] == 63


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_pixels_and_coefficients_are_inverse(rows: int, columns: int, seed: int) -> None:
    planes = coefficients(rows, columns, seed)
    pixels = blocks.to_pixels(planes, table(seed))
    back = blocks.to_coefficients(pixels.astype(np.float64), table(seed))
    assert np.abs(back - planes).max() < 1e-3


@pytest.mark.parametrize(("rows", "columns"), [(4, 5), (9, 3), (1, 6)])
def test_uerd_is_conseals(rows: int, columns: int) -> None:
    conseal = pytest.importorskip("conseal")
    planes, steps = coefficients(rows, columns, 3), table(3)
    ours = jpeg_costs.uerd(planes, steps, precision=np.float64)
    theirs = conseal.uerd._costmap.compute_cost(
        planes.reshape(rows, columns, 8, 8), steps.reshape(8, 8)
    )
    theirs = theirs.reshape(ours.shape)
    assert np.array_equal(np.isinf(ours), np.isinf(theirs))
    known = np.isfinite(theirs)
    assert ours[known] == pytest.approx(theirs[known], rel=1e-12)


@pytest.mark.parametrize(("rows", "columns"), [(4, 5), (9, 3), (2, 6)])
def test_juniward_is_conseals(rows: int, columns: int) -> None:
    conseal = pytest.importorskip("conseal")
    pixels, steps = picture(rows, columns, 4), table(4)
    ours = jpeg_costs.juniward(pixels, steps, precision=np.float64)
    theirs = conseal.juniward._costmap.compute_cost(
        pixels,
        steps.reshape(8, 8),
        implementation=conseal.juniward.JUNIWARD_FIX_OFF_BY_ONE,
    )
    assert ours == pytest.approx(theirs.reshape(ours.shape), rel=1e-6)
    assert jpeg_costs.juniward(pixels, steps) == pytest.approx(ours, rel=0.02)


def test_bands_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    planes, pixels, steps = coefficients(11, 6, 1), picture(11, 6, 1), table(1)
    whole = jpeg_costs.uerd(planes, steps), jpeg_costs.juniward(pixels, steps)
    monkeypatch.setattr(jpeg_costs, "BAND", 1)
    assert np.array_equal(jpeg_costs.uerd(planes, steps), whole[0])
    assert jpeg_costs.juniward(pixels, steps) == pytest.approx(whole[1], rel=1e-4)


def test_some_modes_cost_what_they_cost_among_all() -> None:
    planes, pixels, steps = coefficients(3, 4, 2), picture(3, 4, 2), table(2)
    for cost, of in ((jpeg_costs.uerd, planes), (jpeg_costs.juniward, pixels)):
        assert np.array_equal(cost(of, steps, FIRST), cost(of, steps)[..., FIRST])


def test_noise_costs_less_than_what_is_smooth() -> None:
    planes, pixels, steps = coefficients(8, 12, 5), picture(8, 12, 5), table(5)
    for costs in (jpeg_costs.uerd(planes, steps), jpeg_costs.juniward(pixels, steps)):
        assert np.median(costs[5:, 8:]) < np.median(costs[5:, 1:5])
