"""Keyed order: a permutation that a key stream decides, by counting draws into buckets.

Each element draws one of 65,536 buckets, and buckets are read in turn: a radix sort of 16-bit
draws. Elements that share a bucket keep their order. So two given elements are in their own order
with a probability of 1/2 + 2^-17, not 1/2, which helps nobody who does not have the key: the draws
are its key stream.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from stegfield.keys import KeyStream

BUCKETS = 1 << 16


def permutation(stream: KeyStream, count: int) -> Int64[np.ndarray, " count"]:
    """Return the numbers 0, 1, ..., count - 1 in the order that a key stream decides.

    Args:
        stream: Gives two bytes for each number.
        count: How many.

    Example:
        >>> from stegfield.keys import KeyStream
        >>> permutation(KeyStream(bytes(32)), 5).tolist()
        [4, 3, 1, 0, 2]
    """
    draws = np.frombuffer(stream.bytes(2 * count), "<u2")
    return draws.argsort(kind="stable").astype(np.int64, copy=False)
