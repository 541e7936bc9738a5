"""Volumes: numbers on a grid of three axes, in NumPy's files.

Read: .npy of three axes, 4 points or more along each, of 8- or 16-bit integers that fit into 16
bits with a sign, as those of a CT in Hounsfield units do. An integer i is i / 32768 on the
scale of a signal.
Written: 16-bit integers. Nothing is ever unpickled.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from stegfield import archives
from stegfield.errors import VolumeError
from stegfield.files import distrusting
from stegfield.metrics import VolumeQuality, volume_quality
from stegfield.signals.grids import LARGEST_POINTS
from stegfield.signals.levels import FULL_SCALE, SixteenBits
from stegfield.signals.signal import Signal

KINDS = ("int8", "uint8", "int16", "uint16")
FEWEST_POINTS = 4


class VolumeMedium(SixteenBits):
    """Slices of rows and columns, of one number each."""

    name = "volume"
    noun = "a volume"
    plural = "volumes"
    error = VolumeError
    axes = 3
    suffixes = (".npy",)
    written = suffixes
    channels = (1,)

    def decode(
        self, data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
    ) -> Signal:
        """Decode the bytes of a .npy file; the path is only named in errors.

        Raises:
            VolumeError: Not such a file, or damaged, or of another shape or type.
        """
        with distrusting(path, "an array in NumPy's format", VolumeError):
            stream = io.BytesIO(data)
            layout = archives.array_header(stream)
        shape, kind = layout.shape, layout.kind
        if kind.name not in KINDS:
            raise VolumeError(f"{path} has numbers of type {kind.name}", hint="make them int16")
        if len(shape) != self.axes or min(shape) < FEWEST_POINTS or math.prod(shape) > largest:
            raise VolumeError(
                f"{path} has the shape {'x'.join(map(str, shape)) or '()'}",
                hint=f"volumes have 3 axes of {FEWEST_POINTS} points or more, "
                f"{largest / 1e6:g} million in all",
            )
        if len(data) - stream.tell() != layout.size:
            raise VolumeError(f"{path} is cut off, or longer than its header says")
        numbers = layout.filled(data[stream.tell() :])
        if numbers.max() >= FULL_SCALE:
            raise VolumeError(f"{path} goes up to {numbers.max()}", hint="make its numbers int16")
        return self.from_levels(numbers.astype(np.int16)[..., None])

    def encode(self, signal: Signal, suffix: str) -> bytes:
        """Encode a volume as a .npy file of 16-bit integers.

        Raises:
            ConfigError: The suffix is another.
        """
        self.check_written(suffix)
        stream = io.BytesIO()
        npy.write_array(stream, self.to_levels(signal)[..., 0].astype("<i2"), allow_pickle=False)
        return stream.getvalue()

    def quality(self, shown: Signal, wanted: Signal) -> VolumeQuality:
        """Compare two volumes by their integers.

        Raises:
            ConfigError: The volumes differ in size.
        """
        self.check_same_size(shown, wanted)
        return volume_quality(self.to_levels(shown), self.to_levels(wanted))

    def still(self, signal: Signal) -> Signal:
        """Return the slice in the middle."""
        return Signal(signal.values[signal.size[0] // 2])


VOLUME = VolumeMedium()
