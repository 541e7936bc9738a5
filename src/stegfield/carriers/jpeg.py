"""JPEG images as carriers: the quantised coefficients of luma, without those of the means (DC).

The elements are the first 28 modes in zigzag order, of each block of the picture in turn; more of
them carry more. Means never change: they are coded as differences, and flat blocks show a change.
Nor does any block beyond the picture's edge, which an encoder fills in ways of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int16, Integer, Shaped
from numpy.typing import NDArray

from stegfield.carriers import jpeg_costs
from stegfield.carriers.blocks import (
    MODES,
    SIDE,
    ZIGZAG,
    Planes,
    Table,
    to_coefficients,
    to_pixels,
)
from stegfield.carriers.carrier import Carrier, Ways
from stegfield.carriers.rounded import side_information
from stegfield.metrics import LUMA
from stegfield.signals import Signal

QUIETEST, EVERY = 28, MODES - 1
"""Numbers of modes that may carry bits; those of higher frequencies add little."""
LARGEST = 1023
"""Largest magnitude of an AC coefficient that baseline files may hold."""
CostName = Literal["uerd", "j-uniward"]
Sayable = tuple[Bool[np.ndarray, "rows columns 64"], Bool[np.ndarray, "rows columns 64"]]
Cost = Callable[[Planes, Table, NDArray[np.integer]], NDArray[np.floating]]


def chosen_modes(count: int) -> NDArray[np.int64]:
    """Return the first modes in zigzag order, without the mean."""
    return ZIGZAG[1 : 1 + count]


def elements(
    planes: Shaped[np.ndarray, "rows columns 64"], count: int
) -> Shaped[np.ndarray, " elements"]:
    """Return the coefficients that may carry bits, block by block, in zigzag order."""
    return planes[..., chosen_modes(count)].reshape(-1)


def changed(
    planes: Int16[np.ndarray, "rows columns 64"], change: Integer[np.ndarray, " elements"]
) -> Int16[np.ndarray, "rows columns 64"]:
    """Return coefficients with a change added to their `elements`, of as many modes as it has."""
    rows, columns, _ = planes.shape
    grid = change.reshape(rows, columns, -1)
    stego = planes.copy()
    stego[..., chosen_modes(grid.shape[2])] += grid.astype(np.int16)
    return stego


def nonzero(planes: Planes) -> int:
    """Count the non-zero AC coefficients, of which rates are stated (bpnzAC)."""
    return int(np.count_nonzero(planes[..., 1:]))


def dry(planes: Planes, modes: int) -> int:
    """Count the `elements` that may change: those of blocks with some texture in or near them."""
    some = np.isfinite(jpeg_costs.uerd(planes, np.ones(MODES, np.int64), ZIGZAG[1:2]))
    return modes * int(np.count_nonzero(some))


def find_costs(planes: Planes, table: Table, count: int, name: CostName) -> NDArray[np.float32]:
    """Compute the cost of a change by one of each of the `elements`; infinite for wet ones."""
    found = COSTS[name](planes, table, chosen_modes(count))
    return found.astype(np.float32, copy=False).reshape(-1)


def open_ways(levels: Integer[np.ndarray, " elements"], costs: NDArray[np.float32]) -> Ways:
    """Tell which coefficients may go up and which down: wet ones and the largest may not."""
    dry = np.isfinite(costs)
    return dry & (levels < LARGEST), dry & (levels > -LARGEST)


def carrier(
    planes: Int16[np.ndarray, "rows columns 64"],
    table: Table,
    *,
    modes: int = QUIETEST,
    cost: CostName = "uerd",
    sayable: Sayable | None = None,
    above: Float32[np.ndarray, "rows columns 64"] | None = None,
) -> Carrier:
    """Make a carrier of the coefficients of a picture's luma.

    Args:
        planes: Quantised coefficients of the blocks that may change.
        table: The quantisation step of each mode.
        modes: How many modes of each block may carry bits.
        cost: One of `COSTS`.
        sayable: Which of the coefficients may go up, and which down, as far as the file's code
            tables can say [default: all].
        above: How far each coefficient is above what it was rounded from, if that is known.
    """
    levels = elements(planes, modes)

    @cache
    def costs() -> NDArray[np.float32]:
        return find_costs(planes, table, modes, cost)

    def ways() -> Ways:
        up, down = open_ways(levels, costs())
        if sayable is None:
            return up, down
        return up & elements(sayable[0], modes), down & elements(sayable[1], modes)

    def put_back(_: NDArray[np.integer]) -> Signal:
        raise NotImplementedError("coefficients are put back by `changed`")

    return Carrier(
        levels=levels,
        bounds=(-LARGEST, LARGEST),
        find_costs=lambda: finite(costs()),
        find_side_information=lambda: None if above is None else elements(above, modes),
        find_ways=ways,
        put_back=put_back,
    )


def unrounded(
    image: Signal, table: Table, blocks: tuple[int, int]
) -> Float64[np.ndarray, "rows columns 64"] | None:
    """Return the coefficients of an image's luma in steps, neither they nor samples rounded.

    Args:
        image: Grey or RGB; it ends with its last row and column repeated.
        table: The quantisation steps.
        blocks: Rows and columns of blocks, which cover the image.

    Returns:
        None where the image's values are levels, as those of files: nothing is known beyond them.
    """
    if side_information(image) is None:
        return None
    levels = (image.values.clip(-1, 1).astype(np.float64) + 1) * 127.5
    luma = levels @ (np.array(LUMA) / sum(LUMA)) if image.channels == 3 else levels[..., 0]
    beyond = [(0, SIDE * count - length) for count, length in zip(blocks, luma.shape, strict=True)]
    return to_coefficients(np.pad(luma, beyond, mode="edge"), table)


def is_open(change: Integer[np.ndarray, " elements"], carrier: Carrier) -> bool:
    """Tell whether a change goes by one step at most, and by open ways only."""
    if carrier.ways is None:
        return True
    up, down = carrier.ways
    inside = (change >= -1) & (change <= 1) & ((change < 1) | up) & ((change > -1) | down)
    return bool(inside.all())


def finite(costs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put costs on a mean of 1, those of wet elements too, whose ways are closed anyway."""
    dry = np.isfinite(costs)
    mean = np.float32(costs[dry].mean(dtype=np.float64)) if dry.any() else np.float32(1)
    return np.where(dry, costs / mean, np.float32(1))


def _uerd(planes: Planes, table: Table, modes: NDArray[np.integer]) -> NDArray[np.floating]:
    return jpeg_costs.uerd(planes, table, modes)


def _juniward(planes: Planes, table: Table, modes: NDArray[np.integer]) -> NDArray[np.floating]:
    decoded = np.rint(to_pixels(planes, table)).clip(0, 255)
    return jpeg_costs.juniward(decoded, table, modes)


COSTS: dict[str, Cost] = {"uerd": _uerd, "j-uniward": _juniward}
"""Both are infinite, or large, where a picture is plain."""
