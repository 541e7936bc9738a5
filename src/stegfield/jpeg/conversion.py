"""Baseline files of JPEG files that are coded in other ways.

Progressive files keep their coefficients, so that the picture stays the same to the last bit. The
samples of arithmetic-coded files are encoded anew with the file's own quantisation tables.

Source: ITU-T T.81, annex G (progressive coding).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stegfield.errors import ImageError
from stegfield.jpeg import entropy, huffman
from stegfield.jpeg.entropy import Leftovers
from stegfield.jpeg.files import JpegFile, Scan, TableAt
from stegfield.jpeg.frame import MODES, MOST_BLOCKS_TOGETHER, ZIGZAG, Frame, Order, order
from stegfield.jpeg.headers import (
    ARITHMETIC,
    BASELINE,
    EXTENDED,
    KINDS,
    PROGRESSIVE,
    Reader,
    parse_members,
    parse_steps,
    too_large,
)
from stegfield.jpeg.huffman import AC, DC, STANDARD
from stegfield.jpeg.segments import (
    DHT,
    DQT,
    DRI,
    EOI,
    RESTARTS,
    SOS,
    Coded,
    Segment,
    damaged,
    incomplete,
    split,
)

MOST_SCANS = 64
MOST_INTERVALS = 200_000
LARGEST_SHIFT = 13
NOTHING_LEFT = Leftovers(np.full(1, 255, np.uint8), np.zeros(0, np.uint8), np.zeros(2, np.int64))
SMALL_STEPS = 255
"""The largest quantisation step of a baseline file; larger ones make it an extended one."""


def to_baseline(data: bytes, name: str, largest: int) -> bytes:
    """Return a file as a baseline one.

    Args:
        data: A file of any kind; a baseline one is returned as it is.
        name: What errors call it.
        largest: Pixels that it may have.

    Raises:
        ImageError: the file is damaged, incomplete or too large.
    """
    marker = _frame_marker(data, name)
    if marker == PROGRESSIVE:
        return _transcoded(data, name, largest)
    return _encoded_anew(data, name, largest) if marker in ARITHMETIC else data


def _frame_marker(data: bytes, name: str) -> int | None:
    known = (BASELINE, EXTENDED, *KINDS)
    markers = (part.marker for part in split(data, name) if isinstance(part, Segment))
    return next((marker for marker in markers if marker in known), None)


def _transcoded(data: bytes, name: str, largest: int) -> bytes:
    reader, length = ProgressiveReader(name, largest), 0
    try:
        for part in split(data, name):
            reader.take(part)
            length += len(part.raw)
        read = reader.finished(data[length:], length)
        return replace(read, parts=_baseline_parts(read)).optimised().encoded()
    except ValueError as error:
        raise damaged(name, str(error)) from None


@dataclass(frozen=True)
class Band:
    """What a progressive scan codes of each block."""

    begin: int
    """First place in the file's order of modes."""
    end: int
    """Last place."""
    high: int
    """Lowest bit that was coded before; 0 if none was."""
    low: int
    """The bit that is lowest now."""

    def __post_init__(self) -> None:
        means = self.begin == self.end == 0
        waves = 1 <= self.begin <= self.end < MODES
        if not (means or waves) or self.low > LARGEST_SHIFT:
            raise ValueError("a scan codes an impossible band")
        if self.high and self.high != self.low + 1:
            raise ValueError("a scan refines a bit that is not next")


