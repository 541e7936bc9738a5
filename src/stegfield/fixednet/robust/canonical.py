"""The canonical grid: the luma of an image as a fixed number of samples along its longer side.

Whatever the size of the image that arrives, one linear map brings its luma to the grid, so that a
resize on the way is undone. The grid is a square as wide as the longer side and centred on the
image; its blocks of 4x4 samples are counted from the square's corner, so a size that was rounded on
the way moves none of them. The map is linear, and `Grid.back` approximates its inverse.

    levels ─luma─► plane, at most 1,024 samples a side ─windowed sinc─► grid ─4x4 cosines─► blocks

Source: Duchon (1979) for the windowed sinc, with three lobes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image

from stegfield.metrics import LUMA

BLOCK = 4
"""Canonical samples of a block's side."""
PLANE = 1024
"""Samples of the longer side to which larger images are reduced first."""
LOBES = 3
SPARE = 0.3
"""Canonical samples by which a block may reach over the border of what arrived."""
SCALE = 8 / BLOCK
"""Cosines are on the scale of 8x8 blocks, as JPEG's quantisation steps are."""

Plane = NDArray[np.float32]
BAND = 512
"""Rows of an image whose luma is made at a time."""
"""Luma, of rows and columns."""


@dataclass(frozen=True)
class Frame:
    """Where a whole image lies in the part of it that arrived.

    Args:
        side: Its longer side, in samples of what arrived.
        row: The row of its centre, counted from the upper edge of what arrived.
        column: The column of its centre, counted from the left edge.
        tall: How much further apart its rows are than its columns, as a factor.
    """

    side: float
    row: float
    column: float
    tall: float = 1.0

    @classmethod
    def whole(cls, rows: int, columns: int, *, lost: float = 0.0) -> Frame:
        """Return the frame of an image of which everything arrived.

        Args:
            rows: Rows of what arrived.
            columns: Columns of what arrived.
            lost: Samples that rounding took from the shorter side, less than 1 either way.
        """
        if rows > columns:
            return cls(float(rows), rows / 2, columns / 2, (columns + lost) / columns)
        return cls(float(columns), rows / 2, columns / 2, rows / (rows + lost))


