"""All media by name, and what is done with any signal: reading, writing, comparing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer
from numpy.typing import NDArray
from PIL import Image

from stegfield import files
from stegfield.errors import ConfigError
from stegfield.metrics import AnyQuality
from stegfield.registry import Registry
from stegfield.signals.climate import CLIMATE
from stegfield.signals.grids import LARGEST_POINTS
from stegfield.signals.images import IMAGE, from_array, from_pillow
from stegfield.signals.medium import Medium
from stegfield.signals.shape import SHAPE
from stegfield.signals.signal import Signal
from stegfield.signals.sniffing import PREFIX, sniff
from stegfield.signals.sound import SOUND
from stegfield.signals.video import VIDEO
from stegfield.signals.volume import VOLUME

Levels = Integer[np.ndarray, "*size channels"]
Source = Signal | str | Path | bytes | Image.Image | NDArray[Any]
"""Whatever `read` makes a signal of."""

OURS: tuple[Medium, ...] = (IMAGE, SOUND, CLIMATE, VIDEO, VOLUME, SHAPE)
"""Those that `sniff` knows; others recognize their files themselves."""

MEDIA: Registry[Medium] = Registry(
    "stegfield.media",
    "medium",
    {medium.name: medium for medium in OURS},
    named_by="name",
)
"""Every medium by name, ours before those of other packages."""
LARGEST_FILE = 1 << 30
UNNAMED = Path("the data")


def medium_of(path: Path | str) -> Medium:
    """Tell the medium of a file by its name: what no other medium takes is an image.

    Example:
        >>> medium_of("2026-03-25.nc"), medium_of("photo.png")
        (<medium climate>, <medium image>)
    """
    return _named(Path(path)) or IMAGE


def medium_of_file(path: Path) -> Medium:
    """Tell the medium of a file by how it begins, and by its name where that tells nothing.

    Raises:
        InputError: The file cannot be read, or is of a kind that is not read, or is not what its
            name promises.
    """
    return _chosen(files.read_start(path, PREFIX), path)


def _named(path: Path) -> Medium | None:
    suffix = path.suffix.lower()
    return next((medium for medium in MEDIA.usable() if suffix in medium.suffixes), None)


def _chosen(data: bytes, path: Path) -> Medium:
    """Choose the medium that reads a file.

    Raises:
        InputError: The file is of a kind that is not read, or is not what its name promises.
    """
    named = _named(path)
    if named is not None and named not in OURS:
        return named
    kind = sniff(data)
    if kind is None:  # packages are searched only for what is none of ours
        return named or next(
            (medium for medium in MEDIA.usable() if medium.recognizes(data)), IMAGE
        )
    medium = MEDIA.get(kind.medium)
    if medium is None:
        raise (named or IMAGE).error(f"{path} is {kind.name}", hint=kind.hint)
    if kind.suffix not in (*medium.suffixes, *medium.also):
        whatever = ", whatever its name" if named else ""
        noun = f"{medium.noun}, but " if named in (None, medium) else f"not {named.noun} but "
        raise (named or medium).error(
            f"{path} is {noun}{kind.name}{whatever}",
            hint=kind.hint or f"convert it to {_usual(medium)}",
        )
    if named in (None, medium) or path.suffix.lower() == kind.suffix:
        return medium
    raise named.error(
        f"{path} is not {named.noun} but {medium.noun}: {kind.name}", hint=f"name it {kind.suffix}"
    )


def _usual(medium: Medium) -> str:
    return medium.suffixes[0].removeprefix(".").upper()


def noun(medium: Medium) -> str:
    """Name a medium as errors do.

    Example:
        >>> noun(CLIMATE)
        'a climate field'
    """
    return medium.noun


def read(source: Source, *, flatten: bool = False) -> Signal:
    """Read a signal of any medium.

    Args:
        source: A signal, which is returned as it is. Or a file's path, or its bytes: PNG, JPEG,
            WebP, BMP, TIFF, PPM, AVIF, HEIC or a GIF of one frame; NetCDF-4; WAV or FLAC; MP4, MOV,
            MKV, WebM, AVI, GIF or animated PNG, named .apng; an array of three axes in NumPy's
            format; a mesh: PLY, OBJ, STL or OFF. How it begins tells the medium; of OBJ and binary
            STL, the name. Or an image of Pillow's. Or an array of an image: rows x columns, or rows
            x columns x 1 or 3, of 8-bit integers or floats from 0 to 1.
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

    Example:
        >>> read(np.zeros((8, 12), np.uint8))
        Signal(image, 12x8, 1 channel)
    """
    if isinstance(source, Signal):
        return source
    if isinstance(source, Image.Image):
        return from_pillow(source, flatten=flatten)
    if isinstance(source, np.ndarray):
        return from_array(source)
    if isinstance(source, bytes):
        return decode(source, UNNAMED, flatten=flatten)
    path = Path(source)
    return decode(files.read_bounded(path, LARGEST_FILE), path, flatten=flatten)


def decode(
    data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
) -> Signal:
    """Decode the bytes of a file; see `read`.

    Args:
        data: The file.
        path: Its name, which tells the medium where the first bytes do not.
        flatten: Put a transparent image onto white, instead of refusing it.
        largest: Points that it may have, 80 million at most; looked at before they are decoded.
    """
    return _chosen(data, path).decode(data, path, flatten=flatten, largest=largest)


def stored(
    source: Source, *, name: Path = UNNAMED, largest: int = LARGEST_POINTS
) -> Iterator[Signal]:
    """Read what the integers of a file may stand for, for those who look for a message in them.

    Of an image these are its samples as they are stored, whatever its transparency hides, and then,
    where an EXIF tag says that it is shown otherwise, turned as it is shown.

    Args:
        source: What `read` makes a signal of; of anything but a file, that signal.
        name: Of a file whose bytes are given.
        largest: Points that it may have.

    Raises:
        InputError: The file cannot be read, or is no signal.
    """
    if isinstance(source, (str, Path)):
        name, source = Path(source), files.read_bounded(Path(source), LARGEST_FILE)
    if not isinstance(source, bytes):
        return iter([read(source)])
    return _chosen(source, name).stored(source, name, largest=largest)


def encode(signal: Signal, suffix: str) -> bytes:
    """Encode a signal as the file that a file name's suffix stands for.

    Raises:
        ConfigError: No file that we write for the signal's medium has that suffix.
    """
    return signal.medium.encode(signal, suffix)


def still(signal: Signal) -> Signal:
    """Return an image to look at: a wave, a first frame, a middle slice, the globe from two sides.

    Example:
        >>> from stegfield.signals import chords
        >>> still(chords(4000))
        Signal(image, 512x192, 1 channel)
    """
    return signal.medium.still(signal)


def to_levels(signal: Signal) -> Levels:
    """Return the integers that a file of the signal holds, such as 8-bit samples."""
    levels: Levels = signal.medium.to_levels(signal)
    return levels


def with_levels(signal: Signal, levels: Levels) -> Signal:
    """Return a signal like this one, but of other integers; `to_levels` gives them back."""
    return signal.medium.with_levels(signal, levels)


def bounds(signal: Signal) -> tuple[int, int]:
    """Return the least and the largest integer that a file of the signal may hold."""
    return signal.medium.bounds(signal)


def quality(shown: Signal, wanted: Signal) -> AnyQuality:
    """Compare two signals as files hold them, a climate field in the packing of the second.

    Raises:
        ConfigError: The signals differ in medium or size.
    """
    _check_alike(shown, wanted)
    return wanted.medium.quality(shown, wanted)


def psnr_db(shown: Signal, wanted: Signal) -> float:
    """Return the PSNR of `quality` alone, which takes less time.

    Raises:
        ConfigError: The signals differ in medium or size.
    """
    _check_alike(shown, wanted)
    return wanted.medium.psnr_db(shown, wanted)


def _check_alike(shown: Signal, wanted: Signal) -> None:
    if shown.medium is not wanted.medium:
        raise ConfigError(
            f"one of them is {shown.medium.noun}, the other {wanted.medium.noun}",
            hint="compare signals of one medium",
        )
