"""Embedding in JPEG coefficients, simulated: the changes of a payload, without a message to read.

    nsf5         magnitudes of non-zero coefficients go down by one, as few as wet paper codes need
    uerd         the changes by one that carry the payload at the least cost,
    j-uniward    at the costs of UERD or J-UNIWARD

All change the AC coefficients of luma. Payloads are bits per non-zero AC coefficient (bpnzAC).

Sources: Fridrich, Pevný and Kodovský (2007), "Statistically Undetectable JPEG Steganography: Dead
Ends, Challenges, and Opportunities", for nsF5; `simulate` for optimal embedding.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Int16

from stegfield.carriers import jpeg
from stegfield.carriers.blocks import Table
from stegfield.errors import CapacityError
from stegfield.steganalysis.simulate import HALVINGS, payload_chances

Coefficients = Int16[np.ndarray, "rows columns 64"]
Simulator = Callable[[Coefficients, Table, float, np.random.Generator], Coefficients]


def nsf5(
    cover: Coefficients, table: Table, rate: float, random: np.random.Generator
) -> Coefficients:
    """Bring non-zero coefficients nearer to 0 by one, at the rate that the best code would.

    Args:
        cover: The coefficients.
        table: Of no effect.
        rate: Bits per non-zero AC coefficient.
        random: Decides which ones change.

    Raises:
        CapacityError: The rate is above 1.
    """
    if rate > 1:
        count = jpeg.nonzero(cover)
        raise CapacityError(
            needed=round(rate * count), available=count, unit="bits", holder="cover"
        )
    low, high = 0.0, 0.5
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        entropy = -middle * np.log2(middle) - (1 - middle) * np.log2(1 - middle)
        low, high = (low, middle) if entropy > rate else (middle, high)
    hit = random.random(cover.shape) < low
    hit[..., 0] = False
    stego: Coefficients = cover - (np.sign(cover) * hit).astype(np.int16)
    return stego


def optimal(
    cover: Coefficients,
    table: Table,
    rate: float,
    random: np.random.Generator,
    *,
    cost: jpeg.CostName,
    modes: int = jpeg.EVERY,
) -> Coefficients:
    """Change coefficients by one as the best code at these costs would (payload-limited sender).

    Raises:
        CapacityError: The rate is more than all changes can carry.
    """
    costs = jpeg.find_costs(cover, table, modes, cost)
    levels = jpeg.elements(cover, modes)
    ways = np.stack(jpeg.open_ways(levels, costs))
    rho = jpeg.finite(costs).astype(np.float64)
    chances = payload_chances(rho, ways, rate * jpeg.nonzero(cover) / len(rho))
    drawn = random.random(len(levels))
    up, down = drawn < chances[0], drawn >= 1 - chances[1]
    return jpeg.changed(cover, up.astype(np.int16) - down)


def _uerd(
    cover: Coefficients, table: Table, rate: float, random: np.random.Generator
) -> Coefficients:
    return optimal(cover, table, rate, random, cost="uerd")


def _juniward(
    cover: Coefficients, table: Table, rate: float, random: np.random.Generator
) -> Coefficients:
    return optimal(cover, table, rate, random, cost="j-uniward")


SIMULATORS: dict[str, Simulator] = {"nsf5": nsf5, "uerd": _uerd, "j-uniward": _juniward}
