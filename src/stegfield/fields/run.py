"""A run: the state of one training, step by step, and its checkpoints."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stegfield.config import FitConfig
from stegfield.errors import DivergedError
from stegfield.fields import checkpoints
from stegfield.fields.batches import TargetGroup, Weights, seeded
from stegfield.fields.choosing import method_of
from stegfield.fields.damage import wear
from stegfield.fields.field import Field
from stegfield.fields.finishing import trial
from stegfield.fields.optim import Muon
from stegfield.fields.schedule import POLISH_SHARE, Schedule
from stegfield.fields.targets import Target, ending_seconds, measure
from stegfield.watching import WINDING_DOWN, Told


@dataclass(frozen=True)
class FitProgress:
    """How far a run is; PSNR in dB per target, smoothed over the batches of the last steps."""

    step: int
    fraction: float
    seconds: float
    psnr_db: tuple[float, ...]
    field: Field | None = None
    """The field in its current state, to be read during the call only."""

    def told(self, names: Sequence[str]) -> Told:
        """Put it in words, with the PSNR of every signal that has a name."""
        pairs = zip(names, self.psnr_db, strict=False)
        return Told(
            fraction=self.fraction,
            counted=f"step {self.step:,}",
            figures=", ".join(f"{name} {db:.1f} dB" for name, db in pairs),
            seconds_left=self.seconds * (1 / self.fraction - 1) if self.fraction else math.nan,
            ending=WINDING_DOWN,
        )


FitWatch = Callable[[FitProgress], bool]
"""Called after every step, to observe; returning True asks the run to wind down and end."""


class Run:
    """The state of one training run.

    Args:
        field: The field, which is trained in place.
        targets: What it shall show.
        config: Plan and method.
        note: Kept in checkpoints for the caller.
    """

    def __init__(
        self, field: Field, targets: Sequence[Target], config: FitConfig, note: Mapping[str, Any]
    ) -> None:
        self.field, self.targets, self.config, self.note = field, targets, config, note
        self.weights = Weights.of(field, len(targets))
        lattices = dict.fromkeys(target.lattice for target in targets)
        self.groups = [TargetGroup(field, targets, each, config.loss) for each in lattices]
        self.seed = 0 if config.seed is None else config.seed
        self.optimizers = _optimizers(field, config)
        points = max(target.signal.points for target in targets)
        method = method_of(field.architecture)
        self.batch = method.batch_of(points) if config.batch is None else config.batch
        ending = 0.0 if config.max_seconds is None else ending_seconds(field, targets)
        steps = method.steps_for(points, self.batch, shared=len(targets) > 1)
        self.schedule = Schedule(config, field.warm_up, steps, ending=ending)
        self.step = 0
        self.errors = torch.full((len(targets),), math.inf, dtype=torch.float64)
        self._next_check = 0
        self._before = 0.0
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds that the run has lasted, including those before its checkpoint."""
        return self._before + time.monotonic() - self._start

    @property
    def fraction(self) -> float:
        """Share of the plan that is done."""
        return self.schedule.fraction(self.step, self.seconds)

    @property
    def limit(self) -> float | None:
        """Seconds after which the training must end, so that the result is ready in time."""
        return self.schedule.limit

    def keep_time(self) -> None:
        """Keep time for what comes after the training, as long as it takes on the machine now."""
        if self.config.max_seconds is not None:
            self.schedule.keep(ending_seconds(self.field, self.targets, self.slowness))

    @property
    def slowness(self) -> float:
        """Times as long as on two quiet cores that the steps took, if that is known; 1 at least."""
        sizes = [target.signal.points for target in self.targets]
        points = sum(min(self.batch or size, size) for size in sizes)
        quiet = self.step * points * method_of(self.field.architecture).seconds
        return max(1.0, self.seconds / quiet) if quiet > 0 else 1.0

    @property
    def psnr_db(self) -> tuple[float, ...]:
        """PSNR in dB of every target, from recent errors of values from -1 to 1."""
        return tuple(10 * math.log10(4 / max(error, 1e-30)) for error in self.errors.tolist())

    def scale(self) -> float:
        """Return the length of the next step, as a share of the first; 0 ends the run."""
        return self.schedule.scale(self.step, self.seconds)

    def advance(self, scale: float) -> None:
        """Take one step.

        Raises:
            DivergedError: The error grew beyond all numbers.
        """
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
            for options in optimizer.param_groups:
                options["lr"] = options["first_lr"] * scale
        if self.config.robust:
            self.weights = _worn(self.field, len(self.targets), seeded(self.seed, self.step))
        errors = torch.zeros_like(self.errors)
        for group in self.groups:
            index = group.batch(self.step, self.batch, self.seed)
            group.backward(self.weights, index, errors)
        if not errors.isfinite().all():
            raise DivergedError
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        # a mean over about the last ten steps, within which PSNR changes little
        self.errors = 0.9 * self.errors + 0.1 * errors if self.step > 1 else errors

    def progress(self, polished: float = 0.0) -> FitProgress:
        """Return how far the run is; ``polished`` is the share of the polishing that is done."""
        fraction = self.fraction
        if self.config.polish:
            fraction = (1 - POLISH_SHARE) * fraction + POLISH_SHARE * polished
        return FitProgress(self.step, fraction, self.seconds, self.psnr_db, self.field)

    def reached(self) -> bool:
        """Return whether every target has the target PSNR once it is drawn; rarely measured."""
        target = self.config.target_db
        if target is None or min(self.psnr_db) < target - 0.1 or self.step < self._next_check:
            return False
        self._next_check = self.step + max(
            10, self.step // 20
        )  # measuring takes as long as a few steps
        return min(measure(trial(self.field), self.targets)) >= target

    def save(self, path: Path) -> None:
        """Write a checkpoint with all that is needed to resume."""
        facts = {
            "run": self.identity,
            "draw": self.field.draw.hex(),
            "salt": self.field.public.seed.hex(),
            "architecture": self.field.architecture,
            "step": self.step,
            "seconds": self.seconds,
            **self.schedule.facts(),
            "errors": [error if math.isfinite(error) else None for error in self.errors.tolist()],
            "note": dict(self.note),
        }
        checkpoints.save(path, self.field, self.optimizers, facts)

    def restore(self, path: Path) -> None:
        """Resume from a checkpoint of the same run.

        Raises:
            InputError: The checkpoint is damaged or belongs to another run.
        """
        with checkpoints.distrusting(path):
            facts = checkpoints.load(path, self.field, self.optimizers, self.identity)
            known = [math.inf if error is None else error for error in facts["errors"]]
            errors = torch.tensor(known, dtype=torch.float64)
            step, seconds = facts["step"], facts["seconds"]
            if type(step) is not int or step < 0 or not seconds >= 0 or (errors < 0).any():
                raise ValueError(path)
            if errors.shape != self.errors.shape:
                raise ValueError(path)
            self.step, self._before, self.errors = step, float(seconds), errors
            self.schedule.restore(facts)

    @cached_property
    def identity(self) -> str:
        """Return a digest of what must be the same when a run is resumed."""
        digest = hashlib.sha256()
        header = self.field.header() | {"seed": ""}
        method = {**vars(self.config), "batch": self.batch}
        method |= {"max_seconds": None, "steps": None, "target_db": None}
        digest.update(json.dumps([header, method], sort_keys=True).encode())
        for target in self.targets:
            digest.update(target.signal.values.tobytes())
            digest.update(str((target.lattice, target.weight)).encode())
            for name in sorted(target.slots):
                for tensor in target.slots[name]:
                    digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()


