"""What an experiment returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stegfield.bench.results import Figure


@dataclass(frozen=True)
class Found:
    """Figures of one job, and pictures to look at."""

    figures: Mapping[str, Figure]
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """PNG files, by a short name."""
