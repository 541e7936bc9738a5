"""Images: files to signals and back.

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
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Integer, UInt8
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from stegfield import metrics
from stegfield.errors import ConfigError, ImageError, OutputError, Wording
from stegfield.metrics import Quality
from stegfield.signals.signal import LARGEST_POINTS, Origin, Signal

AXES = 2
NOUN = "an image"
SUFFIXES: tuple[str, ...] = ()  # of the names that no other medium takes
CHANNELS: tuple[int, ...] = (1, 3)
BOUNDS = (0, 255)
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
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
LARGEST_FILE = 1 << 30
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


def decode(
    data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
) -> Signal:
    """Decode the bytes of an image file; the path is only named in errors.

    Args:
        data: PNG, JPEG, WebP, BMP or TIFF.
        path: The file's name.
        flatten: Put a transparent image onto white, instead of refusing it.
        largest: Pixels that it may have, 80 million at most.

    Raises:
        ImageError: Not an image, damaged, transparent, smaller than 8x8, or larger than that.
    """
    _silence_libtiff()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)  # odd metadata is no reason to speak
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                origin = _origin(image, data)
                return replace(
                    _from_pillow(image, path, flatten=flatten, largest=largest), origin=origin
                )
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


def to_samples(signal: Signal) -> UInt8[np.ndarray, "*size channels"]:
    """Round a signal to the 8-bit samples that a file holds; values beyond [-1, 1] are clipped."""
    levels = ((signal.values.clamp(-1, 1) + 1) * 127.5).round()
    return levels.to(torch.uint8).numpy()


def from_samples(levels: UInt8[np.ndarray, "rows columns channels"]) -> Signal:
    """Make a signal of 8-bit samples; `to_samples` gives the same ones back."""
    return Signal(torch.tensor(levels, dtype=torch.float32) / 127.5 - 1)


def to_levels(signal: Signal) -> UInt8[np.ndarray, "rows columns channels"]:
    """Give the integers that a file holds."""
    return to_samples(signal)


def with_levels(signal: Signal, levels: Integer[np.ndarray, "rows columns channels"]) -> Signal:
    """Give an image of other samples."""
    return from_samples(levels.astype(np.uint8))


def bounds(signal: Signal) -> tuple[int, int]:
    """Give the least and the largest level."""
    return BOUNDS


def quality(shown: Signal, wanted: Signal) -> Quality:
    """Compare two images as files hold them.

    Raises:
        ConfigError: They differ in size or channels.
    """
    return metrics.quality(to_samples(shown), to_samples(wanted))


def to_png(signal: Signal) -> bytes:
    """Encode a signal as an 8-bit PNG, grey or RGB."""
    return encode(signal, ".png")


def encode(signal: Signal, suffix: str) -> bytes:
    """Encode a signal as the 8-bit file, grey or RGB, that a file name's suffix stands for.

    Raises:
        ConfigError: No image that we write has that suffix.
    """
    suffix = suffix.lower()
    if signal.medium != "image":
        raise ConfigError(f"a field of medium {signal.medium} is no image")
    if suffix not in WRITTEN:
        raise ConfigError(
            f"images cannot be written with the suffix {suffix or '(none)'}",
            hint=f"use one of {' '.join(WRITTEN)}",
        )
    name, options = WRITTEN[suffix]
    samples = to_samples(signal)
    image = Image.fromarray(samples[..., 0] if signal.channels == 1 else samples)
    stream = io.BytesIO()
    try:
        image.save(stream, name, **options)
    except (OSError, ValueError) as error:  # WebP and JPEG have limits of their own
        raise OutputError(f"this image cannot be written as {name}: {error}") from error
    return stream.getvalue()


def resize(signal: Signal, longest: int) -> Signal:
    """Resample an image so that its longer side has ``longest`` pixels, with a Lanczos filter."""
    rows, columns = signal.size
    scale = longest / max(rows, columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    samples = to_samples(signal)
    image = Image.fromarray(samples[..., 0] if signal.channels == 1 else samples)
    levels = np.array(image.resize(size, Image.Resampling.LANCZOS))
    return from_samples(levels.reshape(*levels.shape[:2], -1))


@cache
def _silence_libtiff() -> None:
    """Stop libtiff from writing its errors to stderr itself; Pillow raises them anyway.

    Pillow silences libtiff's warnings in the same way.
    """
    with suppress(AttributeError, OSError):  # a libtiff that is linked in has no name to call
        library = ctypes.CDLL(Image.core.__file__)  # type: ignore[attr-defined]
        library.TIFFSetErrorHandler(None)


def _from_pillow(opened: ImageFile.ImageFile, path: Path, *, flatten: bool, largest: int) -> Signal:
    columns, rows = opened.size
    if columns * rows > largest:
        raise ImageError(
            f"{path} has {columns}x{rows} pixels",
            hint=f"reduce it to {largest / 1e6:g} megapixels or less",
        )
    if min(columns, rows) < SMALLEST_SIDE:
        raise ImageError(
            f"{path} has {columns}x{rows} pixels", hint=f"each side needs {SMALLEST_SIDE} at least"
        )
    # cameras append previews and depth maps to a JPEG, which makes it an MPO of several frames
    if opened.format != "MPO" and getattr(opened, "n_frames", 1) > 1:
        raise ImageError(f"{path} has several frames", hint="save the one you want by itself")
    packing = opened.tile[0][3] if opened.tile else None
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


def _origin(opened: ImageFile.ImageFile, data: bytes) -> Origin | None:
    """Tell what a file holds, before it is loaded."""
    if opened.format in ("JPEG", "MPO") or opened.info.get("compression") in TIFF_JPEG:
        return "JPEG"
    if opened.format == "WEBP":
        return "WebP" if _lossy(data) else None
    if opened.mode in ("P", "PA"):
        return "palette"
    packing = opened.tile[0][3] if opened.tile else None
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
