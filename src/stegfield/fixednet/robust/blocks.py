"""The block network: a fixed network of sines whose bits survive lossy re-encoding.

    luma ─8x8 blocks─► eight cosines ─keyed mixing─► z + keyed phase ─► sin(pi z / CELL) ─► logit

Each kernel is a keyed sum of eight low-frequency cosines of a block, which JPEG and WebP keep most
precisely; the eight kernels are orthogonal, so that every block carries up to eight bits, each
moved without touching the others. A bit is read by the cell that z falls into. A cell is several
times wider than what re-encoding moves z, and the logit tells how far z is from the cell's edge.

A key has many networks, and each image takes one of them: kernels and phases that two images had in
common would show that both carry something. No image tells which; the receiver tries them all, by
how near to cells' centres the first bits lie. The eight bits of a byte lie in neighbouring blocks,
so that damage in some part of an image costs few bytes.

A reader who has the cover needs no cells: z tells how far a kernel was moved, and its sign is the
bit, however far noise moves it on.

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
"""Rows and columns of the cosines that carry bits; not the mean, which shows most."""
CELL = 18.0
"""Width of a cell, in levels times 8: a change of one coefficient of a block by one."""
KNOWN_CELL = CELL * 2 / math.sqrt(3)
"""The same where readers have the cover: moves of half a cell cost as much as those above do, which
reach up to a whole cell, evenly."""
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
        order: Of the image's blocks (see `block_order`).
        bits: How many are read; a network reads the first bits of a longer one.
        cover: The cosines of the cover, where readers have it: see the module.
    """

    key: Key
    index: int
    order: Int64[np.ndarray, "8 groups 8"] = field(repr=False)
    bits: int
    cover: Float64[np.ndarray, "blocks 8"] | None = field(default=None, repr=False)

    @cached_property
    def _drawn(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """Draw the mixing of the cosines, the place in its order where each kernel begins, phases.

        Phases come last, so that the first bits need no more noise than they use.
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
        """The share of each cosine in each kernel."""
        return self._drawn[0]

    @cached_property
    def places(self) -> tuple[Int64[np.ndarray, " bits"], Int64[np.ndarray, " bits"]]:
        """The block and the kernel of each bit; bits fill one kernel after the other."""
        groups = self.order.shape[1]
        at, within = np.divmod(np.arange(self.bits), GROUP)
        kernel, turn = np.divmod(at, max(1, groups))
        return self.order[kernel, (turn + self._drawn[1][kernel]) % max(1, groups), within], kernel

    def project(self, cosines: Float64[np.ndarray, "blocks 8"]) -> Float64[np.ndarray, " bits"]:
        """Return z for every bit, in cells and with its phase: whole numbers are cells' centres.

        A cover that readers have lies at 1/2, between the two cells that are used then.
        """
        blocks, kernels = self.places
        carrying, phase = cosines, self._drawn[2]
        if self.cover is not None:
            carrying, phase = cosines - self.cover, np.full(self.bits, 1 / 2)
        levels = np.einsum("if,if->i", carrying[blocks], self.mixing[kernels])
        z: NDArray[np.float64] = levels / self.cell + phase
        return z

    def read(self, z: Float64[np.ndarray, " bits"]) -> Float64[np.ndarray, " bits"]:
        """Return one logit per bit: cos(pi z), which is sin(pi (z + 1/2)); below 0 the bit is 1."""
        return np.cos(np.pi * (z if self.cover is None else np.clip(z, 0, 1)))

    def unproject(
        self, moves: Float64[np.ndarray, " bits"], blocks: int
    ) -> Float64[np.ndarray, "blocks 8"]:
        """Return the least change of the cosines that moves every z by so many cells."""
        levels = np.zeros((blocks, KERNELS))
        levels[self.places] = moves * self.cell
        cosines: NDArray[np.float64] = levels @ self.mixing
        return cosines

    def logits(self, cosines: Float64[np.ndarray, "blocks 8"]) -> Float64[np.ndarray, " bits"]:
        """Return what is read from cosines, one logit per bit."""
        return self.read(self.project(cosines))


def block_order(key: Key, rows: int, columns: int) -> Int64[np.ndarray, "8 groups 8"]:
    """Put groups of eight neighbouring blocks into the order that a key decides, for each kernel.

    Neighbours are four columns of two rows of blocks; up to seven blocks are left over.
    """
    down, across = rows // SIDE, columns // SIDE
    row, column = np.divmod(np.arange(down * across), max(1, across))
    near = np.lexsort((row, column, row // 2))  # the last one counts first
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
    """Find the networks of a key that read their first bits most surely, the surest one first.

    Args:
        key: Decides the networks.
        order: Of the image's blocks (see `block_order`).
        cosines: What is read.
        bits: How many are read, copies included.
        copies: How often each bit stands there.
        count: How many networks to give.
        cover: The cosines of the cover, if the reader has it.
    """
    networks = [BlockNetwork(key, index, order, bits, cover) for index in range(INDICES)]
    sure = [np.abs(fold(network.logits(cosines), copies)).mean() for network in networks]
    return [networks[index] for index in np.argsort(sure)[::-1][:count].tolist()]


def fold(logits: Float64[np.ndarray, " bits"], copies: int) -> Float64[np.ndarray, " fewer"]:
    """Add up the logits of each bit's copies, which stand one run of all bits after another.

    The eight bits of a byte are neighbours in the image: the surer they are together, the more
    their copy counts, so that one that was lost does not outvote another.
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
    """Return the carrying cosines as unit vectors, one a row."""
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
