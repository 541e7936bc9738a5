"""How header and body are coded for a way that damages them: copies, and strong parity.

    bits, kernel after kernel:  [ 3 x header | 1 to 4 x body ............ ]  the rest is free

The logits of a bit's copies are added up before anything is decided, so that those that are sure
outvote the others; then Reed-Solomon codes correct bytes, the least certain of which count as
erased. There are as many copies, and as much parity, as the cover has room for at a small cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from stegfield.errors import UnreadableError
from stegfield.fixednet.robust.blocks import GROUP, SIDE, fold
from stegfield.payload import HEADER_BYTES, SETTINGS, Code, Header, bytes_of, longest_message

HEADER_CODE = Code(HEADER_BYTES, 24)
HEADER_COPIES = 3
HEADER_BITS = 8 * HEADER_CODE.coded_length * HEADER_COPIES
LEAST_PARITY = (126, 48, 48, 48)
"""Bytes of each codeword of at most 255, at least, for 1 to 4 copies of the body."""
MOST_PARITY = 224
FULLEST = 3
"""Bits a block, at most: about 40 dB."""
net_bytes = partial(longest_message, header=HEADER_BITS, parity=LEAST_PARITY[0])


@dataclass(frozen=True)
class BodyCode:
    """How a body is coded: its Reed-Solomon code, and how many copies stand in the image."""

    code: Code
    copies: int

    @property
    def bits(self) -> int:
        """Bits that it takes, those of the header included."""
        return HEADER_BITS + 8 * self.code.coded_length * self.copies

    @property
    def settings(self) -> bytes:
        """What the header says of it."""
        return bytes([self.copies, self.code.parity]).ljust(SETTINGS, b"\0")

    @classmethod
    def from_header(cls, header: Header) -> BodyCode:
        """Read what a header says of its body.

        Raises:
            UnreadableError: No sender codes a body like that.
        """
        copies, parity, *rest = header.settings
        if not 1 <= copies <= len(LEAST_PARITY) or any(rest):
            raise UnreadableError
        if not LEAST_PARITY[copies - 1] <= parity <= MOST_PARITY:
            raise UnreadableError
        return cls(Code(header.length, parity), copies)


def fullest(rows: int, columns: int) -> int:
    """Return the most bits that an image can carry, those of the header included."""
    return FULLEST * GROUP * ((rows // SIDE) * (columns // SIDE) // GROUP)


def strongest(length: int, bits: int) -> BodyCode | None:
    """Return the most copies, and for these the most parity, that fit into a number of bits."""
    for copies in range(len(LEAST_PARITY), 0, -1):
        for parity in range(MOST_PARITY, LEAST_PARITY[copies - 1] - 1, -1):
            coding = BodyCode(Code(length, parity), copies)
            if coding.bits <= bits:
                return coding
    return None


def corrected(logits: NDArray[np.float64], coding: BodyCode, said: list[NDArray[np.bool_]]) -> bool:
    """Tell whether the codes correct what is read of header and body, which said these bits."""
    halves = np.split(logits, [HEADER_BITS])
    folded = [fold(*pair) for pair in zip(halves, (HEADER_COPIES, coding.copies), strict=True)]
    return all(
        code.corrects(((read < 0) != bits).reshape(-1, 8).any(axis=1))
        for code, read, bits in zip((HEADER_CODE, coding.code), folded, said, strict=True)
    )


def decode(code: Code, logits: NDArray[np.float64], copies: int) -> bytes:
    """Add up the logits of copies, and correct the bytes that they say.

    Raises:
        UnreadableError: Too much is wrong.
    """
    logits = fold(logits, copies)
    reliability = np.abs(logits).reshape(-1, 8).min(axis=1)
    return code.decode(bytes_of(logits < 0), reliability)
