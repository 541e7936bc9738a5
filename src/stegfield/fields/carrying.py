"""Carrying: messages in the file of a field that was drawn, read and written without torch.

The bits of all U make the plane of `stegfield.payload.law`. To embed is to draw the weights again,
with another plane: what the field shows changes by as much as from one draw to the next, and what
was trained is not needed. A field with messages has the law of one without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from stegfield.errors import CapacityError, CarrierError, UnreadableError, Wording
from stegfield.fields import drawing
from stegfield.fields.drawing import Grains
from stegfield.fields.header import OLDEST_FORMAT, FieldFile
from stegfield.keys import KeySource
from stegfield.payload import law
from stegfield.payload.law import Found, Message

LARGER = Wording("take a larger field, as with {sizes:width=256}, or hide less")


@dataclass(frozen=True)
class Room:
    """What a field can carry beside the messages whose keys were given."""

    longest: int
    """Bytes of the longest message, deflated; 0 where none fits."""
    messages: int
    """Further messages, at most."""
    parts: int
    """Parts of the field that no known message takes, of 64."""
    part_bytes: float
    """Bytes of each part."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def find(file: FieldFile, key: KeySource) -> Found:
    """Read the message of a key.

    Raises:
        UnreadableError: The field has no message of this key, or was changed since.
        KeyFileError: The key is a path, and its file is missing, damaged, or not a key file.
    """
    grains = file.header.grains
    plane = None if grains is None else drawing.plane_of(file.tensors, grains)
    if plane is None:
        raise UnreadableError
    return law.find(plane, key)


def embed(
    file: FieldFile,
    messages: Sequence[Message],
    *,
    keep: Sequence[KeySource] = (),
    name: Path | str = "the field",
) -> FieldFile:
    """Draw a field again, with messages.

    Args:
        file: A field that was drawn.
        messages: What it shall carry.
        keep: Keys whose messages stay; all others that it may have are lost.
        name: Of the file, for errors.

    Raises:
        CarrierError: The field was not drawn, or was changed since.
        UnreadableError: The field has no message of a key to keep.
        CapacityError: The messages do not fit.
        ConfigError: Two messages have the same key.
    """
    grains, plane = _drawn(file, name)
    kept = [(law.find(plane, key), key) for key in keep]
    everything = [*messages, *(Message(found.data, key, found.suffix) for found, key in kept)]
    try:
        composed = law.compose(everything, len(plane))
    except CapacityError as error:
        error.hint = LARGER
        raise
    return FieldFile(file.header, drawing.draw(file.tensors, grains, composed))


def room(
    file: FieldFile, keys: Sequence[KeySource] = (), *, name: Path | str = "the field"
) -> Room:
    """Return what a field can carry beside the messages of some keys.

    Messages of other keys cannot be told from random bits, and do not count.

    Raises:
        CarrierError: The field was not drawn, or was changed since.
        UnreadableError: The field has no message of one of the keys.
    """
    _, plane = _drawn(file, name)
    found = [law.find(plane, key) for key in keys]
    places = law.Places(len(plane))
    return Room(
        longest=law.longest(len(plane), found),
        messages=places.slots - len(found),
        parts=law.PARTS - sum(each.parts for each in found),
        part_bytes=places.part_bits / 8,
    )


def _drawn(file: FieldFile, name: Path | str) -> tuple[Grains, Bool[np.ndarray, " bits"]]:
    """Return grains and plane of a field that can carry messages."""
    if file.header.version == OLDEST_FORMAT:
        raise CarrierError(f"{name} is a field of format 1, whose weights were not drawn")
    if file.header.grains is None:
        raise CarrierError(f"{name} has the weights that were trained: they were never drawn")
    plane = drawing.plane_of(file.tensors, file.header.grains)
    if plane is None:
        raise CarrierError(
            f"the weights of {name} were changed since they were drawn",
            hint="take the file as `stegfield fit` wrote it: half precision, pruning and training "
            "destroy what it carries",
        )
    return file.header.grains, plane
