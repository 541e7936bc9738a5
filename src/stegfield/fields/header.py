"""The header of a field file, and its tensors as arrays: what anyone can see, read without torch.

A field file is safetensors in float32, with a JSON header that describes the weights. The header
has the same entries whether or not anything is hidden: the format version, the architecture, its
sizes, a random seed, the size, channels and medium of the public signal, and the grain of each
tensor (`stegfield.fields.drawing`), which is null where weights were left as they were trained.
Media with time also have a rate, and some media a range.

Reading checks the header's length, every entry, each tensor's type, and that all numbers are
finite. Nothing is ever unpickled. Files of version 1, which tell no grain, are read as well.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from stegfield import files
from stegfield.errors import ConfigError, FieldFileError, PluginNeededError
from stegfield.fields.architectures import ARCHITECTURES, sizes_of
from stegfield.fields.drawing import HELD_BITS, HIGHEST, LEAST_WEIGHTS, LOWEST, Grain, Grains
from stegfield.fields.sizes import Sizes
from stegfield.keys import SALT_BYTES
from stegfield.signals import (
    HIGHEST_RATE,
    IMAGE,
    LARGEST_POINTS,
    MEDIA,
    WHOLE_RANGE,
    Medium,
)
from stegfield.signals.signal import LEAST_SPAN
from stegfield.signals.sniffing import sniff
from stegfield.tensor_files import (
    LARGEST_HEADER,
    LENGTH_BYTES,
    DistrustError,
    entries_of,
    tensors_of,
)

FORMAT, OLDEST_FORMAT = 2, 1
ENTRY = "stegfield"
SUFFIX = ".safetensors"
LARGEST_FILE = 1 << 29
PLUGIN_NAME = re.compile(r"[a-z0-9_-]{1,40}", re.ASCII)
"""Of an architecture or a medium that another package may bring."""
FIRST_ENTRIES = {"format", "architecture", "sizes", "medium", "size", "channels", "seed"}
"""Entries of every header of version 1; media with time also have a rate, some media a range."""
ENTRIES = FIRST_ENTRIES | {"grain"}
"""Of every header of version 2."""


@dataclass(frozen=True, kw_only=True)
class Public:
    """What a field's header says about the signal that it shows to everyone."""

    size: tuple[int, ...]
    channels: int = 3
    medium: Medium = IMAGE
    rate: float | None = None
    """Points a second along the first axis, of media with time."""
    range: tuple[float, float] = WHOLE_RANGE
    """For sounds and volumes: the values that -1 and 1 stand for."""
    seed: bytes
    """16 bytes, random in every field, with or without secrets: the salt of all its keys."""

    @property
    def axes(self) -> int:
        """Number of coordinates of each point: 2 in an image, 3 on the globe."""
        return self.medium.point_axes

    def rate_at(self, size: tuple[int, ...]) -> float | None:
        """Return the rate at another size, for the same duration."""
        return None if self.rate is None else self.rate * size[0] / self.size[0]


@dataclass(frozen=True)
class Header:
    """What a field file says about its field."""

    architecture: str
    sizes: Sizes
    public: Public
    grains: Grains | None = None
    """Of the tensors, in the order in which they carry bits; None where nothing was drawn."""
    version: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        """Return the entries of the header as plain values."""
        public = self.public
        return {
            "architecture": self.architecture,
            "sizes": asdict(self.sizes),
            "medium": public.medium.name,
            "size": list(public.size),
            "channels": public.channels,
            "seed": public.seed.hex(),
            **({"rate": public.rate} if public.medium.timed else {}),
            **({"range": list(public.range)} if public.medium.ranged else {}),
            "grain": self.grains
            and {name: [grain.exponent, grain.bits] for name, grain in self.grains.items()},
        }


@dataclass(frozen=True)
class FieldFile:
    """A field file: its header, and its tensors by name, as float32 arrays."""

    header: Header
    tensors: Mapping[str, NDArray[np.float32]]
    """In the order of the layers."""

    def to_bytes(self) -> bytes:
        """Encode as the bytes of a file; equal fields give equal bytes."""
        entries = {"format": FORMAT, **self.header.to_json()}
        return safetensors.numpy.save(dict(self.tensors), {ENTRY: json.dumps(entries)})

    @property
    def weight_count(self) -> int:
        """Count the numbers that are trained."""
        fixed = self.header.sizes.FIXED
        return sum(tensor.size for name, tensor in self.tensors.items() if name not in fixed)

    def __repr__(self) -> str:
        return f"FieldFile({self.header.architecture}, {self.weight_count:,} weights)"


def read(path: Path) -> FieldFile:
    """Read a field file without building its network.

    Raises:
        InputError: The file is missing or cannot be read.
        FieldFileError: The file is not a field file, or is damaged.
        PluginNeededError: The field is of an architecture or a medium that is not installed.
    """
    return decode(files.read_bounded(path, LARGEST_FILE), path)


def is_ours(path: Path) -> bool:
    """Tell whether the header of a file describes a field, of whatever version, sound or not.

    Raises:
        InputError: The file is missing or cannot be read.
    """
    start = files.read_start(path, LENGTH_BYTES + LARGEST_HEADER)
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    try:
        metadata = json.loads(start[LENGTH_BYTES : LENGTH_BYTES + length])["__metadata__"]
    except Exception:  # what a parser of foreign bytes may raise
        return False
    return isinstance(metadata, dict) and ENTRY in metadata


