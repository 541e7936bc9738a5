"""Training: one field learns to show one or more signals.

`fit` has a single target. Hiding has the cover, and each secret with its key's values in the slots.
Muon trains the matrices and Adam the rest, on minibatches of points, while the step length falls to
zero (`stegfield.fields.schedule`).
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
"""Called at the end of every step with the steps and the share of the plan that are done; it may
change the weights."""


@dataclass(frozen=True)
class Training:
    """Steps and seconds of a run; `stegfield.fields.targets.measure` returns its quality."""

    steps: int
    seconds: float
    stopped: bool
    """Whether the watch asked for the end before the plan was done."""


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
    """Train a field in place until every target reaches its PSNR, or the plan is done.

    Args:
        field: The field.
        targets: What it shall show, each with its own values in the slots.
        config: Plan and method.
        after_step: Called at the end of every step before polishing; it may change the weights.
        watch: Called after every step, to observe.
        checkpoint: Written after the first step, every 30 seconds, and before winding down; if it
            exists, the run resumes from it. The caller removes it when the result is safe. It
            contains the secrets, so keep it as safe as a key.
        note: Kept in the checkpoint for the caller, as JSON.

    Raises:
        InputError: The checkpoint is damaged or belongs to another run.
        DivergedError: The error grew beyond all numbers.
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
        run.keep_time()
        polish(run, watch)
    return Training(run.step, run.seconds, run.schedule.stopped)
