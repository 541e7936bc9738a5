# mypy: disallow-untyped-defs=False, check-untyped-defs=False
"""The loops of the trellis solver as machine code; `stegfield.fixednet.exact.plain` is its twin.

Importing this module imports numba, and compiles or loads the code at once, so that a machine
where that fails is known before any work is done.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from stegfield.fixednet.exact.vectors import EIGHT, LANE_BITS, LANES, SIXTEEN

step8, advance8, _ = EIGHT
step16, advance16, largest16 = SIXTEEN
UNREACHED8, UNREACHED16 = 255, 65535
LATELY = 4
"""Samples of a stretch between two looks at the largest cost."""
COLUMNS = "u2[::1]"
SHARED = "i8[::1], b1[::1], {cost}, u4[:, ::1], i4[::1], i4[::1]"
"""Stretches' lengths, target, costs, path, order, rows: as in `plain`."""


def _compiled(signature: str) -> Callable[[Callable[..., Any]], Any]:
    def compiled(function: Callable[..., Any]) -> Any:
        # unwrap: tests wrap every function in checks of annotations, which numba cannot compile
        plain = inspect.unwrap(function)
        try:
            return numba.njit(signature, nogil=True, cache=True)(plain)
        except RuntimeError:  # there is no folder to cache machine code in
            return numba.njit(signature, nogil=True)(plain)

    return compiled


@_compiled(f"void({COLUMNS}, u1[::1], {SHARED.format(cost='u1[::1]')})")
def forward_in_turn(columns, prices, lengths, target, cost, path, order, rows):
    """See `stegfield.fixednet.exact.plain`, as for all functions here."""
    cost[:] = UNREACHED8
    cost[:: min(len(cost), 1 << min(len(lengths), 16))] = 0
    half, row = len(cost) // (2 * LANES), 0
    costs, paths, line = cost.ctypes.data, path.ctypes.data, path.shape[1] * (LANES // 8)
    for bit in range(len(lengths)):
        for _ in range(lengths[bit]):
            step8(costs, half, paths + row * line, np.int64(columns[row]), np.int64(prices[row]))
            order[row] = row
            row += 1
        rows[bit] = lengths[bit]
        advance8(costs, half, np.int64(target[bit]))


@_compiled("void(i8[::1], i8, i8)")
def _sift(heap, at, length):
    """Let an item of a heap, least first, sink to its place."""
    if at >= length:
        return
    item = heap[at]
    while 2 * at + 1 < length:
        child = 2 * at + 1
        if child + 1 < length and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= item:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = item


@_compiled(f"void({COLUMNS}, u2[::1], {SHARED.format(cost='u2[::1]')})")
def forward_cheapest_first(columns, prices, lengths, target, cost, path, order, rows):
    """In rounds of rising prices: a heap sorts the samples of a round as far as needed."""
    cost[:] = UNREACHED16
    cost[:: min(len(cost), 1 << min(len(lengths), 16))] = 0
    half = len(cost) // (2 * LANES)
    costs, paths, line = cost.ctypes.data, path.ctypes.data, path.shape[1] * (LANES // 8)
    heap = np.empty(lengths.max(), np.int64)
    first, row, spread, ceiling = 0, 0, np.int64(UNREACHED16), np.int64(64)
    for bit in range(len(lengths)):
        began, end = row, first + lengths[bit]
        cheapest = np.int64(prices[first:end].min())
        bound, lowest = min(spread + cheapest, UNREACHED16), np.int64(0)
        while lowest < bound:
            below = max(min(ceiling, bound), lowest + 1)
            if lowest == 0:
                below = max(below, cheapest + 1)
            length = 0
            for at in range(first, end):
                if lowest <= prices[at] < below:
                    heap[length] = np.int64(prices[at]) << 32 | at
                    length += 1
            for at in range(length // 2 - 1, -1, -1):
                _sift(heap, at, length)
            while length > 0:
                price, sample = heap[0] >> 32, heap[0] & 0xFFFFFFFF
                if price >= bound and row > began:
                    break
                length -= 1
                heap[0] = heap[length]
                _sift(heap, 0, length)
                step16(costs, half, paths + row * line, np.int64(columns[sample]), price)
                order[row] = sample
                row += 1
                if (row - began) % LATELY == 0:
                    bound = min(bound, largest16(costs, half))
            lowest, ceiling = below, 2 * below
        ceiling = bound + (bound >> 2)  # a guess for the next stretch
        rows[bit] = row - began
        first = end
        spread = advance16(costs, half, np.int64(target[bit]))


@_compiled(f"void({COLUMNS}, b1[::1], i8, i8, u4[:, ::1], i4[::1], i4[::1], b1[::1])")
def backward(columns, target, state, mask, path, order, rows, flips):
    """Go back along the path."""
    row = rows.sum()
    for bit in range(len(target) - 1, -1, -1):
        state = (2 * state + np.int64(target[bit])) & mask
        for _ in range(rows[bit]):
            row -= 1
            if not path[row, state >> LANE_BITS] >> (state & (LANES - 1)) & 1:
                flips[order[row]] = True
                state ^= np.int64(columns[order[row]])
