"""The medium of images: what can be done with them, and how they are written."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stegfield import metrics
from stegfield.errors import ConfigError, ImageError, OutputError, Wording
from stegfield.metrics import Quality
from stegfield.signals.grids import LARGEST_POINTS
from stegfield.signals.images import reading
from stegfield.signals.images.opening import SMALLEST_SIDE, check_size, distrusting, opened
from stegfield.signals.levels import EightBits, from_samples, to_samples
from stegfield.signals.look import Look
from stegfield.signals.signal import WHOLE_RANGE, Signal

LOSSLESS: tuple[str, ...] = (".png", ".bmp", ".tif", ".tiff", ".webp")
PNG_LEVEL = 1
"""Of zlib, for all PNG files: a third of the time of its default, 6, and 3 to 4 % more bytes."""
WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {"compress_level": PNG_LEVEL}),
    ".bmp": ("BMP", {}),
    ".tif": ("TIFF", {"compression": "tiff_lzw"}),
    ".tiff": ("TIFF", {"compression": "tiff_lzw"}),
    ".webp": ("WEBP", {"lossless": True, "exact": True}),
    ".jpg": ("JPEG", {"quality": 90, "subsampling": "4:2:0"}),
    ".jpeg": ("JPEG", {"quality": 90, "subsampling": "4:2:0"}),
}


class ImageMedium(EightBits):
    """Rows and columns of grey or RGB; a file whose name no other medium knows is an image."""

    name = "image"
    noun = "an image"
    plural = "images"
    point = "pixel"
    axes = 2
    error = ImageError
    suffixes = (
        ".png",
        ".jpg",
        ".jpeg",
        ".webp",
        ".bmp",
        ".tif",
        ".tiff",
        ".avif",
        ".heic",
        ".heif",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
    )
    also = (".gif",)
    written = tuple(WRITTEN)
    lossless = LOSSLESS
    channels = (1, 3)
    grey_is_colour = True

    def decode(
        self, data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
    ) -> Signal:
        """Decode the bytes of an image file; the path is only named in errors.

        Raises:
            ImageError: Not an image, damaged, transparent, smaller than 8x8, or larger than
                ``largest``, of which 80 million is the most.
        """
        with distrusting(path), opened(data, path) as image:
            alpha: reading.Alpha = "flatten" if flatten else "refuse"
            return reading.read(image, data, path, largest=largest, alpha=alpha, keep=True)

    def stored(self, data: bytes, path: Path, *, largest: int = LARGEST_POINTS) -> Iterator[Signal]:
        """Decode samples as they are stored, and then turned as the file says, if it does.

        Raises:
            ImageError: Not an image, damaged, or of a size that is not read.
        """
        for turn in (False, True):
            with distrusting(path), opened(data, path) as image:
                if turn and reading.orientation_of(image) == 1:
                    return
                yield reading.read(
                    image,
                    data,
                    path,
                    largest=largest,
                    alpha="ignore",
                    turn=turn,
                    keep=not turn,
                )

    def encode(self, signal: Signal, suffix: str) -> bytes:
        """Encode a signal as an 8-bit file, grey or RGB, with its look as far as that can be.

        Raises:
            ConfigError: No image that we write has that suffix.
            OutputError: The image is too large for the kind of file.
        """
        name, options = WRITTEN[self.check_written(suffix)]
        image, stream = to_pillow(signal), io.BytesIO()
        if signal.look is not None:
            options = options | signal.look.options(name, _channels(name, signal))
        try:
            image.save(stream, name, **options)
        except (OSError, ValueError) as error:  # WebP and JPEG have limits of their own
            raise OutputError(f"this image cannot be written as {name}: {error}") from error
        return stream.getvalue()

    def lost_in(self, signal: Signal, suffix: str) -> list[str]:
        """Name what a file of some suffix cannot hold of a signal's look.

        Raises:
            ConfigError: No image that we write has that suffix.
        """
        name, _ = WRITTEN[self.check_written(suffix)]
        return [] if signal.look is None else signal.look.lost_in(name, _channels(name, signal))

    def quality(self, shown: Signal, wanted: Signal) -> Quality:
        """Compare two images as files hold them.

        Raises:
            ConfigError: the images differ in size or channels.
        """
        return metrics.quality(to_samples(shown), to_samples(wanted))

    def psnr_db(self, shown: Signal, wanted: Signal) -> float:
        """Return the PSNR, without the time that SSIM takes."""
        return metrics.psnr_db(to_samples(shown), to_samples(wanted))

    def still(self, signal: Signal) -> Signal:
        """Return the image itself."""
        return signal

    def secret_range(self, secret: Signal) -> tuple[float, float]:
        """Return all that images may have: most of them fill it."""
        return WHOLE_RANGE


IMAGE = ImageMedium()


def from_pillow(image: Image.Image, *, flatten: bool = False) -> Signal:
    """Take an image of Pillow's as `decode` takes a file.

    Args:
        image: An image of any mode, of 8 pixels a side to 80 megapixels; it is not closed.
        flatten: Put a transparent image onto white, instead of refusing it.

    Raises:
        ImageError: The image is damaged, transparent, too small or too large.
    """
    path = Path(getattr(image, "filename", "") or "the image")
    alpha: reading.Alpha = "flatten" if flatten else "refuse"
    with distrusting(path):
        return reading.read(image, b"", path, largest=LARGEST_POINTS, alpha=alpha)


def from_array(samples: NDArray[Any]) -> Signal:
    """Take an array of samples as an image.

    Args:
        samples: Rows x columns, or rows x columns x 1 or 3 channels, grey or RGB: 8-bit integers,
            or floating-point numbers from 0 (black) to 1, as Matplotlib and scikit-image have them.

    Raises:
        ImageError: Another shape, kind or range of numbers, smaller than 8x8, or too large.
    """
    levels = samples[..., None] if samples.ndim == 2 else samples
    if levels.ndim != 3 or levels.shape[2] not in IMAGE.channels:
        raise ImageError(
            f"an array of the shape {samples.shape} is not an image",
            hint="rows x columns, or rows x columns x 1 or 3, can be read",
        )
    check_size(levels.shape[1], levels.shape[0], "the array", LARGEST_POINTS)
    if levels.dtype == np.uint8:
        return from_samples(levels)
    floating = np.issubdtype(levels.dtype, np.floating)
    if not floating or not (levels.min() >= 0 and levels.max() <= 1):  # NaN is neither
        what = "has floats outside 0 to 1" if floating else f"is of type {levels.dtype}"
        raise ImageError(
            f"the array {what}",
            hint="8-bit integers and floats from 0 to 1 can be read; Signal(values) takes -1 to 1",
        )
    return Signal(2 * levels.astype(np.float64) - 1)


def to_pillow(signal: Signal) -> Image.Image:
    """Make an 8-bit image of Pillow's, grey or RGB.

    Raises:
        ConfigError: The signal is no image.
    """
    if signal.medium is not IMAGE:
        raise ConfigError(
            f"{signal.medium.noun} is no image", hint="signals.still(signal) draws one"
        )
    samples = to_samples(signal)
    return Image.fromarray(samples[..., 0] if signal.channels == 1 else samples)


def to_png(signal: Signal) -> bytes:
    """Encode an image as an 8-bit PNG, grey or RGB."""
    return IMAGE.encode(signal, ".png")


def to_jpeg(signal: Signal, quality: int | None = None) -> bytes:
    """Encode an image as a baseline JPEG, grey or RGB.

    Args:
        signal: The image.
        quality: From 1 to 100; colours have half the resolution then [default: tables and
            resolution of colours as in the JPEG that it comes from, else 90].
    """
    image, stream = to_pillow(signal), io.BytesIO()
    look = signal.look or Look()
    options = WRITTEN[".jpg"][1] if quality is None else WRITTEN[".jpg"][1] | {"quality": quality}
    if quality is None and look.encoding and len(look.encoding.tables) == min(signal.channels, 2):
        options = look.encoding.options()
    image.save(stream, "JPEG", **options, **look.options("JPEG", signal.channels))
    return stream.getvalue()


def _channels(name: str, signal: Signal) -> int:
    """Return the channels of a file; WebP knows no grey."""
    return 3 if name == "WEBP" else signal.channels


def resize(signal: Signal, longest: int) -> Signal:
    """Resample an image so that its longer side has ``longest`` pixels, with a Lanczos filter."""
    rows, columns = signal.size
    scale = longest / max(rows, columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    levels = np.array(to_pillow(signal).resize(size, Image.Resampling.LANCZOS))
    return from_samples(levels.reshape(*levels.shape[:2], -1))


def reduced(signal: Signal, longest: int) -> Signal:
    """Reduce an image so that its longer side has ``longest`` pixels, without rounding samples.

    What the file said of its samples stays. What lossy encoders left does not, at half the size. An
    image of that size already stays as it is.

    Raises:
        ConfigError: The signal is no image, or is smaller, or there would be too few pixels.

    Example:
        >>> from stegfield.signals import waves
        >>> reduced(waves(64, 32), 16).size
        (16, 8)
    """
    if signal.medium is not IMAGE:
        raise ConfigError(
            f"images can be reduced, not {signal.medium.plural}", hint=Wording("leave {size} out")
        )
    rows, columns = signal.size
    if not SMALLEST_SIDE <= longest <= max(rows, columns):
        raise ConfigError(
            Wording(
                "{size} must be from {least} to the image's {most}, got {got}",
                least=SMALLEST_SIDE,
                most=max(rows, columns),
                got=longest,
            )
        )
    if longest == max(rows, columns):
        return signal
    share = longest / max(rows, columns)
    size = (max(SMALLEST_SIDE, round(columns * share)), max(SMALLEST_SIDE, round(rows * share)))
    values = signal.values
    channels = [
        np.asarray(Image.fromarray(values[..., at]).resize(size, Image.Resampling.LANCZOS))
        for at in range(signal.channels)
    ]
    halved = 2 * longest <= max(rows, columns)
    return replace(
        signal,
        values=np.stack(channels, axis=-1).clip(-1, 1),
        origin=None if halved else signal.origin,
    )
