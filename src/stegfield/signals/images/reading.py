"""Reading an image that is open: its samples, a strip of rows at a time, turned upright.

Memory stays near one copy of the image in Pillow and one of 8-bit samples.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Shaped, UInt8, UInt16
from numpy.typing import NDArray
from PIL import ExifTags, Image

from stegfield.errors import ImageError, Wording
from stegfield.signals import look
from stegfield.signals.images.opening import check_size, choose_page, opened, webp_chunks
from stegfield.signals.signal import EightBit, Origin, Signal

Alpha = Literal["refuse", "flatten", "ignore"]
STRIP = 1 << 20
"""Pixels that are converted at a time."""
TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda shown: shown,
    2: lambda shown: shown[:, ::-1],
    3: lambda shown: shown[::-1, ::-1],
    4: lambda shown: shown[::-1],
    5: lambda shown: shown.swapaxes(0, 1),
    6: np.rot90,
    7: lambda shown: shown[::-1, ::-1].swapaxes(0, 1),
    8: lambda shown: np.rot90(shown, -1),
}
"""By EXIF orientation: the stored rows and columns, as a view of the upright ones."""
SIDEWAYS = range(5, 9)
TIFF_JPEG = ("jpeg", "tiff_jpeg")
LOSSY: dict[str, Origin] = {"JPEG": "JPEG", "MPO": "JPEG", "HEIF": "HEIC", "AVIF": "AVIF"}
SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
"""Byte orders; samples in the wrong one show their low bytes where Pillow keeps the high ones."""
FEW_LEVELS = 64
"""Levels of 8 bits that are left of 16-bit samples which use 14 of their bits."""
CONVERTED = {"CMYK": "CMYK", "LAB": "CIE LAB"}


def read(
    image: Image.Image,
    data: bytes,
    path: Path,
    *,
    largest: int,
    alpha: Alpha = "refuse",
    turn: bool = True,
    keep: bool = False,
) -> Signal:
    """Decode an open image.

    Args:
        image: What Pillow opened.
        data: Its file, if that is there.
        path: Its name, for errors.
        largest: Pixels that it may have.
        alpha: What to do with transparency; to ignore it takes the samples as they are stored, the
            colours beneath it and the high bytes of 16 bits.
        turn: Apply the EXIF orientation.
        keep: Keep the file of a JPEG beside its samples, for those who look at its coefficients.

    Raises:
        ImageError: The image is transparent, too large or small, or of samples without a scale.
    """
    notes = choose_page(image, path)
    check_size(*image.size, path, largest)
    raw, origin, tagged = _packing(image), _origin(image, data), orientation_of(image)
    said = look.of_file(image, data, turned=turn and tagged in SIDEWAYS)
    notes += _notes(image, data)
    image.load()
    left = orientation_of(image)  # of a TIFF, Pillow turns the samples as it loads them
    orientation = left if turn else 1
    _follow_colour_key(image, raw)
    held: Any
    wide = _wide(image, data, path) if alpha != "ignore" and origin == "16 bits" else None
    if wide is not None and not _has_transparent(image):
        sixteen = _upright(wide, image.size, orientation)
        held, used = _to_values(sixteen), _used(sixteen)
        notes += used
        origin = "few levels" if used else origin
    else:
        strips = (_levels(strip, path, alpha) for strip in _strips(image))
        samples = _upright(strips, image.size, orientation)
        file = data if keep and LOSSY.get(image.format or "") == "JPEG" else b""
        held = EightBit(TURNS[tagged](samples) if not turn and tagged != left else samples, file)
    if image.info.get("icc_profile") and not said.suits(held.shape[-1]):
        said = replace(said, profile=b"")
        notes += ("has a colour profile that does not suit its samples and is left out",)
    return Signal(held, origin=origin, look=said, notes=notes)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 if there is none that exists."""
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    return orientation if orientation in TURNS else 1


def _packing(image: Image.Image) -> str:
    """Tell how a file's samples are packed, before it is loaded, as Pillow names it."""
    tiles = getattr(image, "tile", None)
    packing = tiles[0][3] if tiles else None
    return str(packing[0] if isinstance(packing, tuple) and packing else packing)


