"""Reading JPEG files: headers, tables, and the coefficients of each scan.

Source: ITU-T T.81, annex B.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int16, Int64
from numpy.typing import NDArray

from stegfield.errors import ImageError, Wording
from stegfield.jpeg import entropy, huffman
from stegfield.jpeg.files import LARGEST_POINTS, Component, JpegFile, Scan, TableAt
from stegfield.jpeg.frame import MODES, MOST_BLOCKS_TOGETHER, ZIGZAG, Frame, order, parse_frame
from stegfield.jpeg.huffman import AC, DC, Huffman
from stegfield.jpeg.segments import (
    DHT,
    DNL,
    DQT,
    DRI,
    Coded,
    Segment,
    damaged,
    incomplete,
    split,
)

BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2
KINDS = {
    0xC2: "progressive",
    0xC3: "lossless",
    0xC5: "hierarchical",
    0xC6: "hierarchical",
    0xC7: "hierarchical",
    0xC9: "arithmetic-coded",
    0xCA: "arithmetic-coded",
    0xCB: "lossless",
    0xCD: "hierarchical",
    0xCE: "hierarchical",
    0xCF: "hierarchical",
    0xDE: "hierarchical",
}
"""Of other files, by the marker of their frame."""
RECOMPRESSED = frozenset({0xC2, 0xC9, 0xCA})
"""Those that Pillow decodes."""


@dataclass
class _Reader:
    """What the segments so far have said."""

    name: str
    largest: int
    parts: list[Segment | Scan] = field(default_factory=list)
    tables: dict[tuple[int, int], tuple[TableAt, Huffman]] = field(default_factory=dict)
    steps: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    restart: int = 0
    frame: Frame | None = None
    coefficients: Int16[np.ndarray, " coefficients"] | None = None
    chosen_steps: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    """Of each component that was coded."""

    def take(self, part: Segment | Coded) -> None:
        """Read one part.

        Raises:
            ImageError: the part is of a kind that is not read.
            ValueError: the part contradicts itself, or what came before.
        """
        if isinstance(part, Coded):
            self.parts.append(self._scan(part))
            return
        body = part.body or b""
        if part.marker == DHT:
            for number, (kind, identifier, table) in enumerate(huffman.parse(body)):
                self.tables[kind, identifier] = TableAt(len(self.parts), number), table
        elif part.marker == DQT:
            self.steps.update(parse_steps(body))
        elif part.marker == DRI:
            if len(body) != 2:
                raise ValueError("its restart interval has a wrong length")
            self.restart = int.from_bytes(body, "big")
        elif part.marker in {BASELINE, EXTENDED}:
            self._begin(body)
        elif part.marker in KINDS:
            raise self._other(part.marker)
        elif part.marker == DNL:
            raise ValueError("its height is told after its picture")
        self.parts.append(part)

    def _other(self, marker: int) -> ImageError:
        if marker not in RECOMPRESSED:
            return ImageError(
                f"{self.name} is a {KINDS[marker]} JPEG", hint="save it as a baseline JPEG"
            )
        return ImageError(
            f"{self.name} is a {KINDS[marker]} JPEG, and baseline ones are written",
            hint=Wording("{allow_recompress:True} writes it as a baseline JPEG, which shows"),
        )

    def _begin(self, body: bytes) -> None:
        if self.frame is not None:
            raise ValueError("it has two frame headers")
        if body[:1] != b"\x08":
            raise ImageError(
                f"{self.name} is a JPEG of {body[0] if body else 0} bits a sample",
                hint="save it as a JPEG of 8 bits",
            )
        self.frame = parse_frame(body)
        if not self.frame.height:
            raise ValueError("its height is told after its picture")
        if self.frame.height * self.frame.width > self.largest:
            raise ImageError(
                f"{self.name} has {self.frame.width}x{self.frame.height} pixels",
                hint=f"reduce it to {self.largest / 1e6:g} megapixels or less",
            )

    def _scan(self, part: Coded) -> Scan:
        header = self.parts[-1]
        if self.frame is None or not isinstance(header, Segment):
            raise ValueError("its picture begins before its frame header")
        members, chosen = _members(header.body or b"", self.frame)
        blocks = order(self.frame, members)
        if blocks.together > MOST_BLOCKS_TOGETHER:
            raise ValueError("its components are sampled too finely")
        if self.chosen_steps.keys() & set(members):
            raise ValueError("a component is coded twice")
        if len(blocks.places) * entropy.LEAST_BITS > 8 * len(part.raw):
            raise incomplete(self.name)
        for member in members:
            self.chosen_steps[member] = self._steps(self.frame.planes[member].table)
        if self.coefficients is None:
            self.coefficients = np.zeros(self.frame.blocks * MODES, np.int16)
        dc = [self._table(DC, pair >> 4) for pair in chosen]
        ac = [self._table(AC, pair & 15) for pair in chosen]
        found = entropy.Tables(tuple(each for _, each in dc), tuple(each for _, each in ac))
        leftovers = entropy.decode(
            part.raw,
            blocks,
            self.restart * blocks.together,
            found,
            out=self.coefficients,
            name=self.name,
        )
        places = [tuple(at for at, _ in kind) for kind in (dc, ac)]
        return Scan(members, places[0], places[1], self.restart, leftovers)

    def _steps(self, number: int) -> NDArray[np.int64]:
        if number not in self.steps:
            raise ValueError("a quantisation table is missing")
        return self.steps[number]

    def _table(self, kind: int, number: int) -> tuple[TableAt, Huffman]:
        if (kind, number) not in self.tables:
            raise ValueError("a Huffman table is missing")
        return self.tables[kind, number]

    def finished(self, trailer: bytes, length: int) -> JpegFile:
        """Return the file, once all its parts were taken."""
        if self.frame is None or self.coefficients is None:
            raise ValueError("it has no picture")
        if len(self.chosen_steps) < len(self.frame.planes):
            raise incomplete(self.name)
        blocks = self.coefficients.reshape(-1, MODES)
        components = tuple(
            Component(
                plane,
                self.chosen_steps[number],
                blocks[plane.first : plane.first + plane.blocks].reshape(*plane.padded, MODES),
            )
            for number, plane in enumerate(self.frame.planes)
        )
        return JpegFile(self.name, self.frame, components, tuple(self.parts), trailer, length)


def parse_steps(body: bytes) -> dict[int, Int64[np.ndarray, " 64"]]:
    """Read quantisation tables, by their identifiers; steps are in the order of modes.

    Raises:
        ValueError: one is cut short.
    """
    found, at = {}, 0
    while at < len(body):
        wide, identifier = body[at] >> 4, body[at] & 15
        size = MODES * (2 if wide else 1)
        if wide > 1 or identifier > 3 or at + 1 + size > len(body):
            raise ValueError("a quantisation table is cut short")
        kind = ">u2" if wide else "u1"
        steps = np.zeros(MODES, np.int64)
        steps[ZIGZAG] = np.frombuffer(body, kind, MODES, at + 1)
        found[identifier] = steps
        at += 1 + size
    return found


def _members(body: bytes, frame: Frame) -> tuple[tuple[int, ...], list[int]]:
    """Return the components of a scan, and the tables of each as a scan header tells them."""
    count = body[0] if body else 0
    if not 1 <= count <= len(frame.planes) or len(body) != 4 + 2 * count:
        raise ValueError("a scan header has a wrong length")
    names = {plane.identifier: number for number, plane in enumerate(frame.planes)}
    pairs = [(body[at], body[at + 1]) for at in range(1, 1 + 2 * count, 2)]
    members = tuple(names[name] for name, _ in pairs if name in names)
    if len(set(members)) < count:
        raise ValueError("a scan codes a component that there is not")
    return members, [pair for _, pair in pairs]


def decode(data: bytes, name: str = "the file", *, largest: int = LARGEST_POINTS) -> JpegFile:
    """Read a baseline JPEG file.

    Args:
        data: The file.
        name: What errors call it.
        largest: Pixels that it may have.

    Raises:
        ImageError: the file is no baseline JPEG, or damaged, incomplete or too large.
    """
    reader, length = _Reader(name, largest), 0
    try:
        for part in split(data, name):
            reader.take(part)
            length += len(part.raw)
        return reader.finished(data[length:], length)
    except ValueError as error:
        raise damaged(name, str(error)) from None


def encode(file: JpegFile) -> bytes:
    """Return the bytes of a file; the same as were read, if nothing was changed."""
    return file.encoded()
