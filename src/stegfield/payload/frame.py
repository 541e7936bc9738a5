"""Frames: a message as a short header and a sealed body.

    message ─deflate, if shorter─► data ─ChaCha20-Poly1305─► body    (key of a random salt)
    salt, length, settings of the network ─AES-SIV─► header    (key of the constant salt)

The header has a fixed length, at places where the key alone finds it. Only the right key opens it,
which tells a right key from a wrong one. The header holds the length of the body and the network
that carries it. The body is bound to its header.

Sources: RFC 8439 (ChaCha20-Poly1305), RFC 5297 (AES-SIV), RFC 1950 (zlib).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305
from numpy.typing import NDArray

from stegfield import files
from stegfield.errors import CapacityError, ConfigError, InputError, UnreadableError
from stegfield.keys import IMAGE_SALT, SALT_BYTES, Key, system_stream

VERSION = 2
SETTINGS = 9  # bytes
LAYOUT = struct.Struct(f"<B?I{SETTINGS}s{SALT_BYTES}s")
"""Version, deflated, length of the body, settings of the network, salt."""
TAG = 16
HEADER_BYTES = LAYOUT.size + TAG
LARGEST_MESSAGE = 1 << 28
NONCE = bytes(12)  # each salt gives a key of its own, used once


@dataclass(frozen=True)
class Header:
    """What a receiver must know before the body can be read."""

    deflated: bool
    length: int
    """Bytes of the body."""
    settings: bytes
    """Settings of the network that carries the body, which alone interprets them."""
    salt: bytes

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES:
            raise ConfigError(f"a salt has {SALT_BYTES} bytes, got {len(self.salt)}")

    def to_bytes(self) -> bytes:
        """Encode the header, not yet encrypted."""
        return LAYOUT.pack(VERSION, self.deflated, self.length, self.settings, self.salt)

    def seal(self, key: Key, salt: bytes) -> bytes:
        """Encrypt and authenticate; ``salt`` is the constant salt of images."""
        return AESSIV(key.derive("header", salt=salt)).encrypt(self.to_bytes(), None)

    @classmethod
    def open(cls, data: bytes, key: Key, salt: bytes) -> Header:
        """Check and decrypt a header.

        Raises:
            UnreadableError: The header is for another key or of another version, or was altered.
        """
        return cls.first([data], key, salt)[1]

    @classmethod
    def first(cls, found: Iterable[bytes], key: Key, salt: bytes) -> tuple[int, Header]:
        """Open the first header of several that are read, and tell which it is.

        Raises:
            UnreadableError: None of them is for this key and of this version.
        """
        cipher = AESSIV(key.derive("header", salt=salt))
        for index, data in enumerate(found):
            if len(data) != HEADER_BYTES:
                continue
            try:
                facts = cipher.decrypt(data, None)
            except InvalidTag:
                continue
            version, deflated, length, settings, own_salt = LAYOUT.unpack(facts)
            if version != VERSION or not TAG <= length <= LARGEST_MESSAGE + TAG:
                break
            return index, cls(deflated, length, settings, own_salt)
        raise UnreadableError


def message_bytes(message: bytes | Path) -> bytes:
    """Return a message, read from its file where a path is given.

    Raises:
        ConfigError: The message is text, which could be the message or the name of a file.
        InputError: The file is missing, cannot be read, or is longer than 256 MiB.
    """
    if isinstance(message, str):
        raise ConfigError(
            "text is no message: it could be the message itself or the name of a file",
            hint="give bytes, as text.encode(), or Path(text)",
        )
    return files.read_bounded(message, LARGEST_MESSAGE) if isinstance(message, Path) else message


@dataclass(frozen=True)
class Content:
    """A message, deflated if that makes it shorter."""

    data: bytes
    deflated: bool

    @classmethod
    def of(cls, message: bytes) -> Content:
        """Deflate a message if that makes it shorter.

        Raises:
            InputError: The message is longer than 256 MiB.
        """
        if len(message) > LARGEST_MESSAGE:
            raise InputError(
                f"the message has {len(message):,} bytes, more than {LARGEST_MESSAGE:,}",
                hint="send it in parts",
            )
        shorter = zlib.compress(message, 9)
        return cls(shorter, True) if len(shorter) < len(message) else cls(message, False)

    @property
    def length(self) -> int:
        """Bytes of the body that will carry it."""
        return len(self.data) + TAG

    def message(self) -> bytes:
        """Return the message."""
        return zlib.decompress(self.data) if self.deflated else self.data

    def header(self, settings: bytes) -> Header:
        """Make its header, with a salt from the operating system's randomness."""
        return Header(self.deflated, self.length, settings, system_stream().bytes(SALT_BYTES))

    def seal(self, key: Key, header: Header) -> bytes:
        """Encrypt the message, and authenticate it together with its header."""
        cipher = ChaCha20Poly1305(key.derive("message", salt=header.salt))
        return cipher.encrypt(NONCE, self.data, header.to_bytes())


