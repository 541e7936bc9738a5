"""The inner loops of progressive decoding, made like those of `stegfield.jpeg.loops`.

Each decodes one restart interval, adds to coefficients that earlier scans have filled in, and
returns how many blocks it decoded, and DAMAGED, TOO_LONG, or 0 if all were.

Source: ITU-T T.81, G.1.2 (coding of each kind of scan).
"""

from __future__ import annotations

from stegfield.jpeg.loops import DAMAGED, TOO_LONG, Array, compiled, refill, value_of

LARGEST = 32767


@compiled
def take(source: Array, at: int, bits: int, have: int, count: int) -> tuple[int, int, int, int]:
    """Read up to 16 bits: their number, and the reader's state."""
    at, bits, have = refill(source, at, bits, have)
    have -= count
    return bits >> have, at, bits & ((1 << have) - 1), have


@compiled
def symbol_at(
    source: Array, at: int, bits: int, have: int, table: Array, start: int
) -> tuple[int, int, int, int]:
    """Read a symbol, -1 if there is no such code; and the reader's state."""
    at, bits, have = refill(source, at, bits, have)
    entry = int(table[start + (bits >> (have - 16))])
    if entry == 0:
        return -1, at, bits, have
    have -= entry >> 8
    return entry & 255, at, bits & ((1 << have) - 1), have


@compiled
def first_means(
    source: Array,
    at: int,
    stop: int,
    places: Array,
    members: Array,
    table: Array,
    low: int,
    out: Array,
) -> tuple[int, int]:
    """Decode the upper bits of DC."""
    before = [0, 0, 0, 0]
    bits, have = 0, 0
    for block in range(len(places)):
        member = members[block]
        size, at, bits, have = symbol_at(source, at, bits, have, table, member << 16)
        if size < 0 or size > 15:
            return block, DAMAGED
        raw, at, bits, have = take(source, at, bits, have, size)
        mean = before[member] + value_of(raw, size)
        if abs(mean) << low > LARGEST:
            return block, DAMAGED
        if at * 8 - have > stop * 8:
            return block, TOO_LONG
        before[member] = mean
        out[places[block] * 64] = mean << low
    return len(places), 0


@compiled
def refine_means(
    source: Array, at: int, stop: int, places: Array, low: int, out: Array
) -> tuple[int, int]:
    """Decode one more bit of DC."""
    bits, have = 0, 0
    for block in range(len(places)):
        bit, at, bits, have = take(source, at, bits, have, 1)
        if at * 8 - have > stop * 8:
            return block, TOO_LONG
        base = places[block] * 64
        out[base] = int(out[base]) | (bit << low)
    return len(places), 0


@compiled
def first_waves(
    source: Array,
    at: int,
    stop: int,
    places: Array,
    table: Array,
    zigzag: Array,
    begin: int,
    end: int,
    low: int,
    out: Array,
) -> tuple[int, int]:
    """Decode the upper bits of AC."""
    bits, have = 0, 0
    ended = 0
    for block in range(len(places)):
        if ended > 0:
            ended -= 1
            continue
        base = places[block] * 64
        k = begin
        while k <= end:
            symbol, at, bits, have = symbol_at(source, at, bits, have, table, 0)
            if symbol < 0:
                return block, DAMAGED
            run, size = symbol >> 4, symbol & 15
            if size == 0 and run < 15:
                raw, at, bits, have = take(source, at, bits, have, run)
                ended = (1 << run) + raw - 1
                break
            k += run
            if size > 0:
                raw, at, bits, have = take(source, at, bits, have, size)
                value = value_of(raw, size)
                if k > end or abs(value) << low > LARGEST:
                    return block, DAMAGED
                out[base + zigzag[k]] = value << low
            k += 1
        if at * 8 - have > stop * 8:
            return block, TOO_LONG
    return len(places), 0


@compiled
def refine_some(
    source: Array,
    at: int,
    bits: int,
    have: int,
    zigzag: Array,
    k: int,
    end: int,
    zeros: int,
    low: int,
    out: Array,
    base: int,
) -> tuple[int, int, int, int]:
    """Decode one more bit of coefficients that are not zero, and pass over some zeros.

    Returns:
        The place of the zero after those, or one behind the end; and the reader's state.
    """
    while k <= end:
        value = int(out[base + zigzag[k]])
        if value == 0:
            if zeros == 0:
                break
            zeros -= 1
        else:
            bit, at, bits, have = take(source, at, bits, have, 1)
            if bit and not value & (1 << low):
                value += 1 << low if value > 0 else -(1 << low)
                if abs(value) > LARGEST:
                    return -1, at, bits, have
                out[base + zigzag[k]] = value
        k += 1
    return k, at, bits, have


@compiled
def refine_block(
    source: Array,
    at: int,
    bits: int,
    have: int,
    table: Array,
    zigzag: Array,
    begin: int,
    end: int,
    low: int,
    out: Array,
    base: int,
) -> tuple[int, int, int, int, int]:
    """Decode one more bit of a block's AC, up to where a run of ended blocks begins.

    Returns:
        The place that was reached, -1 if damaged; how many blocks have ended, this one counted; and
        the reader's state.
    """
    k = begin
    while k <= end:
        symbol, at, bits, have = symbol_at(source, at, bits, have, table, 0)
        run, size = symbol >> 4, symbol & 15
        if symbol < 0 or size > 1:
            return -1, 0, at, bits, have
        if size == 0 and run < 15:
            raw, at, bits, have = take(source, at, bits, have, run)
            return k, (1 << run) + raw, at, bits, have
        value = 0
        if size == 1:
            bit, at, bits, have = take(source, at, bits, have, 1)
            value = 1 << low if bit else -(1 << low)
        k, at, bits, have = refine_some(source, at, bits, have, zigzag, k, end, run, low, out, base)
        if k < 0 or (value != 0 and k > end):
            return -1, 0, at, bits, have
        if value != 0:
            out[base + zigzag[k]] = value
        k += 1
    return k, 0, at, bits, have


@compiled
def refine_waves(
    source: Array,
    at: int,
    stop: int,
    places: Array,
    table: Array,
    zigzag: Array,
    begin: int,
    end: int,
    low: int,
    out: Array,
) -> tuple[int, int]:
    """Decode one more bit of AC."""
    bits, have = 0, 0
    ended = 0
    for block in range(len(places)):
        base = places[block] * 64
        k = begin
        if ended == 0:
            k, ended, at, bits, have = refine_block(
                source, at, bits, have, table, zigzag, begin, end, low, out, base
            )
        if k >= 0 and ended > 0:
            k, at, bits, have = refine_some(
                source, at, bits, have, zigzag, k, end, 64, low, out, base
            )
            ended -= 1
        if k < 0:
            return block, DAMAGED
        if at * 8 - have > stop * 8:
            return block, TOO_LONG
    return len(places), 0
