"""Signals: values on a grid, the coordinates that belong to them, and files they come from."""

from stegfield.signals import globes
from stegfield.signals.climate import CLIMATE
from stegfield.signals.folding import Layout, fold, unfold
from stegfield.signals.grids import (
    LARGEST_POINTS,
    coordinates,
    equal_area,
    extent,
    parse_size,
    scaled,
    size_text,
    sphere,
)
from stegfield.signals.images import IMAGE, reduced, resize, to_png
from stegfield.signals.levels import from_samples, to_samples
from stegfield.signals.look import Look
from stegfield.signals.media import (
    MEDIA,
    Source,
    bounds,
    decode,
    encode,
    medium_of,
    medium_of_file,
    noun,
    psnr_db,
    quality,
    read,
    still,
    stored,
    to_levels,
    with_levels,
)
from stegfield.signals.medium import Medium
from stegfield.signals.packing import Packing, to_kelvin, to_values
from stegfield.signals.shape import SHAPE
from stegfield.signals.signal import HIGHEST_RATE, WHOLE_RANGE, Signal, stretched
from stegfield.signals.sound import SOUND
from stegfield.signals.synthetic import ball, blob, chords, clip, globe, waves
from stegfield.signals.video import VIDEO
from stegfield.signals.volume import VOLUME

__all__ = [
    "CLIMATE",
    "HIGHEST_RATE",
    "IMAGE",
    "LARGEST_POINTS",
    "MEDIA",
    "SHAPE",
    "SOUND",
    "VIDEO",
    "VOLUME",
    "WHOLE_RANGE",
    "Layout",
    "Look",
    "Medium",
    "Packing",
    "Signal",
    "Source",
    "ball",
    "blob",
    "bounds",
    "chords",
    "clip",
    "coordinates",
    "decode",
    "encode",
    "equal_area",
    "extent",
    "fold",
    "from_samples",
    "globe",
    "globes",
    "medium_of",
    "medium_of_file",
    "noun",
    "parse_size",
    "psnr_db",
    "quality",
    "read",
    "reduced",
    "resize",
    "scaled",
    "size_text",
    "sphere",
    "still",
    "stored",
    "stretched",
    "to_kelvin",
    "to_levels",
    "to_png",
    "to_samples",
    "to_values",
    "unfold",
    "waves",
    "with_levels",
]
