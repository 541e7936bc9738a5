"""Entropy-coded data of a scan: into coefficients, and back to the same bytes.

Source: ITU-T T.81, annexes E and F.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int16, Int64, UInt8
from numpy.typing import NDArray

from stegfield.errors import ImageError
from stegfield.jpeg import huffman
from stegfield.jpeg.frame import ZIGZAG, Order
from stegfield.jpeg.huffman import SYMBOLS, Huffman
from stegfield.jpeg.segments import before_fill, damaged, incomplete

ROOM = 64
"""Bytes for each block at first; memory that is not written to costs nothing."""
LEAST_BITS = 2
"""Of a block: a code for its mean, and one that ends it."""
RESTART = re.compile(rb"\xff[\xd0-\xd7]")


@dataclass(frozen=True)
class Tables:
    """The Huffman tables of a scan's components."""

    dc: tuple[Huffman, ...]
    ac: tuple[Huffman, ...]


@dataclass(frozen=True)
class Leftovers:
    """What an encoder was free to choose, for each restart interval."""

    paddings: UInt8[np.ndarray, " intervals"] = field(repr=False)
    """Bits that fill the last byte."""
    tails: UInt8[np.ndarray, " bytes"] = field(repr=False)
    """What stands behind the intervals: stray bytes, fill bytes, and restart markers."""
    tail_starts: Int64[np.ndarray, " intervals+1"] = field(repr=False)


def views(*given: Any) -> list[Any]:
    """Return arguments as the loops take them: plain Python reads arrays as memoryviews."""
    from stegfield.jpeg import loops

    if loops.COMPILES:
        return [*given]
    return [memoryview(each) if hasattr(each, "dtype") else each for each in given]


def decode(
    raw: bytes,
    order: Order,
    per: int,
    tables: Tables,
    *,
    out: Int16[np.ndarray, " coefficients"],
    name: str,
) -> Leftovers:
    """Decode a scan.

    Args:
        raw: Its entropy-coded data.
        order: Its blocks.
        per: Blocks of a restart interval; 0 for one interval.
        tables: Its Huffman tables.
        out: Coefficients of all components; those of the scan are filled in.
        name: The file, for errors.

    Raises:
        ImageError: the data is damaged or incomplete, or coded as no encoder should.
    """
    from stegfield.jpeg import loops

    source, starts, kept, stops = intervals(raw, order, per, name)
    ends = np.zeros(len(stops), np.int64)
    dc = np.concatenate([huffman.lookup(each) for each in tables.dc])
    ac = np.concatenate([huffman.lookup(each) for each in tables.ac])
    given = views(source, starts, order.places, order.members, per, dc, ac, ZIGZAG, out, ends)
    block, fault = loops.decode(*given)
    if fault == loops.TOO_LONG:
        raise incomplete(name)
    if fault == loops.UNUSUAL:
        raise ImageError(
            f"{name} is coded in a way that cannot be written again",
            hint="save it anew with another program",
        )
    if fault:
        raise damaged(name, f"block {block} cannot be decoded")
    return _leftovers(raw, source, ends, kept, stops)


def encode(
    source: Int16[np.ndarray, " coefficients"],
    order: Order,
    per: int,
    tables: Tables,
    leftovers: Leftovers,
) -> bytes:
    """Encode a scan; the inverse of `decode`.

    Args:
        source: Coefficients of all components.
        order: As for `decode`.
        per: As for `decode`.
        tables: As for `decode`.
        leftovers: What `decode` found.

    Raises:
        ValueError: a table lacks a symbol that the coefficients need.
    """
    from stegfield.jpeg import loops

    dc, ac = (np.concatenate([_packed(each) for each in kind]) for kind in (tables.dc, tables.ac))
    rest = (leftovers.paddings, leftovers.tails, leftovers.tail_starts)
    given = views(source, order.places, order.members, per, dc, ac, ZIGZAG, *rest)
    room = ROOM * len(order.places) + len(leftovers.tails) + (1 << 16)
    while True:
        out = np.empty(room, np.uint8)
        length, fault = loops.encode(*given, *views(out))
        if fault == loops.NO_CODE:
            raise ValueError(f"a Huffman table lacks a symbol that block {length} needs")
        if not fault:
            return out[:length].tobytes()
        room *= 2


