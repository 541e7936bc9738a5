"""Costs: how much a change of each sample shows (rho in the literature).

A change is hardest to see and to detect where its surroundings cannot be predicted. HILL finds such
places with three filters: a high pass finds texture, a small mean keeps it in place, and a large
mean of the inverse spreads high costs over their neighbourhood. The costs of a sound use the same
filters in one dimension: the second difference as high pass, and means over 3 and 255 samples.
Changes cost most where a sample is on the line between its neighbours, as in silence.

All three filters are separable. The first two are exact sums of integers. Each works on a band of
rows at a time, which fits into a processor's cache, with one thread for each core.

Source: Li, Wang, Huang and Li (2014), "A New Cost Function for Spatial Image Steganography", with
their filters: Ker and Böhme's 3x3 high pass, 3x3 and 15x15 means.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import Float32, Integer
from numpy.typing import NDArray

from stegfield.machine import cores

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
    return _of_mean_1(_filtered(levels, WIDE, across=True))


def along(
    levels: Integer[np.ndarray, "samples channels"],
) -> Float32[np.ndarray, "samples channels"]:
    """Compute the cost of a change by one level at every sample of a sound.

    Returns:
        Costs above 0, with a mean of 1 over all samples.
    """
    return _of_mean_1(_filtered(levels, WIDE_IN_TIME, across=False))


def flat(
    levels: Integer[np.ndarray, "*size channels"],
) -> Float32[np.ndarray, "*size channels"]:
    """Return a cost of 1 for every change, which gives the highest PSNR."""
    return np.ones(levels.shape, dtype=np.float32)


def _of_mean_1(costs: NDArray[np.float32]) -> NDArray[np.float32]:
    total = sum(float(part.sum(dtype=np.float64)) for part in costs)
    costs *= np.float32(costs.size / total)
    return costs


def _filtered(levels: NDArray[np.integer], wide: int, *, across: bool) -> NDArray[np.float32]:
    """Return costs up to a factor; filter along the first axis, and the second if ``across``."""
    grid = levels.reshape(len(levels), -1)  # a channel's samples are ``step`` apart
    step = levels.shape[-1]
    costs = np.empty(grid.shape, dtype=np.float32)
    height = max(2 * MARGIN, BAND // grid.shape[1])

    def band(first: int) -> None:
        stop = min(first + height, len(grid))
        costs[first:stop] = _band(grid, (first, stop), wide, step if across else 0)

    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(band, range(0, len(grid), height)):
            pass
    return costs.reshape(levels.shape)


def _band(
    grid: NDArray[np.integer], part: tuple[int, int], wide: int, step: int
) -> NDArray[np.float32]:
    """Filter some rows; along rows too, between samples ``step`` apart, unless that is 0."""
    rows = len(grid)
    # beyond a border, each filter repeats the last row or column of the previous filter's output
    near = max(0, part[0] - wide // 2), min(rows, part[1] + wide // 2)
    bent = max(0, near[0] - NEAR // 2), min(rows, near[1] + NEAR // 2)
    kind = _sums_of(grid.dtype)
    values = _rows(grid, 0, bent, 1, rows)
    values = _second_difference(values.astype(kind, copy=False))
    if step:
        values = _second_difference(_columns(values, 1, step), step)
    np.abs(values, out=values)
    values = _window_sums(_rows(values, bent[0], near, NEAR // 2, rows), NEAR)
    if step:
        values = _window_sums(_columns(values, NEAR // 2, step), NEAR, step)
    least = FLATTEST * NEAR ** (2 if step else 1)
    inverse = np.maximum(values, least, dtype=np.float32)
    np.reciprocal(inverse, out=inverse)
    inverse = _window_sums(_rows(inverse, near[0], part, wide // 2, rows), wide)
    return _window_sums(_columns(inverse, wide // 2, step), wide, step) if step else inverse


def _sums_of(levels: np.dtype[np.integer]) -> type[np.signedinteger]:
    """Return a type that holds sums of the high pass over nine samples: 72 times a level."""
    sums: dict[int, type[np.signedinteger]] = {1: np.int16, 2: np.int32}
    return sums.get(levels.itemsize, np.int64)


def _rows(
    values: NDArray[Any], start: int, part: tuple[int, int], margin: int, rows: int
) -> NDArray[Any]:
    """Return some rows of an image with a margin, from values that begin at row ``start``."""
    first, stop = part[0] - margin, part[1] + margin
    if first >= 0 and stop <= rows:
        return values[first - start : stop - start]
    return np.take(values, np.arange(first, stop).clip(0, rows - 1) - start, axis=0)


def _columns(values: NDArray[Any], margin: int, step: int) -> NDArray[Any]:
    """Repeat the first and the last column of each channel ``margin`` times."""
    ends = (np.tile(end, margin) for end in (values[:, :step], values[:, -step:]))
    return np.concatenate([next(ends), values, next(ends)], axis=1)


def _shifted(values: NDArray[Any], by: int, count: int, step: int) -> NDArray[Any]:
    """Return ``count`` rows from row ``by`` on; columns of all channels, if ``step`` is not 0."""
    return values[:, by * step : (by + count) * step] if step else values[by : by + count]


def _length(values: NDArray[Any], step: int) -> int:
    return values.shape[1] // step if step else len(values)


def _second_difference(values: NDArray[Any], step: int = 0) -> NDArray[Any]:
    count = _length(values, step) - 2
    bent: NDArray[Any] = _shifted(values, 0, count, step) + _shifted(values, 2, count, step)
    bent -= _shifted(values, 1, count, step)
    bent -= _shifted(values, 1, count, step)
    return bent


def _window_sums(values: NDArray[Any], size: int, step: int = 0) -> NDArray[Any]:
    """Add up every window of so many neighbours, out of windows of 1, 2, 4, ... of them."""
    count = _length(values, step) - size + 1
    at, power, total = 0, 1, None
    while True:
        if size & power:
            part = _shifted(values, at, count, step)
            total = part.copy() if total is None else np.add(total, part, out=total)
            at += power
        if 2 * power > size:
            break
        fewer = _length(values, step) - power
        values = _shifted(values, 0, fewer, step) + _shifted(values, power, fewer, step)
        power *= 2
    return np.zeros_like(values) if total is None else total
