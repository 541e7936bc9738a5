"""The loops of the trellis solver in numpy, for machines without numba; the same bits, but slower.

All of them work on one segment:

    columns  weights of each sample in the bits from its own on: odd, below 2^h, highest bit one
    prices   unsigned integers of 8 or 16 bits, below the largest value, which means *unreached*
    lengths  samples of each bit's stretch, at least one
    target   for each bit, whether its parity must change
    cost     written: of each state, at the end
    path     written: for each row and state, a bit that is 1 where the row's sample stays as it is
    order    written: the sample of each row
    rows     written: the rows of each stretch

A price is never unreached, and any sample of a stretch can give its bit the right parity. So the
cheapest state always leads to one that is reached, and every segment has a solution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Unsigned = NDArray[np.uint8] | NDArray[np.uint16]
LATELY = 4
"""Samples of a stretch between two looks at the largest cost."""


def forward_in_turn(
    columns: NDArray[np.uint16],
    prices: NDArray[np.uint8],
    lengths: NDArray[np.int64],
    target: NDArray[np.bool_],
    cost: NDArray[np.uint8],
    path: NDArray[np.uint32],
    order: NDArray[np.int32],
    rows: NDArray[np.int32],
) -> None:
    """Follow the cheapest paths, sample after sample."""
    _begin(cost, len(lengths))
    row = 0
    for bit, length in enumerate(lengths):
        for sample in range(row, row + length):
            path[sample] = _step(cost, columns[sample], prices[sample])
            order[sample] = sample
        row += int(length)
        rows[bit] = length
        _advance(cost, target[bit])


def forward_cheapest_first(
    columns: NDArray[np.uint16],
    prices: NDArray[np.uint16],
    lengths: NDArray[np.int64],
    target: NDArray[np.bool_],
    cost: NDArray[np.uint16],
    path: NDArray[np.uint32],
    order: NDArray[np.int32],
    rows: NDArray[np.int32],
) -> None:
    """Follow the cheapest paths; take each stretch's samples from the cheapest on.

    A sample whose price is no less than the spread of the costs can improve no state, and neither
    can those that cost more: the rest of the stretch stays as it is.
    """
    _begin(cost, len(lengths))
    first, row, spread = 0, 0, _largest(cost)
    for bit, length in enumerate(lengths):
        began, own = row, prices[first : first + length].astype(np.int64)
        bound = min(spread + int(own.min()), np.iinfo(cost.dtype).max)
        for sample in np.argsort(own, kind="stable"):
            if own[sample] >= bound and (row > began or bound == 0):
                break
            order[row] = first + sample
            path[row] = _step(cost, columns[first + sample], prices[first + sample])
            row += 1
            if (row - began) % LATELY == 0:
                bound = min(bound, _largest(cost))
        rows[bit] = row - began
        first += int(length)
        spread = _advance(cost, target[bit])


def backward(
    columns: NDArray[np.uint16],
    target: NDArray[np.bool_],
    state: int,
    mask: int,
    path: NDArray[np.uint32],
    order: NDArray[np.int32],
    rows: NDArray[np.int32],
    flips: NDArray[np.bool_],
) -> None:
    """Go back along the path to a last state, and mark the samples that flip on it.

    Args:
        columns: See above.
        target: See above.
        state: The last state.
        mask: The number of states, less one.
        path: See above.
        order: See above.
        rows: See above.
        flips: Written: whether each sample flips; False before.
    """
    row = int(rows.sum())
    for bit in range(len(target) - 1, -1, -1):
        state = (2 * state + int(target[bit])) & mask
        for _ in range(rows[bit]):
            row -= 1
            if not path[row, state >> 5] >> (state & 31) & 1:
                flips[order[row]] = True
                state ^= int(columns[order[row]])


def _begin(cost: Unsigned, bits: int) -> None:
    """Begin where no bit is wrong; those beyond the last may be anything."""
    cost[:] = np.iinfo(cost.dtype).max
    cost[:: min(len(cost), 1 << min(bits, 16))] = 0


def _step(cost: Unsigned, column: np.uint16, price: np.unsignedinteger) -> NDArray[np.uint32]:
    """Take one sample into account; return a bit for each state, 1 where the sample stays."""
    most = cost.dtype.type(np.iinfo(cost.dtype).max)
    other = cost[np.arange(len(cost)) ^ int(column)]
    flipped = np.minimum(other, most - price) + price  # at most `most`
    kept = cost <= flipped
    np.minimum(cost, flipped, out=cost)
    return np.packbits(kept, bitorder="little").view("<u4")


def _advance(cost: Unsigned, bit: np.bool_) -> int:
    """Keep the states whose lowest bit is right, and subtract the least cost; return the spread."""
    most, half = np.iinfo(cost.dtype).max, len(cost) // 2
    left = cost[int(bit) :: 2]
    high, low = _largest(left), left.min()
    cost[:half] = np.where(left == most, left, left - low)
    cost[half:] = most
    return high if high == most else high - int(low)


def _largest(cost: Unsigned) -> int:
    return int(cost.max())
