"""What a long embedding tells of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stegfield.watching import Told


@dataclass(frozen=True)
class EmbedProgress:
    """How far an embedding has come."""

    fraction: float
    """Of the work, from 0 to 1."""
    bits_left: int
    """Bits that the network does not yet read for certain."""
    psnr_db: float
    """Of the samples as they are now."""

    def told(self, names: Sequence[str]) -> Told:
        """Put it in words; there is one signal, whose name is not told."""
        return Told(self.fraction, f"{self.bits_left:,} bits left", f"{self.psnr_db:.1f} dB")


EmbedWatch = Callable[[EmbedProgress], bool | None]
"""Told how far the work has come. True asks the paper's solver to end with what it has; all others
end by an exception only."""
