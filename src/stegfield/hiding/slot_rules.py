"""Rules for positions: where slots are, and what must happen before the joint training.

- ``keyed`` (ours): each key draws its own positions and values. The cover has no slots, all
  published weights are trained, and the receiver needs the key alone.
- ``magnitude`` (the paper): the cover is fitted first, and the largest weights of each layer become
  slots, the same for every secret. The receiver must be told the positions; they go into the key
  file, Golomb-Rice coded.
- ``random`` (the paper's ablation): as ``magnitude``, without the fit, at random positions.

Source: Dong et al. (2024), StegaINR4MIH.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from stegfield.config import FitConfig
from stegfield.fields import checkpoints
from stegfield.fields.field import Field, SlotValues
from stegfield.fields.training import FitWatch, Target, Training, train
from stegfield.hiding.positions import pack_positions, unpack_positions
from stegfield.hiding.slots import (
    SlotScheme,
    largest_positions,
    own_values,
    random_positions,
    slot_counts,
)
from stegfield.keys import Key
from stegfield.signals import Signal

PRETRAINING_SHARE = 2 / 7
"""Of a run with magnitude slots, the share that fits the cover alone; the paper's 20,000 steps of
70,000."""


@dataclass(frozen=True, eq=False)
class Start:
    """Where the joint training starts."""

    training: FitConfig
    """What is left of the plan."""
    cover_slots: SlotValues = field(default_factory=dict, repr=False)
    """The slots of the cover, whose values stay as they are; none with keyed slots."""
    note: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Kept in checkpoints: what cannot be found out again once the joint training has begun."""

    @property
    def positions(self) -> list[NDArray[np.int64]]:
        """Shared positions of the slots, layer by layer."""
        return [at.numpy() for at, _ in self.cover_slots.values()]

    @property
    def packed(self) -> bytes:
        """What the key files must hold; empty with keyed slots."""
        return pack_positions(self.positions)

    @property
    def steps(self) -> int:
        """Steps taken before."""
        return int(self.note.get("steps", 0))

    @property
    def seconds(self) -> float:
        """Seconds spent before."""
        return float(self.note.get("seconds", 0.0))


@runtime_checkable
class PositionRule(Protocol):
    """Decides where slots are."""

    shared: bool
    """Positions are the same for every secret and stand in key files: no passphrase suffices."""

    def start(
        self,
        field: Field,
        cover: Signal,
        scheme: SlotScheme,
        training: FitConfig,
        *,
        watch: FitWatch | None,
        checkpoint: Path | None,
    ) -> Start:
        """Do what comes before the joint training; the field may be trained on the cover."""
        ...


class Keyed:
    """Every key draws its own positions."""

    shared = False

    def start(
        self,
        field: Field,
        cover: Signal,
        scheme: SlotScheme,
        training: FitConfig,
        *,
        watch: FitWatch | None,
        checkpoint: Path | None,
    ) -> Start:
        """Leave the cover without slots."""
        return Start(training)


class Random:
    """Positions at random, the same for all."""

    shared = True

    def start(
        self,
        field: Field,
        cover: Signal,
        scheme: SlotScheme,
        training: FitConfig,
        *,
        watch: FitWatch | None,
        checkpoint: Path | None,
    ) -> Start:
        """Draw the positions from what the weights were drawn from, so that a run can go on."""
        stream = Key(field.draw).stream("shared-slots", salt=field.public.seed)
        return Start(training, own_values(field, random_positions(field, scheme, stream)))


class Magnitude:
    """The largest weights of a field that was fitted to the cover, the same for all."""

    shared = True

    def start(
        self,
        field: Field,
        cover: Signal,
        scheme: SlotScheme,
        training: FitConfig,
        *,
        watch: FitWatch | None,
        checkpoint: Path | None,
    ) -> Start:
        """Fit the cover, or take over what a checkpoint of the joint training notes of that."""
        before, after = split(training)
        if checkpoint is not None and checkpoint.exists():
            note = checkpoints.note(checkpoint)
            if note:
                with checkpoints.distrusting(checkpoint):
                    return Start(after, _from_note(field, note), note)
        fitted = train(field, [Target(cover)], before, watch=watch, checkpoint=checkpoint)
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)  # the next one is of the joint training
        slots = own_values(field, largest_positions(field, scheme))
        return Start(after, slots, _to_note(slots, fitted))


POSITION_RULES: Mapping[str, PositionRule] = MappingProxyType(
    {"keyed": Keyed(), "magnitude": Magnitude(), "random": Random()}
)
"""By the name that `HideConfig.slots` has."""


def split(training: FitConfig) -> tuple[FitConfig, FitConfig]:
    """Share a plan between the cover alone and the joint training."""
    steps, seconds = training.steps, training.max_seconds
    before = steps and max(1, round(PRETRAINING_SHARE * steps))
    return (
        replace(
            training,
            steps=before,
            max_seconds=seconds and PRETRAINING_SHARE * seconds,
            target_db=None,
            polish=0,
        ),
        replace(
            training,
            steps=before and steps and max(1, steps - before),
            max_seconds=seconds and (1 - PRETRAINING_SHARE) * seconds,
        ),
    )


def _to_note(cover_slots: SlotValues, fitted: Training) -> dict[str, Any]:
    """Write down the cover's own fit, which the joint training leaves no trace of."""
    values = torch.cat([values for _, values in cover_slots.values()])
    return {
        "positions": pack_positions([at.numpy() for at, _ in cover_slots.values()]).hex(),
        "values": values.numpy().astype("<f4").tobytes().hex(),
        "steps": fitted.steps,
        "seconds": fitted.seconds,
    }


def _from_note(field: Field, note: Mapping[str, Any]) -> SlotValues:
    positions = unpack_positions(bytes.fromhex(note["positions"]), slot_counts(field))
    data = np.frombuffer(bytes.fromhex(note["values"]), "<f4").astype(np.float32)
    values = torch.split(torch.from_numpy(data), [len(chosen) for chosen in positions])
    return {
        name: (torch.from_numpy(at), put)
        for name, at, put in zip(field.slot_bounds(), positions, values, strict=True)
    }
