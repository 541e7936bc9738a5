"""Batches: the points of a step, and the gradients of the error there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Int64
from torch import Tensor
from torch.func import functional_call

from stegfield.fields.choosing import method_of
from stegfield.fields.field import Field, substitute
from stegfield.fields.targets import Lattice, Target


@dataclass(eq=False)
class Weights:
    """The weights that show each target: the field's own, or damaged ones in robust training."""

    encoder: Mapping[str, Tensor] = field(repr=False)
    decoders: Sequence[Mapping[str, Tensor]] = field(repr=False)
    """One for each target."""

    @classmethod
    def of(cls, field: Field, targets: int) -> Weights:
        """Take the field's own weights for every target."""
        decoder = dict(field.decoder.named_parameters())
        return cls(dict(field.encoder.named_parameters()), [decoder] * targets)


class TargetGroup:
    """The targets of one lattice: they share batches of points and the encoder's output there.

    Args:
        field: The field that is trained.
        targets: All targets of the run.
        lattice: The lattice of this group.
        loss: ``l2`` or ``l1``.
    """

    def __init__(
        self, field: Field, targets: Sequence[Target], lattice: Lattice, loss: str
    ) -> None:
        size, folded = lattice
        device = next(field.parameters()).device
        self.field, self.loss = field, loss
        self.members = [(i, t) for i, t in enumerate(targets) if t.lattice == lattice]
        self.at = field.coordinates(size, folded=folded).to(device)
        self.values = [
            torch.from_numpy(t.signal.values).flatten(0, -2).to(device) for _, t in self.members
        ]
        self.points = len(self.at)
        self.chunk = method_of(field.architecture).chunk
        self._size = size
        self._epoch = -1
        self._batches: list[Int64[Tensor, " batch"]] = []

    def batch(self, step: int, batch: int, seed: int) -> Int64[Tensor, " batch"]:
        """Return the points of a step; step and seed alone decide them, so runs can resume."""
        if not batch or batch >= self.points:
            return torch.arange(self.points)
        count = round(self.points / batch)
        epoch, place = divmod(step, count)
        if epoch != self._epoch:
            generator = seeded(seed, epoch)
            self._epoch, self._batches = epoch, spread(self._size, count, generator)
        return self._batches[place]

    def backward(self, weights: Weights, index: Int64[Tensor, " batch"], errors: Tensor) -> float:
        """Add the gradients of these points' loss, and their mean squared errors to ``errors``.

        Returns:
            The loss.
        """
        return sum(
            self._backward(weights, part, len(part) / len(index), errors)
            for part in torch.split(index, self.chunk)
        )

    def _backward(self, weights: Weights, index: Tensor, share: float, errors: Tensor) -> float:
        """Add the gradients of a chunk of points.

        Each target's gradient is computed before the next target's values: then only one target's
        activations are in memory, and they stay in the cache. The encoder's gradient is computed
        once for all targets.
        """
        features = functional_call(self.field.encoder, dict(weights.encoder), (self.at[index],))
        shared = features.detach().requires_grad_(features.requires_grad)
        total = 0.0
        for (place, target), values in zip(self.members, self.values, strict=True):
            decoder = substitute(weights.decoders[place], target.slots)
            shown = functional_call(self.field.decoder, decoder, (shared,))
            difference = shown - values[index]
            squared = difference.square().mean()
            error = squared if self.loss == "l2" else difference.abs().mean()
            loss = error * (target.weight * share)
            loss.backward()
            total += loss.item()
            errors[place] += squared.item() * share
        if shared.grad is not None:
            features.backward(shared.grad)
        return total


def seeded(seed: int, place: int) -> torch.Generator:
    """Return the random generator of one step or epoch of a run."""
    return torch.Generator().manual_seed((seed * 0x9E3779B1 + place) % (1 << 63))


def spread(
    size: tuple[int, ...], count: int, generator: torch.Generator
) -> list[Int64[Tensor, " batch"]]:
    """Deal the points of a lattice into batches that each cover it evenly.

    The lattice is cut into boxes of about ``count`` points, and every batch gets about one of each.
    Benchmark on faces: 0.3 dB better than batches at random, for the same number of steps.
    """
    side = max(1, round(count ** (1 / len(size))))
    index, box, scale = torch.arange(math.prod(size)), 0, 1
    for points in reversed(size):
        box = box + (index % points) // side * scale
        index, scale = index // points, scale * -(-points // side)
    jitter = torch.rand(math.prod(size), generator=generator, dtype=torch.float64)
    dealt = (box + jitter).argsort()
    return [dealt[place::count] for place in range(count)]
