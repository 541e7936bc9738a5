"""A signal: values on a grid of points, with the coordinates that a field is asked at."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from stegfield.errors import ConfigError

LARGEST_SIDE = 1 << 16
LARGEST_POINTS = 80_000_000
"""Points of the largest signal that is read, sampled or promised by a file's header."""


@dataclass(frozen=True, eq=False)
class Signal:
    """Values in [-1, 1] on a grid, channels last.

    An image has the axes rows and columns and 1 or 3 channels.
    """

    values: Float[Tensor, "*size channels"]
    medium: str = "image"
    origin: Literal["JPEG", "palette"] | None = None
    """What samples were decoded from, where it shows in them: JPEG, or a palette of few colours."""

    @property
    def size(self) -> tuple[int, ...]:
        """Points along each axis: (rows, columns) of an image."""
        return tuple(self.values.shape[:-1])

    @property
    def channels(self) -> int:
        """Values at each point: 1 for grey, 3 for RGB."""
        return self.values.shape[-1]

    @property
    def points(self) -> int:
        """How many points there are."""
        return math.prod(self.size)


def extent(size: tuple[int, ...]) -> tuple[float, ...]:
    """Give half the length of each axis: 1 for the longest, the others keep the aspect.

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


def parse_size(text: str) -> tuple[int, int]:
    """Read a size as people write it, columns first: ``512x384`` gives (384, 512).

    Raises:
        ConfigError: It is not two numbers from 1 to 65,536, or more than 80 megapixels.
    """
    match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    columns, rows = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (0 < columns <= LARGEST_SIDE and 0 < rows <= LARGEST_SIDE):
        raise ConfigError(
            f"a size is columns x rows, like 512x384, got {text!r}",
            hint=f"each side from 1 to {LARGEST_SIDE:,}",
        )
    if rows * columns > LARGEST_POINTS:
        raise ConfigError(f"{text} is more than {LARGEST_POINTS // 10**6} megapixels")
    return rows, columns
