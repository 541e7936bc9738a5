"""Training a generator of fields against its critic, until the plan is done.

A warm-up comes first (`warming`), then the steps of the run (`run`); the state is saved on the way
(`states`), so that a run that was stopped goes on as if it had not been.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from stegfield.config import GanConfig
from stegfield.errors import ConfigError, Wording
from stegfield.fields.field import keep_freed_memory
from stegfield.generative import states, store
from stegfield.generative.examples import Examples
from stegfield.generative.likely import ACCEPTED, SHOWN, SIDE, Likely
from stegfield.generative.logbook import TrainWatch
from stegfield.generative.model import Model
from stegfield.generative.processes import ALONE, Processes
from stegfield.generative.run import Run

CHECKPOINT_SECONDS = 120.0
MOST_EXAMPLES = 8000
"""Examples that torn samples are told by, about."""
FEWEST = 1000
"""Fewer examples do not tell torn samples."""


def train(
    examples: Examples,
    config: GanConfig,
    folder: Path,
    *,
    name: str,
    start: Model | None = None,
    processes: Processes = ALONE,
    watch: TrainWatch | None = None,
) -> Model:
    """Train a generator until the plan is done, time is over or the watcher asks for the end.

    The folder gets what `states` says; a state that is there already is gone on from. Only the
    first of several processes reads and writes there.

    Args:
        examples: What the samples are to look like.
        config: Model and method.
        folder: Where everything of the run goes; it exists.
        name: Of the model; it stands in its file.
        start: Model whose generator and count of steps to begin with, if there is no state yet; the
            warm-up then teaches the critic alone.
        processes: Which part of each batch is ours.
        watch: Is told of every step.

    Raises:
        InputError: the state in the folder is damaged or belongs to another run.
        ConfigError: the state has more steps than are planned; the model to begin with has other
            sizes, or as many steps; or the batch cannot be shared evenly.
        DivergedError: a loss or a weight is no longer finite; the last state stays.
    """
    keep_freed_memory()
    run = Run(examples, config, name, processes)
    if processes.first and (folder / states.STATE).exists():
        states.restore(run, folder / states.STATE)
    elif processes.first and start is not None:
        states.take_over(run, start)
    states.agree(run)
    if run.step > config.steps:
        raise ConfigError(
            Wording(
                "{steps} must be at least the {taken:,} that the run has taken, got {planned:,}",
                taken=run.step,
                planned=config.steps,
            )
        )
    began = saved = time.monotonic()
    stop = False
    while run.step < config.steps and not stop:
        if run.warm_up_left:
            run.warm_up()
        else:
            run.advance()
        now = time.monotonic()
        asked = watch is not None and watch(run.progress())
        over = config.max_seconds is not None and now - began > config.max_seconds
        stop = processes.any(asked or over)
        if processes.first and now - saved > CHECKPOINT_SECONDS:
            states.save(run, folder)
            saved = time.monotonic()
    model = run.model()
    if processes.first:
        states.save(run, folder)
        model = telling_torn(model, examples)
        store.save(folder / states.MODEL, model, force=True)
    return model


@torch.no_grad()
def telling_torn(model: Model, examples: Examples, *, accepted: float = ACCEPTED) -> Model:
    """Return a model of images that draws again what looks torn beside its examples.

    Args:
        model: Not changed; one of smaller images, or of the globe, is returned as it is.
        examples: What it learned from.
        accepted: Share of its draws to accept.
    """
    if model.medium.on_globe or min(model.size) < SIDE:
        return model
    index = examples.training()
    seen = examples.grids(index[:: max(1, len(index) // MOST_EXAMPLES)])
    if len(seen) < FEWEST:
        return model

    def draw(count: int) -> Tensor:
        latents = [model.latent(seed, first=True) for seed in range(count)]
        return model.sample(torch.stack(latents), SHOWN)

    return replace(model, likely=Likely.of(seen, draw, accepted=accepted))
