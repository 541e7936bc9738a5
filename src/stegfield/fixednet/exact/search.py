"""The inner loops of the trellis solver, compiled where numba is installed, and its threads.

With numba (``pip install 'stegfield[fast]'``) the search runs as machine code. Without it, numpy
does the same arithmetic in the same order: slower, with results equal to the last bit. The first
search imports numba, since that takes half a second and extracting does not need it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from stegfield.machine import cores

Job = TypeVar("Job")
Result = TypeVar("Result")


def window_parities(
    stretch: NDArray[np.int64], columns: NDArray[np.int64], ones: NDArray[np.bool_], bits: int
) -> NDArray[np.bool_]:
    """Return for each bit whether an odd number of its samples are one.

    Args:
        stretch: First bit of each sample; rises from 0 to the last bit by steps of 0 or 1.
        columns: Weights of each sample in the bits from there on; none beyond the last bit.
        ones: Which samples are one.
        bits: Number of bits.
    """
    read = np.zeros(bits, dtype=np.bool_)
    if bits == 0:
        return read
    begins = np.flatnonzero(np.diff(stretch, prepend=-1))
    parities = np.bitwise_xor.reduceat(np.where(ones, columns, 0), begins)
    for later in range(int(parities.max()).bit_length()):
        read[later:] ^= (parities[: bits - later] >> later & 1).astype(np.bool_)
    return read


def cheapest_flips(
    columns: NDArray[np.int64],
    costs: NDArray[np.float32],
    ends: NDArray[np.bool_],
    target: NDArray[np.uint8],
    height: int,
) -> NDArray[np.bool_]:
    """Find the samples to flip, at the least total cost, so that the parities of bits change.

    Args:
        columns: For each sample, which bits from its first one on change parity when it flips; the
            first one always does.
        costs: Cost of each sample's flip, at least 0.
        ends: True at the last sample whose first bit is bit 0, 1, 2, ...: once for each bit.
        target: For each bit, 1 where its parity must change.
        height: The constraint height: columns are below 2^height; at least 3.
    """
    forward, backward = compiled()
    path = forward(columns, costs, ends, target, height)
    flips: NDArray[np.bool_] = backward(columns, ends, target, path)
    return flips


@cache
def compiled() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the forward search and the way back, compiled if possible."""
    try:
        import numba
    except Exception:  # not installed, or it does not work with this numpy or machine
        return forward_numpy, _backward
    return _machine_code(numba, _forward_loops), _machine_code(numba, _backward)


def _machine_code(numba: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    # unwrap: tests wrap every function in checks of annotations, which numba cannot compile
    plain = inspect.unwrap(function)
    try:
        return numba.njit(plain, nogil=True, cache=True)  # type: ignore[no-any-return]
    except RuntimeError:  # there is no folder to cache machine code in
        return numba.njit(plain, nogil=True)  # type: ignore[no-any-return]


def parallel(work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
    """Do jobs on all cores and yield the results in order; if closed, drop those not begun."""
    with ThreadPoolExecutor(cores()) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        try:
            for job in waiting:
                yield job.result()
        finally:
            pool.shutdown(cancel_futures=True)


def forward_numpy(
    columns: NDArray[np.int64],
    costs: NDArray[np.float32],
    ends: NDArray[np.bool_],
    target: NDArray[np.uint8],
    height: int,
) -> NDArray[np.uint8]:
    """Follow the cheapest paths in numpy; see `cheapest_flips`.

    Returns:
        A bit for each sample and state: whether the cheapest path to it flips the sample.
    """
    states = np.arange(1 << height)
    cost = np.full(1 << height, np.inf, dtype=np.float32)
    cost[0] = 0
    half, done = (1 << height) // 2, 0
    path = np.empty((len(columns), max(1, (1 << height) // 8)), dtype=np.uint8)
    for sample in range(len(columns)):
        flipped = cost[states ^ columns[sample]] + costs[sample]
        path[sample] = np.packbits(flipped < cost, bitorder="little")
        cost = np.minimum(flipped, cost)
        if ends[sample]:
            cost[:half] = cost[target[done] :: 2]
            cost[half:] = np.inf
            done += 1
    return path


def _forward_loops(
    columns: NDArray[np.int64],
    costs: NDArray[np.float32],
    ends: NDArray[np.bool_],
    target: NDArray[np.uint8],
    height: int,
) -> NDArray[np.uint8]:
    states = 1 << height
    cost = np.full(states, np.inf, dtype=np.float32)
    cost[0] = 0
    best = np.empty(states, dtype=np.float32)
    took = np.empty(states, dtype=np.uint8)
    path = np.empty((len(columns), states >> 3), dtype=np.uint8)
    lane = min(states, 16)  # states that a processor handles at once
    done = 0
    for sample in range(len(columns)):
        rho = costs[sample]
        near = columns[sample] & (lane - 1)
        far = columns[sample] - near
        for first in range(0, states, lane):
            here, there = cost[first : first + lane], cost[first ^ far : (first ^ far) + lane]
            for i in range(lane):
                flipped = there[i ^ near] + rho
                took[first + i] = flipped < here[i]
                best[first + i] = flipped if flipped < here[i] else here[i]
        for group in range(states >> 3):
            eight = took[8 * group : 8 * group + 8]
            byte = np.uint8(0)
            for i in range(8):
                byte |= eight[i] << i
            path[sample, group] = byte
        cost, best = best, cost
        if ends[sample]:
            bit = np.int64(target[done])
            for state in range(states >> 1):
                cost[state] = cost[2 * state + bit]
            cost[states >> 1 :] = np.inf
            done += 1
    return path


def _backward(
    columns: NDArray[np.int64],
    ends: NDArray[np.bool_],
    target: NDArray[np.uint8],
    path: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    flips = np.zeros(len(columns), dtype=np.bool_)
    state, left = np.int64(0), len(target)
    for sample in range(len(columns) - 1, -1, -1):
        if ends[sample]:
            left -= 1
            state = 2 * state + np.int64(target[left])  # numpy would stay with 8 bits
        if path[sample, state >> 3] >> (state & 7) & 1:
            flips[sample] = True
            state ^= columns[sample]
    return flips
