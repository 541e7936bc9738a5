"""The lattice network: a bit in each block of a canonical grid, read as the phase of a keyed sum.

    block ─three cosines, keyed signs─► sum ─/ step, keyed dither─► phase ─cos(2 pi phase)─► soft

A whole phase says 0, a half more says 1, and the cosine tells how sure that is. One block of eight
always says 0: the receiver finds the network by these. The dither is
uniform over a period, so it also hides the bits: those of a linear code have no law without the
key. Signs, dither and the place of each bit are drawn for every index and grid of a key, and each
image takes one index of 64: images that share one look as alike as any two.

Source: Chen and Wornell (2001), dithered quantisation with distortion compensation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from stegfield.fixednet.robust.canonical import BLOCK, Grid
from stegfield.fixednet.robust.soft_code import RATE
from stegfield.keys import IMAGE_SALT, Key, KeyStream

COSINES = ((0, 1), (1, 0), (1, 1))
"""Rows and columns of the cosines that carry a bit."""
STEPS = (28.0, 40.0, 48.0, 56.0)
"""Periods of the phase, in levels times 8."""
KNOWN = 8
"""One block of so many says 0, which tells the receiver the network, and its bits nothing."""
INDICES = 64
"""Networks of a key."""

Field = Float32[np.ndarray, "down across"]


@dataclass(frozen=True, eq=False)
class Lattice:
    """A key's network of one index over the blocks of a grid.

    Args:
        key: Decides signs, dither and places.
        index: Which of the key's networks, below 64.
        grid: The blocks.
    """

    key: Key
    index: int
    grid: Grid = field(repr=False)

    @cached_property
    def _signs(self) -> NDArray[np.float32]:
        signs: NDArray[np.float32] = drawn_for(self.key, self.grid)[0][self.index]
        return signs

    def sums(self, cosines: Float32[np.ndarray, "down across 4 4"]) -> NDArray[np.float32]:
        """Return the keyed sum of each block's cosines."""
        found: NDArray[np.float32] = np.einsum("rcf,rcf->rc", carrying(cosines), self._signs)
        return found

    def phases(self, sums: NDArray[np.float32], step: float) -> NDArray[np.float32]:
        """Return the phase of each block's sum."""
        dither: NDArray[np.float32] = drawn_for(self.key, self.grid)[1][self.index]
        return sums / np.float32(step) + dither

    def change(self, moves: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the least change of the cosines that moves the sums so."""
        found = np.zeros((*moves.shape, BLOCK, BLOCK), np.float32)
        for at, (row, column) in enumerate(COSINES):
            found[:, :, row, column] = moves * self._signs[:, :, at]
        return found

    def clearness(self, phases: NDArray[np.float32]) -> float:
        """Return how clearly it is seen, as `clearness` does."""
        said = np.cos(2 * np.pi * phases[known_blocks(self.grid)])
        return float(said.sum()) * math.sqrt(2 / max(1, said.size))

    def places(self, coded: int) -> NDArray[np.int64]:
        """Return which of the coded bits each block carries, unless its bit is known."""
        order = _order(self.key, self.index, self.grid.blocks)
        return order[self.grid.down, self.grid.across] % coded

    def laid(self, coded: Bool[np.ndarray, " coded"]) -> NDArray[np.bool_]:
        """Return the bit of each block."""
        return coded[self.places(len(coded))] & ~known_blocks(self.grid)

    def soft(self, phases: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what each block says of its bit: positive for 0, negative for 1."""
        said: NDArray[np.float32] = np.cos(np.float32(2 * np.pi) * phases)
        return np.where(known_blocks(self.grid), np.float32(0), said)

    def folded(self, soft: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
        """Add up what all blocks say of each coded bit, for so many bits before the code."""
        coded = RATE * bits
        total = np.bincount(self.places(coded).ravel(), weights=soft.ravel(), minlength=coded)
        return total.astype(np.float32)


def carrying(cosines: Float32[np.ndarray, "down across 4 4"]) -> NDArray[np.float32]:
    """Return the cosines that carry a bit, the last axis."""
    return np.stack([cosines[:, :, row, column] for row, column in COSINES], axis=2)


def known_blocks(grid: Grid) -> NDArray[np.bool_]:
    """Return which blocks say 0, for every key: an eighth, spread evenly.

    The dither hides them: without the key, their phases are as uniform as all others.
    """
    rows = np.arange(grid.blocks)[grid.down, None]
    columns = np.arange(grid.blocks)[None, grid.across]
    found: NDArray[np.bool_] = (3 * rows + columns) % KNOWN == 0
    return found


def clearness(
    key: Key, grid: Grid, cosines: Float32[np.ndarray, "down across 4 4"]
) -> Float32[np.ndarray, "indices steps"]:
    """Return how clearly each network is seen, in standard deviations of innocent images.

    It is the mean of what the known blocks say, for each of a key's indices and each step.
    """
    known = known_blocks(grid)
    signs, dither = (each[:, known] for each in drawn_for(key, grid))
    sums = np.einsum("bf,nbf->nb", carrying(cosines)[known], signs, optimize=True)
    found = [
        np.cos(np.float32(2 * np.pi) * (sums / np.float32(step) + dither)).sum(1) for step in STEPS
    ]
    return np.stack(found, axis=1) * np.float32(math.sqrt(2 / max(1, int(known.sum()))))


def drawn_for(key: Key, grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the signs of the cosines, each block's together of norm 1, and the dither.

    Both are of all indices, the first axis, for the blocks of the grid.
    """
    signs, dither = _drawn(key, grid.blocks)
    return signs[:, grid.down, grid.across], dither[:, grid.down, grid.across]


@lru_cache(8)
def _drawn(key: Key, blocks: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    square = (blocks, blocks)
    signs = np.empty((INDICES, *square, len(COSINES)), np.float32)
    dither = np.empty((INDICES, *square), np.float32)
    for index in range(INDICES):
        noise = _noise(key, "lattice", index, blocks)
        signs[index] = 1 - 2.0 * noise.bits(signs[index].size).reshape(signs[index].shape)
        dither[index] = noise.uniform(blocks**2).reshape(square)
    return signs / np.float32(math.sqrt(len(COSINES))), dither


@lru_cache(16)
def _order(key: Key, index: int, blocks: int) -> NDArray[np.int64]:
    """Return a permutation of the square's blocks."""
    noise = _noise(key, "lattice/order", index, blocks)
    return noise.choose(blocks**2, blocks**2).reshape(blocks, blocks)


def _noise(key: Key, what: str, index: int, blocks: int) -> KeyStream:
    return key.stream(f"{what}/{blocks}/{index}", salt=IMAGE_SALT)
