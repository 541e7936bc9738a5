"""The inner loops of entropy coding: machine code by numba, or the same functions in plain Python.

Importing this module imports numba. All arrays have one axis and all numbers fit 64 bits, so that
Python's integers, which are read from memoryviews, come to the same results.

Bits wait in an integer: the lowest `have` bits of `bits` are those that are not used yet.

Source: ITU-T T.81, F.1.2 (coding) and F.2.2 (decoding).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

try:
    import numba
except Exception:  # not installed, or it does not work with this numpy or machine
    COMPILES = False
else:
    COMPILES = True

Function = TypeVar("Function", bound=Callable[..., Any])
Array = Any
"""Of integers, with one axis: of numpy, or a memoryview."""
BEYOND = 512
"""Bytes that must follow the data, since a damaged block may be read beyond its end."""
FULL = 31
"""Most bits that wait to be written; a code and its value have 32 at most."""
BLOCK_ROOM = 1024
"""More bytes than a block takes, with stuffed ones."""
DAMAGED, TOO_LONG, UNUSUAL = -1, -2, -3
NO_ROOM, NO_CODE = -1, -2


def compiled(function: Function) -> Function:
    """Return a function as machine code, or as it is where numba is missing."""
    # unwrap: tests wrap every function in checks of annotations, which numba cannot compile
    plain: Any = inspect.unwrap(function)
    if not COMPILES:
        return plain  # type: ignore[no-any-return]
    try:
        return numba.njit(plain, nogil=True, cache=True)  # type: ignore[no-any-return]
    except RuntimeError:  # there is no folder to cache machine code in
        return numba.njit(plain, nogil=True)  # type: ignore[no-any-return]


@compiled
def refill(source: Array, at: int, bits: int, have: int) -> tuple[int, int, int]:
    """Take bytes until more than 40 bits wait: enough for a code and what follows it."""
    while have <= 40:
        bits = (bits << 8) | source[at]
        at += 1
        have += 8
    return at, bits, have


@compiled
def value_of(bits: int, size: int) -> int:
    """Return the number that bits after a code stand for."""
    if size == 0 or bits >> (size - 1):
        return bits
    return bits + 1 - (1 << size)


@compiled
def read_block(
    source: Array,
    at: int,
    bits: int,
    have: int,
    dc: Array,
    ac: Array,
    start: int,
    zigzag: Array,
    out: Array,
    base: int,
) -> tuple[int, int, int, int]:
    """Decode a block whose DC is coded as a difference.

    Returns:
        The DC difference, and the reader's state; DAMAGED or UNUSUAL instead of the position.
    """
    difference = 0
    k = 0
    run = 0
    while k < 64:
        at, bits, have = refill(source, at, bits, have)
        peek = (bits >> (have - 16)) & 0xFFFF
        entry = dc[start + peek] if k == 0 else ac[start + peek]
        have -= entry >> 8
        symbol = entry & 255
        size = symbol & 15
        if entry == 0 or (k == 0 and symbol > 15):
            return difference, DAMAGED, bits, have
        if k and size == 0:
            if symbol == 0:
                return difference, UNUSUAL if run else at, bits, have
            if symbol != 0xF0:
                return difference, DAMAGED, bits, have
            k += 16
            run = 1
            continue
        have -= size
        value = value_of((bits >> have) & ((1 << size) - 1), size)
        bits &= (1 << have) - 1
        if k == 0:
            difference = value
        else:
            k += symbol >> 4
            if k > 63:
                return difference, DAMAGED, bits, have
            out[base + zigzag[k]] = value
        run = 0
        k += 1
    return difference, UNUSUAL if run else at, bits, have


@compiled
def decode(
    source: Array,
    starts: Array,
    places: Array,
    members: Array,
    per: int,
    dc: Array,
    ac: Array,
    zigzag: Array,
    out: Array,
    ends: Array,
) -> tuple[int, int]:
    """Decode the blocks of a scan.

    Args:
        source: Data without stuffed bytes and markers, and `BEYOND` bytes more.
        starts: Where each restart interval starts in it, and where the last one ends.
        places: Of each block, its place in ``out``.
        members: Of each block, its component's place in the scan.
        per: Blocks of a restart interval; 0 for one interval.
        dc: Of each component, what 16 bits begin with, as `huffman.lookup` tells.
        ac: As ``dc``.
        zigzag: Modes in the file's order.
        out: Coefficients, all zero; filled in.
        ends: Bits up to the end of each interval's last block; filled in.

    Returns:
        How many blocks were decoded, and DAMAGED, TOO_LONG, UNUSUAL, or 0 if all were.
    """
    before = [0, 0, 0, 0]
    interval = 0
    at, bits, have = starts[0], 0, 0
    for block in range(len(places)):
        if per > 0 and block > 0 and block % per == 0:
            ends[interval] = at * 8 - have
            interval += 1
            if interval + 1 >= len(starts):
                return block, TOO_LONG
            at, bits, have = starts[interval], 0, 0
            for member in range(4):
                before[member] = 0
        member = members[block]
        base = places[block] * 64
        difference, at, bits, have = read_block(
            source, at, bits, have, dc, ac, member << 16, zigzag, out, base
        )
        if at < 0:
            return block, at
        if at * 8 - have > starts[interval + 1] * 8:
            return block, TOO_LONG
        mean = before[member] + difference
        if mean < -32768 or mean > 32767:
            return block, DAMAGED
        before[member] = mean
        out[base] = mean
    ends[interval] = at * 8 - have
    return len(places), 0


@compiled
def size_of(value: int) -> int:
    """Return the bits of a number's magnitude."""
    rest = abs(value)
    size = 0
    while rest:
        rest >>= 1
        size += 1
    return size


