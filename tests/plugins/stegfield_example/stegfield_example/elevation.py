"""Elevation models as ASCII grids of whole metres, and as carriers of messages."""

from pathlib import Path
from typing import Any

import numpy as np

from stegfield import signals
from stegfield.carriers import Carrier, costs, of_rows
from stegfield.errors import InputError
from stegfield.metrics import VolumeQuality, volume_quality
from stegfield.signals import LARGEST_POINTS, Signal
from stegfield.signals.levels import SixteenBits

HEADER = "ncols {}\nnrows {}\nxllcorner 0\nyllcorner 0\ncellsize 1\n"
HEADER_LINES = 5


class Elevation(SixteenBits):
    """Heights above the sea, in metres."""

    name = "elevation"
    noun = "an elevation model"
    plural = "elevation models"
    point = "cell"
    axes = 2
    suffixes = (".asc",)
    written = suffixes
    lossless = suffixes
    channels = (1,)

    def decode(
        self, data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
    ) -> Signal:
        """Decode an ASCII grid."""
        try:
            lines = data.decode("ascii").splitlines()[HEADER_LINES:]
            heights = np.array([line.split() for line in lines], np.int16)
        except Exception:
            raise InputError(f"{path} is not an ASCII grid of whole metres") from None
        if not 0 < heights.size <= largest or heights.ndim != self.axes:
            raise InputError(f"{path} has {heights.size:,} cells")
        return self.from_levels(heights[..., None])

    def encode(self, signal: Signal, suffix: str) -> bytes:
        """Encode an ASCII grid."""
        self.check_written(suffix)
        rows = [" ".join(map(str, row)) for row in self.to_levels(signal)[..., 0].tolist()]
        return (HEADER.format(*signal.size[::-1]) + "\n".join(rows) + "\n").encode()

    def quality(self, shown: Signal, wanted: Signal) -> VolumeQuality:
        """Compare two of them in metres."""
        self.check_same_size(shown, wanted)
        return volume_quality(self.to_levels(shown), self.to_levels(wanted))

    def still(self, signal: Signal) -> Signal:
        """Draw the heights in grey."""
        return Signal(signal.values)


ELEVATION = Elevation()


def carrier(signal: Signal, *, flat: bool = False) -> Carrier:
    """Let all heights carry bits, where the ground is rough before where it is plain."""
    levels: Any = signals.to_levels(signal)
    return of_rows(signal, levels, costs.flat if flat else costs.hill)
