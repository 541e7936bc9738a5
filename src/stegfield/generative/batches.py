"""Batches: what a step of the training sees, examples at points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from stegfield.config import GanConfig
from stegfield.generative.examples import Examples
from stegfield.generative.pointconv import Pyramid, neighbourhood, pyramid
from stegfield.generative.points import coarser_sets, even_points, turned
from stegfield.generative.processes import Processes

PLACED_EXAMPLES, PLACED_SIZE = 4096, 64
"""Examples whose principal components are taken, at most, and their largest size: more examples
hardly change them."""
AT_ONCE = 256


class Batch(NamedTuple):
    """One process's part of the examples of a step."""

    at: Float[Tensor, "points axes"]
    """The points of the examples, the same in all processes."""
    values: Float[Tensor, "batch points values"]
    sets: Pyramid
    """From these points down to the coarsest."""


class Batches:
    """Draws batches; those of a step follow from its random numbers alone.

    Args:
        examples: What to draw from.
        config: How many, at which points, and whether some are mirrored.
        processes: Which part of each batch is ours.
    """

    def __init__(self, examples: Examples, config: GanConfig, processes: Processes) -> None:
        self.examples, self.config, self.processes = examples, config, processes
        self.device = torch.device(processes.device)
        self._known: dict[int, tuple[Tensor, list[Tensor], Pyramid]] = {}

    def draw(self, chosen: Int64[np.ndarray, " count"], size: int, draws: torch.Generator) -> Batch:
        """Draw this process's part of some of the chosen examples, mirrored or not."""
        count = self.config.batch
        drawn = torch.randint(len(chosen), (count,), generator=draws)
        mirrored = torch.rand(count, generator=draws) < (1 / 2 if self.config.mirror else 0)
        share = self.processes.share
        return self.look_at(chosen[share(drawn).numpy()], size, draws, share(mirrored))

    def look_at(
        self,
        index: Int64[np.ndarray, " count"],
        size: int,
        draws: torch.Generator,
        mirrored: Bool[Tensor, " count"] | None = None,
    ) -> Batch:
        """Return examples as the critic sees them, at the points of a size or at some of these.

        The points follow from the random numbers, not from the examples.
        """
        config = self.config
        at, below, sets = self._sets_of(size)
        if self.examples.medium.on_globe:  # else nobody looks at what lies between the points
            at = turned(at, draws)
            values = self.examples.values_at(index, at)
        else:
            values = self.examples.values(index, size)
        if mirrored is not None and not self.examples.medium.on_globe:
            square = values.view(len(values), size, size, -1)
            flip = mirrored.view(-1, 1, 1, 1)
            values = torch.where(flip, square.flip(2), square).flatten(1, 2)
        if 0 < config.points < len(at):
            some = torch.randperm(len(at), generator=draws)[: config.points]
            at, values = at[some], values[:, some]
            sets = [neighbourhood(at.to(self.device), below[0]), *sets[1:]]
        return Batch(at.to(self.device), values.to(self.device), sets)

    def _sets_of(self, size: int) -> tuple[Tensor, list[Tensor], Pyramid]:
        """Return the points of a size, those of the sets below it, and their neighbourhoods."""
        if size not in self._known:
            finest = even_points(self.examples.medium, size)
            below = [points.to(self.device) for points in coarser_sets(self.examples.medium, size)]
            self._known[size] = finest, below, pyramid([finest.to(self.device), *below])
        return self._known[size]


def principal_places(
    examples: Examples, chosen: Int64[np.ndarray, " count"], *, size: int, latent: int, seed: int
) -> Float[Tensor, "count latent"]:
    """Return a latent vector for every chosen example: its principal components, of variance 1.

    Where there are fewer components than numbers in the vector, the rest is random.

    Args:
        examples: What to place.
        chosen: Which of them.
        size: Of the examples as they are compared, if it is no larger than 64.
        latent: Length of the vectors.
        seed: Of what is random.
    """

    def values(index: Int64[np.ndarray, " some"]) -> Iterator[Tensor]:
        for part in np.array_split(index, max(1, len(index) // AT_ONCE)):
            yield examples.values(part, min(size, PLACED_SIZE)).flatten(1)

    some = torch.cat(list(values(chosen[:: math.ceil(len(chosen) / PLACED_EXAMPLES)])))
    some -= some.mean(0)
    count = min(latent, *some.shape)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        _, _, axes = torch.pca_lowrank(some, count, center=False, niter=4)
        rest = torch.randn(len(chosen), latent - count)
    along = torch.cat([part @ axes for part in values(chosen)])
    along -= along.mean(0)
    return torch.cat([along / along.std(0).clamp(min=1e-9), rest], 1)
