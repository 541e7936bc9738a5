"""Settings of an attack on a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from stegfield.config.settings import Range, Settings


@dataclass(frozen=True, kw_only=True)
class AttackConfig(Settings):
    """How many guesses an attack on a field's secrets makes."""

    keys: Annotated[int, Range(1)] = 50
    """Random keys to try against each secret."""

    descents: Annotated[int, Range(1)] = 2
    """Searches for natural pictures, for each secret."""

    descent_steps: Annotated[int, Range(1)] = 200
    """Steps of each search."""
