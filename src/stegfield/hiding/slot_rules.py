"""Rules for positions: where slots are, and what must happen before the joint training.

- ``keyed`` (ours): each key draws its own positions and values. The cover has no slots, all
  published weights are trained, and the receiver needs only the key.
- ``magnitude`` (the paper): the cover is fitted first, and the largest weights of each layer become
  slots, the same for every secret. The receiver needs the positions, which are in the key file,
  Golomb-Rice coded.
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
    """A rule that decides where slots are."""

    shared: bool
    """Whether positions are shared by all secrets and are in key files, so that a passphrase is not
    enough."""
    fits_cover: bool
    """Whether the field is fitted to the cover alone before positions are chosen. Checkpoints of
    the joint training then hold the positions, and the cover's values there."""

    def positions(self, field: Field, scheme: SlotScheme) -> list[NDArray[np.int64]]:
        """Return the shared positions, layer by layer; none where each key draws its own."""
        ...


class Keyed:
    """The rule by which every key draws its own positions; the cover has none."""

    shared = fits_cover = False

    def positions(self, field: Field, scheme: SlotScheme) -> list[NDArray[np.int64]]:
        """Return no positions."""
        return []


class Magnitude:
    """The rule that takes the largest weights of a field fitted to the cover."""

    shared = fits_cover = True

    def positions(self, field: Field, scheme: SlotScheme) -> list[NDArray[np.int64]]:
        """Return the largest weights of each layer."""
        return largest_positions(field, scheme)


class Random:
    """The rule that takes random positions, the same for all secrets."""

    shared, fits_cover = True, False

    def positions(self, field: Field, scheme: SlotScheme) -> list[NDArray[np.int64]]:
        """Draw positions from the seed of the weights, so that a run can be resumed."""
        stream = Key(field.draw).stream("shared-slots", salt=field.public.seed)
        return random_positions(field, scheme, stream)


POSITION_RULES: Mapping[str, PositionRule] = MappingProxyType(
    {"keyed": Keyed(), "magnitude": Magnitude(), "random": Random()}
)
"""The rules by their names in `HideConfig.slots`."""
