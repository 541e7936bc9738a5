"""Huffman tables of JPEG files: reading them, their codes, the standard ones, and optimal ones.

Source: ITU-T T.81, annexes C (codes), K.2 (optimal tables) and K.3 (standard tables).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Int64, UInt16

DC, AC = 0, 1
LONGEST = 16
"""Bits of the longest code."""
SYMBOLS = 256
ZERO_RUN = 0xF0
"""Symbol of sixteen zeros; symbol 0 ends a block."""


@dataclass(frozen=True)
class Huffman:
    """A table of codes."""

    counts: tuple[int, ...]
    """How many codes have 1, 2, ... 16 bits."""
    symbols: tuple[int, ...]
    """In the order of their codes."""

    def to_bytes(self) -> bytes:
        """Return the table as it stands in a DHT segment."""
        return bytes(self.counts) + bytes(self.symbols)


def parse(body: bytes) -> list[tuple[int, int, Huffman]]:
    """Read the tables of a DHT segment: class, identifier, and table of each.

    Raises:
        ValueError: a table is not one by T.81, or a symbol has two codes.
    """
    found, at = [], 0
    while at < len(body):
        kind, identifier = body[at] >> 4, body[at] & 15
        counts = tuple(body[at + 1 : at + 1 + LONGEST])
        at += 1 + LONGEST
        symbols = tuple(body[at : at + sum(counts)])
        at += sum(counts)
        if at > len(body) or kind > AC or identifier > 3:
            raise ValueError("a Huffman table is cut short")
        _check(counts, symbols)
        found.append((kind, identifier, Huffman(counts, symbols)))
    return found


def _check(counts: Sequence[int], symbols: Sequence[int]) -> None:
    code = 0
    for length, count in enumerate(counts, 1):
        code += count
        if code > 1 << length:
            raise ValueError("a Huffman table has too many codes")
        code <<= 1
    if len(set(symbols)) < len(symbols):
        raise ValueError("a Huffman table has two codes for a symbol")


def body(tables: Sequence[tuple[int, int, Huffman]]) -> bytes:
    """Return the body of a DHT segment; the inverse of `parse`."""
    return b"".join(bytes([kind << 4 | number]) + each.to_bytes() for kind, number, each in tables)


@lru_cache(maxsize=64)
def codes(table: Huffman) -> tuple[Int64[np.ndarray, " 256"], Int64[np.ndarray, " 256"]]:
    """Return the code and the length in bits of each symbol; length 0 if it has no code."""
    code = np.zeros(SYMBOLS, np.int64)
    lengths = np.zeros(SYMBOLS, np.int64)
    following = at = 0
    for length, count in enumerate(table.counts, 1):
        for symbol in table.symbols[at : at + count]:
            code[symbol], lengths[symbol] = following, length
            following += 1
        at += count
        following <<= 1
    return code, lengths


@lru_cache(maxsize=64)
def lookup(table: Huffman) -> UInt16[np.ndarray, " 65536"]:
    """Return what the next 16 bits begin with: ``length << 8 | symbol``, 0 if with no code."""
    code, lengths = codes(table)
    found = np.zeros(1 << LONGEST, np.uint16)
    for symbol in table.symbols:
        free = LONGEST - int(lengths[symbol])
        first = int(code[symbol]) << free
        found[first : first + (1 << free)] = int(lengths[symbol]) << 8 | symbol
    return found


def optimal(frequencies: Int64[np.ndarray, " 256"]) -> Huffman:
    """Make the optimal table of symbols by their frequencies.

    Of equal frequencies, that of the larger symbol is joined first, and one code of the longest is
    reserved, so that no code is all ones. Encoders that optimise tables follow the same rules, so
    that a table is a function of the frequencies.

    Source: T.81, K.2, figures K.1 to K.4.
    """
    waiting = [(int(count), -symbol) for symbol, count in enumerate(frequencies) if count]
    waiting.append((1, -SYMBOLS))
    joined = {-negative: [-negative] for _, negative in waiting}
    sizes = dict.fromkeys(joined, 0)
    heapq.heapify(waiting)
    while len(waiting) > 1:
        first, symbol = heapq.heappop(waiting)
        second, other = heapq.heappop(waiting)
        joined[-symbol] += joined.pop(-other)
        for each in joined[-symbol]:
            sizes[each] += 1
        heapq.heappush(waiting, (first + second, symbol))
    counts = _shortened([*sizes.values()])
    order = sorted((size, symbol) for symbol, size in sizes.items() if symbol < SYMBOLS)
    return Huffman(tuple(counts), tuple(symbol for _, symbol in order))


def _shortened(sizes: Sequence[int]) -> list[int]:
    """Count codes by length, with none longer than 16 bits, and without the reserved code."""
    counts = [0] * (max(*sizes, LONGEST) + 1)
    for size in sizes:
        counts[size] += 1
    for size in range(len(counts) - 1, LONGEST, -1):
        while counts[size]:
            shorter = size - 2
            while not counts[shorter]:
                shorter -= 1
            counts[size] -= 2
            counts[size - 1] += 1
            counts[shorter + 1] += 2
            counts[shorter] -= 1
    longest = max(size for size, count in enumerate(counts) if count)
    counts[longest] -= 1
    return counts[1 : LONGEST + 1]


def _standard(counts: str, symbols: str) -> Huffman:
    return Huffman(tuple(bytes.fromhex(counts)), tuple(bytes.fromhex(symbols)))


_SIZES = "000102030405060708090a0b"
STANDARD = {
    (DC, 0): _standard("00010501010101010100000000000000", _SIZES),
    (DC, 1): _standard("00030101010101010101010000000000", _SIZES),
    (AC, 0): _standard(
        "0002010303020403050504040000017d",
        "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a"
        "25262728292a3435363738393a434445464748494a535455565758595a636465666768696a73747576777879"
        "7a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9"
        "cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
    ),
    (AC, 1): _standard(
        "00020102040403040705040400010277",
        "0001020311040521310612415107617113223281081442 91a1b1c109233352f0156272d10a162434e125f117"
        "18191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778"
        "797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7"
        "c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa",
    ),
}
"""Of T.81, tables K.3 to K.6: by class, for luma (0) and chroma (1)."""
