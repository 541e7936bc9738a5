"""The law format: sealed messages in a plane of random bits, whose law they do not change.

A carrier that is made here has a plane of uniform bits: the parities of a drawn cover's samples, or
the low bits of a drawn field's weights. Messages replace some of these bits by bits that are
uniform to everyone without their key, at places that depend on nothing but the number of bits:

    [ 16-byte salt | slots of 30 bytes | 64 parts of equal size | fewer than 64 bits ]

    message ─deflate, if shorter─► ChaCha20-Poly1305 ─► body, in some of the 64 parts
    version, flags, length, mask of the parts ─AES-SIV─► header, in one of the slots

Each message takes a slot and a set of parts, uniform among the free ones. All bits that no message
takes stay as the operating system gave them. Holders of some of the keys see the same whatever
else is there, since sampling without replacement is exchangeable: a decoy's key shows a decoy.

Innocent carriers come from the same function, with no messages.

Sources: RFC 5297 (AES-SIV), RFC 8439 (ChaCha20-Poly1305), RFC 5869 (HKDF), RFC 1950 (zlib).
"""

from __future__ import annotations

import re
import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305
from jaxtyping import Bool

from stegfield.errors import CapacityError, ConfigError, UnreadableError
from stegfield.keys import SALT_BYTES, Key, KeySource, system_stream, unlock
from stegfield.payload.frame import (
    LARGEST_MESSAGE,
    NONCE,
    TAG,
    Content,
    bits_of,
    bytes_of,
    inflated,
    message_bytes,
)

VERSION = 2
PARTS = 64
LAYOUT = struct.Struct("<BBIQ")
"""Version, flags (1: deflated), bytes of the body, mask of its parts: bit i for part i."""
SLOT_BYTES = LAYOUT.size + TAG
MOST_SLOTS = 8
BYTES_A_SLOT = 384
"""A carrier has a slot for each so many of its bytes, from 1 to 8 in all."""
SUFFIX = re.compile(r"(\.[a-z0-9]{1,10})?", re.ASCII)
OVERHEAD = TAG + 1
"""Bytes of a body beside data and suffix: the tag, and the length of the suffix."""

Plane = Bool[np.ndarray, " bits"]


@runtime_checkable
class Bits(Protocol):
    """What `find` reads a plane from: an array of bits, or anything that gives parts of it."""

    def __len__(self) -> int:
        """Return the number of bits."""
        ...

    def __getitem__(self, some: slice, /) -> Plane:
        """Return some of the bits, in their order."""
        ...


class Network(ABC):
    """Reads the bits of a message's parts from their elements, and writes them."""

    @abstractmethod
    def write(
        self, bits: Bool[np.ndarray, "parts size"], key: Key, salt: bytes
    ) -> Bool[np.ndarray, "parts size"]:
        """Return the elements from which `read` returns these bits: uniform where the bits are."""

    @abstractmethod
    def read(
        self, elements: Bool[np.ndarray, "parts size"], key: Key, salt: bytes
    ) -> Bool[np.ndarray, "parts size"]:
        """Return the bits that the network of this key and salt reads."""


def stored_suffix(path: Path) -> str:
    """Return the suffix of a file as a message stores it; "" if it is not a plain one.

    Example:
        >>> stored_suffix(Path("Letter.PDF")), stored_suffix(Path("notes.of today"))
        ('.pdf', '')
    """
    suffix = path.suffix.lower()
    return suffix if SUFFIX.fullmatch(suffix) else ""


