"""The points that a critic looks at: pixels of a square, or places spread evenly over the globe."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from stegfield.generative.pointconv import Pyramid, pyramid
from stegfield.signals import Medium

COARSEST = 4
"""Points along a side of the last set: the critic's score sees 16 points."""


def even_points(medium: Medium, size: int) -> Float[Tensor, "points axes"]:
    """Return ``size`` squared points: of an image, row by row, or a spiral over the globe."""
    if medium.on_globe:
        return spiral(size * size)
    return torch.from_numpy(medium.points((size, size)))


def spiral(count: int) -> Float[Tensor, "points 3"]:
    """Spread points over the unit sphere: each has the same area around it, or nearly so.

    Source: Gonzalez (2010), the Fibonacci lattice.
    """
    index = torch.arange(count, dtype=torch.float64)
    height = 1 - (2 * index + 1) / count
    turn = index * math.pi * (3 - math.sqrt(5))
    radius = (1 - height.square()).sqrt()
    return torch.stack([radius * turn.cos(), radius * turn.sin(), height], dim=1).float()


def turned(points: Float[Tensor, "points 3"], draws: torch.Generator) -> Float[Tensor, "points 3"]:
    """Turn points of the globe, by a random angle about as long as they lie apart."""
    axis = torch.randn(3, generator=draws) / math.sqrt(len(points))
    x, y, z = axis.tolist()
    small = torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    rotation: Tensor = torch.linalg.matrix_exp(small)
    return points @ rotation.T


def coarser_sets(medium: Medium, size: int) -> list[Float[Tensor, "_points axes"]]:
    """Return the sets below the finest one, each with a quarter of the points."""
    sides = []
    while size > COARSEST:
        size //= 2
        sides.append(size)
    return [even_points(medium, side) for side in sides]


def even_pyramid(medium: Medium, size: int) -> Pyramid:
    """Return the neighbourhoods of all sets from ``size`` squared points down."""
    return pyramid([even_points(medium, size), *coarser_sets(medium, size)])
