"""Training: one field's weights towards one or more signals at once.

`fit` has a single target; hiding has the cover and, with a key's values in the slots, each secret.
Muon moves the matrices and Adam the rest, on minibatches of points, while the steps shrink to
nothing. With Muon the error follows the length of the step, so a run is only as good as the end of
its decay: that is why every run has a planned end, and why stopping early winds down first.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.func import functional_call

from stegfield.config import FitConfig
from stegfield.errors import DivergedError
from stegfield.fields import checkpoints
from stegfield.fields.damage import wear
from stegfield.fields.field import Field, SlotValues, keep_freed_memory, render, substitute
from stegfield.fields.optim import Muon
from stegfield.signals import Signal, psnr_db

FIRST_CYCLE, LAST_CYCLE = 400, 25_600
"""Planned steps where only a PSNR is asked for: doubled until it is reached or the last is done."""
LEAST_STEPS, PASSES = 1000, 40
"""Planned steps where nothing is asked for: so many passes over the largest signal, or more."""
CHUNK = 4096
"""Points whose activations are in memory together."""
CHECKPOINT_SECONDS = 30.0
POLISH_SHARE = 0.2
"""Of a run that ends with L-BFGS, the share of its seconds, and of its progress, kept for that."""


@dataclass(frozen=True, eq=False)
class Target:
    """A signal to show, the slot values that show it, and how much its error counts."""

    signal: Signal
    slots: SlotValues = dataclass_field(default_factory=dict)
    weight: float = 1.0


@dataclass(frozen=True)
class Progress:
    """Where a run is; PSNR in dB per target, smoothed over the last steps' batches."""

    step: int
    fraction: float
    seconds: float
    psnr_db: tuple[float, ...]
    field: Field | None = None
    """As it is by now, to look at and no longer than the call lasts."""


Watch = Callable[[Progress], bool]
"""Called after every step; True asks the run to wind down and end."""


@dataclass(frozen=True)
class Training:
    """What a run took; `measure` tells what it came to."""

    steps: int
    seconds: float
    stopped: bool
    """`Watch` asked for the end before the plan was done."""


def train(
    field: Field,
    targets: Sequence[Target],
    config: FitConfig,
    *,
    watch: Watch | None = None,
    checkpoint: Path | None = None,
    note: Mapping[str, Any] | None = None,
) -> Training:
    """Train a field in place until every target is shown well enough, or the plan is done.

    Args:
        field: Its weights are changed.
        targets: What it is to show, each with its own weights in the slots.
        config: Plan and method.
        watch: Is told of every step.
        checkpoint: Written after the first step, every 30 seconds, and before winding down; if it
            is there already, the run goes on from it. The caller removes it when the result is
            safe. It holds what a secret key hides, so keep it as a key.
        note: Kept in the checkpoint for the caller, as JSON.

    Raises:
        InputError: The checkpoint is damaged or belongs to another run.
        DivergedError: The error grew beyond all numbers.
    """
    keep_freed_memory()
    run = _Run(field, targets, config, note or {})
    if checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint)
    saved = -math.inf
    while (scale := run.scale()) > 0:
        run.advance(scale)
        stop = watch is not None and watch(run.progress())
        overdue = time.monotonic() - saved > CHECKPOINT_SECONDS
        if checkpoint is not None and (stop or overdue) and not run.stopped:
            run.save(checkpoint)
            saved = time.monotonic()
        if stop:
            run.wind_down(scale)
        if run.reached():
            break
    if config.polish and not run.stopped:
        if checkpoint is not None:
            run.save(checkpoint)
        run.polish(watch)
    return Training(run.step, run.seconds, run.stopped)


def measure(field: Field, targets: Sequence[Target]) -> tuple[float, ...]:
    """Give the PSNR in dB of what a field shows of every target, on the integers of a file."""
    return tuple(
        _psnr_db(render(field, size, target.slots, folded=folded), target.signal)
        for target in targets
        for size, folded in [_grid(target)]
    )


def _psnr_db(shown: Signal, wanted: Signal) -> float:
    """Give the PSNR on the integers of a file; of what is stretched or folded, on values."""
    if not (wanted.folded or wanted.medium.ranged):
        return psnr_db(shown, wanted)
    error = float(np.square(shown.values.astype(np.float64) - wanted.values).mean())
    return 10 * math.log10(4 / error) if error else math.inf


