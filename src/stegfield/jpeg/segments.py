"""The parts of a JPEG file, one after the other: marker segments and entropy-coded data.

Every byte of a file belongs to one part, fill bytes and stray bytes too, so that the parts put
together are the file again.

Source: ITU-T T.81, annex B.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stegfield.errors import ImageError

SOI, EOI, SOS, DQT, DHT, DRI, DNL = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xDC
APP0, APP1, APP2, APP11, APP14, APP15, COM = 0xE0, 0xE1, 0xE2, 0xEB, 0xEE, 0xEF, 0xFE
TEM = 0x01
RESTARTS = range(0xD0, 0xD8)
ALONE = frozenset({TEM, SOI, EOI, *RESTARTS})
"""Markers without a length and a body."""
MOST_SEGMENTS = 10_000
NEXT_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
GET_AGAIN = "get the file again"


@dataclass(frozen=True)
class Segment:
    """A marker, and the bytes that its length counts."""

    lead: bytes
    """What stands between the part before and the marker: fill bytes, or stray bytes."""
    marker: int
    """The second byte; the first is 0xFF."""
    body: bytes | None
    """None for markers that stand alone."""

    @property
    def raw(self) -> bytes:
        """All bytes of the part."""
        start = self.lead + bytes([0xFF, self.marker])
        if self.body is None:
            return start
        return start + (len(self.body) + 2).to_bytes(2, "big") + self.body


@dataclass(frozen=True)
class Coded:
    """Entropy-coded data of a scan, whose header is the segment before it."""

    raw: bytes


def split(data: bytes, name: str) -> Iterator[Segment | Coded]:
    """Yield the parts of a file up to the end of its first picture.

    Raises:
        ImageError: the file is no JPEG, or ends before its picture does.
    """
    if not data.startswith(b"\xff\xd8"):
        raise ImageError(f"{name} is not a JPEG", hint="give a file that a camera or program wrote")
    yield Segment(b"", SOI, None)
    at = 2
    for _ in range(MOST_SEGMENTS):
        segment, at = _segment(data, at, name)
        yield segment
        if segment.marker == EOI:
            return
        if segment.marker == SOS:
            found = END_OF_SCAN.search(data, at)
            if found is None:
                raise incomplete(name)
            end = before_fill(data, at, found.start())
            yield Coded(data[at:end])
            at = end
    raise damaged(name, "it has too many segments")


def _segment(data: bytes, at: int, name: str) -> tuple[Segment, int]:
    found = NEXT_MARKER.search(data, at)
    if found is None:
        raise incomplete(name)
    lead, end = data[at : found.end() - 2], found.end()
    marker = data[end - 1]
    if marker == SOI:
        raise damaged(name, "one picture begins within another")
    if marker in ALONE:
        return Segment(lead, marker, None), end
    length = int.from_bytes(data[end : end + 2], "big")
    if length < 2:
        raise damaged(name, "a segment is shorter than its own length")
    if end + length > len(data):
        raise incomplete(name)
    return Segment(lead, marker, data[end + 2 : end + length]), end + length


def before_fill(data: bytes, start: int, marker: int) -> int:
    """Return where the fill bytes before a marker begin."""
    while marker > start and data[marker - 1] == 0xFF:
        marker -= 1
    return marker


def incomplete(name: str) -> ImageError:
    """Return the error for a file that ends too early."""
    return ImageError(f"{name} is incomplete", hint=GET_AGAIN)


def damaged(name: str, why: str) -> ImageError:
    """Return the error for a file that contradicts itself."""
    return ImageError(f"{name} is a damaged JPEG: {why}", hint=GET_AGAIN)
