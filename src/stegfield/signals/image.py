"""Images: files, Pillow's images and arrays to signals, and back.

Read: PNG, JPEG, WebP, BMP and TIFF of a single frame, 8 pixels a side to 80 megapixels; of the
pictures that a camera put into one JPEG (MPO), the first.
What becomes of a file's samples:

- 8-bit grey and RGB are taken as they are; two-valued images become grey.
- 16-bit grey v becomes round(v / 257), so that 0 stays 0 and 65535 becomes 255; of 16-bit RGB
  Pillow keeps the high byte, and of 16-bit grey with alpha as well, which becomes RGB.
- Palettes become RGB. CMYK, YCbCr and LAB become RGB as Pillow converts them, without profiles.
- EXIF orientation is applied.
- Transparency is refused, unless the caller has it flattened onto white.

Written: 8 bits, without metadata. PNG, BMP, TIFF and WebP, which is written without loss, keep
every sample; JPEG does not.
"""

from __future__ import annotations

import ctypes
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from stegfield import metrics
from stegfield.errors import ConfigError, ImageError, OutputError, Wording
from stegfield.metrics import Quality
from stegfield.signals.grids import LARGEST_POINTS
from stegfield.signals.levels import EightBits, from_samples, to_samples
from stegfield.signals.signal import WHOLE_RANGE, Origin, Signal

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
LOSSLESS: tuple[str, ...] = (".png", ".bmp", ".tif", ".tiff", ".webp")
WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".bmp": ("BMP", {}),
    ".tif": ("TIFF", {"compression": "tiff_lzw"}),
    ".tiff": ("TIFF", {"compression": "tiff_lzw"}),
    ".webp": ("WEBP", {"lossless": True, "exact": True}),
    ".jpg": ("JPEG", {"quality": 90, "subsampling": "4:2:0"}),
    ".jpeg": ("JPEG", {"quality": 90, "subsampling": "4:2:0"}),
}
SMALLEST_SIDE = 8
TIFF_JPEG = ("jpeg", "tiff_jpeg")
FORMAT_HINT = "PNG, JPEG, WebP, BMP and TIFF can be read"
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageMedium(EightBits):
    """Rows and columns of grey or RGB; a file whose name no other medium knows is an image."""

    name = "image"
    noun = "an image"
    plural = "images"
    error = ImageError
    point = "pixel"
    axes = 2
    suffixes = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
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
        _silence_libtiff()
        with _distrusting(path), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            origin = _origin(image, data)
            signal = _from_pillow(image, path, flatten=flatten, largest=largest)
            return replace(signal, origin=origin)

    def encode(self, signal: Signal, suffix: str) -> bytes:
        """Encode a signal as an 8-bit file, grey or RGB.

        Raises:
            ConfigError: No image that we write has that suffix.
            OutputError: The image is too large for the kind of file.
        """
        name, options = WRITTEN[self.check_written(suffix)]
        image, stream = to_pillow(signal), io.BytesIO()
        try:
            image.save(stream, name, **options)
        except (OSError, ValueError) as error:  # WebP and JPEG have limits of their own
            raise OutputError(f"this image cannot be written as {name}: {error}") from error
        return stream.getvalue()

    def quality(self, shown: Signal, wanted: Signal) -> Quality:
        """Compare two images as files hold them.

        Raises:
            ConfigError: They differ in size or channels.
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
    named = Path(getattr(image, "filename", "") or "the image")
    with _distrusting(named):
        origin = _origin(image, b"")
        return replace(
            _from_pillow(image, named, flatten=flatten, largest=LARGEST_POINTS), origin=origin
        )


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
    _check_size(levels.shape[1], levels.shape[0], "the array", LARGEST_POINTS)
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


def resize(signal: Signal, longest: int) -> Signal:
    """Resample an image so that its longer side has ``longest`` pixels, with a Lanczos filter."""
    rows, columns = signal.size
    scale = longest / max(rows, columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    levels = np.array(to_pillow(signal).resize(size, Image.Resampling.LANCZOS))
    return from_samples(levels.reshape(*levels.shape[:2], -1))


@contextmanager
def _distrusting(path: Path) -> Iterator[None]:
    """Turn whatever Pillow's decoders raise into one error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)  # odd metadata is no reason to speak
            yield
    except UnidentifiedImageError:
        raise ImageError(f"{path} is not an image", hint=FORMAT_HINT) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(
            f"{path} is too large to decode safely", hint="reduce it to 80 megapixels or less"
        ) from None
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on crafted files
        raise ImageError(f"{path} is a damaged image: {error}", hint=FORMAT_HINT) from error