@dataclass
class ProgressiveReader(Reader):
    """Reads the segments and scans of a progressive file."""

    frames = frozenset({PROGRESSIVE})
    scans: int = 0
    intervals: int = 0
    """Restart intervals of all scans so far."""

    def scan(self, header: bytes, part: Coded, frame: Frame) -> None:
        """Decode a scan, adding to the coefficients."""
        self.scans += 1
        if self.scans > MOST_SCANS:
            raise ValueError("it has too many scans")
        members, chosen = parse_members(header, frame)
        band = Band(header[-3], header[-2], header[-1] >> 4, header[-1] & 15)
        blocks = order(frame, members)
        if blocks.together > MOST_BLOCKS_TOGETHER or (band.begin and len(members) > 1):
            raise ValueError("a scan codes too many components together")
        new = [member for member in members if member not in self.chosen_steps]
        if new and (band.begin or len(blocks.places) > 8 * len(part.raw)):
            raise incomplete(self.name)
        for member in new:
            self.choose(member, frame)
        found = entropy.intervals(part.raw, blocks, self.restart * blocks.together, self.name)
        self.intervals += len(found.stops)
        if self.intervals > MOST_INTERVALS:
            raise ValueError("it has too many restart intervals")
        size = self.restart * blocks.together or len(blocks.places)
        for number in range(len(found.stops)):
            inside = slice(number * size, (number + 1) * size)
            there = Order(blocks.places[inside], blocks.members[inside], blocks.together)
            start, stop = map(int, found.starts[number : number + 2])
            self._interval((found.source, start, stop), there, chosen, band, frame)

    def _interval(
        self,
        data: tuple[NDArray[np.uint8], int, int],
        blocks: Order,
        chosen: list[int],
        band: Band,
        frame: Frame,
    ) -> None:
        from stegfield.jpeg import progressive_loops as loops
        from stegfield.jpeg.loops import TOO_LONG

        shift, out = band.low, self.coefficients(frame)
        loop: Callable[..., tuple[int, int]]
        given: tuple[object, ...]
        if band.begin:
            _, table = self.table(AC, chosen[0] & 15)
            loop = loops.refine_waves if band.high else loops.first_waves
            given = (huffman.lookup(table), ZIGZAG, band.begin, band.end)
        elif band.high:
            loop, given = loops.refine_means, ()
        else:
            tables = [huffman.lookup(self.table(DC, pair >> 4)[1]) for pair in chosen]
            loop, given = loops.first_means, (blocks.members, np.concatenate(tables))
        block, fault = loop(*entropy.views(*data, blocks.places, *given, shift, out))
        if fault == TOO_LONG:
            raise incomplete(self.name)
        if fault:
            raise damaged(self.name, f"block {block} of a scan cannot be decoded")


def _baseline_parts(read: JpegFile) -> tuple[Segment | Scan, ...]:
    """Return the parts of a baseline file with the coefficients of a progressive one.

    Components that share a quantisation table share Huffman tables, as in files of most encoders.
    """
    first = read.components[0].plane.table
    groups = [int(each.plane.table != first) for each in read.components]
    tables = [
        Segment(b"", DHT, huffman.body([(kind, group, STANDARD[kind, group])]))
        for group in sorted(set(groups))
        for kind in (DC, AC)
    ]
    names = [each.plane.identifier for each in read.components]
    pairs = zip(names, groups, strict=True)
    listed = b"".join(bytes([name, group << 4 | group]) for name, group in pairs)
    header = Segment(b"", SOS, bytes([len(names)]) + listed + bytes([0, MODES - 1, 0]))
    return (
        *_heads(read),
        *tables,
        header,
        Scan(
            members=tuple(range(len(names))),
            dc=tuple(TableAt(2 * group, 0) for group in groups),
            ac=tuple(TableAt(2 * group + 1, 0) for group in groups),
            restart=0,
            leftovers=NOTHING_LEFT,
        ),
        Segment(b"", EOI, None),
    )


def _heads(read: JpegFile) -> list[Segment]:
    """Return the segments that stay."""
    wide = any(each.table.max() > SMALL_STEPS for each in read.components)
    steps: dict[int, NDArray[np.int64]] = {}
    kept = []
    for part in read.parts:
        if isinstance(part, Scan) or part.marker in {DHT, DRI, SOS, EOI, *RESTARTS}:
            continue
        if part.marker == DQT:
            steps.update(parse_steps(part.body or b""))
        frame = part.marker == PROGRESSIVE
        kept.append(replace(part, marker=EXTENDED if wide else BASELINE) if frame else part)
    if any((steps[each.plane.table] != each.table).any() for each in read.components):
        raise ValueError("a quantisation table changes between its scans")
    return kept


def _encoded_anew(data: bytes, name: str, largest: int) -> bytes:
    """Decode a file's samples, and encode them with the file's own quantisation tables."""
    stream = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            if image.width * image.height > largest:
                raise too_large(name, image.width, image.height, largest)
            image.save(stream, "JPEG", quality="keep", optimize=True, **_told(image))
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on crafted files
        raise damaged(name, str(error)) from None
    return stream.getvalue()


def _told(image: Image.Image) -> dict[str, object]:
    return {key: image.info[key] for key in ("exif", "icc_profile", "dpi") if key in image.info}
