"""A signal: values on a grid of points, with the coordinates that a field is asked at."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from stegfield.errors import ConfigError
from stegfield.signals.packing import Packing

LARGEST_SIDE = 1 << 16
WHOLE_RANGE = (-1.0, 1.0)
LEAST_SPAN = 1e-6
HIGHEST_RATE = 1e6
"""Points a second."""
SIZES = (
    "the size of a sound is its samples, like 16000",
    "a size is columns x rows, like 512x384",
    "a size is columns x rows x slices, like 96x72x16",
)
SAMPLES_PER_UNIT = 256
"""Measured on a SIREN of 8x128 with w0 = 30, 250 steps: 16,384 samples of music come to SNR 19, 43,
47 and 43 dB with 32, 128, 512 and 2,048, a spoken digit of 5,148 samples to 48, 48, 38 and 24."""
LARGEST_POINTS = 80_000_000
"""Points of the largest signal that is read, sampled or promised by a file's header."""


Origin = Literal["JPEG", "WebP", "palette", "few levels", "16 bits"]
"""Of an image: lossy files, few colours or levels of grey, or more bits than are kept."""


@dataclass(frozen=True, eq=False)
class Signal:
    """Values in [-1, 1] on a grid, channels last.

    An image has the axes rows and columns and 1 or 3 channels. A climate field has 1 channel, rows
    from the north pole to the south pole, and columns from 0 degrees eastward. A sound has the axis
    time and 1 or 2 channels; a video the axes frames, rows and columns and 3 channels; a volume
    slices, rows and columns and 1 channel; a shape has those of a volume.
    """

    values: Float[Tensor, "*size channels"]
    medium: str = "image"
    origin: Origin | None = None
    """What samples were decoded from, where it shows in them or was more than they are."""
    packing: Packing | None = None
    """How the climate file that the values are from holds them; files of our own if None."""
    rate: float | None = None
    """Points a second along the first axis, where that is time."""
    range: tuple[float, float] = WHOLE_RANGE
    """What -1 and 1 stand for, on the medium's own scale: a quiet sound fills [-1, 1] as well."""

    @property
    def size(self) -> tuple[int, ...]:
        """Points along each axis: (rows, columns) of an image."""
        return tuple(self.values.shape[:-1])

    @property
    def channels(self) -> int:
        """Values at each point: 1 for grey, 3 for RGB."""
        return self.values.shape[-1]

    @property
    def natural(self) -> Float[Tensor, "*size channels"]:
        """The values on the medium's own scale, in float64."""
        lowest, highest = self.range
        return lowest + (self.values.double() + 1) / 2 * (highest - lowest)

    @property
    def points(self) -> int:
        """How many points there are."""
        return math.prod(self.size)


def stretched(
    natural: Float[Tensor, "*size channels"], span: tuple[float, float] | None = None
) -> tuple[Float[Tensor, "*size channels"], tuple[float, float]]:
    """Stretch values over [-1, 1], and give what -1 and 1 stand for.

    Args:
        natural: Values on their medium's own scale.
        span: That pair, if it is given; their least and largest value if not, and (-1, 1) if
            these are nearly equal.

    Example:
        >>> stretched(torch.tensor([[0.25], [0.75]]))[1]
        (0.25, 0.75)
    """
    if span is None:
        span = natural.min().item(), natural.max().item()
        if span[1] - span[0] < LEAST_SPAN:
            span = WHOLE_RANGE
    lowest, highest = span
    return (2 * (natural.double() - lowest) / (highest - lowest) - 1).float(), span


def extent(size: tuple[int, ...], medium: str = "image") -> tuple[float, ...]:
    """Give half the length of each axis: 1 for the longest, the others keep the aspect.

    A sound is longer, since it has more points along its axis than an image: `SAMPLES_PER_UNIT` of
    them in a half of length 1.

    Example:
        >>> extent((300, 400))
        (0.75, 1.0)
    """
    if medium == "sound":
        return (size[0] / SAMPLES_PER_UNIT,)
    longest = max(size)
    return tuple(points / longest for points in size)


def scaled(size: tuple[int, ...], longest: int) -> tuple[int, ...]:
    """Give the size of the same aspect whose longest axis has so many points.

    Example:
        >>> scaled((46, 90), 180)
        (92, 180)
    """
    return tuple(max(1, round(longest * side / max(size))) for side in size)


def coordinates(
    size: tuple[int, ...],
    within: tuple[float, ...] | None = None,
    start: int = 0,
    stop: int | None = None,
) -> Float[Tensor, "points axes"]:
    """Give the centres of the points of a grid, the last axis running fastest.

    Points fill the box of half lengths ``within`` from edge to edge, so that a field trained at one
    size is asked at any other. In a box of their own the longest axis spans [-1, 1].

    Args:
        size: Points along each axis, at least 1 each.
        within: Half the length of each axis of the box; the `extent` of ``size`` if left out.
        start: First point wanted, counted in that order.
        stop: Point to stop before; the last one if left out.

    Example:
        >>> coordinates((1, 2))
        tensor([[ 0.0000, -0.5000],
                [ 0.0000,  0.5000]])
    """
    index = torch.arange(start, math.prod(size) if stop is None else stop)
    axes = []
    for count, half in zip(reversed(size), reversed(within or extent(size)), strict=True):
        # in float64: one rounding at the end, the same on every machine
        axes.append((2 * (index % count).double() + 1 - count) * (half / count))
        index = index // count
    return torch.stack(axes[::-1], dim=1).float()


