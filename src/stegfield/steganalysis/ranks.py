"""Ranks of low bits: whether many files of one size hold linear relations over GF(2).

Bits that are ciphertext are unrelated, and the ranks of many files are those of noise. A relation
that holds in all of them, such as a parity check at places that a key decides, lowers the rank.
From about as many files as each has bits, that shows without the key.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool


def rank(rows: Bool[np.ndarray, "rows bits"]) -> int:
    """Return the rank over GF(2) of a matrix of bits.

    Example:
        >>> rank(np.array([[True, True, False], [False, True, True], [True, False, True]]))
        2
    """
    left = [int.from_bytes(np.packbits(row).tobytes(), "big") for row in rows]
    found = 0
    while left:
        pivot = left.pop()
        if pivot:
            found += 1
            top = pivot.bit_length() - 1
            left = [row ^ pivot if row >> top & 1 else row for row in left]
    return found