@dataclass(frozen=True)
class Sealed:
    """A message as a carrier takes it: encrypted and authenticated."""

    salt: bytes
    header: bytes
    body: bytes


def seal(content: Content, key: Key, settings: bytes) -> Sealed:
    """Seal a message under a salt of its own.

    Args:
        content: The message.
        key: Only its owner can open the header and the body.
        settings: Settings of the network that carries the body.
    """
    header = content.header(settings)
    return Sealed(
        salt=header.salt,
        header=header.seal(key, IMAGE_SALT),
        body=content.seal(key, header),
    )


def fill(data: bytes, bits: int) -> NDArray[np.bool_]:
    """Return the bits of data, and behind them the operating system's random bits.

    They cannot be drawn again: with key, cover and message, an adversary still cannot make the
    same carrier.
    """
    return np.concatenate([bits_of(data), system_stream().bits(max(0, bits - 8 * len(data)))])


def open_body(body: bytes, key: Key, header: Header) -> bytes:
    """Check and decrypt a body, and return the message.

    Raises:
        UnreadableError: The body was altered, or would inflate beyond 256 MiB.
    """
    cipher = ChaCha20Poly1305(key.derive("message", salt=header.salt))
    try:
        data = cipher.decrypt(NONCE, body, header.to_bytes())
    except InvalidTag:
        raise UnreadableError from None
    return inflated(data) if header.deflated else data


def inflated(data: bytes) -> bytes:
    """Inflate data that only a holder of the key can have written.

    Raises:
        UnreadableError: The data would inflate beyond 256 MiB, or is not deflated.
    """
    inflate = zlib.decompressobj()
    try:
        message = inflate.decompress(data, LARGEST_MESSAGE)
    except zlib.error:
        raise UnreadableError from None
    if not inflate.eof:
        raise UnreadableError
    return message


def longest_message(bits: int, *, header: int = 8 * HEADER_BYTES) -> int:
    """Return the length in bytes of the longest deflated message for a number of bits.

    Args:
        bits: All bits, header included.
        header: Bits of the header.
    """
    return max(0, (bits - header) // 8 - TAG)


def check_room(content: Content, *, needed: int, available: int, net: int) -> None:
    """Refuse a message that does not fit.

    Args:
        content: The message.
        needed: Bits that it takes, everything included.
        available: Bits that the carrier has.
        net: Bytes of the longest message in these.

    Raises:
        CapacityError: The message does not fit; counts are in bytes if any message fits, else bits.
    """
    if needed <= available:
        return
    if net == 0:
        raise CapacityError(needed=needed, available=available, unit="bits", holder="cover")
    raise CapacityError(needed=len(content.data), available=net, unit="bytes", holder="cover")


def bits_of(data: bytes) -> NDArray[np.bool_]:
    """Return the bits of bytes, the highest of each byte first."""
    return np.unpackbits(np.frombuffer(data, np.uint8)).astype(np.bool_)


def bytes_of(bits: NDArray[np.bool_]) -> bytes:
    """Return the bytes of bits; the last byte is filled with zeros."""
    return np.packbits(bits).tobytes()
