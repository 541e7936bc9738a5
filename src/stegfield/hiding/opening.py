"""Opening: what a key reveals in a field, a file or a function, whichever is there.

A file needs no torch: the network is built only where no file of the key is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import TYPE_CHECKING

from stegfield.errors import UnreadableError
from stegfield.fields import carrying
from stegfield.fields.header import FieldFile
from stegfield.hiding.files import as_file
from stegfield.keys import KeySource

if TYPE_CHECKING:
    from stegfield.fields import Field, RenderWatch
    from stegfield.hiding.revealing import Revealed
    from stegfield.hiding.slots import SlotScheme


@dataclass(frozen=True)
class RevealedFile:
    """A file that a key reveals, bit for bit."""

    data: bytes = dataclass_field(repr=False)
    suffix: str
    """Kind of file, as ``.pdf``, as the sender's file had it; "" if unknown."""


def reveal(
    field: Field | FieldFile | Path | str,
    key: KeySource,
    *,
    size: tuple[int, ...] | None = None,
    scheme: SlotScheme | None = None,
    watch: RenderWatch | None = None,
) -> RevealedFile | Revealed:
    """Return the secret that belongs to a key: a file, or else a signal that the field shows.

    Args:
        field: A field as published, what its file holds, or the path of its file.
        key: The secret's key, or a passphrase; its key file or the path of that.
        size: Points along each axis to sample, for a signal; see `reveal_function`.
        scheme: For a signal in a damaged field; see `reveal_function`.
        watch: Called before a signal is sampled, then after each batch of points.

    Raises:
        InputError: The field is a file that cannot be read.
        UnreadableError: No secret belongs to this key, or it was destroyed.
        ConfigError: A size is given, and it has other axes than the signal, or the signal is of
            another medium than the cover.
    """
    held = as_file(field)
    try:
        found = carrying.find(held, key)
    except UnreadableError:
        from stegfield.fields import store
        from stegfield.hiding.revealing import reveal_function

        whole = store.from_file(held) if isinstance(field, FieldFile) else field
        return reveal_function(whole, key, size=size, scheme=scheme, watch=watch)
    return RevealedFile(found.data, found.suffix)
