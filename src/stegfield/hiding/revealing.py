"""Revealing functions: a field shows a secret with the key's values in its slots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from stegfield.errors import UnreadableError, Wording
from stegfield.fields.field import Field, RenderWatch, render
from stegfield.fields.store import load
from stegfield.hiding.record import SecretRecord, read_record
from stegfield.hiding.showing import show
from stegfield.hiding.slots import SlotScheme, key_slots
from stegfield.keys import KeyFile, KeySource, unlock_file
from stegfield.signals import Signal

DAMAGED = Wording(
    "check the key; if the field is damaged, it may still show the secret with {size}"
)
ROUNDED = Wording(
    "the weights were rounded to 16 bits, after which no key reads anything from any field: get "
    "the file as it was written, or see what is left of a picture with {size}"
)
"""The hint for every key and every field that was rounded, whether or not it hides anything."""
LOST_BITS = 13
"""Lowest bits of a float32 that both formats of 16 bits leave out: zero in what they kept."""


@dataclass(frozen=True, eq=False)
class Revealed:
    """What a key reveals."""

    signal: Signal
    certain: bool
    """Whether the key's record was found, so that this is the secret. Without a record, only a look
    at the signal tells a right key from a wrong one."""


def reveal_function(
    field: Field | Path | str,
    key: KeySource,
    *,
    size: tuple[int, ...] | None = None,
    scheme: SlotScheme | None = None,
    watch: RenderWatch | None = None,
) -> Revealed:
    """Return the secret that a field shows with a key.

    Args:
        field: A field as published, or the path of its file; it is not changed.
        key: The secret's key, or a passphrase; its key file or the path of that, where the slot
            positions are in it.
        size: Points along each axis to sample; the secret's own if left out. With it, a secret of
            the cover's medium whose record was destroyed (half precision, pruning) can still be
            shown.
        scheme: How slots were drawn, used only where the record is gone; the architecture's
            default if left out.
        watch: Called before the work begins, then after each batch of points.

    Raises:
        InputError: The field is a file that cannot be read.
        UnreadableError: No secret belongs to this key, or its record is gone and no size is given.
        ConfigError: A size is given, and the secret is of another medium than the cover, or
            has other axes.
    """
    field = load(field)
    opened = unlock_file(key, field.public.seed)
    record = _find_record(field, opened)
    if record is None:
        if size is None:
            raise UnreadableError(hint=ROUNDED if is_rounded(field) else DAMAGED)
        scheme = scheme or SlotScheme(ratio=field.slot_ratio)
        slots = key_slots(field, opened, scheme)
        return Revealed(render(field, size, slots, watch=watch), certain=False)
    # without shared slots, positions in the key file belong to another field
    slots = key_slots(field, opened if record.shared_slots else opened.key, record.scheme)
    return Revealed(show(field, record, slots, size, watch=watch), certain=True)


@torch.no_grad()
def is_rounded(field: Field) -> bool:
    """Tell whether all weights are numbers of 16 bits, as other programs save them."""
    lowest = (1 << LOST_BITS) - 1
    weights = [weight.float().cpu().numpy() for weight in field.state_dict().values()]
    return all(not (each.view(np.uint32) & lowest).any() for each in weights)


def _find_record(field: Field, opened: KeyFile) -> SecretRecord | None:
    try:
        record = read_record(field, opened.key)
    except UnreadableError:
        return None
    return None if record.shared_slots and not opened.slots else record
