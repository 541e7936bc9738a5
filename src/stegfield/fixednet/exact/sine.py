"""The sine network: a fixed network of two sine layers that reads bits from integer samples.

    samples ─keyed order─► sin ─► bit planes ─keyed integer weights─► z ─► sin ─► one logit per bit

The first layer reads the two lowest bit planes of a sample x by sines of period 2 and 4: bit b is 1
where sin(2 pi (x + 1/2) / 2^(b+1)) < 0. For every bit of the message, the second layer adds up the
plane's values in a window of the keyed order, with weights 0 or 1 from the key. It reads the sum z
by sin(pi (z + 1/2)), which is (-1)^z at the integers. So every logit is exactly 1 or -1, in any
number format, on any device and for any order of summation. Without the key, nobody knows the order
or the weights.

Samples are first put into a keyed order, in segments of at most 65,536. Each segment takes samples
from all over the signal. Within a segment, bit i owns a stretch of samples. A sample of stretch i
has weights in bits i to i + h - 1, always one in bit i itself, where h is the constraint height.
This is a convolution with stride and a kernel of h stretches; the length of the stretches spreads a
message of any length over all samples.

Source: the paper's fixed network (GINR-Stega, Sec. 3.6) with sines for its ReLUs. The weights have
the shape of a syndrome-trellis code (Filler, Judas and Fridrich 2011), so that the sender can find
the best change of the samples exactly (`stegfield.fixednet.exact.trellis`) where the paper descends
along gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np
from jaxtyping import Bool, Int8, Int64, Integer, UInt16
from numpy.typing import NDArray

from stegfield.config import CONSTRAINT_HEIGHTS
from stegfield.errors import ConfigError
from stegfield.fixednet.exact.order import lengths_of, part_of
from stegfield.fixednet.exact.search import parallel
from stegfield.keys import IMAGE_SALT, Key

PLANES = 2
CONSTRAINT_HEIGHT = 10


@dataclass(frozen=True, eq=False)
class SineNetwork:
    """A fixed network for messages of one length, over some samples of a signal.

    Args:
        key: Decides all weights.
        label: Networks of other labels have unrelated weights.
        order: Sample indices in keyed order, segment by segment (see `KeyedOrder`).
        bits: How many bits the first and the second plane carry.
        constraint_height: Number of bits of its plane in which a sample has weights.
        salt: Networks of other salts have unrelated weights.

    Raises:
        ConfigError: A plane would carry more bits than there are samples.
    """

    key: Key
    label: str
    order: Sequence[NDArray[np.int32]] = field(repr=False)
    bits: tuple[int, int]
    constraint_height: int = CONSTRAINT_HEIGHT
    salt: bytes = IMAGE_SALT

    def __post_init__(self) -> None:
        CONSTRAINT_HEIGHTS.check(
            self.constraint_height, owner="SineNetwork", name="constraint_height"
        )
        if not all(0 <= count <= self.samples for count in self.bits):
            raise ConfigError(f"{self.samples} samples cannot carry {self.bits} bits")

    @cached_property
    def lengths(self) -> list[int]:
        """How many samples it reads of each segment."""
        return lengths_of(self.order)

    @cached_property
    def samples(self) -> int:
        """Number of samples that it reads."""
        return sum(self.lengths)

    @cached_property
    def shares(self) -> tuple[list[int], list[int]]:
        """The bits that each segment carries, in each plane, in proportion to its samples."""
        ends = [0, *accumulate(self.lengths)]
        lower, upper = ([end * bits // max(self.samples, 1) for end in ends] for bits in self.bits)
        return [b - a for a, b in pairwise(lower)], [b - a for a, b in pairwise(upper)]

    def drawn(self, segment: int, plane: int) -> UInt16[np.ndarray, " samples"]:
        """Grow the columns of one plane of one segment from the key, not cut at the last bit."""
        stream = self.key.stream(f"sine/{self.label}/{segment}/{plane}", salt=self.salt)
        drawn = np.frombuffer(stream.bytes(2 * self.lengths[segment]), "<u2").astype(np.uint16)
        # one weight in the bit that owns the sample, so that every message can be embedded;
        # one at the far end, so that the window has its full length
        drawn |= np.uint16(1 | 1 << (self.constraint_height - 1))
        drawn &= np.uint16((1 << self.constraint_height) - 1)
        return drawn

    def read(self, samples: Integer[np.ndarray, " samples"]) -> Bool[np.ndarray, " bits"]:
        """Read the message: True where the logit is negative."""

        def one(segment: int) -> list[NDArray[np.bool_]]:
            shares = [self.shares[plane][segment] for plane in range(PLANES)]
            carrying = part_of(self.order, segment).of(samples) if any(shares) else samples[:0]
            return [self._read(carrying, segment, plane) for plane in range(PLANES)]

        read = list(parallel(one, range(len(self.order))))
        none = np.zeros(0, dtype=np.bool_)
        return np.concatenate([none, *(part[plane] for plane in range(PLANES) for part in read)])

    def _read(
        self, carrying: NDArray[np.integer], segment: int, plane: int
    ) -> Bool[np.ndarray, " share"]:
        bits = self.shares[plane][segment]
        if bits == 0:
            return np.zeros(0, dtype=np.bool_)
        return parities(self.drawn(segment, plane), planes(carrying, plane), bits)

    def logits(self, samples: Integer[np.ndarray, " samples"]) -> Int8[np.ndarray, " bits"]:
        """Return one logit per bit, 1 or -1; a negative one stands for the bit 1."""
        return np.where(self.read(samples), np.int8(-1), np.int8(1))


def planes(samples: Integer[np.ndarray, " samples"], plane: int) -> Bool[np.ndarray, " samples"]:
    """Read a bit plane: where sin(2 pi (x + 1/2) / 2^(plane + 1)) is negative."""
    return (samples >> plane & 1).astype(bool)


def stretches(samples: int, bits: int) -> Int64[np.ndarray, " bits"]:
    """Return how many samples each bit owns: bit i those from ceil(i n / bits) on."""
    return np.diff(-(np.arange(bits + 1) * -samples // bits))


def parities(
    columns: UInt16[np.ndarray, " samples"], ones: Bool[np.ndarray, " samples"], bits: int
) -> Bool[np.ndarray, " bits"]:
    """Return each bit: the sine of the sum of weights of samples that are one.

    Args:
        columns: Weights of each sample, those beyond the last bit without effect.
        ones: Which samples are one.
        bits: Number of bits, at least 1 and at most one for each sample.
    """
    begins = -(np.arange(bits) * -len(columns) // bits)
    sums = np.bitwise_xor.reduceat(columns * ones, begins)
    read = np.zeros(bits, dtype=np.bool_)
    for later in range(min(int(sums.max()).bit_length(), bits)):
        read[later:] ^= (sums[: bits - later] >> later & 1).astype(np.bool_)
    return read