@dataclass(frozen=True)
class Message:
    """A file to put into a plane, and the key that alone reads it."""

    data: bytes = field(repr=False)
    key: KeySource
    suffix: str = ""
    """Kind of file, as ``.pdf``, for the receiver; "" if unknown. Names are never stored."""

    def __post_init__(self) -> None:
        if not SUFFIX.fullmatch(self.suffix):
            raise ConfigError(
                f"a stored suffix is a dot and 1 to 10 small letters or digits, got {self.suffix!r}"
            )

    def content(self) -> Content:
        """Return what is sealed: length of the suffix, suffix, data; deflated if shorter."""
        return Content.of(bytes([len(self.suffix)]) + self.suffix.encode() + self.data)

    @classmethod
    def of(cls, message: bytes | Path, key: KeySource) -> Message:
        """Return a message, read from its file where a path is given, with the file's suffix.

        Raises:
            ConfigError: The message is text, which could be the message or the name of a file.
            InputError: The file is missing, cannot be read, or is longer than 256 MiB.
        """
        suffix = stored_suffix(message) if isinstance(message, Path) else ""
        return cls(message_bytes(message), key, suffix)

    @classmethod
    def decoy(cls, length: int) -> Message:
        """Return random bytes under a key that is forgotten."""
        return cls(system_stream().bytes(length), Key.generate())


@dataclass(frozen=True)
class Found:
    """A message that was read, and the places that it takes."""

    data: bytes = field(repr=False)
    suffix: str
    slot: int
    mask: int
    """Bit i for part i."""

    @property
    def parts(self) -> int:
        """Count the parts that it takes."""
        return self.mask.bit_count()


