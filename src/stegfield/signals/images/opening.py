"""Opening image files: kinds of file, bounds, and one error for whatever decoders raise."""

from __future__ import annotations

import ctypes
import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from stegfield.errors import ImageError, InputError
from stegfield.files import LONGEST_REASON
from stegfield.signals.medium import library

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM", "AVIF", "GIF")
"""Pillow's names of what it reads for us."""
FORMAT_HINT = "PNG, JPEG, WebP, BMP, TIFF, PPM, AVIF, HEIC and still GIF can be read"
HEIC = re.compile(rb".{4}ftyp(?!.{4}.{4}(.{4})*avif)(hei[cxms]|hev[cx]|mif1|msf1)", re.DOTALL)
SMALLEST_SIDE = 8
MOST_PAGES = 64
NEW_SUBFILE_TYPE, SMALLER_COPY, MASK = 254, 1, 4
RLE4 = 2
LARGEST_WEBP = 40_000_000
"""Pixels; Pillow takes 16 bytes for each, half of them before it tells how many there are."""
MOST_SCANS = 64
"""Of a JPEG; cameras and optimisers write 12 at most. A scan of 100 bytes can take 0.05 s."""
JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])", re.DOTALL)
"""What ends the data of a scan: not a byte 0xFF in it, and not a restart."""
START_OF_SCAN, END_OF_IMAGE, WITHOUT_BODY = b"\xda", b"\xd9", (b"\x01", b"\xd8")
CUT_SHORT = re.compile(
    "truncat|not enough|insufficient|incomplete|premature|end of (file|data|stream)", re.IGNORECASE
)
"""What decoders say of files that end too early."""


def opened(data: bytes, path: Path) -> Image.Image:
    """Open an image file; nothing is decoded yet.

    Raises:
        ImageError: The image is of a kind that Pillow does not decode correctly, a WebP of more
            than 40 megapixels, or a JPEG of more than 64 scans.
        InputError: The image is HEIC, and pillow-heif is not installed.
    """
    if HEIC.match(data[:64]):
        heif = library("pillow_heif", f"{path} is HEIC, and HEIC needs pillow-heif")
        image: Image.Image = heif.HeifImageFile(io.BytesIO(data))
        return image
    check_size(*_canvas(data), path, LARGEST_WEBP)
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    if image.format in ("JPEG", "MPO") and _has_many_scans(data):
        raise ImageError(f"{path} has more than {MOST_SCANS} scans", hint="save it as PNG")
    if image.format == "BMP" and image.info.get("compression") == RLE4:
        # Pillow 12.3 shifts the rows of odd widths
        raise ImageError(f"{path} is a BMP compressed as RLE4", hint="save it as PNG")
    return image


def _canvas(data: bytes) -> tuple[int, int]:
    """Return the columns and rows that a WebP file promises; the least of an image otherwise."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        for name, body in webp_chunks(data):
            sizes = int.from_bytes(body[:10], "little")
            if name == b"VP8X":
                return (sizes >> 32 & 0xFFFFFF) + 1, (sizes >> 56 & 0xFFFFFF) + 1
            if name == b"VP8 ":
                return sizes >> 48 & 0x3FFF, sizes >> 64 & 0x3FFF
            if name == b"VP8L":
                return (sizes >> 8 & 0x3FFF) + 1, (sizes >> 22 & 0x3FFF) + 1
    return SMALLEST_SIDE, SMALLEST_SIDE


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Return the chunks of a WebP file: their names, and their bytes as far as there are any."""
    at = len("RIFF") + 4 + len("WEBP")
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], memoryview(data)[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _has_many_scans(jpeg: bytes) -> bool:
    """Tell whether a JPEG has so many scans, each of all blocks, that it was made to take time."""
    at, scans = 2, 0
    while scans <= MOST_SCANS and (found := JPEG_MARKER.search(jpeg, at)):
        at, marker = found.end(), found[1]
        if marker == END_OF_IMAGE:
            return False
        if marker not in WITHOUT_BODY:
            at += int.from_bytes(jpeg[at : at + 2], "big")
        scans += marker == START_OF_SCAN
    return scans > MOST_SCANS


def choose_page(image: Image.Image, path: Path) -> tuple[str, ...]:
    """Go to the picture that a file shows, and return what to note of the others.

    Raises:
        ImageError: several frames or pages could be the picture.
    """
    # cameras append previews and depth maps to a JPEG, which makes it an MPO of several frames
    count = getattr(image, "n_frames", 1)
    if image.format == "MPO" or count == 1:
        return ()
    if image.format == "HEIF":
        return (f"has {count} pictures; the first of them was read",)
    if image.format == "PNG":
        raise ImageError(f"{path} is an animated PNG", hint="name it .apng, or save one frame")
    full = _full_pages(image, count) if image.format == "TIFF" else []
    if len(full) != 1:
        raise ImageError(f"{path} has several frames", hint="save the one you want by itself")
    image.seek(full[0])
    copies = f"{count - 1} smaller {'copies' if count > 2 else 'copy'}"
    return (f"has {copies} of its picture, which the output will not have",)


def _full_pages(image: Any, count: int) -> list[int]:
    pages = []
    for page in range(min(count, MOST_PAGES)):
        image.seek(page)
        if not int(image.tag_v2.get(NEW_SUBFILE_TYPE, 0)) & (SMALLER_COPY | MASK):
            pages.append(page)
    return pages


def check_size(columns: int, rows: int, what: Path | str, largest: int) -> None:
    """Refuse an image by its size.

    Raises:
        ImageError: the image has more pixels than ``largest``, or fewer than 8 on a side.
    """
    if columns * rows > largest:
        raise ImageError(
            f"{what} has {columns}x{rows} pixels",
            hint=f"reduce it to {largest / 1e6:g} megapixels or less",
        )
    if min(columns, rows) < SMALLEST_SIDE:
        raise ImageError(
            f"{what} has {columns}x{rows} pixels", hint=f"each side needs {SMALLEST_SIDE} at least"
        )


@contextmanager
def distrusting(path: Path) -> Iterator[None]:
    """Turn whatever decoders raise into one error, and let them write nothing themselves."""
    _silence()
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
    except (InputError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on crafted files
        if CUT_SHORT.search(str(error)):
            raise ImageError(f"{path} is incomplete", hint="get the file again") from error
        reason = " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
        raise ImageError(
            f"{path} is a damaged image: {reason}", hint="get the file again"
        ) from error


@cache
def _silence() -> None:
    """Stop libtiff and Pillow from writing their errors to stderr; they are raised anyway.

    Pillow silences libtiff's warnings in the same way. Its own lines are log messages, which Python
    prints where nobody has set up logging.
    """
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    with suppress(AttributeError, OSError):  # a libtiff that is linked in has no name to call
        ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler(None)  # type: ignore[attr-defined]
