"""Keyed order: samples in segments, and the order in each that a key stream decides.

Segments have at most 65,536 samples, which is what the solver and a thread work on. Segment j of s
has the samples j, j + s, j + 2s, ... from all over the signal. Each sample of a segment draws one
of 65,536 buckets, and buckets are read in turn: a radix sort of 16-bit draws. Samples that share a
bucket keep their order. So two given samples are in their own order with a probability of
1/2 + 2^-17, not 1/2, which helps nobody who does not have the key: the draws are its key stream.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from stegfield.errors import ConfigError
from stegfield.fixednet.exact.search import parallel
from stegfield.keys import IMAGE_SALT, Key, KeyStream

SEGMENT = 1 << 16
KEPT = 1 << 20
"""Samples of a signal up to which segments are made once; they take 8 bytes a sample."""
LARGEST = 1 << 18
"""Most numbers that are put into one order."""


@dataclass(frozen=True, eq=False)
class Part:
    """Samples of a signal in keyed order.

    To pick them in two steps, every s-th sample first, is several times as fast as to pick them
    from all over a large signal.
    """

    every: slice
    """Samples of the signal,"""
    places: NDArray[np.integer] = field(repr=False)
    """and the indices of this part's among them, in keyed order."""

    def __len__(self) -> int:
        return len(self.places)

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values of these samples, from those of all samples of the signal."""
        return np.ascontiguousarray(values[self.every]).take(self.places)

    def add(self, values: NDArray[Any], more: NDArray[Any]) -> None:
        """Add to the values of these samples among those of all samples of the signal."""
        some = np.flatnonzero(more)  # most often few
        values[self.every][self.places[some]] += more[some]


@dataclass(frozen=True, eq=False)
class KeyedOrder(Sequence[NDArray[np.int32]]):
    """All samples in the order that a key decides, each segment of it made when it is asked for.

    Args:
        key: Decides the order.
        total: How many samples there are.
        salt: Another salt gives an unrelated order.
        skipped: Indices of samples that are left out.
    """

    key: Key
    total: int
    salt: bytes = IMAGE_SALT
    skipped: NDArray[np.integer] = field(
        default_factory=lambda: np.zeros(0, dtype=np.int64), repr=False
    )

    @cached_property
    def parts(self) -> int:
        """How many segments there are."""
        return segments(self.total)

    @cached_property
    def missing(self) -> dict[int, NDArray[np.integer]]:
        """For each segment that has some, the indices of its samples that are left out."""
        at, owner = np.divmod(self.skipped, self.parts)[0], self.skipped % self.parts
        return {int(segment): at[owner == segment] for segment in np.unique(owner)}

    @cached_property
    def lengths(self) -> list[int]:
        """Samples of each segment."""
        every = (len(range(segment, self.total, self.parts)) for segment in range(self.parts))
        return [all_ - len(self.missing.get(at, ())) for at, all_ in enumerate(every)]

    def __len__(self) -> int:
        return self.parts

    def part(self, segment: int) -> Part:
        """Return the samples of one segment.

        Raises:
            IndexError: ``segment`` is below 0 or not below the number of segments.
        """
        if not 0 <= segment < self.parts:
            raise IndexError(segment)
        if self.total > KEPT:
            return self._made(segment)
        if segment not in self._kept:
            self._kept[segment] = self._made(segment)
        return self._kept[segment]

    @cached_property
    def _kept(self) -> dict[int, Part]:
        return {}

    def _made(self, segment: int) -> Part:
        order = permutation(
            self.key.stream(f"order/{segment}", salt=self.salt), self.lengths[segment]
        )
        if segment in self.missing:
            length = self.lengths[segment] + len(self.missing[segment])
            order = np.delete(np.arange(length), self.missing[segment])[order]
        return Part(slice(segment, None, self.parts), order)

    @overload
    def __getitem__(self, segment: int) -> NDArray[np.int32]: ...
    @overload
    def __getitem__(self, segment: slice) -> list[NDArray[np.int32]]: ...
    def __getitem__(self, segment: int | slice) -> NDArray[np.int32] | list[NDArray[np.int32]]:
        if isinstance(segment, slice):
            return [self[at] for at in range(*segment.indices(len(self)))]
        part = self.part(segment)
        return (part.places * self.parts + segment).astype(np.int32)

    def at_once(self) -> list[NDArray[np.int32]]:
        """Make all segments, with all threads; they take four times the memory of 8-bit samples."""
        return list(parallel(self.__getitem__, range(len(self))))


def part_of(order: Sequence[NDArray[np.int32]], segment: int) -> Part:
    """Return one segment of an order."""
    if isinstance(order, KeyedOrder):
        return order.part(segment)
    return Part(slice(None), order[segment])


def lengths_of(order: Sequence[NDArray[np.int32]]) -> list[int]:
    """Return how many samples each segment of an order has."""
    return order.lengths if isinstance(order, KeyedOrder) else [len(part) for part in order]


def segments(samples: int, longest: int = SEGMENT) -> int:
    """Return the number of segments of at most ``longest`` that samples are divided into.

    The number has no common factor with the number of samples, nor with that of a row: so each
    segment has samples of all channels and columns.
    """
    count = max(1, -(-samples // longest))
    while math.gcd(count, samples) > 1:
        count += 1
    return count


def segment_samples(samples: int, segment: int, longest: int = SEGMENT) -> NDArray[np.int32]:
    """Return the samples of one segment: of s segments, j has j, j + s, j + 2s, ..."""
    return np.arange(segment, samples, segments(samples, longest), dtype=np.int32)


def shuffled(at: NDArray[np.int32], stream: KeyStream) -> NDArray[np.int32]:
    """Put samples into the order that a key stream decides."""
    return np.take(at, permutation(stream, len(at)))


def keyed_order(key: Key, samples: int) -> list[NDArray[np.int32]]:
    """Put all samples into the order that a key decides, segment by segment."""
    return KeyedOrder(key, samples).at_once()


def permutation(stream: KeyStream, count: int) -> Int64[np.ndarray, " count"]:
    """Return the numbers 0, 1, ..., count - 1 in the order that a key stream decides.

    Args:
        stream: Gives two bytes for each number.
        count: How many, at most 2^18: of more, those that share a bucket would be too many.

    Raises:
        ConfigError: ``count`` is above 2^18.

    Example:
        >>> from stegfield.keys import KeyStream
        >>> permutation(KeyStream(bytes(32)), 5).tolist()
        [4, 3, 1, 0, 2]
    """
    if count > LARGEST:
        raise ConfigError(f"at most {LARGEST:,} numbers are put into one order, got {count:,}")
    draws = np.frombuffer(stream.bytes(2 * count), "<u2")
    return draws.argsort(kind="stable").astype(np.int64, copy=False)
