"""Short messages: bits on a canonical grid, for images that are resized and re-encoded.

See `sealing` for the bits of a message, `soft_code` for their code, `lattice` for the network that
reads them, `canonical` for the grid, and `pilot` for the pattern that tells the network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from stegfield.channel import Channel
from stegfield.errors import UnreadableError
from stegfield.fixednet.robust import pilot, sealing, soft_code
from stegfield.fixednet.robust.canonical import (
    Frame,
    Grid,
    Plane,
    block_cosines,
    plane_of,
    plane_size,
)
from stegfield.fixednet.robust.lattice import STEPS, Lattice, clearness
from stegfield.fixednet.robust.steering import steered
from stegfield.keys import Key, system_stream
from stegfield.metrics import PEAK
from stegfield.payload import Content, bits_of, bytes_of

GRIDS = {
    16: (32, 48),
    24: (32, 48),
    32: (48, 64),
    48: (48, 64),
    64: (48, 64, 96),
    96: (64, 96),
    128: (64, 96),
    192: (96, 128),
    256: (96, 128),
    384: (128,),
    512: (128,),
}
"""Blocks along the longer side, by the length of the sealed message; the sender takes the first
with room."""
FEWEST = 2.5
"""Blocks for each bit before the code, at least."""
NARROWEST = 3
"""Samples of the image for each block, at least, along the longer side."""
LEAST = 2.6
"""Score, in standard deviations of innocent images, from which a receiver decodes."""
TRIES = 3
"""Formats that a receiver decodes at each stage of its search, at most."""
SMALL, SMALL_TRIES = 400, 6
"""Samples of a small image, and the same for these, whose messages are decoded sooner."""
LOST = (-0.75, -0.5, -0.25, 0.25, 0.5, 0.75)
"""Samples that the shorter side may have lost when a size was rounded."""
FINE = 1000
"""Samples of the longer side from which that does not matter."""
GAINS = tuple(1 + 0.01 * percent for percent in range(-8, 9))
GAMMAS = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
"""Contrasts and tone curves that a receiver tries to undo."""
CERTAIN = 4.5
"""Score of a pilot from which contrasts are tried."""


class Format(NamedTuple):
    """How a message lies in an image; nothing tells the receiver but the image."""

    length: int
    """Bytes that the message is filled to."""
    blocks: int
    """Blocks of the grid along the longer side."""
    step: float
    """Period of the phases."""


def format_for(rows: int, columns: int, length: int, step: float = STEPS[0]) -> Format | None:
    """Return the format of a message of so many bytes, deflated; None where there is no room."""
    for filled, grids in GRIDS.items():
        for blocks in grids if filled >= length else ():
            if _fits(rows, columns, blocks, filled):
                return Format(filled, blocks, step)
    return None


def longest(rows: int, columns: int) -> int:
    """Return the bytes of the longest message, deflated, that an image has room for; 0 for none."""
    lengths = sealing.LENGTHS
    fitting = (each for each in lengths if format_for(rows, columns, each) is not None)
    return max(fitting, default=0)


def _fits(rows: int, columns: int, blocks: int, length: int) -> bool:
    bits = 8 * (length + sealing.TAG)
    if max(rows, columns) < NARROWEST * blocks:
        return False
    size = plane_size(rows, columns)
    return Grid(*size, blocks, Frame.whole(*size)).count >= FEWEST * bits


def embed(
    levels: UInt8[np.ndarray, "rows columns channels"],
    content: Content,
    key: Key,
    form: Format,
    *,
    channels: Sequence[Channel] = (),
    least_db: float = 0.0,
    index: int | None = None,
) -> tuple[UInt8[np.ndarray, "rows columns channels"], int]:
    """Change an image so that it carries a message through resizing and lossy encoders.

    Args:
        levels: The cover.
        content: The message, of at most 512 bytes.
        key: Decides the networks.
        form: How the message lies in the image (see `format_for`).
        channels: What the message should survive; places are changed more where it would not.
        least_db: PSNR below which they are not.
        index: The network [default: one that the system's randomness chooses].

    Returns:
        The stego image, and the number of bits before the code.
    """
    plane = plane_of(levels)
    index = pilot.choose(key, plane, system_stream()) if index is None else index
    bits = bits_of(sealing.seal(content, key, _context(form.blocks, index), form.length))
    lattice = Lattice(key, index, Grid.of(plane, form.blocks))
    change = pilot.added(key, index, plane)
    stego = steered(
        levels,
        lattice,
        bits,
        step=form.step,
        change=change,
        channels=channels,
        least_db=least_db,
    )
    return stego, len(bits)


def extract(levels: UInt8[np.ndarray, "rows columns channels"], key: Key) -> bytes:
    """Read a message, whatever its length, its format and the size of the image.

    Raises:
        UnreadableError: There is no message for this key, or too much of it was lost.
    """
    plane = plane_of(levels)
    for stage in (_whole, _rounded, _toned):
        for _, lattice, phases in stage(plane, key):
            try:
                return _decoded(lattice, phases)
            except UnreadableError:
                continue
    raise UnreadableError


class Found(NamedTuple):
    """A network that may be an image's, and how clearly it is seen."""

    score: float
    lattice: Lattice
    phases: NDArray[np.float32]


def _whole(plane: Plane, key: Key, *, lost: Sequence[float] = (0.0,)) -> list[Found]:
    """Find the networks that an image has if all of it arrived, the likeliest first."""
    seen, (rows, columns) = pilot.seen_in(key, plane), plane.shape
    rank = []
    for blocks, rounded in product(_grids(plane), lost):
        grid = Grid.of(plane, blocks, Frame.whole(rows, columns, lost=rounded))
        clear = clearness(key, grid, grid.cosines(plane))
        score = np.maximum(clear, (clear + seen[:, None]) * np.float32(math.sqrt(0.5)))
        for index, at in np.argwhere(score >= LEAST).tolist():
            rank.append((float(score[index, at]), blocks, rounded, index, STEPS[at]))
    rank.sort(reverse=True)
    found = []
    tries = TRIES if max(plane.shape) > SMALL else SMALL_TRIES
    for best, blocks, rounded, index, step in rank[:tries]:
        grid = Grid.of(plane, blocks, Frame.whole(rows, columns, lost=rounded))
        lattice = Lattice(key, index, grid)
        found.append(Found(best, lattice, lattice.phases(lattice.sums(grid.cosines(plane)), step)))
    return found


def _rounded(plane: Plane, key: Key) -> list[Found]:
    """Find the networks of an image whose shorter side was rounded on the way."""
    return _whole(plane, key, lost=LOST) if max(plane.shape) < FINE else []


def _toned(plane: Plane, key: Key) -> list[Found]:
    """Find the networks of an image whose contrast or tone curve was changed."""
    seen = pilot.seen_in(key, plane)
    if seen.max() < CERTAIN:
        return []
    index, found = int(seen.argmax()), []
    for blocks, gamma in product(_grids(plane), GAMMAS):
        lattice = Lattice(key, index, Grid.of(plane, blocks))
        samples = lattice.grid.samples(plane)
        sums = lattice.sums(block_cosines(_curved(samples, gamma)))
        for gain, step in product(GAINS, STEPS):
            phases = lattice.phases(sums * np.float32(gain), step)
            found.append(Found(lattice.clearness(phases), lattice, phases))
    return sorted(found, key=lambda each: -each.score)[:TRIES]


def _curved(samples: NDArray[np.float32], gamma: float) -> NDArray[np.float32]:
    if gamma == 1:
        return samples
    return (PEAK * (np.clip(samples, 0, PEAK) / PEAK) ** gamma).astype(np.float32)


def _grids(plane: Plane) -> list[int]:
    """Return the grids that a plane is fine enough for."""
    known = sorted({each for grids in GRIDS.values() for each in grids})
    return [each for each in known if max(plane.shape) >= NARROWEST * each]


def _decoded(lattice: Lattice, phases: NDArray[np.float32]) -> bytes:
    """Try every length that the grid carries.

    Raises:
        UnreadableError: None of them opens.
    """
    blocks = lattice.grid.blocks
    for length, grids in GRIDS.items():
        if blocks in grids:
            count = 8 * (length + sealing.TAG)
            said = bytes_of(soft_code.decode(lattice.folded(lattice.soft(phases), count)))
            try:
                return sealing.unseal(said, lattice.key, _context(blocks, lattice.index))
            except UnreadableError:
                continue
    raise UnreadableError


def _context(blocks: int, index: int) -> str:
    return f"{blocks}/{index}"