def _origin(image: Image.Image, data: bytes) -> Origin | None:
    """Tell what a file holds, before it is loaded."""
    if image.format in LOSSY:
        return LOSSY[image.format]
    if image.info.get("compression") in TIFF_JPEG:
        return "JPEG"
    if image.format == "WEBP":
        return "WebP" if _is_lossy(data) else None
    if image.mode in ("P", "PA"):
        return "palette"
    raw = _packing(image)
    if image.mode == "1" or raw in ("L;2", "L;4"):
        return "few levels"
    return "16 bits" if image.mode.startswith("I") or ";16" in raw else None


def _is_lossy(webp: bytes) -> bool:
    """Look for a lossy picture among a WebP file's chunks."""
    pictures = (name for name, _ in webp_chunks(webp) if name in (b"VP8 ", b"VP8L"))
    return next(pictures, b"") == b"VP8 "


def _notes(image: Image.Image, data: bytes) -> tuple[str, ...]:
    """Say what is lost of an image as it is decoded, whatever its samples are."""
    notes = []
    if image.mode in CONVERTED:
        notes.append(f"is {CONVERTED[image.mode]}, and was converted to RGB without its profile")
    depth = _depth(image, data)
    if depth > 8:
        notes.append(f"has {depth} bits a sample, of which 8 are kept")
    return tuple(notes)


def _depth(image: Image.Image, data: bytes) -> int:
    """Return the bits of a sample, of formats of which Pillow keeps 8 without a word."""
    if image.format == "HEIF":
        return int(image.info.get("bit_depth", 8))
    if image.format == "AVIF":
        at = data.find(b"pixi", 0, STRIP)
        return data[at + 9] if 0 <= at < len(data) - 9 else 8
    tiles = getattr(image, "tile", None)
    if image.format == "PPM" and image.mode == "RGB" and tiles and isinstance(tiles[0][3], tuple):
        return int(tiles[0][3][-1]).bit_length()
    return 8


def _follow_colour_key(image: Image.Image, packing: str) -> None:
    """Let the transparent colour of a PNG of 2, 4 or 16 bits follow its samples to 8 bits.

    Pillow scales only the samples, and so takes transparent pixels for opaque ones. It keeps the
    high bytes of 16-bit RGB, so that every colour with those of the transparent one is transparent.
    """
    key = image.info.get("transparency")
    if key is None:
        return
    if packing in ("L;2", "L;4"):
        image.info["transparency"] = (key & 3) * 85 if packing == "L;2" else (key & 15) * 17
    elif packing == "RGB;16B":
        image.info["transparency"] = tuple(level >> 8 for level in key)


def _strips(image: Image.Image) -> Iterator[Image.Image]:
    """Cut an image into strips of rows."""
    columns, rows = image.size
    height = max(1, STRIP // columns)
    for top in range(0, rows, height):
        yield image.crop((0, top, columns, min(top + height, rows)))


def _upright(
    strips: Iterator[Shaped[np.ndarray, "_rows columns channels"]],
    size: tuple[int, int],
    orientation: int,
) -> Shaped[np.ndarray, "_rows _columns _channels"]:
    """Put strips together, and turn them as an EXIF orientation says."""
    first = next(strips)
    columns, rows = size if orientation not in SIDEWAYS else size[::-1]
    whole = np.empty((rows, columns, first.shape[2]), dtype=first.dtype)
    stored = TURNS[orientation](whole)
    top = 0
    for strip in chain([first], strips):
        stored[top : top + len(strip)] = strip
        top += len(strip)
    return whole


def _with_alpha(strip: Image.Image) -> Image.Image | None:
    """Return an image with an alpha channel; None if it has no transparency."""
    if not strip.has_transparency_data:
        return None
    if strip.mode.startswith("I;16"):
        clear = np.asarray(strip) == strip.info["transparency"]
        grey = Image.fromarray(_narrow(_sixteen(strip, Path()))[..., 0])
        alpha = Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))
        return Image.merge("LA", (grey, alpha))
    return strip if strip.mode in ("LA", "RGBA") else strip.convert("RGBA")


def _has_transparent(image: Image.Image) -> bool:
    """Tell whether any pixel is transparent."""
    if not image.has_transparency_data:
        return False
    with_alpha = (_with_alpha(strip) for strip in _strips(image))
    return any(each is not None and _least_alpha(each) < 255 for each in with_alpha)


