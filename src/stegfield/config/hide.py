"""Settings of hiding functions in a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from stegfield.config.settings import Range, Settings

SlotRule = Literal["keyed", "magnitude", "random"]
ValueRule = Literal["matched", "xavier"]
MILLION = 1_000_000
"""Steps of a ratio between 0 and 1: a record holds it in millionths."""
RATIO = Range(
    1 / MILLION,
    1 - 1 / MILLION,
    words="between 0 and 1",
    hint="0.05 takes five weights in a hundred",
)
"""Shares of the weights that may be slots."""


@dataclass(frozen=True, kw_only=True)
class HideConfig(Settings):
    """How secrets are hidden as functions; any of these implies ``--as functions``."""

    slots: SlotRule | None = None
    """Where slots are: positions drawn by each key, the cover's largest weights, or shared random
    positions [default: keyed]."""

    ratio: Annotated[float | None, RATIO] = None
    """Share of the weights that are slots [default: the architecture's]."""

    values: ValueRule | None = None
    """How slot values are drawn; xavier is the paper's rule and trains badly in a SIREN [default:
    matched]."""

    cover_weight: Annotated[float, Range(0, above=True)] = 1.0
    """Weight of the cover's error."""

    secret_weight: Annotated[float, Range(0, above=True)] = 1.0
    """Weight of each secret's error."""

    @property
    def slot_rule(self) -> SlotRule:
        """Where slots are."""
        return self.slots or "keyed"

    @property
    def value_rule(self) -> ValueRule:
        """How slot values are drawn."""
        return self.values or "matched"
