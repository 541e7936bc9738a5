"""The header of a JPEG file: sizes, sampling, tables, and which blocks each scan codes.

Source: ITU-T T.81, annexes A.2 (blocks and their order) and B.2 (headers).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8

SIDE = 8
MODES = SIDE * SIDE
MOST_COMPONENTS = 4
MOST_BLOCKS_TOGETHER = 10
"""Blocks of a unit of an interleaved scan (MCU)."""


def _zigzag() -> list[int]:
    places = sorted((v + u, v, u) for v in range(SIDE) for u in range(SIDE))
    order: list[int] = []
    for diagonal, group in groupby(places, key=lambda place: place[0]):
        modes = [SIDE * v + u for _, v, u in group]
        order += modes if diagonal % 2 else modes[::-1]
    return order


ZIGZAG: Int64[np.ndarray, " 64"] = np.array(_zigzag())
"""Of each place in a file's order, the mode 8 v + u with frequency v down and u across."""


@dataclass(frozen=True)
class Plane:
    """Where the blocks of a component are."""

    identifier: int
    down: int
    """Sampling factor of the rows."""
    across: int
    """Sampling factor of the columns."""
    table: int
    """Identifier of its quantisation table."""
    rows: int
    """Rows of blocks that show some of the picture."""
    columns: int
    padded: tuple[int, int]
    """Rows and columns of blocks with those that fill whole units."""
    first: int
    """How many blocks the components before have."""

    @property
    def blocks(self) -> int:
        """How many blocks it has, those beyond the picture too."""
        return self.padded[0] * self.padded[1]


@dataclass(frozen=True)
class Frame:
    """Size and components of a picture."""

    height: int
    width: int
    planes: tuple[Plane, ...]

    @property
    def blocks(self) -> int:
        """How many blocks all components have."""
        return sum(plane.blocks for plane in self.planes)

    @property
    def units(self) -> tuple[int, int]:
        """Rows and columns of units of a scan of all components."""
        plane = self.planes[0]
        return plane.padded[0] // plane.down, plane.padded[1] // plane.across


def parse_frame(body: bytes) -> Frame:
    """Read the body of a frame header (SOF).

    Raises:
        ValueError: the header is not one by T.81.
    """
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise ValueError("its frame header has a wrong length")
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    fields = [body[at : at + 3] for at in range(6, len(body), 3)]
    factors = [(each[1] >> 4, each[1] & 15) for each in fields]
    if not 1 <= len(fields) <= MOST_COMPONENTS:
        raise ValueError(f"it has {len(fields)} components")
    if len({each[0] for each in fields}) < len(fields):
        raise ValueError("two components have the same name")
    if not width or not all(1 <= factor <= 4 for pair in factors for factor in pair):
        raise ValueError("its frame header has impossible sizes")
    return Frame(height, width, _planes(height, width, fields, factors))


def _planes(
    height: int, width: int, fields: list[bytes], factors: list[tuple[int, int]]
) -> tuple[Plane, ...]:
    most_across, most_down = (max(each) for each in zip(*factors, strict=True))
    units_down, units_across = -(-height // (SIDE * most_down)), -(-width // (SIDE * most_across))
    planes: list[Plane] = []
    for field, (across, down) in zip(fields, factors, strict=True):
        samples = -(-height * down // most_down), -(-width * across // most_across)
        planes.append(
            Plane(
                identifier=field[0],
                down=down,
                across=across,
                table=field[2],
                rows=-(-samples[0] // SIDE),
                columns=-(-samples[1] // SIDE),
                padded=(units_down * down, units_across * across),
                first=planes[-1].first + planes[-1].blocks if planes else 0,
            )
        )
    return tuple(planes)


class Order(NamedTuple):
    """The blocks of a scan in the order in which it codes them."""

    places: Int64[np.ndarray, " blocks"]
    """Of each, its place among the blocks of all components."""
    members: UInt8[np.ndarray, " blocks"]
    """Of each, its component's place among those of the scan."""
    together: int
    """Blocks of a unit, which restart intervals count."""


def order(frame: Frame, chosen: tuple[int, ...]) -> Order:
    """Return the order of the blocks of a scan.

    Args:
        frame: The picture.
        chosen: Which of its components the scan codes.
    """
    if len(chosen) == 1:
        plane = frame.planes[chosen[0]]
        rows = np.arange(plane.rows)[:, None] * plane.padded[1]
        places = plane.first + rows + np.arange(plane.columns)
        return Order(places.ravel(), np.zeros(places.size, np.uint8), 1)
    units = frame.units
    members = [
        member
        for member, number in enumerate(chosen)
        for _ in range(frame.planes[number].down * frame.planes[number].across)
    ]
    places = np.concatenate([_units(frame.planes[number], units) for number in chosen], axis=1)
    all_members = np.tile(np.array(members, np.uint8), len(places))
    return Order(places.ravel(), all_members, len(members))


def _units(plane: Plane, units: tuple[int, int]) -> Int64[np.ndarray, "units blocks"]:
    """Return the places of a component's blocks in each unit."""
    places = plane.first + np.arange(plane.blocks)
    grid = places.reshape(units[0], plane.down, units[1], plane.across)
    return grid.transpose(0, 2, 1, 3).reshape(units[0] * units[1], -1)
