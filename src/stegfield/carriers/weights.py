"""Weights of other programs as carriers: the last bits of floating-point numbers in safetensors.

A change is one unit in the last place, up or down in magnitude. It stays within the lowest byte of
a number: sign, exponent and all higher bits of the mantissa are kept. So are header, metadata,
order and every tensor of another type than F32, F16 and BF16.

These numbers are left alone, since a change of them would show:

- zeros, subnormal numbers, infinities and NaN;
- numbers near a multiple of 256 units (F32) or 128 (F16, BF16), as powers of two and what was
  widened from fewer bits; no change leads there, so a receiver finds the same numbers;
- tensors of fewer than 64 numbers, tensors of which a quarter of the first 4,096 are nearly equal,
  and tensors that another one equals byte for byte.

A sender draws one direction for each number, and a number whose direction is closed is not changed.
So changes lead from one value to its neighbour as often as back, and values that were equally
frequent stay so. Nothing else is known of the law of such weights: costs are all equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

import numpy as np
from jaxtyping import Bool, Int32, Integer, UInt8
from numpy.typing import NDArray

from stegfield.errors import InputError
from stegfield.tensor_files import BYTES, DistrustError, Place, places_of

LARGEST_FILE = 1 << 30
MOST = 1 << 24
"""Numbers that carry bits, at most; of more, every second, third, ... one does."""
FEWEST = 64
"""Numbers of a tensor that may carry bits."""
LOOKED_AT, NEARLY_EQUAL, LARGEST_SHARE = 4096, 16, 1 / 4
"""Numbers of a tensor whose frequencies are counted, units that count as equal, and the share of
one value from which on a tensor is left alone."""
NEAR = 2
"""Units around a round number that are left alone."""
BEGINNING = 64
"""Bytes by which tensors that may be equal are found."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Float:
    """The bits of a floating-point type."""

    mantissa: int
    exponent: int
    low: int
    """Bits of the mantissa that may change."""

    def eligible(self, codes: Integer[np.ndarray, " numbers"]) -> Bool[np.ndarray, " numbers"]:
        """Return which numbers may change: normal ones that are not near a round one."""
        largest = (1 << self.exponent) - 1
        exponents = codes >> self.mantissa & largest
        low = (1 << self.low) - 1
        apart = (codes + NEAR & low) >= 2 * NEAR
        chosen: NDArray[np.bool_] = np.logical_and(exponents != 0, exponents != largest) & apart
        return chosen


FLOATS = {"F32": Float(23, 8, 8), "F16": Float(10, 5, 7), "BF16": Float(7, 8, 7)}


@dataclass(frozen=True, eq=False)
class Weights:
    """The numbers of a safetensors file that may carry bits.

    Args:
        data: The whole file.
        places: Its tensors.

    Example:
        >>> import safetensors.numpy
        >>> made = np.linspace(0.1, 0.2, 100, dtype=np.float32)
        >>> len(Weights.of(safetensors.numpy.save({"layer": made})).levels)
        98
    """

    data: bytes = field(repr=False)
    places: list[Place]

    @classmethod
    def of(cls, data: bytes, name: str = "the data") -> Weights:
        """Find the numbers of a file; errors mention ``name``.

        Raises:
            InputError: The data is not a safetensors file.
        """
        try:
            places, _ = places_of(data)
        except DistrustError as error:
            raise InputError(
                f"{name} is not a safetensors file, or damaged: {error}",
                hint="get the file again",
            ) from None
        return cls(data, places)

    @cached_property
    def carrying(self) -> list[Place]:
        """The tensors that may carry bits."""
        found = [each for each in self.places if each.kind in FLOATS and each.count >= FEWEST]
        twins = self._twins(found)
        return [each for each in found if each not in twins and not self._plain(each)]

    @cached_property
    def at(self) -> Int32[np.ndarray, " elements"]:
        """The lowest byte of each number that carries bits, as an offset in the file."""
        total = sum(int(eligible.sum()) for _, eligible in self._chunks())
        step, seen = max(1, -(-total // MOST)), 0
        found = [np.zeros(0, dtype=np.int32)]
        for offsets, eligible in self._chunks():
            chosen = offsets[eligible][-seen % step :: step]
            seen += int(eligible.sum())
            found.append(chosen.astype(np.int32))
        return np.concatenate(found)

    @cached_property
    def levels(self) -> UInt8[np.ndarray, " elements"]:
        """The lowest byte of each number that carries bits."""
        return np.frombuffer(self.data, dtype=np.uint8).take(self.at)

    def closed(self, up: Bool[np.ndarray, " elements"]) -> Bool[np.ndarray, " elements"]:
        """Return which numbers may not change in the direction that was drawn for them."""
        starts = np.array([place.start for place in self.carrying], dtype=np.int64)
        masks = np.array([(1 << FLOATS[each.kind].low) - 1 for each in self.carrying], np.uint8)
        mask = masks.take(np.searchsorted(starts, self.at, side="right") - 1)
        low = self.levels & mask
        shut: NDArray[np.bool_] = np.where(up, low == mask - NEAR, low == NEAR)
        return shut

    def changed(
        self, flips: Bool[np.ndarray, " elements"], up: Bool[np.ndarray, " elements"]
    ) -> bytes:
        """Return the file with some numbers moved by one unit in their directions."""
        stego = np.frombuffer(self.data, np.uint8).copy()
        stego[self.at[flips]] += np.where(up[flips], 1, -1).astype(np.int8).view(np.uint8)
        return stego.tobytes()

    def _codes(self, place: Place, first: int, count: int) -> NDArray[np.unsignedinteger]:
        size = BYTES[place.kind]
        return np.frombuffer(self.data, f"<u{size}", count, place.start + size * first)

    def _chunks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
        """Yield the offsets of some numbers of a tensor, and which of them are eligible."""
        for place in self.carrying:
            size = BYTES[place.kind]
            for first in range(0, place.count, CHUNK):
                count = min(CHUNK, place.count - first)
                offsets = place.start + size * np.arange(first, first + count)
                yield offsets, FLOATS[place.kind].eligible(self._codes(place, first, count))

    def _plain(self, place: Place) -> bool:
        """Tell whether a large share of a tensor's first numbers are nearly equal."""
        codes = self._codes(place, 0, min(place.count, LOOKED_AT))
        _, counts = np.unique(codes // NEARLY_EQUAL, return_counts=True)
        return bool(counts.max() > LARGEST_SHARE * len(codes))

    def _twins(self, places: list[Place]) -> set[Place]:
        """Find tensors whose bytes another tensor has too."""

        def beginning(place: Place) -> tuple[int, bytes]:
            length = place.stop - place.start
            return length, self.data[place.start : place.start + BEGINNING]

        counts = Counter(map(beginning, places))
        alike = [each for each in places if counts[beginning(each)] > 1]
        view = memoryview(self.data)
        sums = {each: blake2b(view[each.start : each.stop]).digest() for each in alike}
        often = Counter(sums.values())
        return {each for each in alike if often[sums[each]] > 1}
