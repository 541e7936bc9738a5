"""Timing: the inner loops, each compared with another way to the same result."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.profiler import ProfilerActivity, profile

from stegfield import fields, hiding
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.experiments.settings import HidingSettings
from stegfield.bench.experiments.viterbi import least_flips
from stegfield.bench.measuring import timed
from stegfield.bench.results import Figure
from stegfield.fields import Field, Target
from stegfield.fields.choosing import method_of
from stegfield.fixednet.exact import search
from stegfield.fixednet.exact.sine import stretches
from stegfield.hiding import SlotScheme
from stegfield.keys import Key

OPERATIONS = {
    "matrix_products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm"),
    "sine_and_cosine": ("aten::sin", "aten::cos", "aten::sin_", "aten::cos_"),
    "multiplication_and_addition": ("aten::mul", "aten::add", "aten::add_", "aten::mul_"),
    "sums": ("aten::sum", "aten::mean"),
    "slots": ("aten::scatter", "aten::scatter_"),
    "allocation": ("aten::empty", "aten::empty_strided", "aten::fill_"),
}
"""Parts of a training step, and what torch calls them."""
REPEATS = 5
MUON_REPEATS = 30
SPREAD = 20
"""Most expensive flip of a search, in units of 1 / lambda."""


def searching(
    data: Datasets, *, samples: int = 12_288, bits: int = 4096, height: int = 10
) -> Found:
    """Time the solver as machine code, the same arithmetic in numpy, and a plain Viterbi search.

    Args:
        data: Not used.
        samples: Samples that may carry bits.
        bits: Bits that they carry.
        height: The constraint height of the trellis.
    """
    random = np.random.default_rng(0)
    drawn = random.integers(0, 1 << height, samples) | 1 | 1 << (height - 1)
    costs = (SPREAD * random.random(samples)).astype(np.float32)
    target = random.integers(0, 2, bits).astype(np.bool_)
    task = drawn.astype(np.uint16), costs, stretches(samples, bits), target, height
    seconds, paid = {}, {}
    for name, flips in SOLVERS.items():
        seconds[name] = timed(REPEATS, partial(flips, *task))
        paid[name] = float(costs[flips(*task)].sum(dtype=np.float64))
    ours = seconds["compiled"]
    return Found(
        {
            **{f"{name}_nanoseconds": 1e9 * took / samples for name, took in seconds.items()},
            "times_slower": seconds["numpy"] / ours,
            "times_slower_exact": seconds["exact"] / ours,
            "extra_cost_percent": 100 * (paid["compiled"] / paid["exact"] - 1),
        }
    )


def _in_numpy(*task: Any) -> NDArray[np.bool_]:
    with search.interpreted():
        return search.cheapest_flips(*task)


SOLVERS = {"compiled": search.cheapest_flips, "numpy": _in_numpy, "exact": least_flips}
"""Searches for the cheapest flips: with integer costs as machine code and in numpy, and a plain
Viterbi search."""


def training_step(data: Datasets, settings: HidingSettings) -> Found:
    """Time a training step of a field with secrets, and the share of each part.

    A few steps run without a profiler for the time, and as many with it for the shares.
    """
    images = settings.images(data)
    field = fields.new_field(images[0], architecture=settings.field or "siren", seed=1)
    scheme = SlotScheme(ratio=field.slot_ratio)
    keys = [Key(bytes([at]) * 32) for at in range(1, len(images))]
    slots = [{}, *(hiding.key_slots(field, key, scheme) for key in keys)]
    targets = [Target(image, slot) for image, slot in zip(images, slots, strict=True)]
    plan = settings.training()
    train = partial(fields.train, field, targets, plan)
    seconds = timed(1, train) / settings.steps
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        train()
    own = {event.key: event.self_cpu_time_total for event in profiler.key_averages()}
    total = sum(own.values())
    shares = {
        f"{name}_percent": 100 * sum(own.get(key, 0.0) for key in keys) / total
        for name, keys in OPERATIONS.items()
    }
    batch = method_of(field.architecture).batch_of(images[0].points)
    work = _useful_operations(field, (plan.batch or batch) * len(images))
    figures: dict[str, Figure] = {
        "step_milliseconds": 1000 * seconds,
        "useful_gflop_a_second": work / seconds / 1e9,
        **shares,
        "rest_percent": 100 - sum(shares.values()),
    }
    return Found(figures | _muon(field))


def _matrices(field: Field) -> list[torch.nn.Parameter]:
    return [field.decoder.get_parameter(name) for name in field.slot_bounds()]


def _useful_operations(field: Field, points: int) -> int:
    """Count the multiplications and additions of a step's matrix products, both ways."""
    counts = [matrix.numel() for matrix in _matrices(field)]
    return (6 * sum(counts) - 2 * counts[0]) * points  # no gradient to coordinates


def _muon(field: Field) -> dict[str, Figure]:
    """Time one step of our Muon and of torch's on a field's matrices."""
    matrices = _matrices(field)
    for matrix in matrices:
        matrix.grad = torch.randn_like(matrix)
    ours, theirs = (
        1000 * timed(MUON_REPEATS, kind(matrices, lr=1e-9).step)
        for kind in (fields.Muon, torch.optim.Muon)
    )
    return {"muon_milliseconds": ours, "torch_muon_milliseconds": theirs}
