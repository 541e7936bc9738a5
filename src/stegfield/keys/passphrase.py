"""Passphrases, and the key of any source: a key, a key file or a passphrase."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from stegfield.errors import ConfigError
from stegfield.keys.key import KEY_BYTES, Key
from stegfield.keys.key_file import KeyFile

ARGON2_ITERATIONS, ARGON2_LANES, ARGON2_KIB = 3, 4, 64 * 1024


@dataclass(frozen=True)
class Passphrase:
    """A key that a person remembers; a salt turns it into a `Key`.

    The derivation slows guesses down, but does not stop them: a key file is safer.
    """

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.text:
            raise ConfigError("the passphrase is empty")

    def key(self, salt: bytes) -> Key:
        """Derive the key: Argon2id with 64 MiB, 3 passes, 4 lanes, of the text in NFC and UTF-8."""
        kdf = Argon2id(
            salt=salt,
            length=KEY_BYTES,
            iterations=ARGON2_ITERATIONS,
            lanes=ARGON2_LANES,
            memory_cost=ARGON2_KIB,
        )
        text = unicodedata.normalize("NFC", self.text)
        return Key(kdf.derive(text.encode("utf-8", errors="surrogatepass")))


def unlock(source: Key | KeyFile | Passphrase, salt: bytes) -> Key:
    """Return a key as it is, the key of a key file, or that of a passphrase with this salt."""
    return unlock_file(source, salt).key


def unlock_file(source: Key | KeyFile | Passphrase, salt: bytes) -> KeyFile:
    """Return the key as `unlock` does, with the slot positions of its key file, if any."""
    if isinstance(source, KeyFile):
        return source
    return KeyFile(source if isinstance(source, Key) else source.key(salt))
