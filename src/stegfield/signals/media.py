"""What differs between media: files, their integers, and how alike two signals are.

A file's name tells the medium: .nc is a climate field, everything else an image.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Integer

from stegfield import files, metrics
from stegfield.errors import ConfigError
from stegfield.metrics import KelvinQuality, Quality
from stegfield.signals import climate, image
from stegfield.signals.packing import Packing
from stegfield.signals.signal import Signal

SAMPLE_BOUNDS = (0, 255)


def medium_of(path: Path) -> str:
    """Tell the medium of a file by its name.

    Example:
        >>> medium_of(Path("2026-03-25.nc")), medium_of(Path("photo.png"))
        ('climate', 'image')
    """
    return "climate" if path.suffix.lower() in climate.SUFFIXES else "image"


def read(path: Path, *, flatten: bool = False) -> Signal:
    """Read an image or a climate field.

    Args:
        path: PNG, JPEG, WebP, BMP or TIFF; or NetCDF-4, named .nc.
        flatten: Put a transparent image onto white, instead of refusing it.

    Raises:
        ImageError: Not an image, damaged, transparent, smaller than 8x8, or larger than 80
            megapixels.
        ClimateError: Not NetCDF-4, damaged, or not a temperature on a global grid.
        InputError: The file is missing or cannot be read.
    """
    return decode(files.read_bounded(path, image.LARGEST_FILE), path, flatten=flatten)


def decode(data: bytes, path: Path, *, flatten: bool = False) -> Signal:
    """Decode the bytes of a file; see `read`. The path tells the medium."""
    if medium_of(path) == "climate":
        return climate.decode(data, path)
    return image.decode(data, path, flatten=flatten)


def encode(signal: Signal, suffix: str) -> bytes:
    """Encode a signal as the file that a file name's suffix stands for: 8-bit images, or .nc.

    Raises:
        ConfigError: No file that we write for the signal's medium has that suffix.
    """
    if signal.medium != "climate":
        return image.encode(signal, suffix)
    if suffix.lower() not in climate.SUFFIXES:
        raise ConfigError("a climate field is written as NetCDF", hint="use .nc")
    return climate.encode(signal)


def to_levels(signal: Signal) -> Integer[np.ndarray, "rows columns channels"]:
    """Give the integers that a file of the signal holds: 8-bit samples, or packed temperatures."""
    if signal.medium == "climate":
        return (signal.packing or Packing()).pack(signal.values)
    return image.to_samples(signal)


def with_levels(signal: Signal, levels: Integer[np.ndarray, "rows columns channels"]) -> Signal:
    """Give a signal like this one, but of other integers; `to_levels` gives them back."""
    if signal.medium == "climate":
        return replace(signal, values=(signal.packing or Packing()).unpack(levels))
    return image.from_samples(levels.astype(np.uint8))


def bounds(signal: Signal) -> tuple[int, int]:
    """Give the least and the largest integer that a file of the signal may hold."""
    if signal.medium == "climate":
        return (signal.packing or Packing()).bounds
    return SAMPLE_BOUNDS


def quality(shown: Signal, wanted: Signal) -> Quality | KelvinQuality:
    """Compare two signals as files hold them, a climate field in the packing of the second.

    Raises:
        ConfigError: They differ in medium or size.
    """
    if shown.medium != wanted.medium:
        raise ConfigError(f"one of them is of medium {shown.medium}, the other {wanted.medium}")
    if wanted.medium != "climate":
        return metrics.quality(image.to_samples(shown), image.to_samples(wanted))
    packing = wanted.packing or Packing()
    if shown.size != wanted.size:
        sizes = " and ".join(f"{s.size[1]}x{s.size[0]}" for s in (shown, wanted))
        raise ConfigError(f"the fields differ in size: {sizes}", hint="compare fields of one size")
    difference = (packing.pack(shown.values) - packing.pack(wanted.values)).astype(np.float64)
    rmse, (low, high) = math.sqrt(np.square(difference).mean()), packing.bounds
    return KelvinQuality(
        psnr_db=20 * math.log10((high - low) / rmse) if rmse else math.inf,
        rmse_kelvin=packing.scale * rmse,
        largest_kelvin=packing.scale * float(np.abs(difference).max()),
    )


def psnr_db(shown: Signal, wanted: Signal) -> float:
    """Give the PSNR of `quality` alone, which takes less time."""
    if wanted.medium == "climate":
        return quality(shown, wanted).psnr_db
    return metrics.psnr_db(image.to_samples(shown), image.to_samples(wanted))
