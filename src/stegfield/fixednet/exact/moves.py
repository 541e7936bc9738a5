"""Moves: how a sample's two lowest bits can change, and at which cost.

A move by up to 3 levels flips the lower bit, the upper bit or both:

    level modulo 4     0       1       2       3
    lower bit        up 1   down 1   up 1   down 1
    both bits        down 1   up 1   down 1   up 1
    upper bit        up or down 2

Where a level has no room, 3 levels in the other direction have the effect of 1, and the one
direction of 2 is as good as the other. A carrier that tells which ways are open (`Carrier.ways`)
takes single steps there, and all other moves only if the bits leave nothing else.

A change by d levels costs d^2 times the sample's cost; with side information e, the growth of the
squared distance from what the cover was rounded from, d^2 + 2 d e (Fridrich, Goljan and Soukal
2004, "Perturbed Quantization Steganography").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from stegfield.carriers import Carrier
from stegfield.fixednet.exact.order import Part
from stegfield.keys import KeyStream

LEAST = np.float32(0.1)
"""Least share of its cost that a change keeps: half-way values in plain areas stay costly."""
CLOSED = np.float32(1e5)
"""How many times the mean cost a move costs where its way is closed."""
HIGHEST = np.float32(1e30)
"""Of infinite costs: differences of those would not be numbers."""
FURTHEST = 3

Costs = NDArray[np.float32]
Steps = NDArray[np.int8]


@dataclass(frozen=True)
class Moves:
    """The cheapest move of each of some samples for each flip of its two lowest bits."""

    lower: Costs
    """Costs of the moves that flip the lower bit alone."""
    upper: Costs
    both: Costs
    by_lower: Steps
    """By how many levels these moves go."""
    by_upper: Steps
    by_both: Steps
    second_of_equals: NDArray[np.bool_] = field(repr=False)
    """Decides where two moves cost the same."""

    def times(self, factor: float) -> Moves:
        """Multiply all costs."""
        by, costs = np.float32(factor), (self.lower, self.upper, self.both)
        lower, upper, both = (np.minimum(cost * by, HIGHEST) for cost in costs)
        return replace(self, lower=lower, upper=upper, both=both)

    def either(self) -> Moves:
        """Let the lower bit flip by the cheaper of two moves, whatever becomes of the upper bit.

        The next level up and the next one down cost the same. If the upper bit were kept, even
        samples would only go up and odd ones down: a histogram would show the pairs of LSB
        replacement.
        """
        equals = (self.both == self.lower) & self.second_of_equals
        other = (self.both < self.lower) | equals
        lower = np.where(other, self.both, self.lower)
        by_lower = np.where(other, self.by_both, self.by_lower)
        return replace(self, lower=lower, by_lower=by_lower)

    def chosen(self, flips_lower: NDArray[np.bool_], flips_upper: NDArray[np.bool_]) -> Steps:
        """Return the moves that flip some lower and some upper bits."""
        first = np.where(flips_lower, self.by_lower, np.int8(0))
        second = np.where(flips_lower, self.by_both, self.by_upper)
        return np.where(flips_upper, second, first)


def moves(carrier: Carrier, part: Part, stream: KeyStream | None = None) -> Moves:
    """Find the cheapest moves of some samples.

    Args:
        carrier: The cover.
        part: The samples.
        stream: Decides between 2 up and 2 down, and between all other moves of one cost [default:
            the first of them].
    """
    count = len(part)
    none = np.zeros(count, dtype=np.bool_)
    upward, second = (none, none) if stream is None else (stream.bits(count), stream.bits(count))
    levels, costs = part.of(carrier.levels), part.of(carrier.costs)
    two = np.where(upward, np.int8(2), np.int8(-2))
    if carrier.ways is None and carrier.side_information is None:
        up, down, over = costs, costs.copy(), 4 * costs
        by_up, by_down, by_over = np.full(count, 1, np.int8), np.full(count, -1, np.int8), two
        low, high = carrier.bounds
        near = np.flatnonzero((levels < low + FURTHEST) | (levels > high - FURTHEST))
        if len(near):
            limited = _Known(levels[near].astype(np.int32), costs[near], carrier.bounds)
            found = limited.cheapest(two[near])
            up[near], down[near], over[near] = found[0]
            by_up[near], by_down[near], by_over[near] = found[1]
    else:
        known = _Known(levels.astype(np.int32), costs, carrier.bounds).knowing(carrier, part)
        (up, down, over), (by_up, by_down, by_over) = known.cheapest(two)
    odd = (levels & 1).astype(np.bool_)
    return Moves(
        lower=np.where(odd, down, up),
        upper=over,
        both=np.where(odd, up, down),
        by_lower=np.where(odd, by_down, by_up),
        by_upper=by_over,
        by_both=np.where(odd, by_up, by_down),
        second_of_equals=second,
    )


@dataclass(frozen=True)
class _Known:
    """What is known of some samples."""

    levels: NDArray[np.int32]
    costs: Costs
    bounds: tuple[int, int]
    above: Costs | None = None
    """How far each level is above what it was rounded from."""
    ways: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None

    def knowing(self, carrier: Carrier, part: Part) -> _Known:
        """Add the carrier's side information and ways."""
        above, ways = carrier.side_information, carrier.ways
        return replace(
            self,
            above=None if above is None else part.of(above),
            ways=None if ways is None else (part.of(ways[0]), part.of(ways[1])),
        )

    def cheapest(self, two: Steps) -> tuple[Sequence[Costs], Sequence[Steps]]:
        """Find the cheapest moves to the residues 1, 3 and 2 above; ``two`` is tried first."""
        one = np.ones(len(two), dtype=np.int8)
        costs, steps = [], []
        for first, second in ((one, -3 * one), (-one, 3 * one), (two, -two)):
            cost, other = self.cost(first), self.cost(second)
            cheaper = other < cost
            costs.append(np.where(cheaper, other, cost))
            steps.append(np.where(cheaper, second, first))
        return costs, steps

    def cost(self, step: Steps) -> Costs:
        """Return the cost of one move of each sample; infinite beyond the bounds."""
        square = np.square(step, dtype=np.float32)
        further = square
        if self.above is not None:
            grown = square + (2 * step).astype(np.float32) * self.above
            further = np.maximum(grown, LEAST * square)
        cost = np.minimum(self.costs, HIGHEST / CLOSED) * further
        if self.ways is not None:
            closed = ~np.where(step > 0, *self.ways) | (np.abs(step) > 1)
            cost[closed] += CLOSED * square[closed]
        moved = self.levels + step
        cost[(moved < self.bounds[0]) | (moved > self.bounds[1])] = np.inf
        return cost
