"""Signals: values on a grid, the coordinates that belong to them, and files they come from."""

from stegfield.signals.image import (
    LOSSLESS,
    WRITTEN,
    from_samples,
    resize,
    to_png,
    to_samples,
)
from stegfield.signals.media import (
    bounds,
    decode,
    encode,
    medium_of,
    psnr_db,
    quality,
    read,
    to_levels,
    with_levels,
)
from stegfield.signals.packing import Packing, to_kelvin, to_values
from stegfield.signals.signal import (
    LARGEST_POINTS,
    Signal,
    axes,
    coordinates,
    extent,
    parse_size,
    points,
    sphere,
)
from stegfield.signals.synthetic import globe, waves

__all__ = [
    "LARGEST_POINTS",
    "LOSSLESS",
    "WRITTEN",
    "Packing",
    "Signal",
    "axes",
    "bounds",
    "coordinates",
    "decode",
    "encode",
    "extent",
    "from_samples",
    "globe",
    "medium_of",
    "parse_size",
    "points",
    "psnr_db",
    "quality",
    "read",
    "resize",
    "sphere",
    "to_kelvin",
    "to_levels",
    "to_png",
    "to_samples",
    "to_values",
    "waves",
    "with_levels",
]
