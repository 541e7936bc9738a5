"""A plain Viterbi search in floating point, to measure the solver against.

It finds the flips of least cost exactly, up to the rounding of sums, and takes every sample into
account in every state. It is the solver of stegfield 0.2.

Source: Filler, Judas and Fridrich (2011), "Minimizing Additive Distortion in Steganography Using
Syndrome-Trellis Codes", Sec. IV.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt16
from numpy.typing import NDArray

LANES = 16
"""States that a processor handles at once."""


def least_flips(
    columns: UInt16[np.ndarray, " samples"],
    costs: Float32[np.ndarray, " samples"],
    lengths: Int64[np.ndarray, " bits"],
    target: Bool[np.ndarray, " bits"],
    height: int,
) -> Bool[np.ndarray, " samples"]:
    """Find the samples to flip; see `stegfield.fixednet.exact.search.cheapest_flips`."""
    forward, backward = _compiled()
    cost, path = forward(columns, costs, lengths, target, 1 << height)
    flips: NDArray[np.bool_] = backward(columns, lengths, target, int(np.argmin(cost)), path)
    return flips


@cache
def _compiled() -> tuple[Any, Any]:
    import numba

    return tuple(numba.njit(inspect.unwrap(loops), nogil=True) for loops in (_forward, _backward))


def _forward(
    columns: NDArray[np.uint16],
    costs: NDArray[np.float32],
    lengths: NDArray[np.int64],
    target: NDArray[np.bool_],
    states: int,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Follow the cheapest paths.

    Returns:
        The costs of the last states, and a bit for each sample and state: whether the path flips.
    """
    cost = np.full(states, np.inf, dtype=np.float32)
    cost[0] = 0
    best = np.empty(states, dtype=np.float32)
    took = np.empty(states, dtype=np.uint8)
    path = np.empty((len(columns), states >> 3), dtype=np.uint8)
    sample = 0
    for bit in range(len(lengths)):
        for _ in range(lengths[bit]):
            near = np.int64(columns[sample]) & (LANES - 1)
            far = np.int64(columns[sample]) - near
            for first in range(0, states, LANES):
                here, there = cost[first : first + LANES], cost[first ^ far : (first ^ far) + LANES]
                for lane in range(LANES):
                    flipped = there[lane ^ near] + costs[sample]
                    took[first + lane] = flipped < here[lane]
                    best[first + lane] = min(flipped, here[lane])
            for group in range(states >> 3):
                byte = np.uint8(0)
                for lane in range(8):
                    byte |= took[8 * group + lane] << lane
                path[sample, group] = byte
            cost, best = best, cost
            sample += 1
        for state in range(states >> 1):
            cost[state] = cost[2 * state + np.int64(target[bit])]
        cost[states >> 1 :] = np.inf
    return cost, path


def _backward(
    columns: NDArray[np.uint16],
    lengths: NDArray[np.int64],
    target: NDArray[np.bool_],
    last: int,
    path: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    flips = np.zeros(len(columns), dtype=np.bool_)
    state, sample = np.int64(last), len(columns)
    for bit in range(len(target) - 1, -1, -1):
        state = (2 * state + np.int64(target[bit])) & (8 * path.shape[1] - 1)
        for _ in range(lengths[bit]):
            sample -= 1
            if path[sample, state >> 3] >> (state & 7) & 1:
                flips[sample] = True
                state ^= np.int64(columns[sample])
    return flips
