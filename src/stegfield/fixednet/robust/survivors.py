"""The inner loop of the soft code's decoder: machine code by numba, or numpy, with the same bits.

Importing this module imports numba, where it is installed. All metrics are whole numbers, so that
both ways give the same survivors to the last bit.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    import numba
except Exception:  # not installed, or it does not work with this numpy or machine
    COMPILES = False
else:
    COMPILES = True


def plain(
    branches: NDArray[np.int32],
    order: NDArray[np.int64],
    high: NDArray[np.int64],
    low: NDArray[np.int64],
    chosen: NDArray[np.uint8],
) -> int:
    """Follow the likeliest ways through all states.

    A state is the last bits, the newest lowest. State p without its highest bit goes to 2 p and to
    2 p + 1, and so does p with it. Every generator has its first and its last bit, so all four ways
    add the same value or its negative.

    Args:
        branches: For each bit and pattern of outputs, what the pattern adds.
        order: The bits in the order in which they are decided.
        high: The pattern of each state without its highest bit, for the multiples of its second
            array's length.
        low: The pattern of those below.
        chosen: Written to: for each step and p, 1 where the way into 2 p comes from p with its
            highest bit, plus 2 where that into 2 p + 1 does.

    Returns:
        The likeliest last state.
    """
    half = len(high) * len(low)
    patterns = (high[:, None] ^ low[None]).ravel()
    metric = np.zeros(2 * half, np.int32)
    for at, step in enumerate(order):
        value = branches[step][patterns]
        without, highest = metric[:half], metric[half:]
        even = without + value, highest - value
        odd = without - value, highest + value
        chosen[at] = (even[1] > even[0]) | (odd[1] > odd[0]).astype(np.uint8) << 1
        metric = np.stack([np.maximum(*even), np.maximum(*odd)], axis=1).ravel()
    return int(metric.argmax())


def _loop(
    branches: NDArray[np.int32],
    order: NDArray[np.int64],
    high: NDArray[np.int64],
    low: NDArray[np.int64],
    chosen: NDArray[np.uint8],
) -> int:
    """See `plain`."""
    width = len(low)
    half = len(high) * width
    metric = np.zeros(2 * half, np.int32)
    after = np.zeros(2 * half, np.int32)
    values = np.zeros((branches.shape[1], width), np.int32)
    for at in range(len(order)):
        branch = branches[order[at]]
        for pattern in range(len(branch)):
            for column in range(width):
                values[pattern, column] = branch[pattern ^ low[column]]
        for row in range(len(high)):
            value = values[high[row]]
            first = row * width
            without = metric[first : first + width]
            highest = metric[half + first : half + first + width]
            into = after[2 * first : 2 * (first + width)]
            ways = chosen[at, first : first + width]
            for column in range(width):
                added = value[column]
                low_even, high_even = without[column] + added, highest[column] - added
                low_odd, high_odd = without[column] - added, highest[column] + added
                into[2 * column] = max(low_even, high_even)
                into[2 * column + 1] = max(low_odd, high_odd)
                ways[column] = (high_even > low_even) | (high_odd > low_odd) << 1
        metric, after = after, metric
    return int(metric.argmax())


def _compiled() -> Any:
    # unwrap: tests wrap every function in checks of annotations, which numba cannot compile
    loop: Any = inspect.unwrap(_loop)
    if not COMPILES:
        return plain
    try:
        return numba.njit(loop, nogil=True, cache=True)
    except RuntimeError:  # there is no folder to cache machine code in
        return numba.njit(loop, nogil=True)


fastest = _compiled()
"""`plain`, by machine code where numba works."""
