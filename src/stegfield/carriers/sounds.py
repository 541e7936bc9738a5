"""Sounds as carriers: their samples in order of time, channel by channel."""

from __future__ import annotations

from stegfield import signals
from stegfield.carriers import costs
from stegfield.carriers.carrier import Carrier, of_rows
from stegfield.signals import Signal


def carrier(sound: Signal, *, flat: bool = False) -> Carrier:
    """Make a carrier of all samples, with costs along the sound or equal ones."""
    levels = signals.to_levels(sound)
    return of_rows(sound, levels, costs.flat if flat else costs.along)