@compiled
def flush(out: Array, at: int, bits: int, have: int) -> tuple[int, int, int]:
    """Write the whole bytes that wait, a zero after each of all ones."""
    while have >= 8:
        have -= 8
        byte = (bits >> have) & 255
        out[at] = byte
        at += 1
        if byte == 255:
            out[at] = 0
            at += 1
    return at, bits & ((1 << have) - 1), have


@compiled
def put(
    out: Array, at: int, bits: int, have: int, code: int, length: int, value: int, size: int
) -> tuple[int, int, int]:
    """Write a code and the bits of a value after it."""
    if value < 0:
        value += (1 << size) - 1
    bits = (((bits << length) | code) << size) | value
    have += length + size
    if have > FULL:
        return flush(out, at, bits, have)
    return at, bits, have


@compiled
def write_block(
    out: Array,
    at: int,
    bits: int,
    have: int,
    difference: int,
    source: Array,
    base: int,
    zigzag: Array,
    dc: Array,
    ac: Array,
    start: int,
) -> tuple[int, int, int]:
    """Encode a block.

    Args:
        out: Filled from ``at`` on.
        at: Place of the next byte.
        bits: Bits that wait.
        have: How many bits wait.
        difference: DC less that of the block before.
        source: Coefficients.
        base: Where the block's begin.
        zigzag: Modes in the file's order.
        dc: Codes of all components, and their lengths: ``code << 8 | length``.
        ac: As ``dc``.
        start: Where the component's codes begin.

    Returns:
        The writer's state; NO_CODE instead of the position.
    """
    size = size_of(difference)
    entry = dc[start + size] if size < 16 else 0
    if entry == 0:
        return NO_CODE, bits, have
    at, bits, have = put(out, at, bits, have, entry >> 8, entry & 255, difference, size)
    run = 0
    for k in range(1, 64):
        value = int(source[base + zigzag[k]])
        if value == 0:
            run += 1
            continue
        while run > 15:
            entry = ac[start + 0xF0]
            if entry == 0:
                return NO_CODE, bits, have
            at, bits, have = put(out, at, bits, have, entry >> 8, entry & 255, 0, 0)
            run -= 16
        size = size_of(value)
        entry = ac[start + (run << 4 | size)] if size < 16 else 0
        if entry == 0:
            return NO_CODE, bits, have
        at, bits, have = put(out, at, bits, have, entry >> 8, entry & 255, value, size)
        run = 0
    if run:
        entry = ac[start]
        if entry == 0:
            return NO_CODE, bits, have
        at, bits, have = put(out, at, bits, have, entry >> 8, entry & 255, 0, 0)
    return at, bits, have


