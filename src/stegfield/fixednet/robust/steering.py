"""The sender's loop: phases are moved until a receiver reads them after what happens on the way.

Each phase is first moved most of the way to the nearest value for its bit. Then the image goes
through each channel after which no receiver has read the message yet; the phases that it moved away
are moved the other way, as far as a bound that grows from round to round. So plain places, where
encoders drop small changes, get larger ones, and no more than are needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray

from stegfield.channel import Channel
from stegfield.fixednet.robust import soft_code
from stegfield.fixednet.robust.canonical import Frame, Grid, Plane, plane_of, resized
from stegfield.fixednet.robust.lattice import Lattice
from stegfield.metrics import PEAK, psnr_db

BLEND = 0.5
"""How far a phase is moved towards its bit's; the rest stays, as noise that the code absorbs."""
PROJECTIONS = 2
"""Times that a change is made again, since grids and rounding keep a part of it."""
BOUNDS = (0.06, 0.12, 0.18, 0.24, 0.3, 0.36, 0.42, 0.48)
"""How far a phase may be moved against a channel, in periods, in each round."""
SHARE = 0.3
"""Share of a channel's error that a round corrects."""
SAFE = 0.12
"""Errors of phases that need no correction, in periods."""
FARTHEST = 0.5
"""Error of a phase beyond which it says its bit again."""
SPARE = 10
"""One block of so many must be spare: a message has to be read without them."""

Levels = UInt8[np.ndarray, "rows columns channels"]


def steered(
    levels: UInt8[np.ndarray, "rows columns channels"],
    lattice: Lattice,
    bits: Bool[np.ndarray, " bits"],
    *,
    step: float,
    change: Plane,
    channels: Sequence[Channel] = (),
    least_db: float = 0.0,
) -> NDArray[np.uint8]:
    """Change an image so that a lattice reads bits, after every channel if that can be reached.

    Args:
        levels: The cover.
        lattice: The network, over the grid of the cover's plane.
        bits: The bits before the code.
        step: Period of the phases.
        change: What is added to the plane in any case.
        channels: What may happen to the image.
        least_db: PSNR at which to stop, though a message would not survive all channels.
    """
    cover = plane_of(levels)
    start = lattice.phases(lattice.sums(lattice.grid.cosines(cover + change)), step)
    half = lattice.laid(soft_code.encode(bits)).astype(np.float32) / 2
    centre = (np.rint(start - half) + half).astype(np.float32)
    goal = (start + BLEND * (centre - start)).astype(np.float32)
    push = np.zeros_like(goal)
    change, stego = _moved(levels, lattice, goal, step=step, change=change)
    waiting = list(channels)
    for bound in BOUNDS:
        tried = ((each, _errors(each(stego), lattice, centre, step)) for each in waiting)
        left = [(each, far) for each, far in tried if not _readable(lattice, centre + far, bits)]
        if not left:
            break
        waiting, errors = [each for each, _ in left], [far for _, far in left]
        moved = np.clip(errors, -FARTHEST, FARTHEST)
        wrong = np.where(np.abs(moved).max(axis=0) > SAFE, moved.mean(axis=0), 0)
        push = np.clip(push - SHARE * wrong, -bound, bound).astype(np.float32)
        change, moved_on = _moved(levels, lattice, goal + push, step=step, change=change)
        if psnr_db(levels, moved_on) < least_db:
            break
        stego = moved_on
    return stego


def _errors(seen: Levels, lattice: Lattice, centre: NDArray[np.float32], step: float) -> Plane:
    """Return how far phases are from their bits' in what arrived.

    A block that a size lost in rounding has the worst error.
    """
    plane, own = plane_of(seen), lattice.grid
    lost = min(own.rows, own.columns) * max(plane.shape) / max(own.rows, own.columns)
    frame = Frame.whole(plane.shape[0], plane.shape[1], lost=lost - min(plane.shape))
    there = Lattice(lattice.key, lattice.index, Grid.of(plane, own.blocks, frame))
    square = np.full((own.blocks, own.blocks), np.nan, np.float32)
    found = there.phases(there.sums(there.grid.cosines(plane)), step)
    square[there.grid.down, there.grid.across] = found
    errors: Plane = np.nan_to_num(square[own.down, own.across] - centre, nan=FARTHEST)
    return errors


def _readable(lattice: Lattice, phases: NDArray[np.float32], bits: NDArray[np.bool_]) -> bool:
    """Return whether bits are read from phases, without some of the blocks."""
    said = lattice.soft(phases)
    said.ravel()[::SPARE] = 0
    return np.array_equal(soft_code.decode(lattice.folded(said, len(bits))), bits)


def _moved(
    levels: Levels, lattice: Lattice, goal: NDArray[np.float32], *, step: float, change: Plane
) -> tuple[Plane, NDArray[np.uint8]]:
    """Bring the phases to a goal, or nearly so.

    Returns:
        The change of the plane, and the image.
    """
    stego = _changed(levels, change)
    for _ in range(PROJECTIONS):
        sums = lattice.sums(lattice.grid.cosines(plane_of(stego)))
        missing = (goal - lattice.phases(sums, step)) * np.float32(step)
        change = change + lattice.grid.back(lattice.change(missing))
        stego = _changed(levels, change)
    return change, stego


def _changed(levels: Levels, change: Plane) -> NDArray[np.uint8]:
    """Add a change of luma to every channel."""
    size = levels.shape[:2]
    full = change if change.shape == size else resized(change, size)
    stego: NDArray[np.uint8] = np.clip(np.rint(levels + full[..., None]), 0, PEAK).astype(np.uint8)
    return stego
