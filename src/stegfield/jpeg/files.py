"""JPEG files as quantised coefficients and everything else, which stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple, TypeGuard

import numpy as np
from jaxtyping import Int16, Int64
from numpy.typing import NDArray

from stegfield.errors import Caution, ImageError, Wording
from stegfield.jpeg import entropy, huffman, multipicture
from stegfield.jpeg.entropy import Leftovers, Tables
from stegfield.jpeg.frame import Frame, Order, Plane, order
from stegfield.jpeg.huffman import Huffman
from stegfield.jpeg.sayable import Ways, every_way, open_ways
from stegfield.jpeg.segments import APP11, DHT, Segment

LARGEST_POINTS = 80_000_000  # as in `stegfield.signals`
LARGEST_COEFFICIENT = 2047
Coding = Literal["standard", "optimised", "own"]
"""Of Huffman tables: those of T.81, those optimal for the file's own coefficients, or others."""
Coefficients = Int16[np.ndarray, "_rows _columns 64"]


@dataclass(frozen=True)
class Component:
    """One component of a picture: luma, a chroma, or an ink."""

    plane: Plane
    table: Int64[np.ndarray, " 64"] = field(repr=False)
    """The quantisation step of each mode."""
    coefficients: Coefficients
    """Quantised coefficients of all blocks, those beyond the picture too; mode 8 v + u has the
    frequency v down and u across."""

    @property
    def rows(self) -> int:
        """Rows of blocks that show some of the picture."""
        return self.plane.rows

    @property
    def columns(self) -> int:
        """Columns of blocks that show some of the picture."""
        return self.plane.columns

    @property
    def picture(self) -> Coefficients:
        """Quantised coefficients of the blocks that show some of the picture."""
        return self.coefficients[: self.rows, : self.columns]


class TableAt(NamedTuple):
    """A Huffman table by where it stands."""

    segment: int
    """Which of the file's segments of Huffman tables."""
    number: int
    """Which table of that segment."""


@dataclass(frozen=True)
class Scan:
    """A scan: which components it codes, and how."""

    members: tuple[int, ...]
    dc: tuple[TableAt, ...]
    ac: tuple[TableAt, ...]
    restart: int
    """Units of a restart interval; 0 for one interval."""
    leftovers: Leftovers


