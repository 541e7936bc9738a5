"""Grids: the points that belong to a signal's values, as coordinates that a field is asked at.

All is computed in float64 and rounded once, so that a point is the same on every machine.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Float64, Int64

from stegfield.errors import ConfigError

LARGEST_SIDE = 1 << 16
LARGEST_POINTS = 80_000_000
"""Points of the largest signal that is read, sampled or promised by a file's header."""
SIZES = (
    "the size of a sound is its samples, like 16000",
    "a size is columns x rows, like 512x384",
    "a size is columns x rows x slices, like 96x72x16",
)


def extent(size: tuple[int, ...]) -> tuple[float, ...]:
    """Return half the length of each axis: 1 for the longest, the others keep the aspect.

    Example:
        >>> extent((300, 400))
        (0.75, 1.0)
    """
    longest = max(size)
    return tuple(points / longest for points in size)


def coordinates(
    size: tuple[int, ...],
    within: tuple[float, ...] | None = None,
    start: int = 0,
    stop: int | None = None,
) -> Float32[np.ndarray, "points axes"]:
    """Return the centres of the points of a grid, the last axis running fastest.

    Points fill the box of half lengths ``within`` from edge to edge, so that a field trained at one
    size is asked at any other. In a box of their own the longest axis spans [-1, 1].

    Args:
        size: Points along each axis, at least 1 each.
        within: Half the length of each axis of the box; the `extent` of ``size`` if left out.
        start: First point wanted, counted in that order.
        stop: Point to stop before; the last one if left out.

    Example:
        >>> coordinates((1, 2)).tolist()
        [[0.0, -0.5], [0.0, 0.5]]
    """
    index = _numbers(size, start, stop)
    axes = []
    for count, half in zip(reversed(size), reversed(within or extent(size)), strict=True):
        axes.append((2 * (index % count).astype(np.float64) + 1 - count) * (half / count))
        index = index // count
    return np.stack(axes[::-1], axis=1).astype(np.float32)


def sphere(
    size: tuple[int, ...], start: int = 0, stop: int | None = None
) -> Float32[np.ndarray, "points 3"]:
    """Return the points of a grid on the globe as unit vectors, the columns running fastest.

    Rows go from 90 degrees north to 90 degrees south, both included; columns from 0 degrees
    eastward, 360 excluded. The axes point to (0 N, 0 E), to (0 N, 90 E) and to the north pole. A
    place that two grids share has the same point in both.

    Args:
        size: Rows and columns.
        start: First point wanted, row by row.
        stop: Point to stop before; the last one if left out.

    Example:
        >>> sphere((3, 4), 3, 6).tolist()  # the last place of the north pole, two on the equator
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    rows, columns = size
    index = _numbers(size, start, stop)
    height, radius = _parallels(rows)
    east, north = _meridians(columns)
    row, column = index // columns, index % columns
    at = (radius[row] * east[column], radius[row] * north[column], height[row])
    return np.stack(at, axis=1).astype(np.float32) + np.float32(0)  # no point has -0


def equal_area(
    size: tuple[int, ...], start: int = 0, stop: int | None = None
) -> Float32[np.ndarray, "points 3"]:
    """Return the points of a folded grid on the globe, the columns running fastest.

    Row r of R has its height above the equator's plane at (2 r + 1) / R - 1, from south to north,
    so that all have the same area; column c of C lies at 360 (c + 1/2) / C degrees east.

    Args:
        size: Rows and columns.
        start: First point wanted, row by row.
        stop: Point to stop before; the last one if left out.

    Example:
        >>> equal_area((2, 4))[::4, 2].tolist()
        [-0.5, 0.5]
    """
    rows, columns = size
    index = _numbers(size, start, stop)
    height = (2 * (index // columns).astype(np.float64) + 1 - rows) / rows
    turn = 2 * math.pi * ((index % columns).astype(np.float64) + 0.5) / columns
    radius = np.sqrt(1 - np.square(height))
    at = np.stack((radius * np.cos(turn), radius * np.sin(turn), height), axis=1)
    return at.astype(np.float32) + np.float32(0)


def _numbers(size: tuple[int, ...], start: int, stop: int | None) -> Int64[np.ndarray, " points"]:
    return np.arange(start, math.prod(size) if stop is None else stop)


@lru_cache(maxsize=16)
def _parallels(
    rows: int,
) -> tuple[Float64[np.ndarray, " rows"], Float64[np.ndarray, " rows"]]:
    """Return the height of each row above the equator's plane, and its distance from the axis.

    A share of a quarter turn is divided before anything is rounded, so that rows of finer grids
    come out equal, and both poles exactly so.
    """
    quarter = math.pi / 2
    shares = [(rows - 1 - 2 * row) / max(rows - 1, 1) for row in range(rows)]
    height = [math.sin(quarter * share) for share in shares]
    radius = [math.sin(quarter * (1 - abs(share))) for share in shares]
    return np.array(height), np.array(radius)


@lru_cache(maxsize=16)
def _meridians(
    columns: int,
) -> tuple[Float64[np.ndarray, " columns"], Float64[np.ndarray, " columns"]]:
    """Return the direction of each column in the equator's plane."""
    east, north = np.array([_cosine_and_sine(column, columns) for column in range(columns)]).T
    return east, north


def _cosine_and_sine(step: int, steps: int) -> tuple[float, float]:
    """Return the cosine and the sine of a share of a turn, exact at its quarters."""
    quarter, left = divmod(4 * step, steps)
    angle = math.pi / 2 * (left / steps)
    x, y = math.cos(angle), math.sin(angle)
    return ((x, y), (-y, x), (-x, -y), (y, -x))[quarter]


def scaled(size: tuple[int, ...], longest: int) -> tuple[int, ...]:
    """Return the size of the same aspect whose longest axis has so many points.

    Example:
        >>> scaled((46, 90), 180)
        (92, 180)
    """
    return tuple(max(1, round(longest * side / max(size))) for side in size)


def size_text(size: tuple[int, ...]) -> str:
    """Write a size as people do, columns first.

    Example:
        >>> size_text((384, 512))
        '512x384'
    """
    return "x".join(map(str, reversed(size)))


def parse_size(text: str, axes: int | None = 2) -> tuple[int, ...]:
    """Read a size as people write it, columns first: ``512x384`` gives (384, 512).

    Args:
        text: As many numbers as there are axes: one of a sound, two of an image.
        axes: How many that must be; as many as there are, up to three, if None.

    Raises:
        ConfigError: The text is not so many numbers from 1 to 65,536, or they make more than 80
            million points.
    """
    parts = text.split("x")
    numbers = [int(part) for part in parts if re.fullmatch(r"[0-9]{1,8}", part)]
    if axes is None:
        axes = len(parts) if len(numbers) == len(parts) <= len(SIZES) else 2
    longest = LARGEST_POINTS if axes == 1 else LARGEST_SIDE
    fits = len(numbers) == len(parts) == axes and all(0 < n <= longest for n in numbers)
    if not fits:
        raise ConfigError(
            f"{SIZES[axes - 1]}, got {text!r}",
            hint=f"each side from 1 to {longest:,}",
        )
    if math.prod(numbers) > LARGEST_POINTS:
        raise ConfigError(f"{text} is more than {LARGEST_POINTS // 10**6} megapixels")
    return tuple(reversed(numbers))
