"""Sharing: neighbourhoods and weights of point convolutions once a batch, or once a sample.

All our samples have the same points, so neighbours and the weights that depend on them are computed
once. The published PointConv (Wu et al., 2019) computes them for every sample, and estimates the
density of points as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.measuring import timed
from stegfield.config import PRESETS
from stegfield.errors import StegfieldError
from stegfield.fields.field import keep_freed_memory
from stegfield.generative.pointconv import (
    MOST_DISTANCES,
    NEIGHBOURS,
    SCORE_SCALE,
    SLOPE,
    Critic,
    PointConv,
    neighbourhood,
    pyramid,
)
from stegfield.generative.points import coarser_sets, even_points, even_pyramid
from stegfield.signals import IMAGE

BATCH = 64
REPEATS = 3


def _critic(size: int) -> Critic:
    sets = even_pyramid(IMAGE, size)
    counts = [min(2**level, 4) * PRESETS["faces"].channels for level in range(4)]
    return Critic(sets, 3, counts[-len(sets) :])


def sharing(data: Datasets, *, size: int = 32) -> Found:
    """Time one convolution of 64 to 128 channels, forward and back.

    Args:
        data: Not used.
        size: Points along each side.
    """
    torch.manual_seed(0)
    finer, coarser = even_points(IMAGE, size), even_points(IMAGE, size // 2)
    near = neighbourhood(finer, coarser)
    layer, values = PointConv(near, 64, 128), torch.randn(size * size, BATCH, 64)

    def apart() -> Tensor:
        samples = (values[:, at : at + 1] for at in range(BATCH))
        return torch.cat([layer(each, neighbourhood(finer, coarser)) for each in samples], 1)

    def batched() -> Tensor:
        own = _own_neighbourhood(finer, coarser)
        return _convolved(layer, values.transpose(0, 1), own).transpose(0, 1)

    return _raced({"shared": lambda: layer(values, near), "batched": batched, "direct": apart})


def sharing_critic(data: Datasets, *, size: int) -> Found:
    """Time the critic of `faces`, forward and back, in four ways.

    "batched" does our arithmetic for all samples at once, each with its own points. "direct" does
    it for one sample after the other. "published" is batched and estimates densities by the
    Gaussian kernel alone, without the network behind it: a lower bound.

    Args:
        data: Not used.
        size: Points along each side.
    """
    keep_freed_memory()
    torch.manual_seed(0)
    points = [even_points(IMAGE, size), *coarser_sets(IMAGE, size)]
    critic = _critic(size)
    values = torch.randn(BATCH, size * size, 3)
    return _raced(
        {
            "shared": lambda: critic(values, pyramid(points)),
            "batched": partial(_own_scores, critic, points, values, densities=False),
            "direct": partial(_scores_one_by_one, critic, points, values),
            "published": partial(_own_scores, critic, points, values, densities=True),
        }
    )


def _raced(ways: dict[str, Callable[[], Tensor]]) -> Found:
    """Time several ways to one result, forward and back, and compare each with the first."""
    first, *others = ways
    with torch.no_grad():
        result = ways[first]()
        if not all(torch.allclose(ways[name](), result, atol=1e-4) for name in others):
            raise StegfieldError("all ways should give the same")
    seconds = {name: timed(REPEATS, partial(_forward_and_back, way)) for name, way in ways.items()}
    ratios = {f"{name}_times_slower": seconds[name] / seconds[first] for name in others}
    return Found({f"{name}_seconds": took for name, took in seconds.items()} | ratios)


def _forward_and_back(way: Callable[[], Tensor]) -> None:
    torch.autograd.backward([functional.softplus(way()).mean()])


def _scores_one_by_one(critic: Critic, points: list[Tensor], values: Tensor) -> Tensor:
    return torch.cat([critic(sample, pyramid(points)) for sample in torch.split(values, 1)])


def _own_scores(critic: Critic, points: list[Tensor], values: Tensor, *, densities: bool) -> Tensor:
    """Return the critic's scores, computed with separate points for every sample."""
    sets = [_own_neighbourhood(*pair) for pair in pairwise(points)]
    if densities:
        for some in points[:-1]:
            _estimate_densities(some)
    first, *entries = critic.entries
    x = _convolved(first, values, sets[0])
    for finer, near, level, entry in zip(sets[:-1], sets[1:], critic.levels, entries, strict=True):
        values = _gathered(values, finer.index).mean(2)
        mixed = _convolved(level, functional.leaky_relu(x, SLOPE), near)
        x = mixed + _convolved(entry, values, near)
    scores: Tensor = critic.score(functional.leaky_relu(x, SLOPE).flatten(1)).squeeze(1)
    return SCORE_SCALE * scores


@dataclass(frozen=True, eq=False)
class _Own:
    """Neighbourhoods of every sample: index and relative place, by sample, point and neighbour."""

    index: Tensor
    relative: Tensor


def _own_neighbourhood(finer: Tensor, coarser: Tensor) -> _Own:
    """Find the nearest points of each point, separately for every sample."""
    count = min(NEIGHBOURS, len(finer))
    found = [
        torch.cdist(coarser.expand(some, -1, -1), finer.expand(some, -1, -1))
        .topk(count, largest=False)
        .indices
        for some in _samples_at_once(len(finer) * len(coarser))
    ]
    index = torch.cat(found)
    relative = _gathered(finer.expand(BATCH, -1, -1), index) - coarser[:, None]
    scale = relative.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-9)
    return _Own(index, relative / scale)


def _estimate_densities(points: Tensor) -> None:
    spacing = 2 / math.sqrt(len(points))
    for some in _samples_at_once(len(points) ** 2):
        each = points.expand(some, -1, -1)
        (torch.cdist(each, each) / spacing).square().mul(-1 / 2).exp().mean(2)


def _samples_at_once(distances: int) -> list[int]:
    """Split a batch into numbers of samples whose distances fit into memory."""
    some = min(BATCH, max(1, MOST_DISTANCES // distances))
    return [min(some, BATCH - start) for start in range(0, BATCH, some)]


def _gathered(values: Tensor, index: Tensor) -> Tensor:
    chosen = index.flatten(1)[..., None].expand(-1, -1, values.shape[2])
    return values.gather(1, chosen).view(*index.shape, -1)


def _convolved(layer: nn.Module, values: Tensor, near: _Own) -> Tensor:
    """Return a convolution's output, with weights computed for every sample."""
    layer, each = cast("PointConv", layer), near.relative
    weights = layer.weights(each.flatten(0, 1)).unflatten(0, each.shape[:2])
    size = (weights.square().mean(2, keepdim=True) + 1e-6).sqrt()
    weights = weights / (size * math.sqrt(near.index.shape[2]))
    sums = weights.transpose(2, 3) @ _gathered(values, near.index)
    mixed: Tensor = layer.mix(sums.flatten(2))
    return mixed
