"""The start of the joint training: shared slots are chosen, and some rules fit the cover first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stegfield.config import FitConfig
from stegfield.fields import checkpoints
from stegfield.fields.field import Field, SlotValues
from stegfield.fields.targets import Target
from stegfield.fields.training import FitWatch, Training, train
from stegfield.hiding.positions import pack_positions, unpack_positions
from stegfield.hiding.slot_rules import PositionRule
from stegfield.hiding.slots import SlotScheme, own_values, slot_counts
from stegfield.signals import Signal

PRETRAINING_SHARE = 2 / 7
"""Share of a run with magnitude slots that fits the cover alone: 20,000 of 70,000 steps, as in the
paper."""


@dataclass(frozen=True, eq=False)
class Start:
    """Where the joint training starts."""

    training: FitConfig
    """The rest of the plan."""
    cover_slots: SlotValues = field(default_factory=dict, repr=False)
    """The slots of the cover, whose values stay as they are; empty with keyed slots."""
    note: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What checkpoints keep because it cannot be computed again during the joint training."""

    @property
    def positions(self) -> list[NDArray[np.int64]]:
        """Shared positions of the slots, layer by layer."""
        return [at.numpy() for at, _ in self.cover_slots.values()]

    @property
    def packed(self) -> bytes:
        """The positions as key files hold them; empty with keyed slots."""
        return pack_positions(self.positions)

    @property
    def steps(self) -> int:
        """Steps taken before."""
        return int(self.note.get("steps", 0))

    @property
    def seconds(self) -> float:
        """Seconds spent before."""
        return float(self.note.get("seconds", 0.0))


def begin(
    rule: PositionRule,
    field: Field,
    cover: Signal,
    scheme: SlotScheme,
    training: FitConfig,
    *,
    watch: FitWatch | None = None,
    checkpoint: Path | None = None,
) -> Start:
    """Choose shared slots, and fit the cover alone first if the rule says so.

    Raises:
        InputError: The checkpoint is damaged or belongs to another run.
    """
    if not rule.fits_cover:
        return Start(training, own_values(field, rule.positions(field, scheme)))
    before, after = _split(training)
    if checkpoint is not None and checkpoint.exists():
        note = checkpoints.note(checkpoint)
        if note:
            with checkpoints.distrusting(checkpoint):
                return Start(after, _from_note(field, note), note)
    fitted = train(field, [Target(cover)], before, watch=watch, checkpoint=checkpoint)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)  # the next checkpoint is of the joint training
    slots = own_values(field, rule.positions(field, scheme))
    return Start(after, slots, _to_note(slots, fitted))


def _split(training: FitConfig) -> tuple[FitConfig, FitConfig]:
    """Split a plan between the cover alone and the joint training."""
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
    """Return the note about the cover's own fit, of which the joint training leaves no trace."""
    values = torch.cat([values for _, values in cover_slots.values()])
    return {
        "positions": pack_positions([at.numpy() for at, _ in cover_slots.values()]).hex(),
        "values": values.numpy().astype("<f4").tobytes().hex(),
        "steps": fitted.steps,
        "seconds": fitted.seconds,
    }


def _from_note(field: Field, note: Mapping[str, Any]) -> SlotValues:
    if not (type(note["steps"]) is int and note["steps"] >= 0 and note["seconds"] >= 0):
        raise ValueError(note["steps"])
    positions = unpack_positions(bytes.fromhex(note["positions"]), slot_counts(field))
    data = np.frombuffer(bytes.fromhex(note["values"]), "<f4").astype(np.float32)
    values = torch.split(torch.from_numpy(data), [len(chosen) for chosen in positions])
    return {
        name: (torch.from_numpy(at), put)
        for name, at, put in zip(field.slot_bounds(), positions, values, strict=True)
    }
