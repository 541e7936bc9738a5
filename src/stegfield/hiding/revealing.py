"""Reveal: a key's values in a field's slots show the key's secret."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stegfield.errors import UnreadableError, Wording
from stegfield.fields.field import Field, RenderWatch, render
from stegfield.fields.store import load
from stegfield.hiding.record import SecretRecord, read_record
from stegfield.hiding.showing import show
from stegfield.hiding.slots import SlotScheme, key_slots
from stegfield.keys import KeyFile, KeySource, unlock_file
from stegfield.signals import Signal


@dataclass(frozen=True, eq=False)
class Revealed:
    """What a key shows."""

    signal: Signal
    certain: bool
    """The key's record was found: this is the secret. Without it, a wrong key cannot be told from
    a right one but by looking."""


def reveal(
    field: Field | Path | str,
    key: KeySource,
    *,
    size: tuple[int, ...] | None = None,
    scheme: SlotScheme | None = None,
    watch: RenderWatch | None = None,
) -> Revealed:
    """Show the secret that belongs to a key.

    Args:
        field: A field as published, or the path of its file; it is not changed.
        key: The secret's key, or a passphrase; its key file or the path of that, where the slot
            positions are in it.
        size: Points along each axis to sample; the secret's own if left out. With it, a secret of
            the cover's medium whose record was destroyed (half precision, pruning) can still be
            shown.
        scheme: How slots were drawn, used only where the record is gone; the architecture's
            default if left out.
        watch: Told how many points are done, of how many, first of all before the work begins.

    Raises:
        InputError: the field is a file that cannot be read.
        UnreadableError: no secret belongs to this key, or its record is gone and no size is given.
        ConfigError: a size is given, and the secret is of another medium than the cover, or
            has other axes.
    """
    field = load(field)
    opened = unlock_file(key, field.public.seed)
    record = _find_record(field, opened)
    if record is None:
        if size is None:
            raise UnreadableError(
                hint=Wording(
                    "check the key; "
                    "a damaged field may still show a secret at a size that you give ({size})"
                )
            )
        scheme = scheme or SlotScheme(ratio=field.slot_ratio)
        slots = key_slots(field, opened, scheme)
        return Revealed(render(field, size, slots, watch=watch), certain=False)
    # without shared slots, positions in the file are those of another field that it is for, too
    slots = key_slots(field, opened if record.shared_slots else opened.key, record.scheme)
    return Revealed(show(field, record, slots, size, watch=watch), certain=True)


def _find_record(field: Field, opened: KeyFile) -> SecretRecord | None:
    try:
        record = read_record(field, opened.key)
    except UnreadableError:
        return None
    return None if record.shared_slots and not opened.slots else record