@compiled
def end_interval(
    out: Array, at: int, bits: int, have: int, padding: int, tails: Array, first: int, last: int
) -> int:
    """Fill the last byte with padding, and append the bytes that stood behind it."""
    at, bits, have = flush(out, at, bits, have)
    if have:
        free = 8 - have
        at, bits, have = flush(out, at, (bits << free) | (padding & ((1 << free) - 1)), 8)
    for place in range(first, last):
        out[at] = tails[place]
        at += 1
    return at


@compiled
def encode(
    source: Array,
    places: Array,
    members: Array,
    per: int,
    dc: Array,
    ac: Array,
    zigzag: Array,
    paddings: Array,
    tails: Array,
    tail_starts: Array,
    out: Array,
) -> tuple[int, int]:
    """Encode the blocks of a scan.

    Args:
        source: Coefficients of all blocks.
        places: As for `decode`.
        members: As for `decode`.
        per: As for `decode`.
        dc: Of each component, ``code << 8 | length`` of each symbol; 0 if there is none.
        ac: As ``dc``.
        zigzag: Modes in the file's order.
        paddings: Of each interval, bits that fill its last byte.
        tails: Bytes that follow the intervals, with the markers between them.
        tail_starts: Where those of each interval start, and where the last ones end.
        out: Filled in.

    Returns:
        Bytes written, or the number of the block that failed; and 0, NO_ROOM or NO_CODE.
    """
    before = [0, 0, 0, 0]
    interval = 0
    at, bits, have = 0, 0, 0
    for block in range(len(places)):
        if per > 0 and block > 0 and block % per == 0:
            first, last = tail_starts[interval], tail_starts[interval + 1]
            if at + last - first + BLOCK_ROOM > len(out):
                return block, NO_ROOM
            at = end_interval(out, at, bits, have, paddings[interval], tails, first, last)
            bits, have = 0, 0
            interval += 1
            for member in range(4):
                before[member] = 0
        if at + BLOCK_ROOM > len(out):
            return block, NO_ROOM
        member = members[block]
        base = places[block] * 64
        difference = int(source[base]) - before[member]
        before[member] = before[member] + difference
        at, bits, have = write_block(
            out, at, bits, have, difference, source, base, zigzag, dc, ac, member << 8
        )
        if at < 0:
            return block, NO_CODE
    first, last = tail_starts[interval], tail_starts[interval + 1]
    if at + last - first + BLOCK_ROOM > len(out):
        return len(places), NO_ROOM
    at = end_interval(out, at, bits, have, paddings[interval], tails, first, last)
    return at, 0


@compiled
def count(
    source: Array, places: Array, members: Array, per: int, zigzag: Array, dc: Array, ac: Array
) -> None:
    """Count the symbols that the blocks of a scan need.

    Args:
        source: Coefficients of all blocks.
        places: As for `decode`.
        members: As for `decode`.
        per: As for `decode`.
        zigzag: Modes in the file's order.
        dc: Of each component, how often each symbol is needed; added to.
        ac: As ``dc``.
    """
    before = [0, 0, 0, 0]
    for block in range(len(places)):
        if per > 0 and block % per == 0:
            for member in range(4):
                before[member] = 0
        member = members[block]
        start = member << 8
        base = places[block] * 64
        difference = int(source[base]) - before[member]
        before[member] = before[member] + difference
        dc[start + size_of(difference)] += 1
        run = 0
        for k in range(1, 64):
            value = int(source[base + zigzag[k]])
            if value == 0:
                run += 1
                continue
            while run > 15:
                ac[start + 0xF0] += 1
                run -= 16
            ac[start + (run << 4 | size_of(value))] += 1
            run = 0
        if run:
            ac[start] += 1
