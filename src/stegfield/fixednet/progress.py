"""The progress of a long embedding."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stegfield.watching import Told

EARLY = 0.02
"""Share of the work from which on the time that is left can be estimated."""


@dataclass(frozen=True)
class EmbedProgress:
    """How far an embedding is."""

    fraction: float
    """Share of the work that is done, from 0 to 1."""
    bits_left: int
    """Bits that the network does not yet read safely."""
    psnr_db: float
    """PSNR of the samples that are done, about that of the whole at the end; infinite before."""

    def told(self, names: Sequence[str]) -> Told:
        """Put it in words; there is one signal, whose name is not told."""
        figures = f"{self.psnr_db:.1f} dB" if math.isfinite(self.psnr_db) else ""
        early = math.nan if self.fraction < EARLY else None
        return Told(self.fraction, f"{self.bits_left:,} bits left", figures, early)


EmbedWatch = Callable[[EmbedProgress], bool | None]
"""Called with the progress. Returning True ends the paper's solver with the best image so far; the
other solvers end only by an exception."""
