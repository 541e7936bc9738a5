"""A code with soft decisions: a tail-biting convolution of constraint length 15, six bits for one.

Coded bits are ordered generator by generator, so the first part of them is a good code of a higher
rate. A carrier with more room repeats them; the receiver adds up the soft values of each bit.

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
WRAP = 90
"""Bits that the decoder goes round again at either end of the circle: six memories."""


def encode(bits: Bool[np.ndarray, " bits"]) -> NDArray[np.bool_]:
    """Return six coded bits for each bit, generator by generator."""
    word = np.zeros(len(bits), np.int64)
    for delay in range(MEMORY):  # a bit and the 14 before it
        word |= np.roll(bits, delay).astype(np.int64) << delay
    return np.concatenate([_parity(word & each) for each in GENERATORS])


def decode(soft: Float32[np.ndarray, " coded"]) -> NDArray[np.bool_]:
    """Find the most likely bits.

    Args:
        soft: Six values for each bit, ordered as `encode` does: positive for 0, negative for 1,
            and 0 where nothing is known.
    """
    count = len(soft) // RATE
    received = soft.reshape(RATE, count).T.astype(np.float32)
    branches = received @ _patterns().T  # what each of the 64 patterns of outputs adds
    wrap = min(WRAP, count)
    steps = np.concatenate([np.arange(count - wrap, count), np.arange(count), np.arange(wrap)])
    metric = np.zeros(STATES, np.float32)
    chosen = np.empty((len(steps), STATES // 8), np.uint8)
    into = _into()
    for at, step in enumerate(steps):
        added = branches[step][into]
        before = np.repeat(metric.reshape(2, -1), 2, axis=1)
        both = added + before
        chosen[at] = np.packbits(both[1] > both[0])
        metric = np.maximum(both[0], both[1])
    return _walk_back(chosen, int(metric.argmax()))[wrap : wrap + count]


def _walk_back(chosen: NDArray[np.uint8], state: int) -> NDArray[np.bool_]:
    """Follow the survivors from the last state to the first."""
    bits = np.empty(len(chosen), np.bool_)
    for at in range(len(chosen) - 1, -1, -1):
        bits[at] = state & 1
        older = chosen[at, state >> 3] >> (7 - (state & 7)) & 1
        state = state >> 1 | int(older) << (MEMORY - 2)
    return bits


def _parity(words: NDArray[np.int64]) -> NDArray[np.bool_]:
    folded = words.copy()
    for shift in (8, 4, 2, 1):
        folded ^= folded >> shift
    return (folded & 1).astype(np.bool_)


@cache
def _into() -> NDArray[np.intp]:
    """Return the pattern of outputs on each way into each state, by the bit that leaves it."""
    words = np.arange(1 << MEMORY)
    outputs = [_parity(words & each).astype(np.intp) << at for at, each in enumerate(GENERATORS)]
    patterns: NDArray[np.intp] = np.sum(outputs, axis=0).reshape(2, STATES)
    return patterns


@cache
def _patterns() -> NDArray[np.float32]:
    """Return the signs of all patterns of outputs: 1 says 0, -1 says 1."""
    bits = np.arange(1 << RATE)[:, None] >> np.arange(RATE) & 1
    return (1 - 2 * bits).astype(np.float32)
