"""The progress of a long embedding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stegfield.watching import Told


@dataclass(frozen=True)
class EmbedProgress:
    """How far an embedding is."""

    fraction: float
    """Share of the work that is done, from 0 to 1."""
    bits_left: int
    """Bits that the network does not yet read safely."""
    psnr_db: float
    """PSNR of the samples in their current state."""

    def told(self, names: Sequence[str]) -> Told:
        """Put it in words; there is one signal, whose name is not told."""
        return Told(self.fraction, f"{self.bits_left:,} bits left", f"{self.psnr_db:.1f} dB")


EmbedWatch = Callable[[EmbedProgress], bool | None]
"""Called with the progress. Returning True ends the paper's solver with the best image so far; the
other solvers end only by an exception."""