def _worn(field: Field, targets: int, generator: torch.Generator) -> Weights:
    """Return the damaged weights of a step; step and seed alone decide them, as with batches."""
    encoder, *_ = wear(dict(field.encoder.named_parameters()), [generator])
    decoders = wear(dict(field.decoder.named_parameters()), [generator] * targets)
    return Weights(encoder, decoders)


def _optimizers(field: Field, config: FitConfig) -> list[torch.optim.Optimizer]:
    """Return the optimisers: Adam for everything, or Muon for the decoder's matrices and Adam."""
    muon: dict[float, list[Tensor]] = {}
    adam: dict[float, list[Tensor]] = {}
    matrices = field.slot_bounds() if config.optimizer == "muon" else {}
    given = config.learning_rate
    for name, parameter in field.named_parameters():
        matrix = name.removeprefix("decoder.")
        if matrix in matrices:
            muon.setdefault(given or field.muon_rate(matrix), []).append(parameter)
        else:
            rate = given if config.optimizer == "adam" else None
            adam.setdefault(rate or field.adam_rate(name), []).append(parameter)
    optimizers: list[torch.optim.Optimizer] = [torch.optim.Adam(_groups(adam), fused=True)]
    if muon:
        optimizers.append(Muon(_groups(muon)))
    return optimizers


def _groups(by_rate: dict[float, list[Tensor]]) -> list[dict[str, Any]]:
    return [{"params": p, "lr": rate, "first_lr": rate} for rate, p in by_rate.items()]
