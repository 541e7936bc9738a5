"""Field files: safetensors in float32, with a JSON header that tells what the weights are.

The header has the same entries whether or not anything is hidden: the format version, the
architecture, its sizes, a random seed, and the size, channels and medium of the public signal, with
its rate where the medium has time, and its range where that may be small.
Loading trusts nothing: the header's length and every entry, each tensor's name, shape and type,
and that all numbers are finite. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from stegfield import files
from stegfield.errors import ConfigError, FieldFileError
from stegfield.fields.architectures import ARCHITECTURES
from stegfield.fields.field import Field, Public
from stegfield.keys import SALT_BYTES
from stegfield.signals import HIGHEST_RATE, LARGEST_POINTS, MEDIA, WHOLE_RANGE
from stegfield.signals.signal import LEAST_SPAN

FORMAT = 1
ENTRY = "stegfield"
LARGEST_FILE = 1 << 29
LARGEST_HEADER = 1 << 16
LENGTH_BYTES = 8


def to_bytes(field: Field) -> bytes:
    """Encode a field as the bytes of its file; equal fields give equal bytes."""
    header = {"format": FORMAT, **field.header()}
    tensors = {name: t.detach().contiguous() for name, t in field.state_dict().items()}
    return safetensors.torch.save(tensors, {ENTRY: json.dumps(header)})


def save(path: Path, field: Field, *, force: bool = False) -> None:
    """Write a field file, whole or not at all.

    Raises:
        OutputError: The file exists (unless ``force``) or cannot be written.
    """
    files.write_new(path, to_bytes(field), force=force)


def load(path: Path) -> Field:
    """Read a field file.

    Raises:
        InputError: The file is missing or cannot be read.
        FieldFileError: Anything about it is not as `save` writes it.
    """
    return from_bytes(files.read_bounded(path, LARGEST_FILE), path)


def from_bytes(data: bytes, name: Path | str = "the data") -> Field:
    """Decode the bytes of a field file; ``name`` stands in the errors.

    Raises:
        FieldFileError: Anything about it is not as `to_bytes` writes it.
    """
    try:
        field = _empty_field(_header(data))
        tensors = safetensors.torch.load(data)
    except safetensors.SafetensorError as error:
        raise FieldFileError(name, str(error)) from None
    except (KeyError, ValueError, RuntimeError) as error:
        if not isinstance(error, ConfigError):  # of a type of numbers that torch has no name for
            raise FieldFileError(name, "its tensors cannot be read") from None
        raise FieldFileError(name, str(error)) from None
    except _Distrust as error:
        raise FieldFileError(name, str(error)) from None
    expected = field.state_dict()
    if tensors.keys() != expected.keys():
        raise FieldFileError(name, "its tensors are not those of its architecture")
    for entry, tensor in tensors.items():
        if tensor.shape != expected[entry].shape or tensor.dtype != torch.float32:
            raise FieldFileError(name, f"{entry} has another shape or type than its architecture")
        if not tensor.isfinite().all():
            raise FieldFileError(name, f"{entry} holds numbers that are not finite")
    field.load_state_dict(tensors, assign=True)
    return field


class _Distrust(Exception):  # noqa: N818 - never leaves this module
    """Says what is wrong with a header."""


def _header(data: bytes) -> dict[str, Any]:
    """Read the entries about the field from the header, before anything else is touched."""
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    if not 2 <= length <= min(LARGEST_HEADER, len(data) - LENGTH_BYTES):
        raise _Distrust("its header is missing or too long")
    try:
        outer = json.loads(data[LENGTH_BYTES : LENGTH_BYTES + length])
        header = json.loads(outer["__metadata__"][ENTRY])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _Distrust("its header does not tell about a field") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise _Distrust(f"its format is not version {FORMAT}, the one that this program knows")
    return header


def _empty_field(header: dict[str, Any]) -> Field:
    """Build the field that a header describes, without memory for its weights."""
    known = {"format", "architecture", "sizes", "medium", "size", "channels", "seed"}
    name = header.get("medium")
    medium = MEDIA.get(name) if isinstance(name, str) else None
    if medium is None:
        raise _Distrust(f"it shows none of: {', '.join(MEDIA)}")
    known |= ({"rate"} if medium.timed else set()) | ({"range"} if medium.ranged else set())
    if header.keys() != known:
        raise _Distrust("its header has other entries than a field's")
    size, channels, sizes = header["size"], header["channels"], header["sizes"]
    if not isinstance(header["architecture"], str) or header["architecture"] not in ARCHITECTURES:
        raise _Distrust("its architecture is unknown")
    if type(channels) is not int or channels not in medium.channels:
        raise _Distrust(f"the channels of what it shows are not those of medium {name}")
    sides = isinstance(size, list) and all(type(side) is int and side > 0 for side in size)
    if not sides or len(size) != medium.axes or math.prod(size) > LARGEST_POINTS:
        raise _Distrust("the size of what it shows is out of range")
    rate = header["rate"] if medium.timed else None
    if medium.timed and not (type(rate) is float and 0 < rate <= HIGHEST_RATE):
        raise _Distrust("the rate of what it shows is out of range")
    span = header["range"] if medium.ranged else list(WHOLE_RANGE)
    if not _is_range(span):
        raise _Distrust("the range of what it shows is none")
    if not isinstance(sizes, dict):
        raise _Distrust("its sizes are missing")
    try:
        seed = bytes.fromhex(header["seed"])
        architecture = ARCHITECTURES[header["architecture"]]
        known_sizes = architecture.sizes_type(**sizes)
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise _Distrust("its seed or sizes are not readable") from None
    if len(seed) != SALT_BYTES:
        raise _Distrust("its seed has the wrong length")
    public = Public(
        size=tuple(size), channels=channels, medium=medium, rate=rate, range=tuple(span), seed=seed
    )
    with torch.device("meta"):
        return architecture(known_sizes, public, None)


def _is_range(span: Any) -> bool:
    """Tell whether these are two different numbers from -1 to 1, the smaller one first."""
    if not isinstance(span, list) or len(span) != 2:
        return False
    numbers = all(type(end) is float for end in span)
    return numbers and span[0] >= -1 and span[1] <= 1 and span[1] - span[0] >= LEAST_SPAN