class _Run:
    """The state of one training run."""

    def __init__(
        self,
        field: Field,
        targets: Sequence[Target],
        config: FitConfig,
        note: Mapping[str, Any],
    ) -> None:
        self.field, self.targets, self.config, self.note = field, targets, config, note
        self.encoder: dict[str, Tensor] = dict(field.encoder.named_parameters())
        # for each target, the weights that it meets: the same, but in robust training
        self.decoders: list[Mapping[str, Tensor]] = [dict(field.decoder.named_parameters())]
        self.decoders *= len(targets)
        device = next(field.parameters()).device
        grids = dict.fromkeys(_grid(target) for target in targets)
        self.groups = [
            _Group(targets, grid, field.coordinates(grid[0], folded=grid[1]).to(device))
            for grid in grids
        ]
        self.seed = 0 if config.seed is None else config.seed
        self.optimizers = _optimizers(field, config)
        self.step = 0
        self.errors = torch.full((len(targets),), math.inf, dtype=torch.float64)
        self.next_check = 0
        self.cycle_start, self.cycle = 0, _first_cycle(config, targets)
        self.winding: tuple[int, int, float] | None = None
        self._before = 0.0
        self._start = time.monotonic()

    @property
    def stopped(self) -> bool:
        """Whether the run was asked to end early."""
        return self.winding is not None

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._start

    def fraction(self) -> float:
        """Share of the plan that is done."""
        parts = [0.0]
        if self.cycle is not None:
            parts.append((self.step - self.cycle_start) / self.cycle)
        if self.config.max_seconds is not None:
            share = 1 - POLISH_SHARE if self.config.polish else 1.0
            parts.append(self.seconds / (share * self.config.max_seconds))
        return min(1.0, max(parts))

    def scale(self) -> float:
        """Give the length of the next step, as a share of the first; 0 ends the run."""
        fraction = self.fraction()
        if self.winding is not None:
            start, steps, scale = self.winding
            left = 1 - (self.step - start) / steps
            return 0.0 if left <= 0 or fraction >= 1 else scale * left**2
        if fraction >= 1:
            if not self._next_cycle():
                return 0.0
            fraction = self.fraction()
        given = self.config.warm_up
        warm_up = self.field.warm_up if given is None else given
        warm = (self.step - self.cycle_start + 1) / (warm_up + 1)
        return min(1.0, warm) * _decayed(fraction, self.config.decay)

    def _next_cycle(self) -> bool:
        """Plan a longer run where only a PSNR was asked for and the last one fell short."""
        config = self.config
        open_ended = config.steps is None and config.max_seconds is None
        if config.target_db is None or not open_ended:
            return False
        if self.cycle is None or self.cycle >= LAST_CYCLE:
            return False
        self.cycle_start, self.cycle = self.step, 2 * self.cycle
        return True

    def advance(self, scale: float) -> None:
        """Take one step."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
            for options in optimizer.param_groups:
                options["lr"] = options["first_lr"] * scale
        if self.config.robust:
            self.wear()
        errors = torch.zeros_like(self.errors)
        for group in self.groups:
            index = group.batch(self.step, self.config.batch, self.seed)
            for part in torch.split(index, CHUNK):
                group.backward(self, part, len(part) / len(index), errors)
        if not errors.isfinite().all():
            raise DivergedError
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        # a mean over about the last ten steps; PSNR moves little within them
        self.errors = 0.9 * self.errors + 0.1 * errors if self.step > 1 else errors

    def wear(self) -> None:
        """Damage the weights of this step: a function of step and seed alone, as batches are."""
        seeds = torch.Generator().manual_seed((self.seed * 0x9E3779B1 + self.step) % (1 << 63))
        self.encoder, *_ = wear(dict(self.field.encoder.named_parameters()), [seeds])
        self.decoders = [
            *wear(dict(self.field.decoder.named_parameters()), [seeds] * len(self.targets))
        ]

    @property
    def psnr(self) -> tuple[float, ...]:
        """PSNR in dB of every target by its recent errors, of values from -1 to 1."""
        return tuple(10 * math.log10(4 / max(error, 1e-30)) for error in self.errors.tolist())

    def progress(self, polished: float = 0.0) -> Progress:
        """Tell where the run is; ``polished`` is how much of the polishing is done."""
        fraction = self.fraction()
        if self.config.polish:
            fraction = (1 - POLISH_SHARE) * fraction + POLISH_SHARE * polished
        return Progress(self.step, fraction, self.seconds, self.psnr, self.field)

    def reached(self) -> bool:
        """Tell whether every target has the PSNR asked for; measured only where it may have."""
        target = self.config.target_db
        if target is None or min(self.psnr) < target - 0.1 or self.step < self.next_check:
            return False
        self.next_check = self.step + max(10, self.step // 20)  # measuring takes a few steps' time
        return min(measure(self.field, self.targets)) >= target

    def wind_down(self, scale: float) -> None:
        """Shrink the steps to nothing over a tenth of the run so far, and end."""
        if self.winding is None:
            self.winding = (self.step, max(20, self.step // 10), scale)

    def polish(self, watch: Watch | None) -> None:
        """Run L-BFGS on all points until its iterations, the time or the watcher's patience end.

        Whatever ends it, and wherever in a line search, the best weights seen stay: those that it
        began with, if it does not help.
        """
        planned, limit, begun = self.config.polish, self.config.max_seconds, self.seconds
        best = math.inf
        kept: dict[str, Tensor] = {}
        optimizer = torch.optim.LBFGS(
            list(self.field.parameters()),
            max_iter=planned,
            history_size=20,
            line_search_fn="strong_wolfe",
        )

        def loss() -> float:
            nonlocal best, kept
            value, errors = self._full_loss()
            if value < best:
                best, self.errors = value, errors
                kept = {name: p.detach().clone() for name, p in self.field.named_parameters()}
            done = next(iter(optimizer.state.values()))["n_iter"] / planned
            if limit is not None:
                done = max(done, (self.seconds - begun) / max(limit - begun, 1e-9))
            if watch is not None and watch(self.progress(min(done, 1.0))):
                self.wind_down(0.0)
            if self.stopped or done > 1:
                raise _EnoughError
            return value

        with suppress(_EnoughError):
            optimizer.step(loss)  # type: ignore[no-untyped-call]
        self.field.load_state_dict(kept, strict=False)

    def _full_loss(self) -> tuple[float, Tensor]:
        for parameter in self.field.parameters():
            parameter.grad = None
        errors, loss = torch.zeros_like(self.errors), 0.0
        for group in self.groups:
            everything = torch.arange(group.points)
            for part in torch.split(everything, CHUNK):
                loss += group.backward(self, part, len(part) / group.points, errors)
        return loss, errors

    def save(self, path: Path) -> None:
        """Write all that is needed to go on."""
        facts = {
            "run": self.identity,
            "draw": self.field.draw.hex(),
            "salt": self.field.public.seed.hex(),
            "step": self.step,
            "seconds": self.seconds,
            "cycle_start": self.cycle_start,
            "cycle": self.cycle,
            "errors": self.errors.tolist(),
            "note": dict(self.note),
        }
        checkpoints.save(path, self.field, self.optimizers, facts)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint of the same run."""
        with checkpoints.distrusting(path):
            facts = checkpoints.load(path, self.field, self.optimizers, self.identity)
            self.step, self._before = int(facts["step"]), float(facts["seconds"])
            self.errors = torch.tensor(facts["errors"], dtype=torch.float64)
            if self.config.steps is None and facts["cycle"] is not None:
                self.cycle_start, self.cycle = int(facts["cycle_start"]), int(facts["cycle"])

    @cached_property
    def identity(self) -> str:
        """Digest of what must be the same when a run goes on."""
        digest = hashlib.sha256()
        header = self.field.header() | {"seed": ""}
        method = {**vars(self.config), "max_seconds": None, "steps": None, "target_db": None}
        digest.update(json.dumps([header, method], sort_keys=True).encode())
        for target in self.targets:
            digest.update(target.signal.values.tobytes())
            digest.update(str((_grid(target), target.weight)).encode())
            for name in sorted(target.slots):
                for tensor in target.slots[name]:
                    digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()


