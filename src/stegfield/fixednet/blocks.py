"""The block network: a fixed network of sines whose bits survive lossy re-encoding.

    luma ─8x8 blocks─► keyed integer kernels ─► z + keyed phase ─► sin(pi z / CELL) ─► logit

Each kernel is a keyed sum of eight low-frequency cosines of a block, which JPEG and WebP keep most
precisely; the eight kernels are orthogonal, so that every block carries up to eight bits, each
moved without touching the others. A bit is read by the cell that z falls into. A cell is several
times wider than what re-encoding moves z, and the logit tells how far z is from the cell's edge.

The kernels share one lattice of integers; each z has a phase of its own, drawn from the key, so
that the samples show no lattice to those who lack it.

Sources: Chen and Wornell (2001), quantisation index modulation, for the cells; Ahmed, Natarajan and
Rao (1974) for the cosines; the signs of Hadamard's matrix make the sums orthogonal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64, Shaped, UInt8
from numpy.typing import NDArray

from stegfield.fixednet.sine import SALT
from stegfield.keys import Key

SIDE = 8
KERNELS = 8
FREQUENCIES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2))
"""Rows and columns of the cosines that carry bits; not the mean, which shows most."""
UNIT = 1 << 12  # kernels are integers: this times a unit vector
CELL = 18.0
"""Width of a cell, in levels times 8: a change of one coefficient of a block by one."""
LUMA = (299, 587, 114)  # thousandths, ITU-R BT.601


@dataclass(frozen=True, eq=False)
class BlockNetwork:
    """A fixed network over the whole blocks of an image, in keyed order.

    Args:
        key: Decides kernels, phases and the order of the bits.
        rows, columns: Size of the image.
    """

    key: Key
    rows: int
    columns: int

    @property
    def blocks(self) -> int:
        """How many whole blocks the image has."""
        return (self.rows // SIDE) * (self.columns // SIDE)

    @property
    def bits(self) -> int:
        """How many bits the network reads: eight from each block."""
        return KERNELS * self.blocks

    def kernels(self) -> NDArray[np.int64]:
        """Grow the kernels, of shape (8, 8, 8): which kernel, row, column."""
        noise = self.key.noise("blocks/kernels", salt=SALT)
        signs = np.where(np.frombuffer(noise.bytes(KERNELS), np.uint8) & 1, 1, -1)
        mixed = _hadamard()[noise.choose(KERNELS, KERNELS)] * signs
        return np.rint(np.tensordot(mixed, _cosines(), 1) * UNIT / math.sqrt(KERNELS)).astype(
            np.int64
        )

    def order(self) -> NDArray[np.int64]:
        """Give, for each bit, the index of its z; bits fill one kernel after the other."""
        noise = self.key.noise("blocks/order", salt=SALT)
        within = [noise.choose(self.blocks, self.blocks) for _ in range(KERNELS)]
        return np.concatenate([index * self.blocks + part for index, part in enumerate(within)])

    def project(self, luma: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, " bits"]:
        """Give z for every bit, in cells and with its phase: whole numbers are cells' centres."""
        blocks = _blocks(luma)
        levels = np.tensordot(self.kernels() / UNIT, blocks, ([1, 2], [1, 2])).reshape(-1)
        return (levels / CELL + self._phases())[self.order()]

    def unproject(self, moves: Float64[np.ndarray, " bits"]) -> Float64[np.ndarray, "rows columns"]:
        """Give the least change of the luma that moves every z by so many cells."""
        levels = np.empty(self.bits)
        levels[self.order()] = moves * CELL
        kernels = self.kernels() / UNIT
        changes = np.tensordot(levels.reshape(KERNELS, -1).T, kernels, 1)
        down, across = self.rows // SIDE, self.columns // SIDE
        change = np.zeros((self.rows, self.columns))
        change[: down * SIDE, : across * SIDE] = (
            changes.reshape(down, across, SIDE, SIDE).swapaxes(1, 2).reshape(down * SIDE, -1)
        )
        return change

    def logits(
        self, levels: UInt8[np.ndarray, "rows columns channels"]
    ) -> Float64[np.ndarray, " bits"]:
        """Give one logit per bit: cos(pi z), which is sin(pi (z + 1/2)); below 0 the bit is 1."""
        return np.cos(np.pi * self.project(luma(levels)))

    def _phases(self) -> NDArray[np.float64]:
        return self.key.noise("blocks/phases", salt=SALT).uniform(self.bits)


def luma(
    levels: Shaped[np.ndarray, "rows columns channels"],
) -> Float64[np.ndarray, "rows columns"]:
    """Give the luma of RGB samples, or grey samples as they are."""
    if levels.shape[2] == 1:
        return levels[..., 0].astype(np.float64)
    weights = np.array(LUMA) / sum(LUMA)
    luma: NDArray[np.float64] = levels[..., 0] * weights[0]
    for channel in (1, 2):
        luma += levels[..., channel] * weights[channel]
    return luma


def _blocks(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    down, across = luma.shape[0] // SIDE, luma.shape[1] // SIDE
    whole = luma[: down * SIDE, : across * SIDE]
    return whole.reshape(down, SIDE, across, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)


@cache
def _cosines() -> NDArray[np.float64]:
    """Give the carrying cosines as unit vectors, of shape (8, 8, 8)."""
    at = (2 * np.arange(SIDE) + 1) * np.pi / (2 * SIDE)
    waves = np.stack([np.cos(frequency * at) for frequency in range(SIDE)])
    waves *= np.sqrt(np.where(np.arange(SIDE) == 0, 1, 2) / SIDE)[:, None]
    return np.stack([np.outer(waves[row], waves[column]) for row, column in FREQUENCIES])


@cache
def _hadamard() -> NDArray[np.int64]:
    matrix = np.array([[1]])
    while len(matrix) < KERNELS:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix
