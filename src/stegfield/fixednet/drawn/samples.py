"""The samples of a signal that are drawn, what they show, and the plane of their low bits.

A reader sees only the file. So which samples are drawn depends on nothing that a draw changes: all
samples of an image or a sound, and all rows of a globe but the poles, each of which is one place.
Pictures whose channels are all equal have one channel here, since WebP files have no grey format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int64, Integer, Shaped

from stegfield import carriers, signals
from stegfield.fixednet.drawn.sampler import FRACTIONS
from stegfield.signals import Signal


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of a signal that are drawn, in a public order: row by row, channels fastest."""

    signal: Signal = field(repr=False)

    @cached_property
    def grey(self) -> bool:
        """Tell whether one channel stands for several equal ones."""
        held = self.signal.values if self.signal.samples is None else self.signal.samples
        shades = self.signal.medium.grey_is_colour and self.signal.channels > 1
        return shades and all((row == row[..., :1]).all() for row in held)

    @property
    def channels(self) -> int:
        """Channels that are drawn."""
        return 1 if self.grey else self.signal.channels

    @property
    def rows(self) -> slice:
        """Rows that are drawn."""
        return slice(1, -1) if self.signal.medium.on_globe else slice(None)

    @property
    def count(self) -> int:
        """Number of samples that are drawn."""
        rows, *others = self.signal.size
        return len(range(rows)[self.rows]) * int(np.prod(others, dtype=np.int64)) * self.channels

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """The least and the largest level that the file can hold."""
        return signals.bounds(self.signal)

    def shown(self, some: slice) -> Int64[np.ndarray, " samples"]:
        """Return f of some of the samples, in 1024ths of a level and within the file's bounds.

        Values between levels, as of functions and of pictures of 16 bits, are taken as they are.
        """
        if self.signal.samples is not None:
            return self._flat[some].astype(np.int64) * FRACTIONS
        (low, high), step = self.bounds, carriers.step(self.signal)
        levels = low + (self._flat[some].astype(np.float64) - self._lowest) / step
        found: Int64[np.ndarray, " samples"] = np.rint(FRACTIONS * levels.clip(low, high)).astype(
            np.int64
        )
        return found

    def with_levels(self, levels: Integer[np.ndarray, " samples"]) -> Signal:
        """Return the signal with other levels in the place of its samples.

        A pole that shows one value, or nearly so, keeps one.
        """
        whole = levels
        if self.signal.medium.on_globe:
            whole = signals.to_levels(self.signal).copy()
            for pole in (whole[:1], whole[-1:]):
                if np.ptp(pole) <= 1:
                    pole[:] = pole[:, :1]
            whole[self.rows] = levels.reshape(whole[self.rows].shape)
        rows = whole.reshape(*self.signal.size, self.channels)
        shape = (*self.signal.size, self.signal.channels)
        return signals.with_levels(self.signal, np.broadcast_to(rows, shape))

    def plane(self, bits: int) -> LowBits:
        """Return the lowest bits of all samples, and then the ones above, where there are two."""
        levels = signals.to_levels(self.signal)[self.rows][..., : self.channels].reshape(-1)
        return LowBits(levels, bits)

    @cached_property
    def _flat(self) -> Shaped[np.ndarray, " samples"]:
        held = self.signal.values if self.signal.samples is None else self.signal.samples
        return held[self.rows][..., : self.channels].reshape(-1)

    @cached_property
    def _lowest(self) -> float:
        """The value of the least level."""
        least = np.full([1] * (len(self.signal.size) + 1), self.bounds[0])
        return float(signals.with_levels(self.signal, least).values.item())


@dataclass(frozen=True, eq=False)
class LowBits:
    """A plane of low bits: those of all levels, then the ones above; made as they are asked for."""

    levels: Integer[np.ndarray, " samples"] = field(repr=False)
    bits: int
    """Bits of each level."""

    def __len__(self) -> int:
        """Return the number of bits."""
        return self.bits * len(self.levels)

    def __getitem__(self, some: slice) -> Bool[np.ndarray, " bits"]:
        """Return some of the bits, in their order."""
        start, stop, _ = some.indices(len(self))
        first = start // len(self.levels)
        pieces = []
        for bit in range(first, self.bits):
            before = bit * len(self.levels)
            piece = self.levels[max(start - before, 0) : max(stop - before, 0)]
            pieces.append((piece >> bit & 1).astype(np.bool_))
        return np.concatenate(pieces)
