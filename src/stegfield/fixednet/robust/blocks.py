"""The block network: a fixed network of sines whose bits survive lossy re-encoding.

    luma ─8x8 blocks─► eight cosines ─keyed mixing─► z + keyed phase ─► sin(pi z / CELL) ─► logit

Each kernel is a keyed sum of eight low-frequency cosines of a block, which JPEG and WebP keep most
precisely. The eight kernels are orthogonal, so every block carries up to eight bits, and each can
be changed without the others. The cell that z falls into decides the bit. A cell is several times
wider than the change of z by re-encoding, and the logit is the distance of z from the cell's edge.

A key has many networks, and each image uses one of them: two images with the same kernels and
phases would reveal that both carry messages. The image does not say which one; the receiver finds
it by how close the first bits are to the centres of cells. The eight bits of a byte are in
neighbouring blocks, so that damage in one part of an image costs few bytes.

A receiver with the cover needs no cells: z is how far a kernel was moved, and its sign, times that
of the bit's phase, is the bit, at any strength of noise.

Sources: Chen and Wornell (2001), quantisation index modulation, for the cells; Ahmed, Natarajan and
Rao (1974) for the cosines; the signs of Hadamard's matrix make the sums orthogonal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from stegfield.keys import IMAGE_SALT, Key

SIDE = 8
KERNELS = 8
FREQUENCIES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2))
"""Rows and columns of the cosines that carry bits; not the mean, whose change is most visible."""
CELL = 18.0
"""Width of a cell, in levels times 8: a change of one coefficient of a block by one."""
KNOWN_CELL = CELL * 2 / math.sqrt(3)
"""The same if receivers have the cover: moves of half a cell cost as much as those above, which
are uniform up to a whole cell."""
GROUP = 8  # neighbouring blocks: those of a byte
DOUBT = 0.3  # a mean of logits that counts for nothing; noise has 2 / pi
INDICES = 1024
"""Networks of a key."""


@dataclass(frozen=True, eq=False)
class BlockNetwork:
    """A fixed network over the whole blocks of an image, in keyed order.

    Args:
        key: Decides kernels, phases and the order of the bits.
        index: Which of the key's networks, below 1,024.
        order: Order of the image's blocks (see `block_order`).
        bits: Number of bits; a network reads the first bits of a longer one.
        cover: The cosines of the cover, if receivers have it: see the module.
    """

    key: Key
    index: int
    order: Int64[np.ndarray, "8 groups 8"] = field(repr=False)
    bits: int
    cover: Float64[np.ndarray, "blocks 8"] | None = field(default=None, repr=False)

    @cached_property
    def _drawn(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """Draw the mixing of the cosines, where each kernel begins in its order, and the phases.

        Phases come last, so that the first bits need no more of the key stream than they use.
        """
        noise = self.key.stream(f"blocks/{self.index}", salt=IMAGE_SALT)
        signs = np.where(np.frombuffer(noise.bytes(KERNELS), np.uint8) & 1, 1, -1)
        mixing = _hadamard()[noise.choose(KERNELS, KERNELS)] * signs / math.sqrt(KERNELS)
        starts = noise.integers(KERNELS) % np.uint64(max(1, self.order.shape[1]))
        return mixing, starts.astype(np.int64), noise.uniform(self.bits)

    @property
    def cell(self) -> float:
        """Width of a cell."""
        return CELL if self.cover is None else KNOWN_CELL

    @cached_property
    def mixing(self) -> Float64[np.ndarray, "8 8"]:
        """Return the share of each cosine in each kernel."""
        return self._drawn[0]

    @property
    def _signs(self) -> NDArray[np.float64] | float:
        """Return which way each bit moves: either of two, drawn for the index, with a known cover.

        Without one, phases over a whole period do the same: the bits of a linear code have no law
        without the key.
        """
        return 1.0 if self.cover is None else np.where(self._drawn[2] < 0, -1.0, 1.0)

    @cached_property
    def places(self) -> tuple[Int64[np.ndarray, " bits"], Int64[np.ndarray, " bits"]]:
        """Return the block and the kernel of each bit; bits fill one kernel after the other."""
        groups = self.order.shape[1]
        at, within = np.divmod(np.arange(self.bits), GROUP)
        kernel, turn = np.divmod(at, max(1, groups))
        return self.order[kernel, (turn + self._drawn[1][kernel]) % max(1, groups), within], kernel

    def project(self, cosines: Float64[np.ndarray, "blocks 8"]) -> Float64[np.ndarray, " bits"]:
        """Return z for every bit, in cells and with its phase: whole numbers are cells' centres.

        A cover that receivers have is at 1/2, between the two cells that are used then.
        """
        blocks, kernels = self.places
        carrying, phase = cosines, self._drawn[2]
        if self.cover is not None:
            carrying, phase = cosines - self.cover, np.full(self.bits, 1 / 2)
        levels = np.einsum("if,if->i", carrying[blocks], self.mixing[kernels]) * self._signs
        z: NDArray[np.float64] = levels / self.cell + phase
        return z

    def read(self, z: Float64[np.ndarray, " bits"]) -> Float64[np.ndarray, " bits"]:
        """Return one logit per bit: cos(pi z), which is sin(pi (z + 1/2)); below 0 the bit is 1."""
        return np.cos(np.pi * (z if self.cover is None else np.clip(z, 0, 1)))

    def unproject(
        self, moves: Float64[np.ndarray, " bits"], blocks: int
    ) -> Float64[np.ndarray, "blocks 8"]:
        """Return the least change of the cosines that moves every z by a number of cells."""
        levels = np.zeros((blocks, KERNELS))
        levels[self.places] = moves * self.cell * self._signs
        cosines: NDArray[np.float64] = levels @ self.mixing
        return cosines

    def logits(self, cosines: Float64[np.ndarray, "blocks 8"]) -> Float64[np.ndarray, " bits"]:
        """Return one logit per bit, read from cosines."""
        return self.read(self.project(cosines))


def block_order(key: Key, rows: int, columns: int) -> Int64[np.ndarray, "8 groups 8"]:
    """Put groups of eight neighbouring blocks into the order that a key decides, for each kernel.

    Neighbours are four columns of two rows of blocks; up to seven blocks are left over.
    """
    down, across = rows // SIDE, columns // SIDE
    row, column = np.divmod(np.arange(down * across), max(1, across))
    near = np.lexsort((row, column, row // 2))  # the last key sorts first
    groups = len(near) // GROUP
    grouped = near[: groups * GROUP].reshape(groups, GROUP)
    noise = key.stream("blocks/order", salt=IMAGE_SALT)
    return np.stack([grouped[noise.choose(groups, groups)] for _ in range(KERNELS)])


def find_networks(
    key: Key,
    order: Int64[np.ndarray, "8 groups 8"],
    cosines: Float64[np.ndarray, "blocks 8"],
    *,
    bits: int,
    copies: int,
    count: int,
    cover: Float64[np.ndarray, "blocks 8"] | None = None,
) -> list[BlockNetwork]:
    """Find the networks of a key that read their first bits most reliably, the best one first.

    Args:
        key: Decides the networks.
        order: Order of the image's blocks (see `block_order`).
        cosines: The cosines of the image.
        bits: How many bits are read, copies included.
        copies: Number of copies of each bit.
        count: How many networks to return.
        cover: The cosines of the cover, if the receiver has it.
    """
    networks = [BlockNetwork(key, index, order, bits, cover) for index in range(INDICES)]
    sure = [np.abs(fold(network.logits(cosines), copies)).mean() for network in networks]
    return [networks[index] for index in np.argsort(sure)[::-1][:count].tolist()]


def fold(logits: Float64[np.ndarray, " bits"], copies: int) -> Float64[np.ndarray, " fewer"]:
    """Add up the logits of each bit's copies; each copy is a run of all bits.

    The eight bits of a byte are neighbours in the image. The more reliable they are together, the
    more their copy counts, so that a lost copy does not outvote another.
    """
    grouped = logits.reshape(copies, -1, GROUP)
    sure = np.abs(grouped).mean(axis=2, keepdims=True)
    folded: NDArray[np.float64] = (grouped * np.maximum(sure - DOUBT, 0)).sum(axis=0).reshape(-1)
    return folded


def block_cosines(luma: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "blocks 8"]:
    """Return the carrying cosines of all whole blocks, row by row."""
    down, across = luma.shape[0] // SIDE, luma.shape[1] // SIDE
    whole = luma[: down * SIDE, : across * SIDE]
    blocks = whole.reshape(down, SIDE, across, SIDE).swapaxes(1, 2).reshape(-1, SIDE * SIDE)
    return blocks @ _waves().T


def block_levels(
    cosines: Float64[np.ndarray, "blocks 8"], rows: int, columns: int
) -> Float64[np.ndarray, "rows columns"]:
    """Return the luma that has these cosines and no others."""
    down, across = rows // SIDE, columns // SIDE
    levels = np.zeros((rows, columns))
    levels[: down * SIDE, : across * SIDE] = (
        (cosines @ _waves())
        .reshape(down, across, SIDE, SIDE)
        .swapaxes(1, 2)
        .reshape(down * SIDE, across * SIDE)
    )
    return levels


@cache
def _waves() -> NDArray[np.float64]:
    """Return the carrying cosines as unit vectors, one per row."""
    at = (2 * np.arange(SIDE) + 1) * np.pi / (2 * SIDE)
    waves = np.stack([np.cos(frequency * at) for frequency in range(SIDE)])
    waves *= np.sqrt(np.where(np.arange(SIDE) == 0, 1, 2) / SIDE)[:, None]
    return np.stack([np.outer(waves[row], waves[column]).ravel() for row, column in FREQUENCIES])


@cache
def _hadamard() -> NDArray[np.int64]:
    matrix = np.array([[1]])
    while len(matrix) < KERNELS:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix
