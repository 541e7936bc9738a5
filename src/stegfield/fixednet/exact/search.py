"""The inner loops of the sine network and its solver, compiled where numba is installed.

With numba (``pip install 'stegfield[fast]'``) they run as machine code; without it numpy does the
same arithmetic in the same order, with results equal to the last bit, only slower.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

try:
    import numba

    COMPILED = True
except Exception:  # not installed, or at odds with this numpy or this machine
    COMPILED = False
Job = TypeVar("Job")
Result = TypeVar("Result")


def forward_numpy(
    columns: NDArray[np.int64],
    costs: NDArray[np.float32],
    ends: NDArray[np.bool_],
    target: NDArray[np.uint8],
    span: int,
) -> NDArray[np.uint8]:
    """Follow the cheapest paths in numpy; see `cheapest_flips`.

    Returns:
        A bit for each sample and state: whether the cheapest way there flips the sample.
    """
    states = np.arange(1 << span)
    cost = np.full(1 << span, np.inf, dtype=np.float32)
    cost[0] = 0
    half, done = (1 << span) // 2, 0
    path = np.empty((len(columns), max(1, (1 << span) // 8)), dtype=np.uint8)
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
    span: int,
) -> NDArray[np.uint8]:
    states = 1 << span
    cost = np.full(states, np.inf, dtype=np.float32)
    cost[0] = 0
    best = np.empty(states, dtype=np.float32)
    took = np.empty(states, dtype=np.uint8)
    path = np.empty((len(columns), states >> 3), dtype=np.uint8)
    lane = min(states, 16)  # neighbours that a processor handles at once
    done = 0
    for sample in range(len(columns)):
        price = costs[sample]
        near = columns[sample] & (lane - 1)
        far = columns[sample] - near
        for first in range(0, states, lane):
            here, there = cost[first : first + lane], cost[first ^ far : (first ^ far) + lane]
            for i in range(lane):
                flipped = there[i ^ near] + price
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


def _parities_numpy(
    stretch: NDArray[np.int64], columns: NDArray[np.int64], ones: NDArray[np.bool_], bits: int
) -> NDArray[np.bool_]:
    first, weights = stretch[ones], columns[ones]
    width = int(weights.max(initial=0)).bit_length()
    sums = np.zeros(bits + width, dtype=np.int64)
    for offset in range(width):
        at = first[weights >> offset & 1 == 1]
        sums += np.bincount(at + offset, minlength=len(sums))
    return (sums[:bits] & 1).astype(np.bool_)


def _parities_loops(
    stretch: NDArray[np.int64], columns: NDArray[np.int64], ones: NDArray[np.bool_], bits: int
) -> NDArray[np.bool_]:
    read = np.zeros(bits, dtype=np.bool_)
    window, bit = np.int64(0), 0  # parities of this bit and those after it, so far
    for sample in range(len(stretch)):
        while bit < stretch[sample]:
            read[bit] = window & 1
            window >>= 1
            bit += 1
        if ones[sample]:
            window ^= columns[sample]
    if bit < bits:
        read[bit] = window & 1
    return read


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    # unwrap: a test run puts checks of annotations around every function, which numba cannot read
    plain = inspect.unwrap(function)
    try:
        return numba.njit(plain, nogil=True, cache=True)  # type: ignore[no-any-return]
    except RuntimeError:  # there is no folder to keep machine code in
        return numba.njit(plain, nogil=True)  # type: ignore[no-any-return]


forward = _compiled(_forward_loops) if COMPILED else forward_numpy
_trace = _compiled(_backward) if COMPILED else _backward
_parities = _compiled(_parities_loops) if COMPILED else _parities_numpy


def window_parities(
    stretch: NDArray[np.int64], columns: NDArray[np.int64], ones: NDArray[np.bool_], bits: int
) -> NDArray[np.bool_]:
    """Tell which bits have an odd number of ones among the samples that have a weight in them.

    Args:
        stretch: Of each sample, its first bit; rises from 0 to the last bit by steps of 0 or 1.
        columns: Of each sample, its weights in the bits from there on; none beyond the last bit.
        ones: Which samples are one.
        bits: How many bits there are.
    """
    read: NDArray[np.bool_] = _parities(stretch, columns, ones, bits)
    return read


def cheapest_flips(
    columns: NDArray[np.int64],
    costs: NDArray[np.float32],
    ends: NDArray[np.bool_],
    target: NDArray[np.uint8],
    span: int,
) -> NDArray[np.bool_]:
    """Find which samples to flip at the least total cost, so that every bit's parity is as wanted.

    Args:
        columns: Of each sample, which bits from its first one on change parity when it flips; the
            first one always does.
        costs: Of each sample, what its flip costs, at least 0.
        ends: True at the last sample whose first bit is bit 0, 1, 2, ...: once for each bit.
        target: For each bit, 1 where its parity must change.
        span: Columns are below 2^span; at least 3.
    """
    path = forward(columns, costs, ends, target, span)
    flips: NDArray[np.bool_] = _trace(columns, ends, target, path)
    return flips


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS and Windows


def parallel(work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
    """Do jobs on all cores and give each result in turn; those not begun are dropped at an end."""
    with ThreadPoolExecutor(cores()) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        try:
            for job in waiting:
                yield job.result()
        finally:
            pool.shutdown(cancel_futures=True)