class _EnoughError(Exception):
    """Ends L-BFGS within an evaluation; torch offers no other way."""


def _grid(target: Target) -> tuple[tuple[int, ...], bool]:
    """Give the size of a target, and whether it is folded: these decide its points."""
    return target.signal.size, target.signal.folded


class _Group:
    """The targets of one grid: they share batches of points and the encoder's work on them."""

    def __init__(
        self,
        targets: Sequence[Target],
        grid: tuple[tuple[int, ...], bool],
        at: Float[Tensor, "points axes"],
    ) -> None:
        self.members = [(i, t) for i, t in enumerate(targets) if _grid(t) == grid]
        self.at = at
        self.values = [
            torch.from_numpy(t.signal.values).flatten(0, -2).to(at.device) for _, t in self.members
        ]
        self.points = len(self.at)
        self._size = grid[0]
        self._epoch = -1
        self._batches: list[Int64[Tensor, " batch"]] = []

    def batch(self, step: int, batch: int, seed: int) -> Int64[Tensor, " batch"]:
        """Give the points of a step: a function of step and seed alone, so runs can be resumed."""
        if not batch or batch >= self.points:
            return torch.arange(self.points)
        count = round(self.points / batch)
        epoch, place = divmod(step, count)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed((seed * 0x9E3779B1 + epoch) % (1 << 63))
            self._epoch, self._batches = epoch, _spread(self._size, count, generator)
        return self._batches[place]

    def backward(self, run: _Run, index: Tensor, share: float, errors: Tensor) -> float:
        """Add the gradients of these points' loss, and their mean squared errors to ``errors``.

        Each target's gradient is taken before the next one's values, so that the activations of
        only one are alive and stay in the cache; the encoder's is taken once, for all.
        """
        features = functional_call(run.field.encoder, run.encoder, (self.at[index],))
        shared = features.detach().requires_grad_(features.requires_grad)
        total = 0.0
        for (place, target), values in zip(self.members, self.values, strict=True):
            weights = substitute(run.decoders[place], target.slots)
            shown = functional_call(run.field.decoder, weights, (shared,))
            difference = shown - values[index]
            squared = difference.square().mean()
            error = squared if run.config.loss == "l2" else difference.abs().mean()
            loss = error * (target.weight * share)
            loss.backward()
            total += loss.item()
            errors[place] += squared.item() * share
        if shared.grad is not None:
            features.backward(shared.grad)
        return total


