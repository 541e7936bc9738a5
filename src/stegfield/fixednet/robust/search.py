"""The sender's solver: changes of blocks that stay readable after real encoders.

The sender moves every z to the nearest centre of a cell for its bit, runs real encoders on the
result, and moves each z against the error that they made, several times.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped
from numpy.typing import NDArray

from stegfield.fixednet.progress import EmbedProgress, EmbedWatch
from stegfield.fixednet.robust.blocks import SIDE, BlockNetwork, block_cosines, block_levels
from stegfield.fixednet.robust.coding import HEADER_COPIES, BodyCode, corrected
from stegfield.fixednet.robust.sending import SAME_SIZE
from stegfield.metrics import PEAK, luma, psnr_db
from stegfield.payload import Sealed, bits_of

BAND = 1 << 22
"""Pixels whose luma is in memory at a time."""
ROUNDS = 8
STEP = 0.5  # share of the encoders' error of a z that a round corrects
SAFE = 0.35  # of a cell: a z that every encoder leaves closer to the centre stays
FURTHEST = 0.5  # of a cell: largest distance from its centre at which a z is put
PROJECTIONS = 3
SPARE_DB = 40.5
"""Below this PSNR, the search ends as soon as the message survives all encoders."""


def cosines(levels: Shaped[np.ndarray, "rows columns channels"]) -> NDArray[np.float64]:
    """Return the carrying cosines of an image's luma, which is made a band of rows at a time."""
    height = max(SIDE, BAND // levels.shape[1] // SIDE * SIDE)
    tops = range(0, max(1, levels.shape[0]), height)
    return np.concatenate([block_cosines(luma(levels[top : top + height])) for top in tops])


def solve(
    levels: NDArray[np.uint8],
    network: BlockNetwork,
    coding: BodyCode,
    sealed: Sealed,
    *,
    least_db: float,
    watch: EmbedWatch,
) -> NDArray[np.uint8]:
    """Change an image until a network reads header and body after every encoder, or nearly so.

    The search ends early, with the best image so far, if the PSNR falls below the least.
    """
    bits = [bits_of(sealed.header), bits_of(sealed.body)]
    copies = (HEADER_COPIES, coding.copies)
    said = np.concatenate([np.tile(part, n) for part, n in zip(bits, copies, strict=True)])
    start = network.project(cosines(levels))
    target = 2 * np.rint((start - said) / 2) + said  # even cells are 0, odd ones 1
    push = np.zeros(network.bits)
    best, rank = levels, (-1, 0)
    for attempt in range(ROUNDS):
        moved = _moved(levels, network, target + push)
        now_db = psnr_db(levels, moved)
        if now_db < least_db:
            return moved
        outcomes = [encoder(moved) for encoder in (lambda a: a, *SAME_SIZE.values())]
        errors = np.stack([network.project(cosines(seen)) - target for seen in outcomes])
        left = sum(corrected(seen, coding, bits) for seen in map(network.read, errors + target))
        most = int((np.abs(errors) > 1 / 2).sum(axis=1).max())  # wrong after the worst encoder
        if (left, -most) > rank:
            best, rank = moved, (left, -most)
        watch(EmbedProgress((attempt + 1) / ROUNDS, most, now_db))
        if most == 0 or (left == len(outcomes) and now_db < SPARE_DB):
            break
        middle = (errors.max(axis=0) + errors.min(axis=0)) / 2
        unsafe = np.abs(errors).max(axis=0) > SAFE
        push = np.clip(push - STEP * np.where(unsafe, middle, 0), -FURTHEST, FURTHEST)
    return best


def _moved(
    levels: NDArray[np.uint8], network: BlockNetwork, target: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Change an image until the network's first z are at their targets, or nearly so.

    Samples at the end of their range lose half of a change. The missing part is added again, which
    moves the block's mean away from the end.
    """
    changed = levels.astype(np.float64)
    for _ in range(PROJECTIONS):
        now = cosines(changed)
        change = network.unproject(target - network.project(now), len(now))
        changed = np.clip(changed + block_levels(change, *levels.shape[:2])[..., None], 0, PEAK)
    return np.rint(changed).astype(np.uint8)
