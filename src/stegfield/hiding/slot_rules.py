"""Rules for positions: where slots are, and what must happen before the joint training.

- ``keyed`` (ours): each key draws its own positions and values. The cover has no slots, all
  published weights are trained, and the receiver needs the key alone.
- ``magnitude`` (the paper): the cover is fitted first, and the largest weights of each layer become
  slots, the same for every secret. The receiver must be told the positions; they go into the key
  file, Golomb-Rice coded.
- ``random`` (the paper's ablation): as ``magnitude``, without the fit, at random positions.

Source: Dong et al. (2024), StegaINR4MIH.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from stegfield.fields.field import Field
from stegfield.hiding.slots import SlotScheme, largest_positions, random_positions
from stegfield.keys import Key


@runtime_checkable
class PositionRule(Protocol):
    """Decides where slots are."""

    shared: bool
    """Positions are the same for every secret and stand in key files: no passphrase suffices."""
    fits_cover: bool
    """The field is fitted to the cover alone before positions are chosen; checkpoints of the joint
    training then note the positions, and the values that the cover has there."""

    def positions(self, field: Field, scheme: SlotScheme) -> list[NDArray[np.int64]]:
        """Return the shared positions, layer by layer; none where each key draws its own."""
        ...


class Keyed:
    """Every key draws its own positions; the cover has none."""

    shared = fits_cover = False

    def positions(self, field: Field, scheme: SlotScheme) -> list[NDArray[np.int64]]:
        """Return none."""
        return []


class Magnitude:
    """The largest weights of a field that was fitted to the cover."""

    shared = fits_cover = True

    def positions(self, field: Field, scheme: SlotScheme) -> list[NDArray[np.int64]]:
        """Return the largest weights of each layer."""
        return largest_positions(field, scheme)


class Random:
    """Positions at random, the same for all."""

    shared, fits_cover = True, False

    def positions(self, field: Field, scheme: SlotScheme) -> list[NDArray[np.int64]]:
        """Draw them from what the weights were drawn from, so that a run can go on."""
        stream = Key(field.draw).stream("shared-slots", salt=field.public.seed)
        return random_positions(field, scheme, stream)


POSITION_RULES: Mapping[str, PositionRule] = MappingProxyType(
    {"keyed": Keyed(), "magnitude": Magnitude(), "random": Random()}
)
"""By the name that `HideConfig.slots` has."""
