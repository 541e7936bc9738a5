"""The sampler G: integers from round(f + sigma N), given their low bits.

All drawn covers come from it, those with messages and those without. What it draws depends on
nothing but f, the low bits U and the random numbers R. So both have the same law, whatever law that
is, if U and R have: see docs/proof.md.

    level l, its low bits given:   P(l) ~ Phi((l + 1/2 - f) / sigma) - Phi((l - 1/2 - f) / sigma)

All that depends on data is done in integers: f in 1024ths of a level, and one comparison of a
64-bit random number with thresholds from a table. So there are no ties to break, and bands of any
size give the same samples.

Levels beyond those that a file can hold become the nearest one that it can hold and that has the
same low bits, as the samples of a camera saturate. Nothing is squeezed to make room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64, UInt64

from stegfield.config import GRAINS

FRACTIONS = 1 << 10
"""Parts of a level in which f is given."""
TWO_BITS = 3.0
"""From this sigma on, a sample has two low bits that are given: they are as likely as each other
within 2e-5, as one is from 1.5 on."""
TAILS = 8.5
"""Standard deviations that levels reach to either side, at least."""
MOST_BITS = 2
BAND = 1 << 16
"""Samples that are drawn at a time."""


@dataclass(frozen=True)
class Sampler:
    """G for one sigma.

    Example:
        >>> sampler = Sampler(1.5)
        >>> f = np.full(4, 100 * FRACTIONS)
        >>> random = np.arange(4, dtype=np.uint64) << np.uint64(62)
        >>> sampler.draw(f, np.array([0, 1, 0, 1]), random, (0, 255)).tolist()
        [86, 99, 100, 101]
    """

    sigma: float
    """Standard deviation of the grain, in levels."""

    def __post_init__(self) -> None:
        GRAINS.check(self.sigma, owner="Sampler", name="sigma")

    @property
    def bits(self) -> int:
        """Low bits of each sample that are given: 1 or 2."""
        return MOST_BITS if self.sigma >= TWO_BITS else 1

    @property
    def reach(self) -> int:
        """Levels below and above f that can be drawn."""
        return math.ceil(TAILS * self.sigma) + 1

    def draw(
        self,
        f: Int64[np.ndarray, " samples"],
        low: Int64[np.ndarray, " samples"],
        random: UInt64[np.ndarray, " samples"],
        bounds: tuple[int, int],
    ) -> Int64[np.ndarray, " samples"]:
        """Draw samples.

        Args:
            f: What is shown, in 1024ths of a level.
            low: U: the low bits of each sample, as an integer.
            random: R: uniform in [0, 2^64).
            bounds: The least and the largest level that a file can hold.

        Returns:
            Levels whose low bits are ``low``.
        """
        kinds, (least, largest) = 1 << self.bits, bounds
        first = f // FRACTIONS - self.reach
        rows = (low - first) & (kinds - 1)  # so far above it is the first level with these bits
        first += rows
        rows += f % FRACTIONS * kinds
        steps = np.zeros(len(f), np.int64)
        for thresholds in self._thresholds:
            steps += random >= thresholds[rows]
        levels = first + kinds * steps
        lowest = least + ((low - least) & (kinds - 1))
        highest = largest - ((largest - low) & (kinds - 1))
        return np.clip(levels, lowest, highest)

    @cached_property
    def _thresholds(self) -> UInt64[np.ndarray, "steps rows"]:
        """Return the random numbers from which on a level is passed, for all fractions.

        A row is a fraction of f and the distance of the first level from ``f - reach``; its
        levels are as far apart as there are kinds of low bits.
        """
        kinds = 1 << self.bits
        count = -(-(2 * self.reach + 2) // kinds)
        levels = np.arange(count * kinds + 1) - self.reach
        fractions = np.arange(FRACTIONS)[:, None] / FRACTIONS
        edges = (levels - 0.5 - fractions) / self.sigma
        mass = _between(edges[:, :-1], edges[:, 1:])
        own = mass.reshape(FRACTIONS, count, kinds).transpose(1, 0, 2).reshape(count, -1)
        below = np.cumsum(own, axis=0)
        above = np.cumsum(own[::-1], axis=0)[::-1]
        whole = below[-1]
        # each half from its own end, so that both tails are as exact
        lower = _scaled(np.minimum(below[:-1] / whole, 0.5))
        upper = -_scaled(np.minimum(above[1:] / whole, 0.5))  # 2^64 minus it
        found: UInt64[np.ndarray, "steps rows"] = np.where(below[:-1] < above[1:], lower, upper)
        return found


def _between(
    low: Float64[np.ndarray, "rows levels"], high: Float64[np.ndarray, "rows levels"]
) -> Float64[np.ndarray, "rows levels"]:
    """Return the normal distribution's mass between edges, exact in both tails."""
    mirrored = low < 0
    near, far = np.where(mirrored, -high, low), np.where(mirrored, -low, high)
    found: Float64[np.ndarray, "rows levels"] = _tail(near) - _tail(far)
    return found


def _tail(at: Float64[np.ndarray, "rows levels"]) -> Float64[np.ndarray, "rows levels"]:
    tails = [0.5 * math.erfc(each) for each in (at / math.sqrt(2)).ravel().tolist()]
    found: Float64[np.ndarray, "rows levels"] = np.array(tails).reshape(at.shape)
    return found


def _scaled(share: Float64[np.ndarray, "steps rows"]) -> UInt64[np.ndarray, "steps rows"]:
    """Return a share of 2^64, for shares up to a half; one at least."""
    found: UInt64[np.ndarray, "steps rows"] = np.ldexp(share, 64).astype(np.uint64)
    return found.clip(min=1)
