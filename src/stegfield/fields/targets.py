"""Targets: what a field is trained to show, and how well it shows it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import numpy as np

from stegfield.fields.field import POINTS_AT_ONCE, Field, SlotValues, render
from stegfield.signals import Signal, psnr_db

DRAWING_SECONDS = 0.5
"""Kept for the draw and for keys, whatever they take: what is hidden decides nothing."""
RENDERINGS = 2
"""Time for what comes after the training, in renderings: one measures the field, and drawing and
writing it take about as long."""
Lattice = tuple[tuple[int, ...], bool]
"""The size of a target, and whether it is folded; together they decide its points."""


@dataclass(frozen=True, eq=False)
class Target:
    """A signal to show, the slot values that show it, and the weight of its error."""

    signal: Signal
    slots: SlotValues = dataclass_field(default_factory=dict, repr=False)
    weight: float = 1.0

    @property
    def lattice(self) -> Lattice:
        """The lattice that decides the points of the target."""
        return self.signal.size, self.signal.folded


def measure(field: Field, targets: Sequence[Target]) -> tuple[float, ...]:
    """Return the PSNR in dB of each target as the field shows it, on the integers of a file."""
    return tuple(
        _psnr_db(render(field, size, target.slots, folded=folded), target.signal)
        for target in targets
        for size, folded in [target.lattice]
    )


def ending_seconds(field: Field, targets: Sequence[Target], slowness: float = 1.0) -> float:
    """Estimate how long a trained field takes to measure and to write, from a part that is timed.

    Args:
        field: The field, trained or not.
        targets: What is measured.
        slowness: How many times as long as two quiet cores the machine takes.
    """
    size = field.public.size
    points = math.prod(size)
    part = tuple(
        max(1, round(side * min(1.0, POINTS_AT_ONCE / points) ** (1 / len(size)))) for side in size
    )
    render(field, part)  # the first one takes longer
    began = time.perf_counter()
    render(field, part)
    seconds = time.perf_counter() - began
    points = sum(each.signal.points for each in targets)
    return float(DRAWING_SECONDS * slowness + RENDERINGS * seconds * points / math.prod(part))


def _psnr_db(shown: Signal, expected: Signal) -> float:
    """Return the PSNR on the integers of a file; for stretched or folded signals, on values."""
    if not (expected.folded or expected.medium.ranged):
        return psnr_db(shown, expected)
    error = float(np.square(shown.values.astype(np.float64) - expected.values).mean())
    return 10 * math.log10(4 / error) if error else math.inf
