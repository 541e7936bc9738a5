"""The schedule of a run: how many steps, how long each is, and how the run ends.

With Muon the error follows the length of the step, so a run is only as good as the end of its
decay: every run has a planned end, and stopping early winds down first.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stegfield.config import FitConfig

FIRST_CYCLE, LAST_CYCLE = 400, 25_600
"""Planned steps for a target PSNR alone: doubled until it is reached, or the last plan is done."""
LEAST_SECONDS = 1e-3
"""What a training gets if its time is over before it begins; it takes one step at least."""
MOST_FOR_ENDING = 0.5
"""Largest share of the allowed seconds that is kept for what comes after the training."""
POLISH_SHARE = 0.2
"""Share of the seconds, and of the progress, of a run that is kept for L-BFGS at its end."""


class Schedule:
    """The plan of one run, and where it winds down.

    Args:
        config: The settings of the run.
        warm_up: Default number of steps over which the step length rises at first.
        steps: Steps to plan for if the settings have no plan.
        ending: Seconds that are needed after the training, of those that the settings allow.
    """

    def __init__(self, config: FitConfig, warm_up: int, steps: int, *, ending: float = 0.0) -> None:
        self.config = config
        self.keep(ending)
        self.warm_up = warm_up if config.warm_up is None else config.warm_up
        self.start, self.cycle = 0, first_cycle(config, steps)
        self.winding: tuple[int, int, float] | None = None

    def keep(self, ending: float) -> None:
        """Keep so many of the allowed seconds for what comes after the training."""
        self.limit = self.config.max_seconds
        if self.limit is not None:
            self.limit -= min(ending, MOST_FOR_ENDING * self.limit)

    @property
    def stopped(self) -> bool:
        """Whether the run was asked to end early."""
        return self.winding is not None

    def fraction(self, step: int, seconds: float) -> float:
        """Return the share of the plan that is done."""
        parts = [0.0]
        if self.cycle is not None:
            parts.append((step - self.start) / self.cycle)
        if self.limit is not None:
            share = 1 - POLISH_SHARE if self.config.polish else 1.0
            parts.append(seconds / (share * self.limit))
        return min(1.0, max(parts))

    def scale(self, step: int, seconds: float) -> float:
        """Return the length of the next step, as a share of the first; 0 ends the run."""
        fraction = self.fraction(step, seconds)
        if self.winding is not None:
            start, steps, scale = self.winding
            left = 1 - (step - start) / steps
            return 0.0 if left <= 0 or fraction >= 1 else scale * left**2
        if fraction >= 1:
            if not self._next_cycle(step):
                return 0.0
            fraction = self.fraction(step, seconds)
        warm = (step - self.start + 1) / (self.warm_up + 1)
        return min(1.0, warm) * decayed(fraction, self.config.decay)

    def wind_down(self, step: int, scale: float) -> None:
        """Shrink the steps to nothing over a tenth of the run so far, and end."""
        if self.winding is None:
            self.winding = (step, max(20, step // 10), scale)

    def facts(self) -> dict[str, Any]:
        """Return the part of the plan that a checkpoint keeps."""
        return {"cycle_start": self.start, "cycle": self.cycle}

    def restore(self, facts: Mapping[str, Any]) -> None:
        """Resume the plan of a checkpoint, unless the settings give a number of steps."""
        if self.config.steps is None and facts["cycle"] is not None:
            start, cycle = facts["cycle_start"], facts["cycle"]
            if not (type(start) is type(cycle) is int and start >= 0 and 0 < cycle <= LAST_CYCLE):
                raise ValueError(facts)
            self.start, self.cycle = start, cycle

    def _next_cycle(self, step: int) -> bool:
        """Plan a longer run if only a PSNR was given and the last plan fell short of it."""
        open_ended = self.config.steps is None and self.config.max_seconds is None
        if self.config.target_db is None or not open_ended:
            return False
        if self.cycle is None or self.cycle >= LAST_CYCLE:
            return False
        self.start, self.cycle = step, 2 * self.cycle
        return True


def left(config: FitConfig, began: float) -> FitConfig:
    """Return the settings with the seconds that are left of the allowed ones.

    Args:
        config: The settings.
        began: When the seconds began to count, by ``time.monotonic``.
    """
    if config.max_seconds is None:
        return config
    seconds = config.max_seconds - (time.monotonic() - began)
    return replace(config, max_seconds=max(LEAST_SECONDS, seconds))


def decayed(fraction: float, decay: float) -> float:
    """Return the step length at a place of the plan, as a share of the first.

    With Muon the error follows the step length, so the length falls by equal factors in equal
    times, and the square root brings it to nothing. Benchmark on faces: 0.5 dB better than a
    quadratic, 1 dB better than a linear decay over as many steps.
    """
    return math.exp(-decay * fraction) * math.sqrt(1 - fraction) if decay else 1.0


def first_cycle(config: FitConfig, steps: int) -> int | None:
    """Return the steps to plan for at first; None where only seconds end the run."""
    if config.steps is not None or config.max_seconds is not None:
        return config.steps
    if config.target_db is not None:
        return FIRST_CYCLE
    return steps
