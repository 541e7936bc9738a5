"""A carrier: the integers of a file that may carry bits, of any medium."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Integer
from numpy.typing import NDArray

from stegfield import signals
from stegfield.carriers.rounded import side_information
from stegfield.signals import Signal

Costs = Float32[np.ndarray, " elements"]
Ways = tuple[Bool[np.ndarray, " elements"], Bool[np.ndarray, " elements"]]
"""Which levels may go up, and which may go down."""


@dataclass(frozen=True, eq=False)
class Carrier:
    """Integers in a fixed order, the costs of their changes, and the way back into a signal.

    Sender and receiver get the same levels in the same order, without a key. Only senders use costs
    and side information, which are computed at first use.
    """

    levels: Integer[np.ndarray, " elements"] = field(repr=False)
    """The integers, such as 8-bit samples."""
    bounds: tuple[int, int]
    """The least and the largest integer that a file may hold."""
    find_costs: Callable[[], Costs] = field(repr=False)
    put_back: Callable[[NDArray[np.integer]], Signal] = field(repr=False)
    """Makes a signal of other levels in the same order."""
    find_side_information: Callable[[], Costs | None] = field(default=lambda: None, repr=False)
    find_ways: Callable[[], Ways | None] = field(default=lambda: None, repr=False)

    @cached_property
    def costs(self) -> Costs:
        """Return the cost of a change by one level at each; d levels cost d^2 times that."""
        return self.find_costs()

    @cached_property
    def side_information(self) -> Costs | None:
        """Return how far each level is above the value it was rounded from, from -1/2 to 1/2.

        Where a value lay half way between levels, either level is nearly as good.

        Returns:
            None where nothing is known, as for signals from files.
        """
        return self.find_side_information()

    @cached_property
    def ways(self) -> Ways | None:
        """Return which levels may go up by one, and which may go down; others are wet.

        A solver takes a closed way, or more than one step, only where it finds no other way, so
        senders check its result.

        Returns:
            None where the bounds alone decide.
        """
        return self.find_ways()

    def apply(self, change: Integer[np.ndarray, " elements"]) -> Signal:
        """Add a change to the levels, and put them back into the signal."""
        return self.put_back(self.levels + change.astype(self.levels.dtype))


def of_rows(
    cover: Signal,
    grid: Integer[np.ndarray, "*size channels"],
    cost: Callable[[Integer[np.ndarray, "*size channels"]], Float32[np.ndarray, "*size channels"]],
    rows: slice = slice(None),
) -> Carrier:
    """Make a carrier of rows of a grid of levels, row by row.

    Args:
        cover: The signal.
        grid: Its levels; one channel stands for several equal ones.
        cost: Computes the costs of changes of such a grid.
        rows: The rows that carry bits; the others stay as they are.
    """
    carrying = grid[rows]

    def known() -> Costs | None:
        found = side_information(cover)
        return None if found is None else found[rows][..., : grid.shape[-1]].reshape(-1)

    def put_back(levels: NDArray[np.integer]) -> Signal:
        stego = grid.copy()
        stego[rows] = levels.reshape(carrying.shape)
        return signals.with_levels(cover, np.broadcast_to(stego, (*cover.size, cover.channels)))

    return Carrier(
        levels=carrying.reshape(-1),
        bounds=signals.bounds(cover),
        find_costs=lambda: cost(grid)[rows].reshape(-1),
        find_side_information=known,
        put_back=put_back,
    )
