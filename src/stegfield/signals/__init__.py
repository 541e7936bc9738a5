"""Signals: values on a grid, the coordinates that belong to them, and files they come from."""

from stegfield.signals.image import (
    LOSSLESS,
    WRITTEN,
    decode,
    encode,
    from_samples,
    read,
    resize,
    to_png,
    to_samples,
)
from stegfield.signals.signal import LARGEST_POINTS, Signal, coordinates, extent, parse_size
from stegfield.signals.synthetic import waves

__all__ = [
    "LARGEST_POINTS",
    "LOSSLESS",
    "WRITTEN",
    "Signal",
    "coordinates",
    "decode",
    "encode",
    "extent",
    "from_samples",
    "parse_size",
    "read",
    "resize",
    "to_png",
    "to_samples",
    "waves",
]
