"""A key file: a key and, where the key does not decide them, slot positions.

It is ASCII text: a mark, then two blocks of base64 (the key, the positions), then a check of six
bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from stegfield import files
from stegfield.errors import InputError, KeyFileError
from stegfield.keys.key import KEY_BYTES, Key

FILE_MARK = "stegfield-key-1"
LINE = 76  # characters of base64 in a line
BLOCKS = 3
FILE_LIMIT = 64 << 20  # room for the slots of the largest field that the loader accepts


@dataclass(frozen=True)
class KeyFile:
    """What a key file holds; neither the key nor the positions show in ``repr``.

    Example:
        >>> KeyFile.parse(KeyFile(Key(bytes(32)), b"positions").to_bytes()).slots
        b'positions'
    """

    key: Key
    slots: bytes = field(default=b"", repr=False)
    """Compressed slot positions (`stegfield.hiding.positions`), where the sender chose them by a
    rule that the receiver cannot repeat; empty where the key decides them."""

    @classmethod
    def read(cls, path: Path) -> KeyFile:
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
    def parse(cls, data: bytes) -> KeyFile:
        """Decode the bytes of a key file.

        Mail programs and editors may change line ends to CR LF and add empty lines: both are
        accepted.

        Raises:
            KeyFileError: The bytes are not those of a key file; the message continues after the
                file's name.
        """
        text = data.decode("ascii", errors="replace").replace("\r\n", "\n").rstrip("\n")
        mark, *lines = text.split("\n\n", BLOCKS + 1)  # a crafted file could have millions
        if mark != FILE_MARK:
            raise KeyFileError("is not a key file")
        try:
            blocks = [base64.b64decode(_join(line), validate=True) for line in lines]
            secret, slots, check = blocks
        except (ValueError, binascii.Error):
            raise KeyFileError("is a damaged key file") from None
        # several last characters of a base64 block decode to the same bytes: only one is undamaged
        exact = all(base64.b64encode(b) == _join(t) for b, t in zip(blocks, lines, strict=True))
        if not exact or len(secret) != KEY_BYTES or check != _check(secret, slots):
            raise KeyFileError("is a damaged key file")
        return cls(Key(secret), slots)

    def to_bytes(self) -> bytes:
        """Encode as the text of a key file, in ASCII."""
        secret = self.key.secret
        blocks = (secret, self.slots, _check(secret, self.slots))
        texts = (_wrap(base64.b64encode(block).decode()) for block in blocks)
        return ("\n\n".join([FILE_MARK, *texts]) + "\n").encode()

    def write(self, path: Path, *, force: bool = False) -> None:
        """Write a key file that only its owner can read.

        Raises:
            OutputError: The file exists (unless ``force``) or cannot be written.
        """
        files.write_new(path, self.to_bytes(), force=force, private=True)


def _wrap(text: str) -> str:
    return "\n".join(text[at : at + LINE] for at in range(0, len(text), LINE))


def _join(text: str) -> bytes:
    return text.replace("\n", "").encode()


def _check(secret: bytes, slots: bytes) -> bytes:
    return hashlib.sha256(b"stegfield key file" + secret + slots).digest()[:6]
