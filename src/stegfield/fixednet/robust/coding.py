"""How header and body are coded to survive damage: copies, and strong parity.

    bits, kernel after kernel:  [ 3 x header | 1 to 4 x body ............ ]  the rest is free

The logits of a bit's copies are added up before the bit is decided, so that reliable copies outvote
the others. Then Reed-Solomon codes correct bytes, the least reliable of which count as erased. The
sender takes as many copies, and as much parity, as the cover can carry at a small cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stegfield.errors import UnreadableError
from stegfield.fixednet.robust.blocks import GROUP, SIDE, fold
from stegfield.fixednet.robust.ecc import Code
from stegfield.keys import IMAGE_SALT, Key
from stegfield.payload import HEADER_BYTES, SETTINGS, TAG, Content, Header, Sealed, bytes_of

HEADER_CODE = Code(HEADER_BYTES, 24)
HEADER_COPIES = 3
HEADER_BITS = 8 * HEADER_CODE.coded_length * HEADER_COPIES
LEAST_PARITY = (126, 48, 48, 48)
"""Least bytes of parity in each codeword of at most 255, for 1 to 4 copies of the body."""
MOST_PARITY = 224
FULLEST = 3
"""Most bits a block: about 40 dB."""


@dataclass(frozen=True)
class BodyCode:
    """How a body is coded: its Reed-Solomon code, and its number of copies in the image."""

    code: Code
    copies: int

    @property
    def bits(self) -> int:
        """Number of bits that it takes, header included."""
        return HEADER_BITS + 8 * self.code.coded_length * self.copies

    @property
    def settings(self) -> bytes:
        """Its settings in the header."""
        return bytes([self.copies, self.code.parity]).ljust(SETTINGS, b"\0")

    @classmethod
    def from_header(cls, header: Header) -> BodyCode:
        """Read the settings of a body from its header.

        Raises:
            UnreadableError: The settings are out of range.
        """
        copies, parity, *rest = header.settings
        if not 1 <= copies <= len(LEAST_PARITY) or any(rest):
            raise UnreadableError
        if not LEAST_PARITY[copies - 1] <= parity <= MOST_PARITY:
            raise UnreadableError
        return cls(Code(header.length, parity), copies)


def net_bytes(bits: int) -> int:
    """Return the bytes of the longest deflated message for a number of bits, header included."""
    return max(0, Code.longest(max(0, bits - HEADER_BITS) // 8, LEAST_PARITY[0]) - TAG)


def seal(content: Content, key: Key, body: BodyCode, salt: bytes) -> Sealed:
    """Seal a message and add parity; ``salt`` is used for no other message."""
    header = Header(content.deflated, content.length, body.settings, salt)
    return Sealed(
        salt=salt,
        header=HEADER_CODE.encode(header.seal(key, IMAGE_SALT)),
        body=body.code.encode(content.seal(key, header)),
    )


def fullest(rows: int, columns: int) -> int:
    """Return the most bits that an image can carry, header included."""
    return FULLEST * GROUP * ((rows // SIDE) * (columns // SIDE) // GROUP)


def strongest(length: int, bits: int) -> BodyCode | None:
    """Return the code with the most copies, then the most parity, that fits into ``bits``."""
    for copies in range(len(LEAST_PARITY), 0, -1):
        for parity in range(MOST_PARITY, LEAST_PARITY[copies - 1] - 1, -1):
            coding = BodyCode(Code(length, parity), copies)
            if coding.bits <= bits:
                return coding
    return None


def corrected(logits: NDArray[np.float64], coding: BodyCode, said: list[NDArray[np.bool_]]) -> bool:
    """Return whether the codes correct the errors of logits, given the bits that were embedded."""
    halves = np.split(logits, [HEADER_BITS])
    folded = [fold(*pair) for pair in zip(halves, (HEADER_COPIES, coding.copies), strict=True)]
    return all(
        code.corrects(((read < 0) != bits).reshape(-1, 8).any(axis=1))
        for code, read, bits in zip((HEADER_CODE, coding.code), folded, said, strict=True)
    )


def decode(code: Code, logits: NDArray[np.float64], copies: int) -> bytes:
    """Add up the logits of copies, and correct the bytes.

    Raises:
        UnreadableError: Too many bytes are wrong.
    """
    logits = fold(logits, copies)
    reliability = np.abs(logits).reshape(-1, 8).min(axis=1)
    return code.decode(bytes_of(logits < 0), reliability)
