"""The pilot: a faint keyed pattern that tells which network an image has, and where its grid lies.

Each index of a key has a pattern of its own: a sign for each of twelve cosines of each block on a
grid of 64 blocks, whatever grid the bits have. As it is linear, it is seen after a change of
contrast that moves the phases of the bits. The receiver brings every cosine to the scale of its
surroundings, so that strong edges count no more than plain places.

Source: Cox et al. (1997), spread-spectrum watermarks.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from stegfield.fixednet.robust.canonical import BLOCK, Grid, Plane
from stegfield.fixednet.robust.lattice import INDICES
from stegfield.keys import IMAGE_SALT, Key, KeyStream

PILOT_BLOCKS = 64
"""Blocks of the pattern's grid, along the longer side."""
COSINES = (
    (0, 2), (2, 0), (1, 2), (2, 1), (2, 2), (0, 3), (3, 0), (1, 3), (3, 1), (2, 3), (3, 2), (3, 3),
)  # fmt: skip
"""Rows and columns of the cosines that carry the pattern: all but the mean and those that carry
bits on a grid of as many blocks."""
CLEAR = 10.0
"""Score that a sender makes the pattern strong enough for."""
WEAKEST, STRONGEST = 0.6, 1.6
"""Bounds of the strength, in levels times 8."""
FLOOR = 2.0
"""Activity that is added to a place's own before its cosines are divided by it."""
NARROWEST = 384
"""Samples of an image's longer side below which it has no pattern."""
CHOICE = 4
"""Patterns that an image resembles most, of which a sender takes one at random."""


def choose(key: Key, plane: Plane, noise: KeyStream) -> int:
    """Choose an index whose pattern the cover resembles already, which makes it clearer."""
    return int(np.argsort(seen_in(key, plane))[::-1][noise.below(CHOICE)])


def added(key: Key, index: int, plane: Plane) -> NDArray[np.float32]:
    """Return the change of a plane that adds the pattern of an index, strong enough to be seen.

    Images that are too small for the grid get none.
    """
    if max(plane.shape) < NARROWEST:
        return np.zeros_like(plane)
    grid = Grid.of(plane, PILOT_BLOCKS)
    change = grid.back(_pattern(key, index, grid))
    seen = float(scores(key, grid, grid.cosines(plane + change))[index])
    before = float(scores(key, grid, grid.cosines(plane))[index])
    strength = (CLEAR - before) / max(seen - before, 1.0)
    return change * np.float32(min(max(strength, WEAKEST), STRONGEST))


def seen_in(key: Key, plane: Plane) -> NDArray[np.float32]:
    """Return how clearly each index is seen in a whole image; 0 if that is too small for any."""
    if max(plane.shape) < NARROWEST:
        return np.zeros(INDICES, np.float32)
    grid = Grid.of(plane, PILOT_BLOCKS)
    return scores(key, grid, grid.cosines(plane))


def _pattern(key: Key, index: int, grid: Grid) -> NDArray[np.float32]:
    """Return the pattern of an index as a change of the cosines by 1 each."""
    signs = patterns(key)[index][grid.down, grid.across]
    change = np.zeros((*signs.shape[:2], BLOCK, BLOCK), np.float32)
    for at, (row, column) in enumerate(COSINES):
        change[:, :, row, column] = signs[:, :, at]
    return change


def scores(
    key: Key, grid: Grid, cosines: Float32[np.ndarray, "down across 4 4"]
) -> NDArray[np.float32]:
    """Return how clearly each index of a key is seen, in standard deviations of innocent images."""
    seen = evened(cosines)
    size = math.sqrt(float(np.square(seen).sum())) or 1.0
    drawn = patterns(key)[:, grid.down, grid.across]
    found: NDArray[np.float32] = drawn.reshape(INDICES, -1) @ seen.ravel() / np.float32(size)
    return found


def evened(cosines: Float32[np.ndarray, "down across 4 4"]) -> NDArray[np.float32]:
    """Return the pattern's cosines on the scale of their surroundings, large ones cut off."""
    found = []
    for row, column in COSINES:
        each = cosines[:, :, row, column]
        power = np.maximum(uniform_filter(each * each, 3), 0)  # its running sums round
        found.append(np.tanh(each / (np.sqrt(power) + FLOOR)))
    return np.stack(found, axis=2)


@lru_cache(4)
def patterns(key: Key) -> NDArray[np.float32]:
    """Return the signs of all patterns of a key."""
    blocks = PILOT_BLOCKS
    count = blocks**2 * len(COSINES)
    signs = np.empty((INDICES, blocks, blocks, len(COSINES)), np.float32)
    for index in range(INDICES):
        drawn = key.stream(f"pilot/{index}", salt=IMAGE_SALT).bits(count)
        signs[index] = 1 - 2.0 * drawn.reshape(signs[index].shape)
    return signs
