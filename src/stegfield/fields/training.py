"""Training: one field's weights towards one or more signals at once.

`fit` has a single target; hiding has the cover and, with a key's values in the slots, each secret.
Muon moves the matrices and Adam the rest, on minibatches of points, while the steps shrink to
nothing (`stegfield.fields.schedule`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stegfield.config import FitConfig
from stegfield.fields.field import Field, keep_freed_memory
from stegfield.fields.polish import polish
from stegfield.fields.run import FitProgress, FitWatch, Run
from stegfield.fields.targets import Target

__all__ = ["AfterStep", "FitProgress", "FitWatch", "Target", "Training", "train"]

CHECKPOINT_SECONDS = 30.0

AfterStep = Callable[[int, float], object]
"""Ends every step: told how many are done, and the share of the plan; may change the weights."""


@dataclass(frozen=True)
class Training:
    """What a run took; `stegfield.fields.targets.measure` tells how well it ended."""

    steps: int
    seconds: float
    stopped: bool
    """The watcher asked for the end before the plan was done."""


def train(
    field: Field,
    targets: Sequence[Target],
    config: FitConfig,
    *,
    after_step: AfterStep | None = None,
    watch: FitWatch | None = None,
    checkpoint: Path | None = None,
    note: Mapping[str, Any] | None = None,
) -> Training:
    """Train a field in place until every target is shown well enough, or the plan is done.

    Args:
        field: Its weights are changed.
        targets: What it is to show, each with its own weights in the slots.
        config: Plan and method.
        after_step: Part of every step but the polishing: may change the weights.
        watch: Is told of every step, and only observes.
        checkpoint: Written after the first step, every 30 seconds, and before winding down; if it
            is there already, the run goes on from it. The caller removes it when the result is
            safe. It holds what a secret key hides, so keep it as a key.
        note: Kept in the checkpoint for the caller, as JSON.

    Raises:
        InputError: the checkpoint is damaged or belongs to another run.
        DivergedError: the error grew beyond all numbers.
    """
    keep_freed_memory()
    run = Run(field, targets, config, note or {})
    if checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint)
    saved = -math.inf
    while (scale := run.scale()) > 0:
        run.advance(scale)
        if after_step is not None:
            after_step(run.step, run.fraction)
        stop = watch is not None and watch(run.progress())
        overdue = time.monotonic() - saved > CHECKPOINT_SECONDS
        if checkpoint is not None and (stop or overdue) and not run.schedule.stopped:
            run.save(checkpoint)
            saved = time.monotonic()
        if stop:
            run.schedule.wind_down(run.step, scale)
        if run.reached():
            break
    if config.polish and not run.schedule.stopped:
        if checkpoint is not None:
            run.save(checkpoint)
        polish(run, watch)
    return Training(run.step, run.seconds, run.schedule.stopped)
