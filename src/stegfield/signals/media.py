"""What differs between media: files, their integers, and how alike two signals are.

A medium is one module and one line in `MEDIA`. A file's name tells its medium: every suffix that no
other medium takes is an image's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Integer

from stegfield import files, metrics
from stegfield.errors import ConfigError
from stegfield.metrics import AnyQuality
from stegfield.signals import climate, image, shape, sound, video, volume
from stegfield.signals.signal import LARGEST_POINTS, Signal

Levels = Integer[np.ndarray, "*size channels"]


class Medium(Protocol):
    """What a module of a medium has."""

    AXES: int
    """Of the grids that its signals are on."""
    NOUN: str
    """Its name with the article, as errors say it."""
    SUFFIXES: tuple[str, ...]
    """Of the names of its files, in lower case, the usual one first; an image has all others."""
    LOSSLESS: tuple[str, ...]
    """Those of files that keep every integer, the usual one first; none if it takes no messages."""
    CHANNELS: tuple[int, ...]
    """That its signals may have."""

    def decode(
        self, data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
    ) -> Signal:
        """Decode the bytes of a file; the path is only named in errors."""

    def encode(self, signal: Signal, suffix: str) -> bytes:
        """Encode a signal as the file that a file name's suffix stands for."""

    def to_levels(self, signal: Signal) -> Any:
        """Give the integers that a file holds."""

    def with_levels(self, signal: Signal, levels: Any) -> Signal:
        """Give a signal like this one, but of other integers."""

    def bounds(self, signal: Signal) -> tuple[int, int]:
        """Give the least and the largest integer that a file may hold."""

    def quality(self, shown: Signal, wanted: Signal) -> AnyQuality:
        """Compare two signals as files hold them."""


MEDIA: dict[str, Medium] = {
    "image": image,
    "sound": sound,
    "climate": climate,
    "video": video,
    "volume": volume,
    "shape": shape,
}
"""Every medium by name; records count them in this order, so new ones go to the end."""

TIMED = ("sound", "video")
"""Media whose first axis is time."""
RANGED = ("sound", "volume")
"""Media whose files may use a small part of what their numbers can hold."""


def medium_of(path: Path) -> str:
    """Tell the medium of a file by its name.

    Example:
        >>> medium_of(Path("2026-03-25.nc")), medium_of(Path("photo.png"))
        ('climate', 'image')
    """
    suffix = path.suffix.lower()
    return next((name for name, medium in MEDIA.items() if suffix in medium.SUFFIXES), "image")


def noun(medium: str) -> str:
    """Name a medium as errors do.

    Example:
        >>> noun("climate")
        'a climate field'
    """
    return MEDIA[medium].NOUN


def read(path: Path, *, flatten: bool = False) -> Signal:
    """Read a signal of any medium.

    Args:
        path: PNG, JPEG, WebP, BMP or TIFF; NetCDF-4, named .nc; WAV or FLAC; MP4, MOV, MKV, WebM,
            AVI, GIF or animated PNG, named .apng; an array of three axes, named .npy; a mesh: PLY,
            OBJ, STL or OFF.
        flatten: Put a transparent image onto white, instead of refusing it.

    Raises:
        ImageError: Not an image, damaged, transparent, smaller than 8x8, or larger than 80
            megapixels.
        ClimateError: Not NetCDF-4, damaged, or not a temperature on a global grid.
        SoundError: Not a sound, damaged, too short or too long, or of more than two channels.
        VideoError: Not a video, damaged, or too short, long, small or large.
        VolumeError: Not an array of three axes of 16-bit integers.
        ShapeError: Not a mesh that encloses anything.
        InputError: The file is missing or cannot be read.
    """
    return decode(files.read_bounded(path, image.LARGEST_FILE), path, flatten=flatten)


def decode(
    data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
) -> Signal:
    """Decode the bytes of a file; see `read`.

    Args:
        data: The file.
        path: Its name, which tells the medium.
        flatten: Put a transparent image onto white, instead of refusing it.
        largest: Points that it may have, 80 million at most; looked at before they are decoded.
    """
    return MEDIA[medium_of(path)].decode(data, path, flatten=flatten, largest=largest)


def encode(signal: Signal, suffix: str) -> bytes:
    """Encode a signal as the file that a file name's suffix stands for.

    Raises:
        ConfigError: No file that we write for the signal's medium has that suffix.
    """
    return MEDIA[signal.medium].encode(signal, suffix)


def to_levels(signal: Signal) -> Levels:
    """Give the integers that a file of the signal holds, such as 8-bit samples."""
    levels: Levels = MEDIA[signal.medium].to_levels(signal)
    return levels


def with_levels(signal: Signal, levels: Levels) -> Signal:
    """Give a signal like this one, but of other integers; `to_levels` gives them back."""
    return MEDIA[signal.medium].with_levels(signal, levels)


def bounds(signal: Signal) -> tuple[int, int]:
    """Give the least and the largest integer that a file of the signal may hold."""
    return MEDIA[signal.medium].bounds(signal)


def quality(shown: Signal, wanted: Signal) -> AnyQuality:
    """Compare two signals as files hold them, a climate field in the packing of the second.

    Raises:
        ConfigError: They differ in medium or size.
    """
    if shown.medium != wanted.medium:
        raise ConfigError(f"one of them is of medium {shown.medium}, the other {wanted.medium}")
    return MEDIA[wanted.medium].quality(shown, wanted)


def psnr_db(shown: Signal, wanted: Signal) -> float:
    """Give the PSNR of `quality` alone, which takes less time."""
    if wanted.medium != "image":
        return quality(shown, wanted).psnr_db
    return metrics.psnr_db(image.to_samples(shown), image.to_samples(wanted))
