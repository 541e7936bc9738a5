"""Records: what a receiver must know about a secret, in the lowest mantissa bits of weights.

A record is sealed under its secret's key, protected by a Reed-Solomon code, and whitened, so it
looks like the noise that trained weights have there. Each byte of it replaces the lowest 8 of the
23 mantissa bits of one weight, a change of at most 3 in 100,000 of its size, at a position that the
key draws among all weights of the field. Records of other keys may overwrite some bytes: the code
corrects them. Only the right key opens a record; this is how a right key is told from a wrong one.

    facts (17 bytes) ─AES-SIV─► +16 ─Reed-Solomon─► +32 ─whitening─► 65 bytes, 65 weights
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from numpy.typing import NDArray
from reedsolo import ReedSolomonError, RSCodec

from stegfield.config import MILLION
from stegfield.errors import CapacityError, ConfigError, UnreadableError
from stegfield.fields import Field
from stegfield.hiding.slots import VALUE_RULES, SlotScheme
from stegfield.keys import Key
from stegfield.signals import LARGEST_POINTS

VERSION = 1
MEDIA = ("image",)
LAYOUT = struct.Struct("<BBBB?III")
"""Version, medium, channels, value rule, slots in the key file, rows, columns, ratio."""
PARITY = 32
RECORD_BYTES = LAYOUT.size + 16 + PARITY


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a receiver must know to show a secret."""

    size: tuple[int, int]
    """Rows and columns of the secret."""
    channels: int
    """1 for a grey secret, even if the field shows RGB; else 3."""
    scheme: SlotScheme
    shared_slots: bool = False
    """The slot positions are the same for all secrets and stand in the key file."""
    medium: str = "image"

    def to_bytes(self) -> bytes:
        """Encode the facts."""
        return LAYOUT.pack(
            VERSION,
            MEDIA.index(self.medium),
            self.channels,
            VALUE_RULES.index(self.scheme.values),
            self.shared_slots,
            *self.size,
            self.scheme.millionths,
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Record:
        """Decode the facts, which a sender with the key wrote, but perhaps not with this program.

        Raises:
            UnreadableError: They make no sense to this version.
        """
        try:
            version, medium, channels, rule, shared, rows, columns, ratio = LAYOUT.unpack(data)
        except struct.error:
            raise UnreadableError from None
        known = version == VERSION and medium < len(MEDIA) and rule < len(VALUE_RULES)
        if not known or channels not in (1, 3) or not 0 < rows * columns <= LARGEST_POINTS:
            raise UnreadableError
        try:
            scheme = SlotScheme(ratio=ratio / MILLION, values=VALUE_RULES[rule])
        except ConfigError:
            raise UnreadableError from None
        return cls(
            size=(rows, columns),
            channels=channels,
            scheme=scheme,
            shared_slots=shared,
            medium=MEDIA[medium],
        )


def write_records(field: Field, records: Sequence[tuple[Key, Record]]) -> None:
    """Write every key's record into a field's weights.

    Raises:
        CapacityError: The field has too few weights for so many records to be read again.
    """
    words = _words(field)
    for key, record in records:
        at = _positions(field, key, len(words))
        words[at] = (words[at] & ~np.uint32(0xFF)) | np.frombuffer(_seal(field, key, record), "u1")
    _store(field, words)
    for key, record in records:
        try:
            intact = read_record(field, key) == record
        except UnreadableError:
            intact = False
        if not intact:
            # about a tenth of a record's bytes may fall to others: the code corrects a quarter
            needed = 8 * RECORD_BYTES * len(records)
            raise CapacityError(needed=needed, available=len(words), unit="weights for records")


def read_record(field: Field, key: Key) -> Record:
    """Read a key's record.

    Raises:
        UnreadableError: There is none for this key, or it was destroyed.
    """
    words = _words(field)
    if len(words) < RECORD_BYTES:
        raise UnreadableError
    found = (words[_positions(field, key, len(words))] & 0xFF).astype(np.uint8)
    whitening = np.frombuffer(_noise(field, key, "record-whitening"), np.uint8)
    try:
        sealed, _, _ = RSCodec(PARITY).decode((found ^ whitening).tobytes())
        facts = AESSIV(_subkey(field, key)).decrypt(bytes(sealed), None)
    except (ReedSolomonError, InvalidTag):
        raise UnreadableError from None
    return Record.from_bytes(facts)


def _seal(field: Field, key: Key, record: Record) -> bytes:
    # AES-SIV needs no nonce: should one key and salt ever seal two records, it stays safe
    sealed = AESSIV(_subkey(field, key)).encrypt(record.to_bytes(), None)
    coded = np.frombuffer(bytes(RSCodec(PARITY).encode(sealed)), np.uint8)
    whitening = np.frombuffer(_noise(field, key, "record-whitening"), np.uint8)
    return (coded ^ whitening).tobytes()


def _subkey(field: Field, key: Key) -> bytes:
    return key.derive("record", salt=field.public.seed)


def _noise(field: Field, key: Key, label: str) -> bytes:
    return key.noise(label, salt=field.public.seed).bytes(RECORD_BYTES)


def _positions(field: Field, key: Key, weights: int) -> NDArray[np.int64]:
    if weights < RECORD_BYTES:
        raise CapacityError(needed=RECORD_BYTES, available=weights, unit="weights")
    return key.noise("record-positions", salt=field.public.seed).choose(RECORD_BYTES, weights)


def _words(field: Field) -> NDArray[np.uint32]:
    """Give all trained weights as the integers that their bits are, in the order of their names."""
    parameters = sorted(field.named_parameters())
    return np.concatenate([p.detach().flatten().numpy() for _, p in parameters]).view(np.uint32)


def _store(field: Field, words: NDArray[np.uint32]) -> None:
    values = torch.from_numpy(words.view(np.float32))
    with torch.no_grad():
        for _, parameter in sorted(field.named_parameters()):
            part, values = values[: parameter.numel()], values[parameter.numel() :]
            parameter.copy_(part.view_as(parameter))