def _least_alpha(image: Image.Image) -> int:
    lowest, _ = image.getchannel("A").getextrema()
    return int(lowest)  # type: ignore[arg-type]


def _levels(
    strip: Image.Image, path: Path, alpha: Alpha
) -> UInt8[np.ndarray, "rows columns channels"]:
    """Make 8-bit samples, grey or RGB."""
    grey = strip.mode in ("1", "L", "LA", "La") or strip.mode.startswith("I")
    image = _with_alpha(strip)
    if image is None:
        image = strip
    elif alpha != "ignore" and _least_alpha(image) < 255:
        if alpha == "refuse":
            raise ImageError(
                f"{path} is transparent",
                hint=Wording("{flatten:True} puts it onto white, or save it opaque"),
            )
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode == "F":
        raise ImageError(f"{path} has floating-point samples", hint="save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        wide = _sixteen(image, path)
        return (wide >> 8).astype(np.uint8) if alpha == "ignore" else _narrow(wide)
    wanted = "L" if grey else "RGB"
    if image.mode not in (wanted, wanted + "A"):
        image = image.convert(wanted)
    levels = np.asarray(image)
    return levels[..., None] if levels.ndim == 2 else levels[..., : len(wanted)]


def _sixteen(image: Image.Image, path: Path) -> UInt16[np.ndarray, "rows columns 1"]:
    """Return 16-bit grey samples; older releases of Pillow open a PNG of them as I."""
    wide = np.asarray(image)
    if wide.min() < 0 or wide.max() > np.iinfo(np.uint16).max:
        raise ImageError(f"{path} has 32-bit samples", hint="save it with 8 or 16 bits")
    return wide.astype(np.uint16)[..., None]


def _narrow(wide: UInt16[np.ndarray, "*size"]) -> UInt8[np.ndarray, "*size"]:
    return ((wide.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _wide(
    image: Image.Image, data: bytes, path: Path
) -> Iterator[UInt16[np.ndarray, "_rows columns channels"]] | None:
    """Return all bits of 16-bit samples, strip by strip; None where Pillow keeps the high bytes.

    Pillow has no RGB of 16 bits. So a file is decoded twice, the second time as if its bytes were
    in the other order; of grey with alpha, as if its bytes were four channels.
    """
    if image.mode.startswith("I"):
        return (_sixteen(strip, path) for strip in _strips(image))
    if not data:
        return None
    again = opened(data, path)
    again.seek(image.tell())
    raw = _packing(again)
    name, _, order = raw.partition(";16")
    both = raw == "LA;16B"
    if not both and (name not in ("RGB", "RGBA") or order not in SWAPPED):
        return None
    swapped = "RGBA" if both else f"{name};16{SWAPPED[order]}"
    again.tile = [_packed(tile, swapped) for tile in again.tile]  # type: ignore[attr-defined]
    again.load()
    if both:
        pairs = (np.asarray(strip).astype(np.uint16) for strip in _strips(again))
        return (pair[..., :1] << 8 | pair[..., 1:2] for pair in pairs)
    halves = zip(_strips(image), _strips(again), strict=True)
    return (
        np.asarray(high)[..., :3].astype(np.uint16) << 8 | np.asarray(low)[..., :3]
        for high, low in halves
    )


def _packed(tile: Any, packing: str) -> Any:
    """Return what Pillow knows of a part of a file, with its samples packed in another way."""
    args = (packing, *tile[3][1:]) if isinstance(tile[3], tuple) else packing
    return tile._replace(args=args)


def _to_values(wide: UInt16[np.ndarray, "*size"]) -> NDArray[np.float32]:
    values = wide.astype(np.float32)
    values /= np.float32(32767.5)
    values -= 1
    return values


def _used(wide: UInt16[np.ndarray, "*size"]) -> tuple[str, ...]:
    """Say so where 16-bit samples use few of their bits, as of cameras with 12."""
    bits = int(wide.max()).bit_length()
    if bits > 14:
        return ()
    seen = np.zeros(1 << 14, dtype=np.bool_)
    seen[wide] = True
    left = len(np.unique(_narrow(np.flatnonzero(seen).astype(np.uint16))))
    plural = "level is" if left == 1 else "levels are"
    return (f"uses {bits} of its 16 bits: {left} {plural} left in 8 bits",)
