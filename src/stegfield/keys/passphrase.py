"""Passphrases, and the key of any source: a key, a key file or a passphrase."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

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


KeySource = Key | KeyFile | Passphrase | Path
"""Whatever tells a key: itself, a key file or the path of one, or a passphrase."""


def opened(source: KeySource) -> Key | KeyFile | Passphrase:
    """Read the key file of a path; return everything else as it is.

    Raises:
        KeyFileError: The file is missing, damaged, or not a key file.
        ConfigError: The source is text, which could be a passphrase or the name of a file.
    """
    if isinstance(source, Path):
        return KeyFile.read(source)
    if isinstance(source, str):
        raise ConfigError(
            "text is no key: it could be a passphrase or the name of a key file",
            hint="give Passphrase(text) or Path(text)",
        )
    return source


def unlock(source: KeySource, salt: bytes) -> Key:
    """Return the key itself, that of a key file, or the one of a passphrase beside this salt.

    Raises:
        KeyFileError: The source is a path, and its file is missing, damaged, or not a key file.
        ConfigError: The source is text.
    """
    return unlock_file(source, salt).key


def unlock_file(source: KeySource, salt: bytes) -> KeyFile:
    """Return the key as `unlock` does, with the slot positions of its key file, if any."""
    found = opened(source)
    if isinstance(found, KeyFile):
        return found
    return KeyFile(found if isinstance(found, Key) else found.key(salt))
