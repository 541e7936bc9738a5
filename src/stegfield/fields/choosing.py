"""Choosing: which field suits a cover and the time, how it is trained, and what to expect.

The choice depends on the cover's size and medium and on the time, never on what will be hidden:
otherwise a header would tell something of it.

A siren field is chosen where it is expected to reach `GOAL_DB` in time, because none of its weights
belongs to a place. Elsewhere an image gets the field of which more is expected: a grid that has a
cell for each pixel reaches any quality, and its file is larger than the image. Other media get a
siren field; grids show images only.

Expectations come from `MEASURED`, by suite ``speed-22-choosing`` of `stegfield bench`. They are of
two quiet cores. Where seconds decide, a few steps are timed first (`stegfield.fields.pace`), and on
a machine that takes twice as long, half as many steps are expected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from stegfield.config import FitConfig
from stegfield.fields.sizes import SIZES
from stegfield.signals import IMAGE, Medium

GOAL_DB, USUAL_SECONDS = 45.0, 120.0
"""What a chosen field should reach, and the time it has where the settings name none."""

CONCEALING, FASTEST = "siren", "grid"


@dataclass(frozen=True)
class Method:
    """How fields of an architecture are trained unless the settings say otherwise."""

    batch: int = 2048
    """Least points of each signal in a step."""
    batches: int | None = None
    """Most steps of a pass over the signal; more points a step make fewer of them."""
    passes: int = 40
    """Planned passes over the largest signal."""
    steps: int = 1000
    """Least planned steps."""
    shared_steps: int = 1000
    """The same where several signals share the field."""
    chunk: int = 4096
    """Points whose activations are in memory at a time: as many as a processor's cache holds."""
    seconds: float = math.nan
    """Of two quiet cores, for one point of one signal in a step; NaN if not measured."""

    def batch_of(self, points: int) -> int:
        """Return the points of a step for a signal of this many."""
        return max(self.batch, 0 if self.batches is None else -(-points // self.batches))

    def steps_for(self, points: int, batch: int, *, shared: bool = False) -> int:
        """Return the planned steps.

        Args:
            points: Of the largest signal.
            batch: Points of it in a step; 0 takes all.
            shared: Whether several signals share the field.
        """
        least = self.shared_steps if shared else self.steps
        return max(least, self.passes * points // (batch or points))


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "siren": Method(shared_steps=2000, seconds=10e-6),
        "grid": Method(
            batches=8, passes=60, steps=500, shared_steps=500, chunk=32_768, seconds=0.8e-6
        ),
    }
)
"""By architecture; others take the values of `Method`."""


Row = tuple[tuple[int, float], ...]
"""Steps, and the least PSNR in dB after them; both rise."""
MEASURED: Mapping[tuple[str, bool], Mapping[int, Row]] = MappingProxyType(
    {
        ("siren", False): {128**2: ((1000, 61.4),), 256**2: ((1000, 36.9),)},
        ("grid", False): {
            128**2: ((500, 49.1), (1000, 60.4)),
            256**2: ((250, 36.0), (500, 53.8), (1000, 64.1)),
            512**2: ((250, 34.7), (500, 50.1), (1000, 68.0)),
            1024**2: ((250, 35.2), (500, 50.0)),
        },
        ("siren", True): {128**2: ((2000, 54.3),)},
        ("grid", True): {256**2: ((500, 48.3), (1000, 55.1))},
    }
)
"""By architecture, and whether two secrets share the field with the cover: rows by points. Of
several photographs, the worst counts (``results/choosing``)."""
SHARED = 3
"""Signals in a field that was measured with secrets."""
UNTRAINED_DB = 10.0
"""PSNR of a field after one step."""
TOLD_FROM = 1.5
"""Times as long as two quiet cores from which on a machine's own pace is told."""
BUSIER = 1.3
"""What a busy machine is expected to take beyond two quiet cores, in units of what was timed: its
pace varies, and promises are to be kept."""
BEYOND = 2.0
"""How many times larger than what was measured a picture may be for an expectation to be told."""


@dataclass(frozen=True)
class Choice:
    """The architecture of a field, and what is expected of it."""

    architecture: str
    points: int
    expected_db: float | None
    """PSNR that photographs of this size reach, or exceed; None if none were measured."""
    seconds: float | None
    """For the training: of two quiet cores, or of a machine that takes longer."""
    slowness: float = 1.0
    """How many times as long as two quiet cores the machine takes."""

    @property
    def words(self) -> str:
        """The choice in a sentence without its end."""
        told = f"a {self.architecture} field for {self.points:,} points"
        if self.expected_db is not None:
            told += f": expect {self.expected_db:.0f} dB or more of a photograph"
            if self.seconds is not None:
                told += f", in about {max(1, round(self.seconds)):,} s"
                if self.slowness < TOLD_FROM:
                    return f"{told} of two cores"
                told += f" of this machine, which takes {self.slowness:.1f} times as long as two"
                told += " quiet cores"
        return told


def choose(
    size: tuple[int, ...],
    medium: Medium,
    training: FitConfig,
    *,
    architecture: str | None = None,
    sizes: Mapping[str, Any] | None = None,
    shared: bool = False,
    slowness: float = 1.0,
) -> Choice:
    """Choose the architecture of a field by the size, the medium and the time.

    Args:
        size: Points along each axis of the cover.
        medium: Of the cover.
        training: Its seconds decide, if there are any; its number of steps does not.
        architecture: Take this one, and only tell what to expect.
        sizes: Take an architecture that has sizes of these names.
        shared: Secrets will share the field as functions, however many.
        slowness: How many times as long as two quiet cores the machine takes for a step.

    Example:
        >>> from stegfield.signals import IMAGE, SOUND
        >>> choose((128, 128), IMAGE, FitConfig()).architecture
        'siren'
        >>> choose((768, 512), IMAGE, FitConfig()).architecture
        'grid'
        >>> choose((44_100,), SOUND, FitConfig()).architecture
        'siren'
    """
    points, paced = math.prod(size), 1 + BUSIER * (slowness - 1)
    if architecture is None:
        names = _candidates(medium, training, sizes or {})
        reached = {name: _planned_db(name, points, training, shared, paced) for name in names}
        good = [name for name in names if reached[name] >= GOAL_DB]
        architecture = good[0] if good else max(names, key=lambda name: reached[name])
    if sizes or medium is not IMAGE or _is_own_plan(training):
        return Choice(architecture, points, None, None)
    return replace(_told(architecture, points, training, shared, paced), slowness=slowness)


def _candidates(medium: Medium, training: FitConfig, sizes: Mapping[str, Any]) -> list[str]:
    """Return the architectures to choose from, the one to prefer first."""
    if training.robust:
        return ["fourier"]
    if medium is not IMAGE:
        return [CONCEALING]
    return [
        name for name in (CONCEALING, FASTEST) if sizes.keys() <= SIZES[name].RANGES.keys()
    ] or ["siren"]


def _is_own_plan(training: FitConfig) -> bool:
    """Tell whether the training differs from the one that was measured."""
    usual = FitConfig(
        steps=training.steps,
        max_seconds=training.max_seconds,
        polish=training.polish,
        seed=training.seed,
    )
    return training != usual


def _told(
    architecture: str, points: int, training: FitConfig, shared: bool, slowness: float
) -> Choice:
    rows, method = MEASURED.get((architecture, shared), {}), method_of(architecture)
    if not rows or points > BEYOND * max(rows):
        return Choice(architecture, points, None, None)
    each = method.seconds * method.batch_of(points) * (SHARED if shared else 1) * slowness
    steps = _steps(architecture, points, training, shared, slowness)
    if training.steps is not None:
        steps = min(training.steps, steps if training.max_seconds else training.steps)
    return Choice(architecture, points, expected_db(rows, points, steps), steps * each)


def _planned_db(
    architecture: str, points: int, training: FitConfig, shared: bool, slowness: float
) -> float:
    rows = MEASURED.get((architecture, shared), {})
    if not rows or (architecture == CONCEALING and points > max(rows)):
        return UNTRAINED_DB  # a grid grows with the picture, a siren field does not
    return expected_db(rows, points, _steps(architecture, points, training, shared, slowness))


def _steps(
    architecture: str, points: int, training: FitConfig, shared: bool, slowness: float
) -> int | float:
    """Return the steps that the machine takes in the given time, or else those of the plan."""
    method = method_of(architecture)
    batch = method.batch_of(points)
    if training.max_seconds is None:
        return method.steps_for(points, batch, shared=shared)
    each = method.seconds * batch * (SHARED if shared else 1) * slowness
    return max(1.0, training.max_seconds / each)


def expected_db(rows: Mapping[int, Row], points: int, steps: int | float) -> float:
    """Interpolate what was measured in the logarithms of points and steps.

    Args:
        rows: Of `MEASURED`.
        points: Of the picture; beyond the rows, the nearest one is taken.
        steps: Of the training; more than were measured count as those.

    Example:
        >>> rows = {100: ((10, 30.0), (1000, 50.0)), 10_000: ((10, 20.0), (1000, 40.0))}
        >>> round(expected_db(rows, 1000, 100), 3)
        35.0
    """
    sizes = sorted(rows)
    reached = [
        np.interp(
            math.log(max(steps, 1)),
            [0.0, *(math.log(step) for step, _ in rows[size])],
            [UNTRAINED_DB, *(db for _, db in rows[size])],
        )
        for size in sizes
    ]
    return float(np.interp(math.log(points), [math.log(size) for size in sizes], reached))


def method_of(architecture: str) -> Method:
    """Return how fields of an architecture are trained by default."""
    return METHODS.get(architecture, Method())