@dataclass(frozen=True)
class Places:
    """Where salt, slots and parts lie in a plane; public, from its number of bits alone."""

    bits: int

    @property
    def slots(self) -> int:
        """Number of slots: the most messages that a plane can have."""
        return max(1, min(MOST_SLOTS, self.bits // 8 // BYTES_A_SLOT))

    @property
    def part_bits(self) -> int:
        """Bits of each part; 0 where the plane is too small for any message."""
        return max(0, self.bits - self._first_part) // PARTS

    @property
    def _first_part(self) -> int:
        return 8 * (SALT_BYTES + self.slots * SLOT_BYTES)

    def parts_for(self, body_bytes: int) -> int:
        """Return the number of parts that a body takes.

        Raises:
            CapacityError: The plane is too small for any message.
        """
        if self.part_bits == 0:
            raise CapacityError(
                needed=self._first_part + PARTS, available=self.bits, unit="bits", holder="cover"
            )
        return -(-8 * body_bytes // self.part_bits)

    def salt(self, plane: Bits) -> bytes:
        """Return the salt of all keys of a plane."""
        return bytes_of(plane[: 8 * SALT_BYTES])

    def slot(self, index: int) -> slice:
        """Return the bits of a slot."""
        start = 8 * (SALT_BYTES + index * SLOT_BYTES)
        return slice(start, start + 8 * SLOT_BYTES)

    def part(self, index: int) -> slice:
        """Return the bits of a part."""
        start = self._first_part + index * self.part_bits
        return slice(start, start + self.part_bits)

    def parts(self, plane: Plane) -> Bool[np.ndarray, "parts size"]:
        """Return the bits of all parts, one row each: a view, not a copy."""
        end = self._first_part + PARTS * self.part_bits
        return plane[self._first_part : end].reshape(PARTS, self.part_bits)


def compose(
    messages: Sequence[Message], bits: int, *, network: Network | None = None
) -> Bool[np.ndarray, " bits"]:
    """Draw a plane of random bits that carries messages, or none.

    Args:
        messages: What it carries.
        bits: Number of its bits.
        network: Reads the parts of each message [default: they are read as they are].

    Raises:
        CapacityError: The messages do not fit.
        ConfigError: Two messages have the same key.
    """
    system = system_stream()
    plane = system.bits(bits)
    if not messages:
        return plane
    places = Places(bits)
    contents = [message.content() for message in messages]
    counts = [places.parts_for(content.length) for content in contents]
    _check_room(places, contents, counts)
    salt = places.salt(plane)
    keys = [unlock(message.key, salt) for message in messages]
    _check_keys(keys)
    slots, order = system.shuffled(places.slots), system.shuffled(PARTS)
    rows = places.parts(plane)
    for content, key, slot, count in zip(contents, keys, slots, counts, strict=False):
        taken, order = sorted(order[:count]), order[count:]
        mask = sum(1 << part for part in taken)
        facts = LAYOUT.pack(VERSION, content.deflated, content.length, mask)
        header = _header_cipher(key, salt, slot).encrypt(facts, None)
        body = bits_of(_body_cipher(key, salt, header).encrypt(NONCE, content.data, None))
        read = rows[taken]
        read.reshape(-1)[: len(body)] = body
        rows[taken] = network.write(read, key, salt + header) if network else read
        plane[places.slot(slot)] = bits_of(header)
    return plane


def find(plane: Bits, key: KeySource, *, network: Network | None = None) -> Found:
    """Read the message of a key, and no bits but those of headers and of its parts.

    Raises:
        UnreadableError: The plane has no message of this key, or it was altered.
        KeyFileError: The key is a path, and its file is missing, damaged, or not a key file.
    """
    places = Places(len(plane))
    if places.part_bits == 0:
        raise UnreadableError
    salt = places.salt(plane)
    opened = unlock(key, salt)
    for slot in range(places.slots):
        header = bytes_of(plane[places.slot(slot)])
        try:
            facts = _header_cipher(opened, salt, slot).decrypt(header, None)
        except InvalidTag:
            continue
        return _read(plane, places, opened, (slot, salt, header, facts), network)
    raise UnreadableError


def longest(bits: int, found: Sequence[Found] = ()) -> int:
    """Return the bytes of the longest message, deflated, that still fits; 0 where none does.

    Args:
        bits: Number of bits of the plane.
        found: The messages that are kept. Nobody can tell whether there are more.
    """
    places = Places(bits)
    if len(found) >= places.slots:
        return 0
    free = PARTS - sum(message.parts for message in found)
    return min(LARGEST_MESSAGE, max(0, free * places.part_bits // 8 - OVERHEAD))


def _read(
    plane: Bits,
    places: Places,
    key: Key,
    opened: tuple[int, bytes, bytes, bytes],
    network: Network | None,
) -> Found:
    """Read the body of an opened header; a holder of the key may have written anything there."""
    slot, salt, header, facts = opened
    version, deflated, length, mask = LAYOUT.unpack(facts)
    rows = [part for part in range(PARTS) if mask >> part & 1]
    possible = TAG <= length <= LARGEST_MESSAGE + TAG
    if version != VERSION or not possible or len(rows) != places.parts_for(length):
        raise UnreadableError
    read = np.stack([plane[places.part(row)] for row in rows])
    if network is not None:
        read = network.read(read, key, salt + header)
    body = bytes_of(read.reshape(-1)[: 8 * length])
    try:
        data = _body_cipher(key, salt, header).decrypt(NONCE, body, None)
    except InvalidTag:
        raise UnreadableError from None
    if deflated & 1:
        data = inflated(data)
    end = 1 + data[0] if data else 1
    try:
        suffix = data[1:end].decode("ascii")
    except UnicodeDecodeError:
        raise UnreadableError from None
    if not data or not SUFFIX.fullmatch(suffix):
        raise UnreadableError
    return Found(data[end:], suffix, slot, mask)


def _header_cipher(key: Key, salt: bytes, slot: int) -> AESSIV:
    return AESSIV(key.derive(f"law/header/{slot}", salt=salt))


def _body_cipher(key: Key, salt: bytes, header: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(key.derive("law/body", salt=salt + header))


def _check_room(places: Places, contents: Sequence[Content], counts: Sequence[int]) -> None:
    if len(contents) > places.slots:
        raise CapacityError(
            needed=len(contents), available=places.slots, unit="messages", holder="cover"
        )
    if len(contents) == 1 and counts[0] > PARTS:
        raise CapacityError(
            needed=len(contents[0].data) - 1,
            available=longest(places.bits),
            unit="bytes",
            holder="cover",
        )
    if sum(counts) > PARTS:
        raise CapacityError(
            needed=sum(counts),
            available=PARTS,
            unit=f"parts of {places.part_bits / 8:,.1f} bytes",
            holder="cover",
        )


def _check_keys(keys: Sequence[Key]) -> None:
    if len({key.secret for key in keys}) < len(keys):
        raise ConfigError(
            "two messages have the same key", hint="give each message a key of its own"
        )
