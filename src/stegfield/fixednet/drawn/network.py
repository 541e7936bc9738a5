"""The fixed network of drawn covers: as many bits as samples, read by keyed weights.

A message's samples lie in 64 rows, one after the other. The network reads a bit from each: the
parity of its own sample and of some of those above it, in the nine rows before. The key decides
which:

    z[i] = u[i] + sum of w[i - t w, t] u[i - t w] for t from 1 to 9,    modulo 2, w samples a row

As a matrix it is lower triangular with ones on its diagonal, and banded. So back-substitution
writes any bits, a row at a time, and each plane of low bits is read as exactly one message: uniform
bits are written as uniform samples. No solver is needed, and no cost.

Source: the network of the exact profile (`stegfield.fixednet.exact.sine`) at one bit a sample.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool

from stegfield.keys import Key
from stegfield.payload.law import Network

ROWS = 64
CONSTRAINT_HEIGHT = 10
"""Rows in which a sample has weights: its own, where the weight is 1, and nine below it."""
ALWAYS = 1 | 1 << (CONSTRAINT_HEIGHT - 1)
"""Weights that are always 1: in the first row and in the last one."""

Row = Bool[np.ndarray, " row"]


class Triangular(Network):
    """Unit lower triangular and banded, with weights from the key."""

    def write(
        self, bits: Bool[np.ndarray, "parts size"], key: Key, salt: bytes
    ) -> Bool[np.ndarray, "parts size"]:
        """Return the low bits from which `read` returns these bits."""
        return _by_rows(bits, key, salt, lambda row, above: (row ^ above,) * 2)

    def read(
        self, elements: Bool[np.ndarray, "parts size"], key: Key, salt: bytes
    ) -> Bool[np.ndarray, "parts size"]:
        """Return the bits that low bits are read as."""
        return _by_rows(elements, key, salt, lambda row, above: (row, row ^ above))


def _by_rows(
    given: Bool[np.ndarray, "parts size"],
    key: Key,
    salt: bytes,
    step: Callable[[Row, Row], tuple[Row, Row]],
) -> Bool[np.ndarray, "parts size"]:
    """Go down the rows.

    Args:
        given: What is read or written, row by row; the last row may be shorter.
        key: Decides the weights.
        salt: Another one gives unrelated weights.
        step: Returns the samples and the result of a row, from what is given of it and the sums of
            what the rows above add to it.
    """
    flat = given.reshape(-1)
    result = np.empty_like(flat)
    width = max(1, -(-len(flat) // ROWS))
    stream = key.stream("drawn/network", salt=salt)
    sums = np.zeros(width, np.uint16)  # bit t: of the row that is t below
    for start in range(0, len(flat), width):
        row = flat[start : start + width]
        sums = sums[: len(row)]
        drawn = np.frombuffer(stream.bytes(2 * len(row)), "<u2")
        weights = (drawn & ((1 << CONSTRAINT_HEIGHT) - 1)) | ALWAYS
        samples, result[start : start + width] = step(row, (sums & 1).astype(np.bool_))
        sums ^= np.where(samples, weights, np.uint16(0))
        sums >>= 1
    return result.reshape(given.shape)
