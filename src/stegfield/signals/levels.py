"""Levels: how values stand for the integers of a file, for media of 8 and of 16 bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int16, Integer, UInt8
from numpy.typing import NDArray

from stegfield.signals.medium import Medium
from stegfield.signals.signal import EightBit, Signal, stretched

FULL_SCALE = 32768
"""Of 16-bit integers: a level i is i / 32768 on the medium's own scale."""


class EightBits(Medium):
    """A medium whose files hold 8-bit samples, as images do."""

    def to_levels(self, signal: Signal) -> UInt8[np.ndarray, "*size channels"]:
        """Return the 8-bit samples that a file holds."""
        return to_samples(signal)

    def with_levels(self, signal: Signal, levels: Integer[np.ndarray, "*size channels"]) -> Signal:
        """Return a signal of other samples; where the old ones were from is not kept."""
        held: Any = EightBit(levels.astype(np.uint8))
        return replace(signal, values=held, origin=None, notes=())

    def bounds(self, signal: Signal) -> tuple[int, int]:
        """Return 0 and 255."""
        return 0, 255


class SixteenBits(Medium):
    """A medium of 16-bit integers with a sign, of which a signal may use a small part."""

    ranged = True

    def to_levels(self, signal: Signal) -> Int16[np.ndarray, "*size channels"]:
        """Return the 16-bit integers that a file holds; values beyond full scale are clipped."""
        levels = np.rint(signal.natural * FULL_SCALE).clip(*self.bounds(signal))
        whole: NDArray[np.int16] = levels.astype(np.int16)
        return whole

    def with_levels(self, signal: Signal, levels: Integer[np.ndarray, "*size channels"]) -> Signal:
        """Return a signal like this one, but of other integers."""
        values, _ = stretched(levels.astype(np.float64) / FULL_SCALE, signal.range)
        return replace(signal, values=values, origin=None, notes=())

    def bounds(self, signal: Signal) -> tuple[int, int]:
        """Return the least and the largest 16-bit integer."""
        return -FULL_SCALE, FULL_SCALE - 1

    def from_levels(
        self, levels: Integer[np.ndarray, "*size channels"], rate: float | None = None
    ) -> Signal:
        """Make a signal of integers, whose own range it fills."""
        values, span = stretched(levels.astype(np.float64) / FULL_SCALE)
        return Signal(values, self, rate=rate, range=span)


def to_samples(signal: Signal) -> UInt8[np.ndarray, "*size channels"]:
    """Round a signal to the 8-bit samples that a file holds; values beyond [-1, 1] are clipped."""
    if signal.samples is not None:
        return signal.samples
    return np.rint((signal.values.clip(-1, 1) + 1) * np.float32(127.5)).astype(np.uint8)


def from_samples(levels: UInt8[np.ndarray, "rows columns channels"]) -> Signal:
    """Make an image of 8-bit samples; `to_samples` gives the same ones back."""
    held: Any = EightBit(levels)
    return Signal(held)
