"""A signal: values on a grid of points, with the coordinates that a field is asked at."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from stegfield.errors import ConfigError

LARGEST_SIDE = 1 << 16


@dataclass(frozen=True, eq=False)
class Signal:
    """Values in [-1, 1] on a grid, channels last.

    An image has the axes rows and columns and 1 or 3 channels.
    """

    values: Float[Tensor, "*size channels"]
    medium: str = "image"

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

    def coordinates(self) -> Float[Tensor, "points axes"]:
        """Give the coordinates of every value, in the order of ``values.flatten``."""
        return coordinates(self.size)


def coordinates(
    size: tuple[int, ...], start: int = 0, stop: int | None = None
) -> Float[Tensor, "points axes"]:
    """Give the centres of the points of a grid, the last axis running fastest.

    The longest axis spans [-1, 1] from edge to edge; the others keep the aspect and are centred, so
    that a field trained at one size is asked at any other.

    Args:
        size: Points along each axis, at least 1 each.
        start: First point wanted, counted in that order.
        stop: Point to stop before; the last one if left out.

    Example:
        >>> coordinates((1, 2))
        tensor([[ 0.0000, -0.5000],
                [ 0.0000,  0.5000]])
    """
    longest = max(size)
    index = torch.arange(start, math.prod(size) if stop is None else stop)
    axes = []
    for count in reversed(size):
        # in float64: one rounding at the end, the same on every machine
        axes.append((2 * (index % count).double() + 1 - count) / longest)
        index = index // count
    return torch.stack(axes[::-1], dim=1).float()


def parse_size(text: str) -> tuple[int, int]:
    """Read a size as people write it, columns first: ``512x384`` gives (384, 512).

    Raises:
        ConfigError: It is not two numbers from 1 to 65,536.
    """
    match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    columns, rows = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (0 < columns <= LARGEST_SIDE and 0 < rows <= LARGEST_SIDE):
        raise ConfigError(
            f"a size is columns x rows, like 512x384, got {text!r}",
            hint=f"each side from 1 to {LARGEST_SIDE:,}",
        )
    return rows, columns