def sphere(
    size: tuple[int, ...], start: int = 0, stop: int | None = None
) -> Float[Tensor, "points 3"]:
    """Give the points of a grid on the globe as unit vectors, the columns running fastest.

    Rows go from 90 degrees north to 90 degrees south, both included; columns from 0 degrees
    eastward, 360 excluded. The axes point to (0 N, 0 E), to (0 N, 90 E) and to the north pole. A
    place that two grids share has the same point in both.

    Args:
        size: Rows and columns.
        start: First point wanted, row by row.
        stop: Point to stop before; the last one if left out.

    Example:
        >>> sphere((3, 4), 3, 6)  # the last place of the north pole, then two on the equator
        tensor([[0., 0., 1.],
                [1., 0., 0.],
                [0., 1., 0.]])
    """
    rows, columns = size
    index = torch.arange(start, rows * columns if stop is None else stop)
    height, radius = _parallels(rows)
    east, north = _meridians(columns)
    row, column = index // columns, index % columns
    at = (radius[row] * east[column], radius[row] * north[column], height[row])
    return torch.stack(at, dim=1).float() + 0.0  # no point has coordinates of -0


@lru_cache(maxsize=16)
def _parallels(rows: int) -> tuple[Tensor, Tensor]:
    """Give the height of each row above the equator's plane, and its distance from the axis.

    A share of a quarter turn is divided before anything is rounded, so that rows of finer grids
    come out equal, and both poles exactly so.
    """
    quarter = math.pi / 2
    shares = [(rows - 1 - 2 * row) / max(rows - 1, 1) for row in range(rows)]
    height = [math.sin(quarter * share) for share in shares]
    radius = [math.sin(quarter * (1 - abs(share))) for share in shares]
    return torch.tensor(height, dtype=torch.float64), torch.tensor(radius, dtype=torch.float64)


@lru_cache(maxsize=16)
def _meridians(columns: int) -> tuple[Tensor, Tensor]:
    """Give the direction of each column in the equator's plane."""
    turns = [_cosine_and_sine(column, columns) for column in range(columns)]
    east, north = torch.tensor(turns, dtype=torch.float64).T
    return east, north


def _cosine_and_sine(step: int, steps: int) -> tuple[float, float]:
    """Give the cosine and the sine of a share of a turn, exact at its quarters."""
    quarter, left = divmod(4 * step, steps)
    angle = math.pi / 2 * (left / steps)
    x, y = math.cos(angle), math.sin(angle)
    return ((x, y), (-y, x), (-x, -y), (y, -x))[quarter]


def equal_area(
    size: tuple[int, ...], start: int = 0, stop: int | None = None
) -> Float[Tensor, "points 3"]:
    """Give the points of a folded grid on the globe, the columns running fastest.

    Row r of R has its height above the equator's plane at (2 r + 1) / R - 1, from south to north,
    so that all have the same area; column c of C lies at 360 (c + 1/2) / C degrees east.

    Args:
        size: Rows and columns.
        start: First point wanted, row by row.
        stop: Point to stop before; the last one if left out.

    Example:
        >>> equal_area((2, 4))[:, 2]
        tensor([-0.5000, -0.5000, -0.5000, -0.5000,  0.5000,  0.5000,  0.5000,  0.5000])
    """
    rows, columns = size
    index = torch.arange(start, rows * columns if stop is None else stop)
    height = (2 * (index // columns).double() + 1 - rows) / rows
    turn = 2 * math.pi * ((index % columns).double() + 0.5) / columns
    radius = (1 - height.square()).sqrt()
    return torch.stack((radius * turn.cos(), radius * turn.sin(), height), dim=1).float() + 0.0


def axes(medium: str, size: tuple[int, ...]) -> int:
    """Give the coordinates that a point of a signal has: 2 in an image, 3 on the globe."""
    return 3 if medium == "climate" else len(size)


def points(
    medium: str,
    size: tuple[int, ...],
    within: tuple[float, ...] | None = None,
    start: int = 0,
    stop: int | None = None,
    *,
    folded: bool = False,
) -> Float[Tensor, "points axes"]:
    """Give the points of a signal: on the `sphere` for a climate field, else its `coordinates`.

    Those of a folded signal are the same, but on the globe its `equal_area` grid.

    Example:
        >>> points("image", (1, 2)).shape, points("climate", (3, 2)).shape
        (torch.Size([2, 2]), torch.Size([6, 3]))
    """
    if medium == "climate":
        return equal_area(size, start, stop) if folded else sphere(size, start, stop)
    return coordinates(size, within, start, stop)


def parse_size(text: str, axes: int | None = 2) -> tuple[int, ...]:
    """Read a size as people write it, columns first: ``512x384`` gives (384, 512).

    Args:
        text: As many numbers as there are axes: one of a sound, two of an image.
        axes: How many that must be; as many as there are, up to three, if None.

    Raises:
        ConfigError: It is not so many numbers from 1 to 65,536, or more than 80 million points.
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
