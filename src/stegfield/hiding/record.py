"""Records: what a receiver must know about a secret, in the lowest bits of a field's weights.

A record is sealed under its secret's key, protected by a Reed-Solomon code, and whitened, so that
it looks like the bits that every field draws. Each byte replaces the lowest 8 bits of one weight's
U (see `stegfield.fields.drawing`). The key draws the position among all weights that have as many.
Records of other keys may overwrite some bytes, which the code corrects. Only the right key opens a
record, so a record also tells a right key from a wrong one.

In fields of the first format, which were not drawn, each byte is the lowest 8 of the 23 mantissa
bits of a weight, among all that are trained. These records are read, and never written.

    facts (33 bytes) ─AES-SIV─► +16 ─Reed-Solomon─► +32 ─whitening─► 81 bytes, 81 weights
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from jaxtyping import Int64
from numpy.typing import NDArray
from reedsolo import ReedSolomonError, RSCodec

from stegfield.config import MILLION
from stegfield.errors import CapacityError, ConfigError, UnreadableError
from stegfield.fields.drawing import Grain
from stegfield.fields.field import Field
from stegfield.fields.store import to_file
from stegfield.hiding import media_codes
from stegfield.hiding.slots import VALUE_RULES, SlotScheme
from stegfield.keys import Key
from stegfield.signals import HIGHEST_RATE, IMAGE, LARGEST_POINTS, Medium

VERSION = 2
LAYOUT = struct.Struct("<BBBB?IIIIfff")
"""Version, medium, channels, value rule, slots in the key file, points along three axes (zero for
missing axes), ratio, rate, least and largest value."""
FIRST_VERSION, FIRST_LAYOUT = 1, struct.Struct("<BBBB?III")
"""Of version 1: version, medium (an image), channels, value rule, slots in the key file, rows,
columns, ratio."""
PARITY = 32
TAG_BYTES = 16
RECORD_BYTES = LAYOUT.size + TAG_BYTES + PARITY
MOST_AXES = 3


@dataclass(frozen=True, kw_only=True)
class SecretRecord:
    """What a receiver must know to show a secret."""

    size: tuple[int, ...]
    """Points along each axis of the secret: rows and columns of an image."""
    channels: int
    """Channels of the secret: 1 if it is grey, even if the field shows RGB."""
    scheme: SlotScheme
    shared_slots: bool = False
    """Whether slot positions are the same for all secrets and are in the key file."""
    medium: Medium = IMAGE
    rate: float | None = None
    """Points a second along the first axis, of media with time; as float32."""
    lowest: float = -1.0
    highest: float = 1.0
    """Values of the secret where the field shows -1 and 1, as float32."""

    def __post_init__(self) -> None:
        for name in ("rate", "lowest", "highest"):  # rounded to what the bytes can hold
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, float(np.float32(value)))

    def to_bytes(self) -> bytes:
        """Encode the facts.

        Raises:
            ConfigError: the medium is one of another package, and has more than three axes or
                cannot be told from another one.
        """
        if len(self.size) > MOST_AXES:
            raise ConfigError(
                f"a record of a secret tells {MOST_AXES} axes, and {self.medium.plural} have "
                f"{len(self.size)}",
                hint="hide a part that has fewer",
            )
        return LAYOUT.pack(
            VERSION,
            media_codes.encode(self.medium),
            self.channels,
            VALUE_RULES.index(self.scheme.values),
            self.shared_slots,
            *self.size,
            *[0] * (MOST_AXES - len(self.size)),
            self.scheme.millionths,
            self.rate or 0.0,
            self.lowest,
            self.highest,
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> SecretRecord:
        """Decode the facts; another program with the key may have written them.

        Raises:
            UnreadableError: The facts make no sense to this version.
            PluginNeededError: The secret's medium is one of a package that is not installed.
        """
        try:
            if len(data) == FIRST_LAYOUT.size:
                version, *start, rows, columns, ratio = FIRST_LAYOUT.unpack(data)
                known, sides = version == FIRST_VERSION, (rows, columns, 0)
                rate, lowest, highest = 0.0, -1.0, 1.0
            else:
                version, *start, rows, columns, slices = LAYOUT.unpack(data)[:8]
                ratio, rate, lowest, highest = LAYOUT.unpack(data)[8:]
                known, sides = version == VERSION, (rows, columns, slices)
        except struct.error:
            raise UnreadableError from None
        place, channels, rule, shared = start
        medium = media_codes.decode(place) if known else None
        if medium is None or rule >= len(VALUE_RULES):
            raise UnreadableError
        axes = medium.axes
        sound = (
            channels in medium.channels
            and 0 < math.prod(sides[:axes]) <= LARGEST_POINTS
            and not any(sides[axes:])
            and (0 < rate <= HIGHEST_RATE if medium.timed else rate == 0)
            and -1 <= lowest < highest <= 1
        )
        if not sound:
            raise UnreadableError
        try:
            scheme = SlotScheme(ratio=ratio / MILLION, values=VALUE_RULES[rule])
        except ConfigError:
            raise UnreadableError from None
        return cls(
            size=sides[:axes],
            channels=channels,
            scheme=scheme,
            shared_slots=shared,
            medium=medium,
            rate=rate or None,
            lowest=lowest,
            highest=highest,
        )


def write_records(field: Field, records: Sequence[tuple[Key, SecretRecord]]) -> None:
    """Write every key's record into the weights of a drawn field.

    Raises:
        CapacityError: The field has too few weights for so many records to be read again.
    """
    low = _low(field)
    for key, record in records:
        at = _positions(field, key, len(low), RECORD_BYTES)
        low[at] = (low[at] & ~0xFF) | np.frombuffer(_seal(field, key, record), "u1")
    _store(field, low)
    for key, record in records:
        try:
            intact = read_record(field, key) == record
        except UnreadableError:
            intact = False
        if not intact:
            # about a tenth of a record's bytes may fall to others: the code corrects a quarter
            needed = 8 * RECORD_BYTES * len(records)
            raise CapacityError(needed=needed, available=len(low), unit="weights for records")


def read_record(field: Field, key: Key) -> SecretRecord:
    """Read a key's record, of this version or version 1.

    Raises:
        UnreadableError: The field has no record of this key, or it was destroyed.
    """
    for layout in (LAYOUT, FIRST_LAYOUT):
        facts = _open(field, key, layout.size + TAG_BYTES + PARITY)
        if facts is not None:
            return SecretRecord.from_bytes(facts)
    raise UnreadableError


def _open(field: Field, key: Key, length: int) -> bytes | None:
    """Return the unsealed facts of a record of ``length`` bytes, if there is one."""
    low = _low(field)
    if len(low) < length:
        return None
    found = (low[_positions(field, key, len(low), length)] & 0xFF).astype(np.uint8)
    whitening = np.frombuffer(_whitening(field, key, length), np.uint8)
    try:
        sealed, _, _ = RSCodec(PARITY).decode((found ^ whitening).tobytes())
        return AESSIV(_subkey(field, key)).decrypt(bytes(sealed), None)
    except (ReedSolomonError, InvalidTag):
        return None


def _seal(field: Field, key: Key, record: SecretRecord) -> bytes:
    # AES-SIV needs no nonce: it stays safe even if one key and salt seal two records
    sealed = AESSIV(_subkey(field, key)).encrypt(record.to_bytes(), None)
    coded = np.frombuffer(bytes(RSCodec(PARITY).encode(sealed)), np.uint8)
    whitening = np.frombuffer(_whitening(field, key, len(coded)), np.uint8)
    return (coded ^ whitening).tobytes()


def _subkey(field: Field, key: Key) -> bytes:
    return key.derive("record", salt=field.public.seed)


def _whitening(field: Field, key: Key, length: int) -> bytes:
    return key.stream("record-whitening", salt=field.public.seed).bytes(length)


def _positions(field: Field, key: Key, weights: int, length: int) -> NDArray[np.int64]:
    if weights < length:
        raise CapacityError(needed=length, available=weights, unit="weights")
    return key.stream("record-positions", salt=field.public.seed).choose(length, weights)


def _low(field: Field) -> Int64[np.ndarray, " weights"]:
    """Return the integers whose lowest 8 bits hold records."""
    if field.grains is None:
        return _mantissas(field)
    tensors = to_file(field).tensors
    return np.concatenate(
        [np.empty(0, np.int64), *(g.nearest_low(tensors[name]) for name, g in _deep(field))]
    )


def _store(field: Field, low: Int64[np.ndarray, " weights"]) -> None:
    tensors, held = to_file(field).tensors, field.state_dict()
    for name, grain in _deep(field):
        part, low = low[: tensors[name].size], low[tensors[name].size :]
        held[name].copy_(torch.from_numpy(grain.draw(tensors[name], part)))


def _deep(field: Field) -> list[tuple[str, Grain]]:
    """Return the grains of the tensors whose weights have 8 bits and more."""
    return [(name, grain) for name, grain in (field.grains or {}).items() if grain.bits >= 8]


def _mantissas(field: Field) -> Int64[np.ndarray, " weights"]:
    """Return the bits of all trained weights of a field of the first format, by their names."""
    parameters = sorted(field.named_parameters())
    values = np.concatenate([p.detach().flatten().numpy() for _, p in parameters])
    return values.view(np.uint32).astype(np.int64)
