"""Climate fields as carriers: the integers of a global grid, row by row, poles left out."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Integer

from stegfield import signals
from stegfield.carriers import costs
from stegfield.carriers.carrier import Carrier, of_rows
from stegfield.signals import Signal


def carrier(field: Signal, *, flat: bool = False) -> Carrier:
    """Make a carrier of a climate field, with HILL's costs around the globe or equal ones."""
    levels = signals.to_levels(field)
    cost = costs.flat if flat else partial(costs.hill, around=True)
    return of_rows(field, levels, cost, rows=_off_the_poles(levels))


def _off_the_poles(levels: Integer[np.ndarray, "rows columns 1"]) -> slice:
    """Return the rows without those of poles that have a single value.

    All samples of a pole's row are one place, so a change of one of them would show. Embedding
    never changes these rows, so a receiver finds them as the sender did.
    """
    north, south = ((levels[row] == levels[row, :1]).all() for row in (0, -1))
    return slice(int(north), len(levels) - int(south))
