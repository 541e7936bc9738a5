"""Showing: the signal that a field is trained to show for a secret, and the way back.

A secret of the cover's own medium is shown as it is, at any size. A secret of another medium, or
with more channels than the field has, is folded (see `stegfield.signals.folding`). Secrets other
than images are stretched to the range from -1 to 1, so that a quiet sound is not lost in noise.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from stegfield.errors import ConfigError, Wording
from stegfield.fields.field import Field, RenderWatch, SlotValues, render
from stegfield.fields.header import Public
from stegfield.hiding.record import SecretRecord
from stegfield.hiding.slots import SlotScheme
from stegfield.signals import WHOLE_RANGE, Layout, Signal, fold, stretched, unfold


def describe(secret: Signal, scheme: SlotScheme, *, shared_slots: bool) -> SecretRecord:
    """Return the record of what a receiver must know about a secret."""
    lowest, highest = secret.medium.secret_range(secret)
    return SecretRecord(
        size=secret.size,
        channels=secret.channels,
        scheme=scheme,
        shared_slots=shared_slots,
        medium=secret.medium,
        rate=secret.rate,
        lowest=lowest,
        highest=highest,
    )


def to_show(secret: Signal, record: SecretRecord, public: Public) -> Signal:
    """Return the signal that a field is trained to show for a secret."""
    values = secret.values
    if (record.lowest, record.highest) != secret.range:
        values, _ = stretched(secret.natural, (record.lowest, record.highest))
    if not _as_such(record, public):
        return fold(replace(secret, values=values), _layout(record, public))
    return replace(secret, values=np.broadcast_to(values, (*secret.size, public.channels)))


def show(
    field: Field,
    record: SecretRecord,
    slots: SlotValues,
    size: tuple[int, ...] | None = None,
    *,
    watch: RenderWatch | None = None,
) -> Signal:
    """Show a secret with a key's values in its slots.

    Args:
        field: The field.
        record: The secret's record.
        slots: The key's values.
        size: Points along each axis [default: the secret's own].
        watch: Called before the work begins, then after each batch of points.

    Raises:
        ConfigError: A size is given for a folded secret, or it has other axes.
    """
    if _as_such(record, field.public):
        points = size or record.size
        shown = render(field, points, slots, watch=watch)
        values = shown.values
        if record.channels < field.channels:
            values = values.mean(-1, keepdims=True)
        rate = None if record.rate is None else record.rate * points[0] / record.size[0]
    else:
        if size is not None:
            raise ConfigError(
                "a secret of another medium than the cover has one size",
                hint=Wording("leave {size} out"),
            )
        if watch is not None:  # before the layout, which takes memory too
            watch(0, math.prod(record.size))
        layout = _layout(record, field.public)
        grid = layout.places().shape[:-1]
        shown = render(field, grid, slots, folded=True, watch=watch)
        values, rate = unfold(shown, layout, record.medium).values, record.rate
    span = record.lowest, record.highest
    shown = Signal(values, record.medium, rate=rate, range=span)
    if record.medium.ranged or span == WHOLE_RANGE:
        return shown
    return replace(shown, values=shown.natural, range=WHOLE_RANGE)


def _as_such(record: SecretRecord, public: Public) -> bool:
    alike = record.medium is public.medium
    return alike and record.channels in (public.channels, 1)


def _layout(record: SecretRecord, public: Public) -> Layout:
    return Layout(
        size=record.size,
        channels=record.channels,
        parts=public.channels,
        within=public.medium.folding_box(public.size),
    )
