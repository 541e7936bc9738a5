"""The header's networks: a key has 1,024, a sender takes any, a receiver tries all of them at once.

    pool of samples ─keyed order─► groups of r ─► low bits, a word of 32 bits a group

    network i:  groups o(i), o(i) + 1, ... o(i) + 375, cyclically; its own masks of their weights

All networks share a keyed order of a pool: one of the segments of at most 262,144 samples that the
signal is divided into, chosen by the key. Sample j of the order is in group floor(j / r). Network i
is a sine network of one bit a group that begins at a group of its own. A mask has the weights of a
group's samples in one bit, so that a bit is the parity of a few words: numpy reads all networks in
a few operations.

With the places, the sets of samples that messages of one key share change from one message to the
next, and no two networks have weights in common. An adversary who averages over many files of one
size finds no place that carries more often than others by more than 1 in `pool / header`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Integer, UInt16, UInt32
from numpy.typing import NDArray

from stegfield.errors import CapacityError, ConfigError
from stegfield.fixednet.exact.order import segment_samples, segments, shuffled
from stegfield.fixednet.exact.sine import SineNetwork
from stegfield.keys import IMAGE_SALT, Key, KeyStream
from stegfield.payload import HEADER_BYTES

BITS = 8 * HEADER_BYTES
NETWORKS = 1024
HEIGHT = 10
POOL = 1 << 18
"""Most samples of a pool."""
SHARE = 16
"""The header takes one sample in this many,"""
LARGEST_GROUP = 32
"""but at most this many for each bit: those of one word."""
DRAWN = HEIGHT - 2
"""Masks that are drawn for each group; the first and the last one are all ones."""
AT_A_TIME = 64
"""Networks whose masks are in memory at a time."""

Words = UInt32[np.ndarray, " groups"]


def header_samples(samples: int) -> int:
    """Return the number of samples that carry the header.

    Raises:
        CapacityError: There are too few samples for a header.
    """
    if samples < 2 * BITS:
        raise CapacityError(needed=2 * BITS, available=samples, unit="samples", holder="cover")
    return BITS * min(max(samples // SHARE // BITS, 1), LARGEST_GROUP)


@dataclass(frozen=True, eq=False)
class HeaderNetwork(SineNetwork):
    """One of the networks of a key that read the header."""

    masks: UInt32[np.ndarray, "masks groups"] = field(
        default_factory=lambda: np.zeros((DRAWN, BITS), dtype=np.uint32), repr=False
    )

    def drawn(self, segment: int, plane: int) -> UInt16[np.ndarray, " samples"]:
        """Return its columns: it has one segment and one plane."""
        size = self.lengths[segment] // BITS
        place = np.tile(np.arange(size, dtype=np.uint32), BITS)
        columns = np.full(len(place), 1 | 1 << (HEIGHT - 1), dtype=np.uint16)
        for further, mask in enumerate(self.masks, start=1):
            columns |= (np.repeat(mask, size) >> place & 1).astype(np.uint16) << further
        return columns


@dataclass(frozen=True)
class HeaderNetworks:
    """All networks of a key that read the header of signals of one size.

    Args:
        key: Decides all of them.
        samples: Number of samples of the signal.

    Raises:
        CapacityError: There are too few samples for a header.
    """

    key: Key
    samples: int

    def __post_init__(self) -> None:
        header_samples(self.samples)

    @property
    def group(self) -> int:
        """Samples of each group."""
        return header_samples(self.samples) // BITS

    @cached_property
    def groups(self) -> NDArray[np.int32]:
        """The samples of the pool in keyed order, one group a row; what is left over is unused."""
        stream = self.key.stream("header-pool", salt=IMAGE_SALT)
        segment = int(stream.integers(1)[0]) % segments(self.samples, POOL)
        order = shuffled(segment_samples(self.samples, segment, POOL), stream)
        count = len(order) // self.group
        return order[: count * self.group].reshape(count, self.group)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first group of each network."""
        drawn = self.key.stream("header-starts", salt=IMAGE_SALT).integers(NETWORKS)
        return (drawn % np.uint64(len(self.groups))).astype(np.int64)

    def network(self, index: int) -> HeaderNetwork:
        """Return one of the networks.

        Raises:
            ConfigError: ``index`` is not from 0 to 1,023.
        """
        if not 0 <= index < NETWORKS:
            raise ConfigError(f"networks have indices from 0 to {NETWORKS - 1}, got {index}")
        at = (self.starts[index] + np.arange(BITS)) % len(self.groups)
        stream = self._masks()
        stream.bytes(4 * DRAWN * BITS * index)
        masks = _masks(stream, 1)[0]
        order = [self.groups[at].reshape(-1)]
        return HeaderNetwork(self.key, "header", order, (BITS, 0), HEIGHT, masks=masks)

    def read(self, samples: Integer[np.ndarray, " samples"]) -> Iterator[bytes]:
        """Read a header with each network in turn; a sender has written at most one of them."""
        words = _words(samples[self.groups])
        words = np.concatenate([words, words[:BITS]])
        stream = self._masks()
        for first in range(0, NETWORKS, AT_A_TIME):
            starts = self.starts[first : first + AT_A_TIME]
            picked = words[starts[:, None] + np.arange(BITS)]
            bits = _parities(picked, _masks(stream, len(starts)))
            yield from map(bytes, np.packbits(bits, axis=1))

    def _masks(self) -> KeyStream:
        return self.key.stream("header-masks", salt=IMAGE_SALT)


def _masks(stream: KeyStream, networks: int) -> UInt32[np.ndarray, "networks masks groups"]:
    drawn = np.frombuffer(stream.bytes(4 * networks * DRAWN * BITS), "<u4")
    return drawn.reshape(networks, DRAWN, BITS)


def _words(groups: Integer[np.ndarray, "groups group"]) -> Words:
    """Return the low bits of each group as a word, the first sample's lowest."""
    bits = np.zeros((len(groups), LARGEST_GROUP), dtype=np.uint8)
    bits[:, : groups.shape[1]] = groups & 1
    return np.packbits(bits, axis=1, bitorder="little").view("<u4")[:, 0].astype(np.uint32)


def _parities(
    words: UInt32[np.ndarray, "networks bits"], masks: UInt32[np.ndarray, "networks masks bits"]
) -> Bool[np.ndarray, "networks bits"]:
    """Return each bit: the parity of its own group's word and of those of the nine before it."""
    total = words.copy()
    total[:, HEIGHT - 1 :] ^= words[:, : 1 - HEIGHT]
    for further in range(1, HEIGHT - 1):
        total[:, further:] ^= words[:, :-further] & masks[:, further - 1, :-further]
    for half in (16, 8, 4, 2, 1):
        total ^= total >> np.uint32(half)
    return (total & 1).astype(np.bool_)
