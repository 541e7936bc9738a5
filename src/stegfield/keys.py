"""Keys: 32 secret bytes, from a file or a passphrase, and the reproducible noise that they decide.

    passphrase ─Argon2id(salt)─► 32 bytes ─HKDF(label, salt)─► sub-key ─ChaCha20─► integers ─► noise

What a key decides must come out the same on every machine and with every version of every library,
so no generator of torch or numpy is used, and every step has committed test vectors
(``tests/golden/keys.json``). The salt is the random ``seed`` in the header of a field file: one
passphrase or key file used for two fields gives unrelated sub-keys. Images share a constant one.

Sources: RFC 9106 (Argon2, the second recommended parameters), RFC 5869 (HKDF), RFC 8439 (ChaCha20).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from stegfield import files
from stegfield.errors import ConfigError, InputError, KeyFileError

KEY_BYTES = 32
SALT_BYTES = 16
IMAGE_SALT = b"stegfield image "
"""For images, which have no place to keep a salt of their own."""
FILE_MARK = "stegfield-key-1"
LINE = 76  # characters of base64 in a line of a key file
FILE_LIMIT = 64 << 20  # the slots of the largest field that the loader accepts fit
ARGON2_ITERATIONS, ARGON2_LANES, ARGON2_KIB = 3, 4, 64 * 1024


@dataclass(frozen=True)
class Key:
    """32 secret bytes; with `slots`, also where their values go.

    Two keys are equal if their bytes are. Neither bytes nor slots show in ``repr``.

    Example:
        >>> key = Key(bytes(32))
        >>> key.noise("slots", salt=bytes(16)).integers(2).tolist()
        [12683421961522817717, 10833699366051035300]
    """

    secret: bytes = field(repr=False)
    slots: bytes = field(default=b"", repr=False, compare=False)
    """Slot positions in compressed form (`stegfield.hiding.slots`), where the sender chose them by
    a rule that the receiver cannot repeat; empty where the key itself decides."""

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ConfigError(f"a key has {KEY_BYTES} bytes, got {len(self.secret)}")

    @classmethod
    def generate(cls) -> Key:
        """Draw a key from the operating system's randomness."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def read(cls, path: Path) -> Key:
        """Read a key file.

        Raises:
            KeyFileError: The file is missing, damaged, or not a key file.
        """
        try:
            return cls.parse(files.read_bounded(path, FILE_LIMIT))
        except KeyFileError as error:
            raise KeyFileError(f"{path} {error}") from None
        except InputError as error:
            raise KeyFileError(str(error)) from None

    @classmethod
    def parse(cls, data: bytes) -> Key:
        """Read the bytes of a key file: its mark, two base64 blocks, and a check.

        Lines may end in CR LF as well, and empty ones may follow, since mail programs and editors
        make them so.

        Raises:
            KeyFileError: It is not one; the message goes behind the file's name.
        """
        text = data.decode("ascii", errors="replace").replace("\r\n", "\n").rstrip("\n")
        mark, *lines = text.split("\n\n")
        if mark != FILE_MARK:
            raise KeyFileError("is not a key file")
        try:
            blocks = [base64.b64decode(_join(line), validate=True) for line in lines]
            secret, slots, check = blocks
        except (ValueError, binascii.Error):
            raise KeyFileError("is a damaged key file") from None
        # other last characters of a block can stand for the same bytes: they are damage as well
        exact = all(base64.b64encode(b) == _join(t) for b, t in zip(blocks, lines, strict=True))
        if not exact or len(secret) != KEY_BYTES or check != _check(secret, slots):
            raise KeyFileError("is a damaged key file")
        return cls(secret, slots)

    def to_bytes(self) -> bytes:
        """Give the text of a key file, in ASCII."""
        blocks = (self.secret, self.slots, _check(self.secret, self.slots))
        texts = (_wrap(base64.b64encode(block).decode()) for block in blocks)
        return ("\n\n".join([FILE_MARK, *texts]) + "\n").encode()

    def write(self, path: Path, *, force: bool = False) -> None:
        """Write a key file that only its owner can read.

        Raises:
            OutputError: The file exists (unless ``force``) or cannot be written.
        """
        files.write_new(path, self.to_bytes(), force=force, private=True)

    def derive(self, label: str, *, salt: bytes) -> bytes:
        """Derive 32 bytes for one purpose: HKDF-SHA256 of the key.

        Args:
            label: The purpose; other labels give unrelated bytes.
            salt: The field's seed; other seeds give unrelated bytes.
        """
        hkdf = HKDF(hashes.SHA256(), KEY_BYTES, salt=salt, info=f"stegfield/1/{label}".encode())
        return hkdf.derive(self.secret)

    def noise(self, label: str, *, salt: bytes) -> Noise:
        """Start the stream of reproducible noise for one purpose (see `derive`)."""
        return Noise(self.derive(label, salt=salt))