def _spread(
    size: tuple[int, ...], count: int, generator: torch.Generator
) -> list[Int64[Tensor, " batch"]]:
    """Deal the points of a grid into batches that each cover it evenly.

    The grid is cut into boxes of about ``count`` points, and every batch gets about one of each.
    Measured on faces: 0.3 dB better than batches at random, for the same number of steps.
    """
    side = max(1, round(count ** (1 / len(size))))
    index, box, scale = torch.arange(math.prod(size)), 0, 1
    for points in reversed(size):
        box = box + (index % points) // side * scale
        index, scale = index // points, scale * -(-points // side)
    jitter = torch.rand(math.prod(size), generator=generator, dtype=torch.float64)
    dealt = (box + jitter).argsort()
    return [dealt[place::count] for place in range(count)]


def _decayed(fraction: float, decay: float) -> float:
    """Give the step length at a place of the plan, as a share of the first.

    With Muon the error follows the step length, so the length falls by equal factors in equal
    times, and the square root brings it to nothing. Measured on faces: 0.5 dB better than a
    quadratic, 1 dB better than a linear decay over as many steps.
    """
    return math.exp(-decay * fraction) * math.sqrt(1 - fraction) if decay else 1.0


def _first_cycle(config: FitConfig, targets: Sequence[Target]) -> int | None:
    if config.steps is not None or config.max_seconds is not None:
        return config.steps
    if config.target_db is not None:
        return FIRST_CYCLE
    most = max(target.signal.points for target in targets)
    return max(LEAST_STEPS, PASSES * most // (config.batch or most))


def _optimizers(field: Field, config: FitConfig) -> list[torch.optim.Optimizer]:
    """Give Adam everything, or all but the matrices of the decoder, which are for Muon."""
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
