"""Reading the segments of a JPEG file: headers, tables, and what they say together.

Source: ITU-T T.81, annex B.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Int16, Int64
from numpy.typing import NDArray

from stegfield.errors import ImageError, Wording
from stegfield.jpeg import huffman
from stegfield.jpeg.files import Component, JpegFile, Scan, TableAt
from stegfield.jpeg.frame import MODES, ZIGZAG, Frame, parse_frame
from stegfield.jpeg.huffman import Huffman
from stegfield.jpeg.segments import DHT, DNL, DQT, DRI, Coded, Segment, incomplete

BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2
KINDS = {
    0xC2: "a progressive",
    0xC3: "a lossless",
    0xC5: "a hierarchical",
    0xC6: "a hierarchical",
    0xC7: "a hierarchical",
    0xC9: "an arithmetic-coded",
    0xCA: "an arithmetic-coded",
    0xCB: "a lossless",
    0xCD: "a hierarchical",
    0xCE: "a hierarchical",
    0xCF: "a hierarchical",
    0xDE: "a hierarchical",
}
"""Of other files, by the marker of their frame."""
ARITHMETIC = frozenset({0xC9, 0xCA})
RECOMPRESSED = frozenset({PROGRESSIVE, *ARITHMETIC})
"""Those that `conversion` makes baseline files of."""


@dataclass
class Reader(ABC):
    """What the segments so far have said."""

    frames: ClassVar[frozenset[int]]
    """Markers of the frames that it reads."""
    name: str
    largest: int
    parts: list[Segment | Scan] = field(default_factory=list)
    tables: dict[tuple[int, int], tuple[TableAt, Huffman]] = field(default_factory=dict)
    segments: int = 0
    """Of Huffman tables."""
    steps: dict[int, NDArray[np.int64]] = field(default_factory=dict, repr=False)
    restart: int = 0
    frame: Frame | None = None
    values: Int16[np.ndarray, " coefficients"] | None = field(default=None, repr=False)
    """Of all coefficients, once a scan was decoded."""
    chosen_steps: dict[int, NDArray[np.int64]] = field(default_factory=dict, repr=False)
    """Of each component that was coded."""

    def take(self, part: Segment | Coded) -> None:
        """Read one part.

        Raises:
            ImageError: the part is of a kind that is not read.
            ValueError: the part contradicts itself, or what came before.
        """
        if isinstance(part, Coded):
            scan = self._code(part)
            if scan is not None:
                self.parts.append(scan)
            return
        body = part.body or b""
        if part.marker == DHT:
            for number, (kind, identifier, table) in enumerate(huffman.parse(body)):
                self.tables[kind, identifier] = TableAt(self.segments, number), table
            self.segments += 1
        elif part.marker == DQT:
            self.steps.update(parse_steps(body))
        elif part.marker == DRI:
            if len(body) != 2:
                raise ValueError("its restart interval has a wrong length")
            self.restart = int.from_bytes(body, "big")
        elif part.marker in self.frames:
            self._begin(body)
        elif part.marker in KINDS:
            raise self._other(part.marker)
        elif part.marker == DNL:
            raise ValueError("its height is told after its picture")
        self.parts.append(part)

    def _other(self, marker: int) -> ImageError:
        if marker not in RECOMPRESSED:
            return ImageError(
                f"{self.name} is {KINDS[marker]} JPEG", hint="save it as a baseline JPEG"
            )
        return ImageError(
            f"{self.name} is {KINDS[marker]} JPEG, and only baseline ones can be changed",
            hint=Wording(
                "{allow_recompress:True} writes a baseline JPEG of it, or take a photo as a camera "
                "wrote it"
            ),
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
            raise too_large(self.name, self.frame.width, self.frame.height, self.largest)

    def _code(self, part: Coded) -> Scan | None:
        header = self.parts[-1]
        if self.frame is None or not isinstance(header, Segment):
            raise ValueError("its picture begins before its frame header")
        return self.scan(header.body or b"", part, self.frame)

    @abstractmethod
    def scan(self, header: bytes, part: Coded, frame: Frame) -> Scan | None:
        """Decode a scan into the coefficients.

        Args:
            header: The body of its header.
            part: Its data.
            frame: The picture.

        Returns:
            The scan as it is written again, if it is.

        Raises:
            ImageError: the data is damaged or incomplete.
            ValueError: the header contradicts itself, or what came before.
        """

    def choose(self, member: int, frame: Frame) -> None:
        """Note the quantisation table of a component that is coded for the first time."""
        number = frame.planes[member].table
        if number not in self.steps:
            raise ValueError("a quantisation table is missing")
        self.chosen_steps[member] = self.steps[number]

    def coefficients(self, frame: Frame) -> Int16[np.ndarray, " coefficients"]:
        """Return the coefficients of all blocks, zero at first."""
        if self.values is None:
            self.values = np.zeros(frame.blocks * MODES, np.int16)
        return self.values

    def table(self, kind: int, number: int) -> tuple[TableAt, Huffman]:
        """Return the Huffman table that a scan header names."""
        if (kind, number) not in self.tables:
            raise ValueError("a Huffman table is missing")
        return self.tables[kind, number]

    def finished(self, trailer: bytes, length: int) -> JpegFile:
        """Return the file, once all its parts were taken."""
        if self.frame is None or self.values is None:
            raise ValueError("it has no picture")
        if len(self.chosen_steps) < len(self.frame.planes):
            raise incomplete(self.name)
        blocks = self.values.reshape(-1, MODES)
        components = tuple(
            Component(
                plane,
                self.chosen_steps[number],
                blocks[plane.first : plane.first + plane.blocks].reshape(*plane.padded, MODES),
            )
            for number, plane in enumerate(self.frame.planes)
        )
        return JpegFile(self.name, self.frame, components, tuple(self.parts), trailer, length)


def too_large(name: str, width: int, height: int, largest: int) -> ImageError:
    """Return the error for a picture of too many pixels."""
    return ImageError(
        f"{name} has {width}x{height} pixels",
        hint=f"reduce it to {largest / 1e6:g} megapixels or less",
    )


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


def parse_members(body: bytes, frame: Frame) -> tuple[tuple[int, ...], list[int]]:
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
