"""Leaving out what a JPEG file tells beside its picture: place, time, camera, previews, comments.

What decides how the picture looks stays: JFIF's resolution, the colour profile, Adobe's marker, and
the orientation, by itself.
"""

from __future__ import annotations

import io

from PIL import ExifTags, Image

from stegfield.jpeg.segments import APP0, APP1, APP2, APP14, APP15, COM, Coded, Segment, split

SHOWN = {APP0: b"JFIF\0", APP2: b"ICC_PROFILE\0", APP14: b"Adobe"}
"""Segments that decide how a picture looks: what their bodies begin with."""


def without_metadata(file: bytes, name: str = "the file") -> bytes:
    """Return a JPEG file without metadata, previews and what follows its picture.

    Raises:
        ImageError: The file is no JPEG, or incomplete.
    """
    with Image.open(io.BytesIO(file), formats=("JPEG", "MPO")) as image:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    parts = [part for part in split(file, name) if not _is_metadata(part)]
    if orientation in range(2, 9):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        # tobytes begins with the name of the segment
        parts.insert(1, Segment(b"", APP1, exif.tobytes()))
    return b"".join(part.raw for part in parts)


def _is_metadata(part: Segment | Coded) -> bool:
    if not isinstance(part, Segment) or part.body is None:
        return False
    if part.marker == COM:
        return True
    shown = part.marker in SHOWN and part.body.startswith(SHOWN[part.marker])
    return APP0 <= part.marker <= APP15 and not shown
