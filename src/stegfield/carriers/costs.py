"""Costs: how much a change of each sample shows (rho in the literature).

A change is hardest to see and to detect where its surroundings cannot be predicted. HILL finds such
places with three filters: a high pass finds texture, a small mean keeps it in place, and a large
mean of the inverse spreads high costs over their neighbourhood. The costs of a sound use the same
filters in one dimension: the second difference as high pass, and means over 3 and 255 samples.
Changes cost most where a sample is on the line between its neighbours, as in silence.

All three filters are separable. The first two are exact sums of integers. Each works on a band of
rows at a time, so that memory does not grow with the cover.

Source: Li, Wang, Huang and Li (2014), "A New Cost Function for Spatial Image Steganography", with
their filters: Ker and Böhme's 3x3 high pass, 3x3 and 15x15 means.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32, Integer
from numpy.typing import NDArray

HIGH_PASS = ((-1.0, 2.0, -1.0), (2.0, -4.0, 2.0), (-1.0, 2.0, -1.0))
"""The outer product of two second differences, negated; only its magnitude counts."""
NEAR, WIDE = 3, 15
WIDE_IN_TIME = 255
MARGIN = 1 + NEAR // 2 + WIDE // 2
"""Radius of the samples that decide a cost."""
FLATTEST = 1 / 16
"""Least response of the high pass, in levels, which keeps the costs of plain areas finite."""
BAND = 1 << 18
"""About how many samples are filtered at a time: they fit into a processor's cache."""


def hill(
    levels: Integer[np.ndarray, "rows columns channels"], *, around: bool = False
) -> Float32[np.ndarray, "rows columns channels"]:
    """Compute the cost of a change by one level at every sample, each channel by itself.

    Args:
        levels: The samples.
        around: The last column is next to the first, as on the globe.

    Returns:
        Costs above 0, with a mean of 1 over all samples.
    """
    if around:
        columns = np.arange(-MARGIN, levels.shape[1] + MARGIN) % levels.shape[1]
        return _of_mean_1(hill(levels[:, columns])[:, MARGIN:-MARGIN].copy())
    costs = np.empty(levels.shape, dtype=np.float32)
    for channel in range(levels.shape[2]):
        _filter(levels[..., channel], costs[..., channel], WIDE, across=True)
    return _of_mean_1(costs)


def along(
    levels: Integer[np.ndarray, "samples channels"],
) -> Float32[np.ndarray, "samples channels"]:
    """Compute the cost of a change by one level at every sample of a sound.

    Returns:
        Costs above 0, with a mean of 1 over all samples.
    """
    costs = np.empty(levels.shape, dtype=np.float32)
    _filter(levels, costs, WIDE_IN_TIME, across=False)
    return _of_mean_1(costs)


def flat(
    levels: Integer[np.ndarray, "*size channels"],
) -> Float32[np.ndarray, "*size channels"]:
    """Return a cost of 1 for every change, which gives the highest PSNR."""
    return np.ones(levels.shape, dtype=np.float32)


def _of_mean_1(costs: NDArray[np.float32]) -> NDArray[np.float32]:
    costs /= np.float32(costs.mean(dtype=np.float64))
    return costs


def _filter(
    plane: NDArray[np.integer], costs: NDArray[np.float32], wide: int, *, across: bool
) -> None:
    """Write the costs of a plane, up to a factor; filter along columns, and rows if ``across``."""
    rows, columns = plane.shape
    height = max(2 * MARGIN, BAND // columns)
    for first in range(0, rows, height):
        stop = min(first + height, rows)
        costs[first:stop] = _band(plane, first, stop, wide, across=across)


def _band(
    plane: NDArray[np.integer], first: int, stop: int, wide: int, *, across: bool
) -> NDArray[np.float32]:
    rows = len(plane)
    # beyond a border, each filter repeats the last row or column of the previous filter's output
    near = max(0, first - wide // 2), min(rows, stop + wide // 2)
    bent = max(0, near[0] - NEAR // 2), min(rows, near[1] + NEAR // 2)
    values = _rows(plane, 0, bent, 1, rows).astype(_sums_of(plane.dtype), copy=False)
    values = _second_difference(values, across=across)
    values = _window_sums(_rows(np.abs(values), bent[0], near, NEAR // 2, rows), NEAR, 0)
    if across:
        values = _window_sums(_columns(values, NEAR // 2), NEAR, 1)
    least = FLATTEST * NEAR ** (1 + across)
    inverse = 1 / np.maximum(values, least, dtype=np.float32)
    inverse = _window_sums(_rows(inverse, near[0], (first, stop), wide // 2, rows), wide, 0)
    return _window_sums(_columns(inverse, wide // 2), wide, 1) if across else inverse


def _sums_of(levels: np.dtype[np.integer]) -> type[np.signedinteger]:
    """Return a type that holds sums of the high pass over nine samples: 72 times a level."""
    sums: dict[int, type[np.signedinteger]] = {1: np.int16, 2: np.int32}
    return sums.get(levels.itemsize, np.int64)


def _rows(
    values: NDArray[Any], start: int, part: tuple[int, int], margin: int, rows: int
) -> NDArray[Any]:
    """Return some rows of an image with a margin, from values that begin at row ``start``."""
    at = np.arange(part[0] - margin, part[1] + margin).clip(0, rows - 1) - start
    return np.take(values, at, axis=0)


def _columns(values: NDArray[Any], margin: int) -> NDArray[Any]:
    return np.pad(values, ((0, 0), (margin, margin)), mode="edge")


def _second_difference(values: NDArray[Any], *, across: bool) -> NDArray[Any]:
    bent: NDArray[Any] = values[:-2] + values[2:] - 2 * values[1:-1]
    return _second_difference(_columns(bent, 1).T, across=False).T if across else bent


def _window_sums(values: NDArray[Any], size: int, axis: int) -> NDArray[Any]:
    """Add up every window of so many neighbours, out of windows of 1, 2, 4, ... of them."""
    values = values if axis == 0 else values.T
    count = len(values) - size + 1
    total = np.zeros((count, *values.shape[1:]), dtype=values.dtype)
    at, power = 0, 1
    while True:
        if size & power:
            total += values[at : at + count]
            at += power
        if 2 * power > size:
            return total if axis == 0 else total.T
        values = values[:-power] + values[power:]
        power *= 2
