"""Positions of slots, packed for a key file: Golomb-Rice codes of the gaps between them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stegfield.errors import UnreadableError


def pack_positions(positions: list[NDArray[np.int64]]) -> bytes:
    """Compress slot positions, layer by layer, in ascending order.

    The gaps are Golomb-Rice coded: for slots at random positions, this takes about 1 % more than
    their entropy, n H(ratio) bits. Each layer starts with its number of slots, in 4 bytes, and the
    parameter of its code, in 1.
    """
    packed = bytearray()
    for chosen in positions:
        gaps = np.diff(chosen, prepend=-1) - 1
        parameter = _rice_parameter(gaps)
        quotients = gaps >> parameter
        unary = np.zeros(int(quotients.sum()) + len(gaps), dtype=np.uint8)
        unary[np.cumsum(quotients + 1) - 1] = 1
        low = (gaps[:, None] >> np.arange(parameter)) & 1
        packed += len(gaps).to_bytes(4, "little") + bytes([parameter])
        packed += np.packbits(low.astype(np.uint8)).tobytes() + np.packbits(unary).tobytes()
    return bytes(packed)


def unpack_positions(packed: bytes, counts: list[int]) -> list[NDArray[np.int64]]:
    """Undo `pack_positions`; ``counts`` are the numbers of weights of the layers.

    Raises:
        UnreadableError: The bytes are not slot positions in layers of these sizes.
    """
    chosen, rest = [], packed
    for count in counts:
        slots, parameter = int.from_bytes(rest[:4], "little"), int.from_bytes(rest[4:5], "little")
        low_bytes = -(-slots * parameter // 8)
        if not 0 < slots <= count or parameter > count.bit_length() or len(rest) < 5 + low_bytes:
            raise UnreadableError
        bits = np.unpackbits(np.frombuffer(rest[5 : 5 + low_bytes], np.uint8))
        low = bits[: slots * parameter].reshape(slots, parameter).astype(np.int64)
        rest = rest[5 + low_bytes :]
        # no layer's unary part is longer than its slots and all its gaps
        unary = np.unpackbits(np.frombuffer(rest[: (slots + count) // 8 + 1], np.uint8))
        ends = np.flatnonzero(unary)[:slots]
        if len(ends) < slots:
            raise UnreadableError
        quotients = np.diff(ends, prepend=-1) - 1
        gaps = (quotients << parameter) + (low << np.arange(parameter)).sum(axis=1)
        positions = np.cumsum(gaps + 1) - 1
        if positions[-1] >= count:
            raise UnreadableError
        chosen.append(positions)
        rest = rest[int(ends[-1]) // 8 + 1 :]
    if rest:
        raise UnreadableError
    return chosen


def positions_entropy_bits(positions: list[NDArray[np.int64]], counts: list[int]) -> float:
    """Return the entropy in bits of slots at random positions: n H(slots / n) over all layers."""
    total = 0.0
    for chosen, count in zip(positions, counts, strict=True):
        for share in (len(chosen) / count, 1 - len(chosen) / count):
            total -= count * share * math.log2(share) if share else 0.0
    return total


def _rice_parameter(gaps: NDArray[np.int64]) -> int:
    """Choose the number of low bits that makes this layer's code shortest."""
    lengths = [int((gaps >> p).sum()) + len(gaps) * (p + 1) for p in range(24)]
    return int(np.argmin(lengths))
