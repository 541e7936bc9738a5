"""States: what a run leaves in its folder, and how it goes on from there.

The folder gets the model (``last.safetensors``), the state to go on from (``state.safetensors``), a
log of one JSON object a line, and pictures.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from stegfield.config import GanConfig, gan_config
from stegfield.errors import ConfigError, DivergedError, InputError, Wording
from stegfield.fields import checkpoints
from stegfield.generative import logbook, store
from stegfield.generative.model import GeneratorSizes, Model
from stegfield.generative.run import Run

STATE, MODEL = "state.safetensors", "last.safetensors"
SCORED = 256
"""Examples of the training that the critic scores for the log, and as many held-out ones."""


def settings_of(path: Path) -> GanConfig:
    """Read the settings that a state was trained with, except for the seconds of that run.

    Raises:
        InputError: the state is damaged.
    """
    with checkpoints.distrusting(path):
        return replace(gan_config({**checkpoints.facts_of(path)["settings"]}), max_seconds=None)


def save(run: Run, folder: Path) -> None:
    """Write the state, the model, a line of the log and two pictures, each whole.

    Raises:
        DivergedError: a number is not finite; then the last state and model stay.
    """
    numbers = checkpoints.tensors_of(run.parts, run.all_optimizers).values()
    if not all(tensor.isfinite().all() for tensor in numbers):
        raise DivergedError
    model = run.model()
    swd, real_swd = logbook.distances(model, run.examples, run.config.seed)
    run.noted = {
        "learned": mean_score(run, run.training),
        "held_out": mean_score(run, run.held_out),
        "swd": swd,
        "real_swd": real_swd,
    }
    facts = {"run": run.identity, "settings": asdict(run.config), **run.facts()}
    checkpoints.save(folder / STATE, run.parts, run.all_optimizers, facts)
    store.save(folder / MODEL, model, force=True)
    logbook.add(folder, run.progress(), model, seed=run.config.seed)


def restore(run: Run, path: Path) -> None:
    """Go on from a state of the same run.

    Raises:
        InputError: the state is damaged, or belongs to another run.
    """
    with checkpoints.distrusting(path):
        known = checkpoints.facts_of(path)
        before = gan_config({**known["settings"]})
        _check_same(run, path, before, known.get("examples"))
        if before.rank != run.config.rank:
            _grow(run, path, before.rank)
        else:
            facts = checkpoints.load(path, run.parts, run.all_optimizers, run.identity)
            run.adopt(facts)


def take_over(run: Run, start: Model) -> None:
    """Begin with a trained generator, at the step that it had reached.

    Raises:
        ConfigError: the model generates other signals than the examples, has other sizes than the
            run, or has as many steps as are planned.
    """
    if (start.medium, start.channels) != (run.examples.medium, run.examples.channels):
        raise ConfigError(
            f"{start.name} generates another kind of signals than the examples",
            hint=Wording("begin with a model of such examples, or leave {start} out"),
        )
    if not GeneratorSizes.of(run.config).hold(start.sizes):
        raise ConfigError(
            Wording(
                "{name} has other sizes than this run: " + start.sizes.template, name=start.name
            ),
            hint=Wording("leave them out to take its own; only {rank} may be higher"),
        )
    if start.steps >= run.config.steps:
        raise ConfigError(
            Wording(
                "{steps} must be above the {taken:,} that {name} was trained for",
                taken=start.steps,
                name=start.name,
            )
        )
    run.generator.take_over(start.generator)
    run.average.load_state_dict(run.generator.state_dict())
    run.step = start.steps
    run.taken_over = True


def agree(run: Run) -> None:
    """Let all processes begin with what the first one has: others may not see its folder.

    Raises:
        ConfigError: the processes have different examples.
    """
    processes = run.processes
    if processes.count == 1:
        return
    facts = processes.tell(run.facts())
    if processes.any(facts["examples"] != run.examples.digest):
        raise ConfigError("the processes have different examples", hint="give all the same")
    run.adopt(facts)
    own = checkpoints.tensors_of(run.parts, run.all_optimizers)
    kinds = {name: [str(one.dtype)[6:], list(one.shape)] for name, one in own.items()}
    told: dict[str, Tensor] = {}
    for name, (kind, shape) in processes.tell(kinds).items():
        there = torch.empty(shape, dtype=getattr(torch, kind), device=run.device)
        there = own[name].to(run.device) if processes.first else there
        told[name] = processes.same(there)
    checkpoints.put(told, run.parts, run.all_optimizers)


@torch.no_grad()
def mean_score(run: Run, chosen: Int64[np.ndarray, " count"]) -> float:
    """Compute the critic's mean score of some of the chosen examples, unchanged.

    They are as many, and at the same points, whichever are chosen.
    """
    count, draws = min(SCORED, len(run.held_out)), run.draws(7)
    index = chosen[np.linspace(0, len(chosen) - 1, count, dtype=np.int64)]
    total = 0.0
    for part in np.split(index, range(run.config.batch, count, run.config.batch)):
        _, values, sets = run.batches.look_at(part, run.size, draws)
        total += float(run.critic(values, sets).sum())
    return total / count


def _grow(run: Run, path: Path, rank: int) -> None:
    """Go on from a state of lower rank; only the generator's optimisers begin anew."""
    lower = Run(run.examples, replace(run.config, rank=rank), run.name, run.processes)
    restore(lower, path)
    run.generator.take_over(lower.generator)
    run.average.take_over(lower.average)
    run.critic.load_state_dict(lower.critic.state_dict())
    run.optimizers[1].load_state_dict(lower.optimizers[1].state_dict())
    run.adopt(lower.facts())


def _check_same(run: Run, path: Path, before: GanConfig, examples: str | None) -> None:
    """Refuse a state of other settings or examples, and say which differ."""
    old, new = _decisive(before), _decisive(run.config)
    if GeneratorSizes.of(run.config).hold(GeneratorSizes.of(before)):
        old["rank"] = run.config.rank
    for name in old:
        if old[name] != new[name]:
            raise InputError(
                Wording(
                    f"{{path}} belongs to another run: its {{{name}}} is {{old}}, not {{new}}",
                    path=path,
                    old=old[name],
                    new=new[name],
                ),
                hint=Wording(f"leave {{{name}}} out to go on, or name another folder"),
            )
    # older states do not tell of their examples
    if examples not in (None, run.examples.digest):
        raise InputError(
            f"{path} belongs to another run: it has other examples",
            hint=Wording(
                "name the same {data}, or another folder, and begin with the model: {start}"
            ),
        )


def _decisive(config: GanConfig) -> dict[str, Any]:
    """Return the settings that must be the same when a run goes on."""
    own = {"size": config.size, "channels": config.channels, "seed": config.seed}
    return own | GeneratorSizes.of(config).settings
