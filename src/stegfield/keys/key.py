"""A key: 32 secret bytes and nothing else, and the sub-keys derived from them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from stegfield.errors import ConfigError
from stegfield.keys.stream import KeyStream

KEY_BYTES = 32
SALT_BYTES = 16
IMAGE_SALT = b"stegfield image "
"""The salt of images, which have no place to keep one of their own."""
FINGERPRINT_SALT = b"stegfield finger"


@dataclass(frozen=True)
class Key:
    """32 secret bytes, which ``repr`` does not show.

    Example:
        >>> key = Key(bytes(32))
        >>> key.stream("slots", salt=bytes(16)).integers(2).tolist()
        [12683421961522817717, 10833699366051035300]
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ConfigError(f"a key has {KEY_BYTES} bytes, got {len(self.secret)}")

    @classmethod
    def generate(cls) -> Key:
        """Draw a key from the operating system's randomness."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def derive(self, label: str, *, salt: bytes) -> bytes:
        """Derive 32 bytes for one purpose: HKDF-SHA256 of the key.

        Args:
            label: The purpose; another label gives unrelated bytes.
            salt: The field's seed; another seed gives unrelated bytes.
        """
        hkdf = HKDF(hashes.SHA256(), KEY_BYTES, salt=salt, info=f"stegfield/1/{label}".encode())
        return hkdf.derive(self.secret)

    @property
    def fingerprint(self) -> str:
        """Return 64 bits that name this key to people who compare copies of it.

        No file but that of the key ever holds them, and nothing about the key follows from them.

        Example:
            >>> Key(bytes(32)).fingerprint
            'beb5-3711-a845-bb2e'
        """
        digest = self.derive("fingerprint", salt=FINGERPRINT_SALT)[:8].hex()
        return "-".join(digest[at : at + 4] for at in range(0, len(digest), 4))

    def stream(self, label: str, *, salt: bytes) -> KeyStream:
        """Start the key stream of one purpose (see `derive`)."""
        return KeyStream(self.derive(label, salt=salt))
