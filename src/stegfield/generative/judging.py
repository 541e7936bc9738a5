"""Measuring a model against the examples that it has not seen, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from stegfield.errors import Caution, Wording
from stegfield.generative import measures, neighbours
from stegfield.generative.examples import Examples
from stegfield.generative.model import Model
from stegfield.generative.sheets import matches_sheet

MOST_BYTES = 1 << 27
"""Of the single-precision values of one set of samples: about 2,700 images of 64x64."""
MOST_TRAINING = 20_000
"""Examples of the training that neighbours are looked for in."""
FEW = 50
"""Anchors: if fewer held-out examples can make them, examples of the training do."""


@dataclass(frozen=True, eq=False)
class Judged:
    """The figures of a model, and a picture of its samples beside their nearest neighbours."""

    report: measures.GeneratorReport
    picture: bytes


def judge(
    model: Model, examples: Examples, *, count: int = 500, shown: int = 12, seed: int = 0
) -> Judged:
    """Measure what a model generates against examples that were kept from its training.

    Samples are as many as asked for, or as there are real ones to compare them with, or as fit
    into memory: those of large images are fewer.

    Args:
        model: What to measure.
        examples: What it was trained on.
        count: Samples to generate, at most.
        shown: How many of them the picture shows.
        seed: Decides all that is random.

    Raises:
        ConfigError: the samples are of another size than the examples, or too few of either.
    """
    draws = torch.Generator().manual_seed(seed)
    held_out = _shuffled(examples.held_out(), draws)
    training = _some(examples.training(), seed)
    most = max(4, MOST_BYTES // (4 * math.prod(model.size) * model.channels))
    few = len(held_out) // 2 < min(FEW, count, most // 2)
    others = _shuffled(training, draws)[: min(count, most)] if few else None
    held_out = held_out[:most]
    count = min(count, len(held_out) // 2 if others is None else len(others))
    latents = model.latents(count, torch.Generator().manual_seed(seed))
    generated = model.sample(latents, model.size)
    known = neighbours.Known.of(_parts(examples, training, most))
    report = measures.evaluate(
        known,
        examples.grids(held_out),
        generated,
        others=None if others is None else examples.grids(others),
        globe=model.medium.on_globe,
        seed=seed,
    )
    found = neighbours.nearest(generated[:shown], known)
    nearest = examples.grids(training[found.index])
    return Judged(report, matches_sheet(generated[:shown], nearest, found.rms))


def examples_caution(model: Model, examples: Examples) -> Caution | None:
    """Return what to know before a model is measured against other examples than those it learned.

    Returns:
        None where there are as many to learn from as the model was trained on.
    """
    count = len(examples.training())
    if count == model.examples:
        return None
    return Caution(
        f"{model.name} was trained on {model.examples:,} examples, and these would be {count:,}",
        Wording("name the examples of its training with {data}: others say less about it"),
    )


def _some(index: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Choose examples to look for neighbours in, in their order: names are often sorted by kind."""
    if len(index) <= MOST_TRAINING:
        return index
    chosen = _shuffled(index, torch.Generator().manual_seed(seed))[:MOST_TRAINING]
    return np.sort(chosen)


def _shuffled(index: NDArray[np.int64], draws: torch.Generator) -> NDArray[np.int64]:
    shuffled: NDArray[np.int64] = index[torch.randperm(len(index), generator=draws).numpy()]
    return shuffled


def _parts(
    examples: Examples, index: NDArray[np.int64], most: int
) -> Iterator[Float[Tensor, "batch rows cols values"]]:
    for start in range(0, len(index), most):
        yield examples.grids(index[start : start + most])