@dataclass(frozen=True, eq=False)
class Grid:
    """The blocks of a grid that lie in a plane.

    Args:
        rows: Rows of the plane.
        columns: Columns of the plane.
        blocks: Blocks along the longer side of the whole image.
        frame: Where the whole image lies in the plane.
    """

    rows: int
    columns: int
    blocks: int
    frame: Frame = field(repr=False)

    @classmethod
    def of(cls, plane: NDArray[np.float32], blocks: int, frame: Frame | None = None) -> Grid:
        """Return the grid of a plane [default: of a whole image]."""
        rows, columns = plane.shape
        return cls(rows, columns, blocks, frame or Frame.whole(rows, columns))

    @property
    def steps(self) -> tuple[float, float]:
        """Rows and columns of the plane for each canonical sample."""
        step, tall = self.frame.side / (BLOCK * self.blocks), self.frame.tall
        return (step, step / tall) if self.rows > self.columns else (step * tall, step)

    @cached_property
    def down(self) -> slice:
        """Return the rows of blocks, of the square's, that lie in the plane."""
        return self._inside(self.rows, self.frame.row, self.steps[0])

    @cached_property
    def across(self) -> slice:
        """Return the columns of blocks that lie in the plane."""
        return self._inside(self.columns, self.frame.column, self.steps[1])

    def _inside(self, samples: int, centre: float, step: float) -> slice:
        wide, spare = BLOCK * step, SPARE * step
        corner = centre - self.blocks * wide / 2
        first = max(0, math.ceil((-spare - corner) / wide))
        end = min(self.blocks, math.floor((samples + spare - corner) / wide))
        return slice(first, max(first, end))

    @property
    def count(self) -> int:
        """Number of blocks in the plane."""
        count: int = (self.down.stop - self.down.start) * (self.across.stop - self.across.start)
        return count

    @cached_property
    def _maps(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the maps of columns and of rows."""
        sides = (
            (self.rows, self.frame.row, self.down, self.steps[0]),
            (self.columns, self.frame.column, self.across, self.steps[1]),
        )
        found = []
        for samples, centre, inside, step in sides:
            start = centre + BLOCK * step * (inside.start - self.blocks / 2)
            count = BLOCK * (inside.stop - inside.start)
            found.append(resampler(samples, count, step, start))
        return found[0], found[1]

    def samples(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the canonical samples of all blocks in the plane."""
        rows, columns = self._maps
        found: NDArray[np.float32] = np.matmul(np.matmul(rows, plane), columns.T)
        return found

    def cosines(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the 4x4 cosines of each block, on the scale of 8x8 blocks."""
        return block_cosines(self.samples(plane))

    def back(self, change: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a change of the plane that changes the cosines so, or nearly so.

        It is the transposed map, divided by its mean gain: exact where the step is whole.
        """
        waves = _waves()
        down, across = change.shape[:2]
        samples = np.einsum("ux,rcuv,vy->rxcy", waves, change, waves, optimize=True) / SCALE
        rows, columns = self._maps
        gain = float(np.square(rows).sum(1).mean() * np.square(columns).sum(1).mean())
        samples = samples.reshape(BLOCK * down, BLOCK * across) / gain
        found: NDArray[np.float32] = np.matmul(
            np.matmul(rows.T, samples.astype(np.float32)), columns
        )
        return found


def block_cosines(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosines of each 4x4 block of canonical samples, on the scale of 8x8 blocks."""
    waves = _waves()
    rows, columns = samples.shape
    blocks = samples.reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK)
    found: NDArray[np.float32] = np.einsum("ux,rxcy,vy->rcuv", waves, blocks, waves, optimize=True)
    return found * np.float32(SCALE)


@lru_cache(32)
def resampler(samples: int, count: int, step: float, start: float) -> NDArray[np.float32]:
    """Return the matrix that samples a row at ``start + (i + 1/2) step`` for each i < count.

    Args:
        samples: Samples of the row, at 1/2, 3/2, ...
        count: Canonical samples.
        step: Samples of the row for each canonical one; above 1, high frequencies are removed.
        start: Where the first canonical sample begins.
    """
    at = start + (np.arange(count) + 0.5) * step - 0.5
    distance = (np.arange(samples)[None] - at[:, None]) / max(step, 1.0)
    weights = np.where(np.abs(distance) < LOBES, np.sinc(distance) * np.sinc(distance / LOBES), 0.0)
    total = weights.sum(1, keepdims=True)
    found: NDArray[np.float32] = (weights / np.maximum(total, 1e-9)).astype(np.float32)
    return found


def plane_of(levels: UInt8[np.ndarray, "rows columns channels"]) -> NDArray[np.float32]:
    """Return the luma of an image, reduced to 1,024 samples along the longer side if larger.

    Rows are reduced a band at a time, since an image of 80 megapixels would take a gigabyte.
    """
    rows, columns = plane_size(*levels.shape[:2])
    bands = (levels[start : start + BAND] for start in range(0, len(levels), BAND))
    narrow = np.concatenate([resized(_luma(band), (len(band), columns)) for band in bands])
    return resized(narrow, (rows, columns))


def _luma(levels: UInt8[np.ndarray, "rows columns channels"]) -> NDArray[np.float32]:
    if levels.shape[2] == 1:
        return levels[..., 0].astype(np.float32)
    parts = [np.float32(each / sum(LUMA)) for each in LUMA]
    luma: NDArray[np.float32] = levels[..., 0] * parts[0]
    for channel in (1, 2):
        luma += levels[..., channel] * parts[channel]
    return luma


def plane_size(rows: int, columns: int) -> tuple[int, int]:
    """Return rows and columns of the plane of an image."""
    side = max(rows, columns)
    if side <= PLANE:
        return rows, columns
    return max(1, round(rows * PLANE / side)), max(1, round(columns * PLANE / side))


def resized(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Resize a plane with a Lanczos filter."""
    if size == plane.shape:
        return plane
    image = Image.fromarray(plane).resize(size[::-1], Image.Resampling.LANCZOS)
    return np.asarray(image)


@lru_cache(1)
def _waves() -> NDArray[np.float32]:
    """Return the four cosines of four samples as unit vectors, one per row."""
    at = (2 * np.arange(BLOCK) + 1) * np.pi / (2 * BLOCK)
    waves = np.stack([np.cos(frequency * at) for frequency in range(BLOCK)])
    waves *= np.sqrt(np.where(np.arange(BLOCK) == 0, 1, 2) / BLOCK)[:, None]
    return waves.astype(np.float32)
