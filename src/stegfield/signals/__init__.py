"""Signals: values on a grid, the coordinates that belong to them, and files they come from."""

from stegfield.signals.image import read, resize, to_png, to_samples
from stegfield.signals.signal import LARGEST_POINTS, Signal, coordinates, extent, parse_size
from stegfield.signals.synthetic import waves

__all__ = [
    "LARGEST_POINTS",
    "Signal",
    "coordinates",
    "extent",
    "parse_size",
    "read",
    "resize",
    "to_png",
    "to_samples",
    "waves",
]
