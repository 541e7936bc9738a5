"""Which changes of coefficients a file's Huffman tables can say, in any combination.

A change by one may need symbols that the table lacks: a larger size, or another run of zeros
before a coefficient, its own or the next one's. Tables that a program made for another picture, or
for a part of this one, may lack some.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int16
from numpy.typing import NDArray

from stegfield.jpeg.frame import ZIGZAG
from stegfield.jpeg.huffman import ZERO_RUN, Huffman

LARGEST_SIZE = 10
"""Bits of the largest AC coefficient of a baseline file: up to 1023."""
RUNS = 16

Open = Bool[np.ndarray, "_rows _columns 64"]


class Ways(NamedTuple):
    """Which coefficients may change, each with any others."""

    up: Open
    down: Open


def every_way(coefficients: Int16[np.ndarray, "rows columns 64"]) -> Ways:
    """Return the changes of AC coefficients that a baseline file can hold."""
    most = (1 << LARGEST_SIZE) - 1
    up, down = coefficients < most, coefficients > -most
    up[..., 0] = down[..., 0] = False
    return Ways(up, down)


def open_ways(coefficients: Int16[np.ndarray, "rows columns 64"], table: Huffman) -> Ways:
    """Return the changes of AC coefficients that a Huffman table can say.

    Any set of the changes can be made together. A coefficient may become zero, or cease to be,
    only if the table has all runs for every size that comes after it in its block.

    Args:
        coefficients: Quantised coefficients of a component.
        table: Its table for AC.
    """
    full = _full_sizes(table)
    sizes = _sizes(coefficients)
    ordered = sizes[..., ZIGZAG]
    ordered[..., 0] = 0
    lacking = (ordered > 0) & ~full[ordered]
    # frozen: at this place, or later in the block, a coefficient needs its run to stay
    frozen = np.zeros_like(lacking)
    frozen[..., ZIGZAG] = np.logical_or.accumulate(lacking[..., ::-1], axis=-1)[..., ::-1]
    runs_may_change = ~frozen if {0, ZERO_RUN} <= set(table.symbols) else np.zeros_like(frozen)
    up, down = (_sayable(coefficients, step, sizes, full, runs_may_change) for step in (1, -1))
    return Ways(up, down)


def _full_sizes(table: Huffman) -> NDArray[np.bool_]:
    """Tell for each size whether the table has it after every run."""
    has = np.zeros(256, np.bool_)
    has[list(table.symbols)] = True
    full = np.all(has.reshape(RUNS, 16), axis=0)
    full[0] = True  # a coefficient of zero needs nothing of its own
    return np.append(full, False)


def _sizes(values: NDArray[np.int16]) -> NDArray[np.int64]:
    powers = 1 << np.arange(16)
    return np.searchsorted(powers, np.abs(values.astype(np.int64)), side="right")


def _sayable(
    coefficients: NDArray[np.int16],
    step: int,
    sizes: NDArray[np.int64],
    full: NDArray[np.bool_],
    runs_may_change: NDArray[np.bool_],
) -> Open:
    after = coefficients + np.int16(step)
    new = _sizes(after)
    may: NDArray[np.bool_] = (new == sizes) | full[new]
    may &= ((coefficients == 0) == (after == 0)) | runs_may_change
    may &= new <= LARGEST_SIZE
    may[..., 0] = False
    return may