@dataclass(frozen=True)
class JpegFile:
    """A JPEG file, as `decode` reads it; `with_coefficients` changes it, `encode` writes it."""

    name: str
    frame: Frame
    components: tuple[Component, ...]
    parts: tuple[Segment | Scan, ...]
    """From the first marker to the last of the picture."""
    trailer: bytes
    """What follows the picture: other pictures, or stray bytes."""
    length: int
    """Bytes of the picture in the file that was read, without the trailer."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.frame.height, self.frame.width

    @property
    def scans(self) -> Iterator[Scan]:
        """The scans in the order of the file."""
        return (part for part in self.parts if isinstance(part, Scan))

    def tables(self, scan: Scan) -> Tables:
        """Return the Huffman tables of a scan's components."""
        return Tables(*(tuple(map(self._table, kind)) for kind in (scan.dc, scan.ac)))

    def _table(self, at: TableAt) -> Huffman:
        return self._all_tables[at.segment][at.number]

    @cached_property
    def _all_tables(self) -> list[list[Huffman]]:
        segments = [part for part in self.parts if _has_tables(part)]
        return [[table for *_, table in _tables(segment)] for segment in segments]

    @cached_property
    def coding(self) -> Coding:
        """Which Huffman tables the file has; they decide what becomes of them after a change."""
        if all(self._is_standard(scan) for scan in self.scans):
            return "standard"
        best = self._optimal_tables()
        if all(self._table(at) == table for at, table in best.items()):
            return "optimised"
        return "own"

    def _is_standard(self, scan: Scan) -> bool:
        tables = self.tables(scan)
        standard = huffman.STANDARD.values()
        return all(table in standard for table in (*tables.dc, *tables.ac))

    def _optimal_tables(self) -> dict[TableAt, Huffman]:
        found: dict[TableAt, NDArray[np.int64]] = {}
        source = _joined(self.components)
        for scan in self.scans:
            blocks, per = _order(self.frame, scan.members, scan.restart)
            counts = entropy.count(source, blocks, per, len(scan.members))
            for places, kind in zip((scan.dc, scan.ac), counts, strict=True):
                for at, frequencies in zip(places, kind, strict=True):
                    found[at] = found.get(at, np.zeros(1, np.int64)) + frequencies
        return {at: huffman.optimal(frequencies) for at, frequencies in found.items()}

    def open_ways(self, number: int) -> Ways:
        """Return which AC coefficients of a component's `picture` may go up by one, and which down.

        Any set of these changes can be written. Tables that are standard, or optimal and so made
        anew, can say all of them.

        Args:
            number: Which component.
        """
        component = self.components[number]
        if self.coding == "own":
            return open_ways(component.picture, self._table(self._ac_at(number)))
        return every_way(component.picture)

    def cautions(self) -> tuple[Caution, ...]:
        """Tell if some coefficients of luma cannot change, since codes for that are missing."""
        changes = [way[..., 1:] for way in self.open_ways(0)] if self.coding == "own" else []
        missing = 1 - float(np.mean(changes)) if changes else 0.0
        if not missing:
            return ()
        return (
            Caution(
                f"the Huffman tables of {self.name} lack codes for {100 * missing:.2g} % of all "
                "changes of its coefficients, which stay as they are",
                "`jpegtran -optimize` makes tables that can be made anew",
            ),
        )

    def _ac_at(self, number: int) -> TableAt:
        scan = next(scan for scan in self.scans if number in scan.members)
        return scan.ac[scan.members.index(number)]

    def check_changeable(self) -> None:
        """Refuse a file that tells if it was changed, or that cannot be written again.

        Raises:
            ImageError: the file has content credentials, which sign its bytes, or coefficients that
                no picture of 8 bits has.
        """
        if any(_is_signed(part) for part in self.parts):
            raise ImageError(
                f"{self.name} has content credentials (C2PA), which any change would break",
                hint=Wording("leave them out with {strip_metadata:True}, or take another photo"),
            )
        if any(map(_is_beyond, (each.coefficients for each in self.components))):
            raise ImageError(
                f"{self.name} has coefficients that are too large for a picture of 8 bits",
                hint="save it with another program",
            )

    def with_coefficients(self, planes: Sequence[Coefficients | None]) -> JpegFile:
        """Return the file with other coefficients.

        Optimised Huffman tables become those that are optimal for the new coefficients; others
        stay.

        Args:
            planes: For each component its coefficients, of all blocks or of those of the
                `picture`; None to keep them.

        Raises:
            ImageError: the file has content credentials, or coefficients out of range.
            ValueError: the coefficients are of another shape or too large.
        """
        self.check_changeable()
        pairs = zip(self.components, planes, strict=True)
        components = tuple(
            each if plane is None else _replaced(each, plane) for each, plane in pairs
        )
        changed = replace(self, components=components)
        return changed.optimised() if self.coding == "optimised" else changed

    def optimised(self) -> JpegFile:
        """Return the file with the Huffman tables that are optimal for its coefficients."""
        return replace(self, parts=_with_tables(self.parts, self._optimal_tables()))

    def encoded(self) -> bytes:
        """Return the file's bytes.

        Raises:
            ValueError: a Huffman table lacks a symbol; `open_ways` tells which changes it can say.
        """
        source = _joined(self.components)
        parts = [
            self._scan(part, source) if isinstance(part, Scan) else part.raw for part in self.parts
        ]
        longer = sum(map(len, parts)) - self.length
        if longer and self.trailer:
            for number, part in enumerate(self.parts):
                if isinstance(part, Segment):
                    parts[number] = multipicture.moved(part, longer).raw
        return b"".join([*parts, self.trailer])

    def _scan(self, scan: Scan, source: Int16[np.ndarray, " coefficients"]) -> bytes:
        blocks, per = _order(self.frame, scan.members, scan.restart)
        return entropy.encode(source, blocks, per, self.tables(scan), scan.leftovers)


def _order(frame: Frame, members: tuple[int, ...], restart: int) -> tuple[Order, int]:
    blocks = order(frame, members)
    return blocks, restart * blocks.together


def _has_tables(part: Segment | Scan) -> TypeGuard[Segment]:
    return isinstance(part, Segment) and part.marker == DHT


def _tables(segment: Segment) -> list[tuple[int, int, Huffman]]:
    return huffman.parse(segment.body or b"")


def _joined(components: Sequence[Component]) -> Int16[np.ndarray, " coefficients"]:
    return np.concatenate([each.coefficients.reshape(-1) for each in components])


def _replaced(component: Component, plane: Coefficients) -> Component:
    coefficients = component.coefficients
    if plane.shape == coefficients.shape:
        coefficients = plane
    elif plane.shape == component.picture.shape:
        coefficients = coefficients.copy()
        coefficients[: component.rows, : component.columns] = plane
    else:
        raise ValueError(f"coefficients of the shape {plane.shape} do not fit")
    if _is_beyond(coefficients):
        raise ValueError("a coefficient is too large for a JPEG")
    return replace(component, coefficients=coefficients)


def _is_beyond(coefficients: Coefficients) -> bool:
    lowest, highest = coefficients.min(), coefficients.max()
    return bool(lowest < -LARGEST_COEFFICIENT or highest > LARGEST_COEFFICIENT)


def _with_tables(
    parts: tuple[Segment | Scan, ...], tables: dict[TableAt, Huffman]
) -> tuple[Segment | Scan, ...]:
    made: list[Segment | Scan] = []
    segments = 0
    for part in parts:
        if not _has_tables(part):
            made.append(part)
            continue
        entries = [
            (kind, identifier, tables.get(TableAt(segments, number), table))
            for number, (kind, identifier, table) in enumerate(_tables(part))
        ]
        made.append(replace(part, body=huffman.body(entries)))
        segments += 1
    return tuple(made)


def _is_signed(part: Segment | Scan) -> bool:
    return (
        isinstance(part, Segment)
        and part.marker == APP11
        and part.body is not None
        and part.body.startswith(b"JP")
        and b"c2pa" in part.body
    )
