"""Leaving out what a JPEG file tells beside its picture.

What the picture looks like stays: density, colour profile, the transform of its colours, and how
cameras turn it. EXIF data, XMP, comments, thumbnails, content credentials and pictures behind the
first one go.
"""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from stegfield.jpeg.files import JpegFile, Scan
from stegfield.jpeg.segments import APP0, APP1, APP2, APP14, APP15, COM, Segment

JFIF, EXIF, ICC, ADOBE = b"JFIF\0", b"Exif\0\0", b"ICC_PROFILE\0", b"Adobe"
DENSITY_END = 12
"""Bytes of a JFIF segment before the size of its thumbnail."""
ORIENTATION = 0x0112
UPRIGHT = 1
ORIENTATIONS = range(1, 9)


def without_metadata(file: JpegFile) -> JpegFile:
    """Return a file with its picture alone, which looks as before."""
    parts: list[Segment | Scan] = []
    for part in file.parts:
        kept = part if isinstance(part, Scan) else _kept(part)
        if kept is not None:
            parts.append(kept)
    return replace(file, parts=tuple(parts), trailer=b"")


def _kept(segment: Segment) -> Segment | None:
    """Return what stays of a segment."""
    body = segment.body or b""
    marker = segment.marker
    if marker == APP0 and body.startswith(JFIF):
        return replace(segment, lead=b"", body=body[:DENSITY_END] + b"\0\0")
    if marker == APP1 and body.startswith(EXIF):
        return _turned(body)
    if (marker == APP2 and body.startswith(ICC)) or (marker == APP14 and body.startswith(ADOBE)):
        return replace(segment, lead=b"")
    if marker == COM or APP0 <= marker <= APP15:
        return None
    return replace(segment, lead=b"")


def _turned(body: bytes) -> Segment | None:
    """Return EXIF data that tells how the picture is turned, and nothing else."""
    exif = Image.Exif()
    try:
        exif.load(body)
        turned = exif.get(ORIENTATION)
    except Exception:  # Pillow raises nearly anything on crafted data
        return None
    if turned == UPRIGHT or turned not in ORIENTATIONS:
        return None
    least = Image.Exif()
    least[ORIENTATION] = turned
    return Segment(b"", APP1, least.tobytes())