@dataclass(frozen=True)
class Passphrase:
    """A key that a person remembers; it becomes a `Key` with the seed of a field.

    Guessing is slowed, not stopped: a key file is safer.
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


def unlock(source: Key | Passphrase, salt: bytes) -> Key:
    """Give the key itself, or the one that a passphrase stands for beside this salt."""
    return source if isinstance(source, Key) else source.key(salt)


class Noise:
    """ChaCha20 keystream as integers, in little-endian order; every draw continues the stream."""

    def __init__(self, subkey: bytes) -> None:
        self._cipher = Cipher(algorithms.ChaCha20(subkey, bytes(16)), mode=None).encryptor()

    def bytes(self, count: int) -> bytes:
        """Draw bytes."""
        return self._cipher.update(bytes(count))

    def bits(self, count: int) -> NDArray[np.bool_]:
        """Draw bits, the highest of each byte first; a byte that is begun is used up."""
        drawn = np.frombuffer(self.bytes(-(-count // 8)), np.uint8)
        return np.unpackbits(drawn, count=count).astype(np.bool_)

    def integers(self, count: int) -> NDArray[np.uint64]:
        """Draw integers, uniform in [0, 2^64)."""
        return np.frombuffer(self.bytes(8 * count), dtype="<u8").astype(np.uint64)

    def choose(self, count: int, size: int) -> NDArray[np.int64]:
        """Draw ``count`` different integers below ``size``, in random order.

        Raises:
            ConfigError: There are not that many.

        Example:
            >>> Noise(bytes(32)).choose(3, 10).tolist()
            [9, 2, 6]
        """
        if not 0 <= count <= size:
            raise ConfigError(f"{count} different integers below {size} cannot be chosen")
        return np.argsort(self.integers(size), kind="stable")[:count].astype(np.int64)

    def uniform(self, count: int) -> NDArray[np.float64]:
        """Draw values uniform in (-1, 1), on a lattice of 2^-31; exact, so equal everywhere."""
        draws = np.frombuffer(self.bytes(4 * count), dtype="<u4").astype(np.float64)
        return (draws + 0.5) / 2**31 - 1

    def normal(self, count: int) -> NDArray[np.float64]:
        """Draw values of mean 0 and variance 1, near normal and within 6 standard deviations.

        The sum of twelve 16-bit uniforms (Irwin-Hall): unlike a logarithm or a cosine, integer sums
        are equal on every machine.
        """
        draws = np.frombuffer(self.bytes(24 * count), dtype="<u2").reshape(count, 12)
        values: NDArray[np.float64] = (draws.sum(axis=1, dtype=np.int64) + 6) / 2**16 - 6
        return values


def _wrap(text: str) -> str:
    return "\n".join(text[at : at + LINE] for at in range(0, len(text), LINE))


def _join(text: str) -> bytes:
    return text.replace("\n", "").encode()


def _check(secret: bytes, slots: bytes) -> bytes:
    return hashlib.sha256(b"stegfield key file" + secret + slots).digest()[:6]
