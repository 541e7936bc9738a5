"""Packing: how the 16-bit integers of a climate file stand for temperatures.

A field's values v in [-1, 1] are temperatures of 260 + 80 v kelvin, so 180 to 340 K, whatever file
they came from; the file's integers are scale * integer + offset in the file's own unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Int32, Integer

from stegfield.signals.netcdf import Description

MIDDLE_KELVIN, HALF_RANGE_KELVIN = 260.0, 80.0
LOWEST_KELVIN = MIDDLE_KELVIN - HALF_RANGE_KELVIN
HIGHEST_KELVIN = MIDDLE_KELVIN + HALF_RANGE_KELVIN
ZERO_CELSIUS = 273.15
LEVELS = 32767
FINEST_SCALE = 1e-5
"""Kelvin for each integer, at least: a float32 in [-1, 1] is off by 2.4e-6 K at most."""


@dataclass(frozen=True, kw_only=True)
class Packing:
    """How a file holds a climate field; the default scale suits every field."""

    scale: float = HALF_RANGE_KELVIN / LEVELS
    """Degrees for each integer."""
    offset: float = MIDDLE_KELVIN
    """The temperature of the integer 0, in the file's unit."""
    units: str = "K"
    """As the file says it."""
    celsius: bool = False
    """What it says is degrees Celsius."""
    name: str = "temperature"
    """Of the variable."""
    kind: Literal["int16", "uint16"] = "int16"
    fill: int | None = -LEVELS - 1
    """The integer that stands for a missing value; no sample has it."""
    ascending: bool = False
    """The file's first row is the south pole."""
    west: float = 0.0
    """The file's first longitude."""
    described: Description | None = field(default=None, repr=False, compare=False)
    """What the file says beside its numbers; None for fields that came from none."""

    @classmethod
    def over(cls, values: Float[np.ndarray, "rows columns 1"]) -> Packing:
        """Return the packing of 16 bits that a field's own range fills.

        Example:
            >>> packing = Packing.over(np.array([[[0.0], [0.1]]]))
            >>> packing.offset, packing.bounds
            (264.0, (-32767, 32767))
        """
        low, high = (float(to_kelvin(np.array([end]))[0]) for end in (values.min(), values.max()))
        low, high = max(low, LOWEST_KELVIN), min(high, HIGHEST_KELVIN)
        scale = max((high - low) / (2 * LEVELS), FINEST_SCALE)
        return cls(scale=scale, offset=(low + high) / 2)

    @property
    def zero_kelvin(self) -> float:
        """The temperature of the integer 0 in kelvin."""
        return self.offset + (ZERO_CELSIUS if self.celsius else 0.0)

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the largest integer that a sample may have.

        Both are within 180 and 340 K, can be written, and leave out the fill value, which is at
        one end of what can be written.
        """
        kind = np.iinfo(self.kind)
        low = max(kind.min, int(np.ceil((LOWEST_KELVIN - self.zero_kelvin) / self.scale)))
        high = min(kind.max, int(np.floor((HIGHEST_KELVIN - self.zero_kelvin) / self.scale)))
        if self.fill is not None and low <= self.fill <= high:
            nearer_low = self.fill - low < high - self.fill
            low, high = (self.fill + 1, high) if nearer_low else (low, self.fill - 1)
        return low, high

    def pack(
        self, values: Float[np.ndarray, "rows columns 1"]
    ) -> Int32[np.ndarray, "rows columns 1"]:
        """Return the integers nearest to a field's values, within the bounds."""
        kelvin = to_kelvin(values)
        return np.rint((kelvin - self.zero_kelvin) / self.scale).clip(*self.bounds).astype(np.int32)

    def unpack(
        self, levels: Integer[np.ndarray, "rows columns 1"]
    ) -> Float32[np.ndarray, "rows columns 1"]:
        """Return the values that integers stand for; `pack` gives the same integers back."""
        return to_values(self.scale * levels.astype(np.float64) + self.zero_kelvin)


def to_kelvin(values: Float[np.ndarray, "*size 1"]) -> Float[np.ndarray, "*size 1"]:
    """Return the temperatures that a field's values stand for.

    Example:
        >>> to_kelvin(np.array([[-1.0], [0.0], [1.0]])).ravel().tolist()
        [180.0, 260.0, 340.0]
    """
    return MIDDLE_KELVIN + HALF_RANGE_KELVIN * values.astype(np.float64)


def to_values(kelvin: Float[np.ndarray, "*size 1"]) -> Float32[np.ndarray, "*size 1"]:
    """Return the values that stand for temperatures, rounded once."""
    return ((kelvin - MIDDLE_KELVIN) / HALF_RANGE_KELVIN).astype(np.float32)