def decode(data: bytes, name: Path | str = "the data") -> FieldFile:
    """Decode the bytes of a field file; errors mention ``name``.

    Raises:
        FieldFileError: The bytes are not those of a field file, or are damaged.
        PluginNeededError: The field is of an architecture or a medium that is not installed.
    """
    try:
        header = _checked(
            entries_of(data, ENTRY, version=FORMAT, oldest=OLDEST_FORMAT, noun="a field")
        )
        tensors = tensors_of(data, np.float32)
        _check_grains(header.grains or {}, tensors)
    except _NeedsPlugin as error:
        raise PluginNeededError(name, str(error)) from None
    except (DistrustError, ConfigError) as error:
        kind = sniff(data)
        other = kind is not None and kind.suffix != SUFFIX
        raise FieldFileError(name, f"it is {kind.name}" if kind and other else str(error)) from None
    return FieldFile(header, in_order(tensors))


def in_order(tensors: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Return tensors in the order of the layers: layer 10 behind layer 9, biases before weights."""
    return {name: tensors[name] for name in sorted(tensors, key=_by_layer)}


def _by_layer(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in name.split(".")]


class _NeedsPlugin(Exception):  # noqa: N818 - never leaves this module
    """Says what another package would bring."""


def _checked(entries: dict[str, Any]) -> Header:
    """Check every entry of a header."""
    medium, architecture = _medium(entries.get("medium")), entries.get("architecture")
    version = entries["format"]
    known = FIRST_ENTRIES if version == OLDEST_FORMAT else ENTRIES
    known = known | ({"rate"} if medium.timed else set())
    known |= {"range"} if medium.ranged else set()
    if entries.keys() != known:
        raise DistrustError("its header has other entries than a field's")
    if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
        raise _unknown("architecture", architecture)
    public = _public(entries, medium)
    if not isinstance(entries["sizes"], dict):
        raise DistrustError("its sizes are missing")
    try:
        sizes = sizes_of(architecture)(**entries["sizes"])
    except ConfigError:
        raise
    except (TypeError, ValueError):
        raise DistrustError("its sizes are not readable") from None
    return Header(architecture, sizes, public, _grains(entries.get("grain")), version)


def _grains(entry: Any) -> Grains | None:
    """Check the grains, but for the names of tensors."""
    if entry is None:
        return None
    if not isinstance(entry, dict):
        raise DistrustError("its grain is not readable")
    found = {}
    for name, pair in entry.items():
        numbers = isinstance(pair, list) and len(pair) == 2 and all(type(n) is int for n in pair)
        if not numbers or not (LOWEST <= pair[0] <= HIGHEST and 1 <= pair[1] <= HELD_BITS):
            raise DistrustError("the grain of one of its tensors is out of range")
        found[name] = Grain(*pair)
    return found


def _check_grains(grains: Grains, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    for name in grains:
        if name not in tensors or tensors[name].size < LEAST_WEIGHTS:
            raise DistrustError("it tells the grain of a tensor that cannot have one")


def _medium(name: Any) -> Medium:
    if not isinstance(name, str) or name not in MEDIA:
        raise _unknown("medium", name)
    return MEDIA[name]


def _unknown(noun: str, name: Any) -> Exception:
    """Return an error that says that a name may be a plug-in's, if it could be one."""
    if isinstance(name, str) and PLUGIN_NAME.fullmatch(name):
        return _NeedsPlugin(f"the {noun} {name!r}")
    return DistrustError(f"its {noun} has no name that one could have")


def _public(entries: dict[str, Any], medium: Medium) -> Public:
    """Check what a header says about the public signal."""
    channels, size = entries["channels"], entries["size"]
    if type(channels) is not int or channels not in medium.channels:
        raise DistrustError(f"the channels of what it shows are not those of medium {medium.name}")
    sides = isinstance(size, list) and all(type(side) is int and side > 0 for side in size)
    if not sides or len(size) != medium.axes or math.prod(size) > LARGEST_POINTS:
        raise DistrustError("the size of what it shows is out of range")
    rate = entries.get("rate")
    if medium.timed and not (type(rate) is float and 0 < rate <= HIGHEST_RATE):
        raise DistrustError("the rate of what it shows is out of range")
    span = entries.get("range", list(WHOLE_RANGE))
    if not _is_range(span):
        raise DistrustError("the range of what it shows is out of range")
    return Public(
        size=tuple(size),
        channels=channels,
        medium=medium,
        rate=rate,
        range=(span[0], span[1]),
        seed=_seed(entries["seed"]),
    )


def _is_range(span: Any) -> bool:
    """Return whether these are two different numbers from -1 to 1, the smaller one first."""
    if not isinstance(span, list) or len(span) != 2:
        return False
    numbers = all(type(end) is float for end in span)
    return numbers and span[0] >= -1 and span[1] <= 1 and span[1] - span[0] >= LEAST_SPAN


def _seed(text: Any) -> bytes:
    try:
        seed = bytes.fromhex(text)
    except (TypeError, ValueError):
        raise DistrustError("its seed is not readable") from None
    if len(seed) != SALT_BYTES:
        raise DistrustError("its seed has the wrong length")
    return seed