def _check_size(columns: int, rows: int, what: Path | str, largest: int) -> None:
    if columns * rows > largest:
        raise ImageError(
            f"{what} has {columns}x{rows} pixels",
            hint=f"reduce it to {largest / 1e6:g} megapixels or less",
        )
    if min(columns, rows) < SMALLEST_SIDE:
        raise ImageError(
            f"{what} has {columns}x{rows} pixels", hint=f"each side needs {SMALLEST_SIDE} at least"
        )


@cache
def _silence_libtiff() -> None:
    """Stop libtiff from writing its errors to stderr itself; Pillow raises them anyway.

    Pillow silences libtiff's warnings in the same way.
    """
    with suppress(AttributeError, OSError):  # a libtiff that is linked in has no name to call
        library = ctypes.CDLL(Image.core.__file__)  # type: ignore[attr-defined]
        library.TIFFSetErrorHandler(None)


def _from_pillow(opened: Image.Image, path: Path, *, flatten: bool, largest: int) -> Signal:
    _check_size(*opened.size, path, largest)
    # cameras append previews and depth maps to a JPEG, which makes it an MPO of several frames
    if opened.format != "MPO" and getattr(opened, "n_frames", 1) > 1:
        raise ImageError(f"{path} has several frames", hint="save the one you want by itself")
    packing = _packing(opened)
    opened.load()
    image = _with_colour_key(_upright(opened), packing, path)
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            if not flatten:
                raise ImageError(
                    f"{path} is transparent",
                    hint=Wording("{flatten:True} puts it onto white, or save it opaque"),
                )
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
        image = image.convert("L" if grey else "RGB")
    return from_samples(_to_levels(image, path))


def _packing(opened: Image.Image) -> Any:
    """Tell how a file's samples are packed, before it is loaded."""
    tiles = getattr(opened, "tile", None)
    return tiles[0][3] if tiles else None


def _origin(opened: Image.Image, data: bytes) -> Origin | None:
    """Tell what a file holds, before it is loaded."""
    if opened.format in ("JPEG", "MPO") or opened.info.get("compression") in TIFF_JPEG:
        return "JPEG"
    if opened.format == "WEBP":
        return "WebP" if _lossy(data) else None
    if opened.mode in ("P", "PA"):
        return "palette"
    packing = _packing(opened)
    raw = str(packing[0] if isinstance(packing, tuple) else packing)
    if opened.mode == "1" or raw in ("L;2", "L;4"):
        return "few levels"
    return "16 bits" if opened.mode.startswith("I") or ";16" in raw else None


def _lossy(webp: bytes) -> bool:
    """Look for a lossy picture among a WebP file's chunks: a name, a length, and so many bytes."""
    at = len("RIFF") + 4 + len("WEBP")
    while at + 8 <= len(webp):
        if webp[at : at + 4] in (b"VP8 ", b"VP8L"):
            return webp[at : at + 4] == b"VP8 "
        length = int.from_bytes(webp[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return False


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation.

    `PIL.ImageOps.exif_transpose` writes the rest of the EXIF data anew as well, and fails on photos
    with anything odd in it.
    """
    method = UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if method is None else image.transpose(method)


def _with_colour_key(image: Image.Image, packing: object, path: Path) -> Image.Image:
    """Let the transparent colour of a PNG of 2, 4 or 16 bits follow its samples to 8 bits.

    Pillow scales only the samples, and so takes transparent pixels for opaque ones. It keeps the
    high bytes of 16-bit RGB, so that every colour with those of the transparent one is transparent.
    """
    key = image.info.get("transparency")
    if key is None:
        return image
    if image.mode.startswith("I;16"):
        grey = Image.fromarray(_to_levels(image, path)[..., 0])
        alpha = Image.fromarray(np.where(np.asarray(image) == key, 0, 255).astype(np.uint8))
        return Image.merge("LA", (grey, alpha))
    if packing in ("L;2", "L;4"):
        image.info["transparency"] = (key & 3) * 85 if packing == "L;2" else (key & 15) * 17
    elif packing == "RGB;16B":
        image.info["transparency"] = tuple(level >> 8 for level in key)
    return image


def _to_levels(image: Image.Image, path: Path) -> UInt8[np.ndarray, "rows columns channels"]:
    if image.mode.startswith("I;16") or image.mode == "I":  # older Pillow opens 16-bit PNG as I
        wide = np.asarray(image).astype(np.int64)
        if wide.min() < 0 or wide.max() > np.iinfo(np.uint16).max:
            raise ImageError(f"{path} has 32-bit samples", hint="save it with 8 or 16 bits")
        return ((wide + 128) // 257).astype(np.uint8)[..., None]
    if image.mode == "F":
        raise ImageError(f"{path} has floating-point samples", hint="save it with 8 or 16 bits")
    grey = image.mode in ("1", "L")
    levels = np.array(image.convert("L" if grey else "RGB"))
    return levels[..., None] if grey else levels
