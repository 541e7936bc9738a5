"""Safetensors files: their header and their tensors, checked as they are read.

The metadata of our files has one entry, whose JSON describes the tensors; `places_of` finds the
tensors of any file. Nothing is unpickled, and nothing here needs torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

LENGTH_BYTES = 8
LARGEST_HEADER = 1 << 16
KINDS: dict[str, Any] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
}
HALVES = ("F16", "BF16")


LARGEST_FOREIGN_HEADER = 1 << 24
"""Bytes: about 100,000 tensors of another program."""
BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}
"""Of a number of each type, by the names that headers have for them."""
METADATA = "__metadata__"
MOST_AXES = 64
"""Of a tensor; the product of a million lengths would take hours."""


class DistrustError(Exception):
    """An error: what is wrong with a file, as in "its header is missing or too long"."""


def entries_of(
    data: bytes, entry: str, *, version: int, noun: str, oldest: int | None = None
) -> dict[str, Any]:
    """Read what the header says about the tensors, before the tensors themselves.

    Args:
        data: The whole file.
        entry: Name of the entry in its metadata.
        version: Version of the format, the ``format`` in the header.
        noun: What the header describes.
        oldest: The oldest version that is read [default: no other].

    Raises:
        DistrustError: The header does not have this entry and version.

    Example:
        >>> data = safetensors.numpy.save({}, {"mine": '{"format": 1, "size": 3}'})
        >>> entries_of(data, "mine", version=1, noun="a field")
        {'format': 1, 'size': 3}
    """
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    if not 2 <= length <= min(LARGEST_HEADER, len(data) - LENGTH_BYTES):
        raise DistrustError("its header is missing or too long")
    try:
        outer = json.loads(data[LENGTH_BYTES : LENGTH_BYTES + length])
        entries = plain_json(outer["__metadata__"][entry])
    except Exception:  # what a parser of foreign bytes may raise
        raise DistrustError(f"its header does not describe {noun}") from None
    found = entries.get("format") if isinstance(entries, dict) else None
    if type(found) is not int or not (version if oldest is None else oldest) <= found <= version:
        raise DistrustError(
            f"its format is not version {version}, the one that this program writes"
        )
    return dict(entries)


@dataclass(frozen=True)
class Place:
    """Where a tensor lies in a file."""

    name: str
    kind: str
    """Its type, as the header names it; of one that is not known, the numbers are not counted."""
    start: int
    """Its first byte, from the beginning of the file."""
    stop: int
    """The byte after its last one."""

    @property
    def count(self) -> int:
        """Return how many numbers it has, of a type that is known."""
        return (self.stop - self.start) // BYTES[self.kind]


def places_of(data: bytes) -> tuple[list[Place], dict[str, str]]:
    """Find the tensors of any safetensors file, in the order in which they lie in it.

    Returns:
        The tensors, which fill the file without gaps, and the file's metadata.

    Raises:
        DistrustError: The header is not one that the format allows.
    """
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    first = LENGTH_BYTES + length
    if not 2 <= length <= min(LARGEST_FOREIGN_HEADER, len(data) - LENGTH_BYTES):
        raise DistrustError("its header is missing or too long")
    try:
        entries = json.loads(data[LENGTH_BYTES:first], object_pairs_hook=_once)
        metadata = {**entries.pop(METADATA, {})}
        places = [_place(name, entry, first) for name, entry in entries.items()]
    except DistrustError:
        raise
    except Exception:  # what a parser of foreign bytes may raise
        raise DistrustError("its header is not readable") from None
    places.sort(key=lambda place: (place.start, place.stop))
    for place in places:
        if place.start != first:
            raise DistrustError("its tensors overlap, or have gaps between them")
        first = place.stop
    if first != len(data):
        raise DistrustError("its tensors do not fill the file")
    if not all(type(text) is str for text in metadata.values()):
        raise DistrustError("its metadata is not text")
    return places, metadata


def _place(name: str, entry: dict[str, Any], first: int) -> Place:
    """Check one entry of a foreign header."""
    kind, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
    if len(shape) > MOST_AXES:
        raise DistrustError("its header has tensors of too many axes")
    numbers = [start, stop, *shape]
    if entry.keys() != {"dtype", "shape", "data_offsets"} or type(kind) is not str:
        raise DistrustError("its header is not readable")
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise DistrustError("its header has sizes that are no sizes")
    if stop < start or (kind in BYTES and stop - start != math.prod(shape) * BYTES[kind]):
        raise DistrustError("its header has tensors of other sizes than their shapes")
    return Place(name, kind, first + start, first + stop)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dictionary of pairs; a name that comes twice would mean two things."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DistrustError("its header has a name twice")
    return found


def plain_json(text: str | bytes) -> Any:
    """Read JSON in which all numbers are finite.

    Raises:
        ValueError: the text is not JSON, or has NaN or Infinity in it.
    """
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def tensors_of(data: bytes, dtype: type[np.floating[Any]]) -> dict[str, NDArray[Any]]:
    """Read the tensors, all of one type and finite.

    Where float32 is expected, those that another program reduced to 16 bits are read as float32.

    Raises:
        DistrustError: The tensors cannot be read, or one has another type or is not finite.
    """
    halves = HALVES if dtype is np.float32 else ()
    tensors = finite_tensors(data, halves)
    for name, tensor in tensors.items():
        if tensor.dtype != dtype:
            raise DistrustError(f"{name} has another type than its header says")
    return tensors


def finite_tensors(data: bytes, halves: Sequence[str] = ()) -> dict[str, NDArray[Any]]:
    """Read tensors of any type in `KINDS`, all finite.

    Args:
        data: The whole file.
        halves: Types of 16 bits that are read as float32.

    Raises:
        DistrustError: The tensors cannot be read, or one is not finite.
    """
    try:
        held: Any = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
        tensors = {name: _array(each, halves) for name, each in held}
    except safetensors.SafetensorError as error:
        raise DistrustError(str(error)) from None
    except MemoryError:
        raise
    except Exception:  # what a parser of foreign bytes may raise
        raise DistrustError("its tensors cannot be read") from None
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise DistrustError(f"{name} holds numbers that are not finite")
    return tensors


def _array(held: dict[str, Any], halves: Sequence[str]) -> NDArray[Any]:
    """Return a tensor as it is stored, or widened if it is of one of the types named."""
    kind = held["dtype"]
    if kind == "BF16" and kind in halves:  # the upper half of a float32
        wide = np.frombuffer(held["data"], "<u2").astype(np.uint32) << 16
        return wide.view(np.float32).reshape(held["shape"])
    found = np.frombuffer(held["data"], KINDS[kind]).reshape(held["shape"])
    return found.astype(np.float32) if kind in halves else found
