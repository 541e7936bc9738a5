"""Files of several pictures (MPF): where the pictures behind the first one begin.

Cameras append previews, depth maps and gain maps. An index in the first picture tells where each
of them is, counted from the index, so that all move if the first picture changes its length.

Source: CIPA DC-007-2009, Multi-Picture Format, 5.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

from stegfield.jpeg.segments import APP2, Segment

NAME = b"MPF\0"
ENTRIES = 0xB002
"""Tag of the list of pictures."""
FIELD, ENTRY = 12, 16
"""Bytes of a field of the index, and of a picture's entry."""


def moved(segment: Segment, longer: int) -> Segment:
    """Return an index for a first picture that is some bytes longer; other segments as they are.

    An index that does not follow the format stays as it is.
    """
    body = segment.body
    if segment.marker != APP2 or body is None or not body.startswith(NAME):
        return segment
    changed = bytearray(body)
    try:
        for at, order in _entries(body):
            _, size, offset = struct.unpack_from(order + "III", body, at)
            if offset == 0:
                size += longer
            else:
                offset += longer
            struct.pack_into(order + "II", changed, at + 4, size, offset)
    except struct.error:
        return segment
    return replace(segment, body=bytes(changed))


def _entries(body: bytes) -> Iterator[tuple[int, str]]:
    """Yield where each picture's entry stands, and the order of bytes."""
    start = len(NAME)
    order = "<" if body[start : start + 2] == b"II" else ">"
    (index,) = struct.unpack_from(order + "I", body, start + 4)
    (fields,) = struct.unpack_from(order + "H", body, start + index)
    for field in range(fields):
        at = start + index + 2 + FIELD * field
        tag, _, length, where = struct.unpack_from(order + "HHII", body, at)
        if tag == ENTRIES:
            for entry in range(length // ENTRY):
                yield start + where + ENTRY * entry, order
