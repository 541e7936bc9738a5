"""A code with soft decisions: a tail-biting convolution of constraint length 15, six bits for one.

Coded bits are ordered generator by generator, and those of one are spread evenly round the circle,
so the first part of them is a good code of a higher rate. A carrier with more room repeats them;
the receiver adds up the soft values of each bit.

Sources: Viterbi (1967) for the decoder; Ma and Wolf (1986) for the tail that bites; the generators
are those of the deep-space probes of the 1990s (Dolinar, 1988; rate 1/6, octal).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

MEMORY = 15
"""Bits of the message that each coded bit depends on."""
GENERATORS = (0o46321, 0o51271, 0o63667, 0o70535, 0o73277, 0o76513)
RATE = len(GENERATORS)
STATES = 1 << (MEMORY - 1)
GOLDEN = 2654435769
"""The golden section of a circle of 2^32: turns by it leave no large gap at any time."""
LEVELS = 1023
"""Soft values are rounded to so many levels at either side of 0."""
LOW = 64
"""States whose patterns are looked up at once."""
WRAP = 90
"""Bits that the decoder goes round again at either end of the circle: six memories."""


def encode(bits: Bool[np.ndarray, " bits"]) -> NDArray[np.bool_]:
    """Return six coded bits for each bit, generator by generator."""
    word = np.zeros(len(bits), np.int64)
    for delay in range(MEMORY):  # a bit and the 14 before it
        word |= np.roll(bits, delay).astype(np.int64) << delay
    word = word[spread(len(bits))]
    return np.concatenate([_parity(word & each) for each in GENERATORS])


def spread(count: int) -> NDArray[np.int64]:
    """Return an order of the bits of which every part is spread evenly round the circle."""
    turned = np.arange(count) * GOLDEN % (1 << 32)
    order: NDArray[np.int64] = np.argsort(np.argsort(turned))
    return order


def decode(soft: Float32[np.ndarray, " coded"]) -> NDArray[np.bool_]:
    """Find the most likely bits.

    Args:
        soft: Six values for each bit, ordered as `encode` does: positive for 0, negative for 1,
            and 0 where nothing is known.
    """
    from stegfield.fixednet.robust import survivors  # imports numba

    count = len(soft) // RATE
    wrap = min(WRAP, count)
    order = np.concatenate([np.arange(count - wrap, count), np.arange(count), np.arange(wrap)])
    chosen = np.empty((len(order), STATES // 2), np.uint8)
    last = survivors.fastest(_branches(soft), order, *_ways(), chosen)
    return _walk_back(chosen, int(last))[wrap : wrap + count]


def _branches(soft: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return what each of the 64 patterns of outputs adds for each bit, in whole numbers."""
    largest = float(np.abs(soft).max(initial=0)) or 1.0
    received = np.rint(soft.astype(np.float64) * (LEVELS / largest)).astype(np.int32)
    found = np.empty((len(soft) // RATE, 1 << RATE), np.int32)
    found[spread(len(found))] = received.reshape(RATE, -1).T @ _patterns().T
    return found


def _walk_back(chosen: NDArray[np.uint8], state: int) -> NDArray[np.bool_]:
    """Follow the survivors from the last state to the first."""
    bits = np.empty(len(chosen), np.bool_)
    for at in range(len(chosen) - 1, -1, -1):
        bits[at] = state & 1
        older = chosen[at, state >> 1] >> (state & 1) & 1
        state = state >> 1 | int(older) << (MEMORY - 2)
    return bits


def _parity(words: NDArray[np.int64]) -> NDArray[np.bool_]:
    folded = words.copy()
    for shift in (8, 4, 2, 1):
        folded ^= folded >> shift
    return (folded & 1).astype(np.bool_)


@cache
def _ways() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the patterns of outputs of a state, for its high bits and its low ones."""

    def patterns(words: NDArray[np.int64]) -> NDArray[np.int64]:
        outputs = [_parity(words & each) << at for at, each in enumerate(GENERATORS)]
        found: NDArray[np.int64] = np.sum(outputs, axis=0)
        return found

    low = np.arange(LOW)
    return patterns(np.arange(STATES // 2 // LOW) * 2 * LOW), patterns(2 * low)


@cache
def _patterns() -> NDArray[np.int32]:
    """Return the signs of all patterns of outputs: 1 says 0, -1 says 1."""
    bits = np.arange(1 << RATE)[:, None] >> np.arange(RATE) & 1
    return (1 - 2 * bits).astype(np.int32)