def _packed(table: Huffman) -> NDArray[np.int64]:
    code, lengths = huffman.codes(table)
    packed: NDArray[np.int64] = code << 8 | lengths
    return packed


def count(
    source: Int16[np.ndarray, " coefficients"], order: Order, per: int, members: int
) -> tuple[Int64[np.ndarray, "members 256"], Int64[np.ndarray, "members 256"]]:
    """Count the symbols for DC and AC that each component of a scan needs."""
    from stegfield.jpeg import loops

    dc, ac = (np.zeros(members * SYMBOLS, np.int64) for _ in range(2))
    loops.count(*views(source, order.places, order.members, per, ZIGZAG, dc, ac))
    return dc.reshape(members, SYMBOLS), ac.reshape(members, SYMBOLS)


class Intervals(NamedTuple):
    """Entropy-coded data, cut at its restart markers."""

    source: UInt8[np.ndarray, " bytes"]
    """Data without stuffed zeros, fill bytes and markers; and some bytes more."""
    starts: NDArray[np.int64]
    """Where each interval starts in it, and where the last one ends."""
    kept: NDArray[np.int64]
    """Of each byte, its place in the file's data."""
    stops: list[int]
    """Where the marker behind each interval ends in the file's data."""


def intervals(raw: bytes, order: Order, per: int, name: str) -> Intervals:
    """Cut the entropy-coded data of a scan at its restart markers.

    Raises:
        ImageError: there are too few or too many of them, or they are out of order.
    """
    expected = -(-len(order.places) // per) if per else 1
    gaps = [(before_fill(raw, 0, found.start()), found.end()) for found in RESTART.finditer(raw)]
    if len(gaps) + 1 != expected:
        raise damaged(name, f"it has {len(gaps) + 1} restart intervals in place of {expected}")
    numbers = np.frombuffer(raw, np.uint8)[[end - 1 for _, end in gaps]]
    if (numbers != 0xD0 + np.arange(len(gaps)) % 8).any():
        raise damaged(name, "its restart markers are out of order")
    return Intervals(*_unstuffed(raw, gaps), [*(end for _, end in gaps), len(raw)])


def _unstuffed(
    raw: bytes, gaps: Sequence[tuple[int, int]]
) -> tuple[UInt8[np.ndarray, " bytes"], NDArray[np.int64], NDArray[np.int64]]:
    """Return data without stuffed zeros and gaps, where intervals start, and what was kept."""
    from stegfield.jpeg import loops

    every = np.frombuffer(raw, np.uint8)
    keep = np.ones(len(every), np.bool_)
    keep[1:] = (every[1:] != 0) | (every[:-1] != 0xFF)
    for start, end in gaps:
        keep[start:end] = False
    kept = np.flatnonzero(keep)
    edges = np.array([0, *(end for _, end in gaps), len(every)])
    starts = np.searchsorted(kept, edges)
    source = np.zeros(len(kept) + loops.BEYOND, np.uint8)
    source[: len(kept)] = every[kept]
    return source, starts, kept


def _leftovers(
    raw: bytes,
    source: UInt8[np.ndarray, " bytes"],
    ends: Int64[np.ndarray, " intervals"],
    kept: NDArray[np.int64],
    stops: Sequence[int],
) -> Leftovers:
    last = -(-ends // 8)  # bytes used, of those without stuffing
    free = last * 8 - ends
    final = source[np.maximum(last - 1, 0)].astype(np.int64)
    tops = (final >> np.maximum(free - 1, 0)) & 1
    # more bits than the last byte had free are as its first free one
    filled = np.where(tops == 1, final | (-1 << free), final & ((1 << free) - 1)) & 255
    mostly_zeros = 2 * np.count_nonzero(tops[free > 0]) < np.count_nonzero(free)
    paddings = np.where(free > 0, filled, 0 if mostly_zeros else 255).astype(np.uint8)
    # behind a last byte of all ones stands a stuffed zero, which is written anew
    behind = kept[np.maximum(last - 1, 0)] + 1 + (final == 255)
    pieces = [raw[start:stop] for start, stop in zip(behind.tolist(), stops, strict=True)]
    return Leftovers(
        paddings,
        np.frombuffer(b"".join(pieces), np.uint8),
        np.cumsum([0, *map(len, pieces)], dtype=np.int64),
    )
