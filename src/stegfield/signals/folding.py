"""Folding: a signal laid out on the points of a field that shows another medium.

A field that hides something must look like one that does not, so it keeps the inputs and outputs
that its cover needs. A secret of another medium is folded: its values are numbered, and each point
and channel of a grid of the cover's kind gets one of them. Nothing but the numbers of points and
channels decides which, so that a receiver who knows those can unfold what is shown.

- Channels, where they differ in number, are laid behind each other along the first axis; then the
  longest axis is cut into as many parts as there are channels to fill. The planes of a picture that
  go into one channel become slices.
- Axes too few: a line is cut into rows, every second of them backwards, so that neighbours stay
  neighbours, as a strip of paper is folded; a plane is cut into tiles, which become slices.
- An axis too many: slices become tiles, mirrored so that they agree where they meet.

What is left over repeats the values at the edge. Measured on a SIREN of 8x128, 250 steps, a sound
of 16,384 samples: SNR 54 dB in three channels of 74x74 points; 36 dB in one of 128x128, 34 dB
without turning rows round, 32 dB along a Hilbert curve; 25 to 28 dB where the grid has four times
the aspect; and 17 dB along a line. So points are as far apart along all axes of the box: an image
of 128x128 in the field of a video of 16x72x88 reaches PSNR 40 dB in 9 slices, 25 dB in 25 and
28 dB in one; in a cube 41 dB in 25 and 29 dB in one.

On the globe a folded grid has rows of equal area, none of them at a pole, which is a single point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from stegfield.signals.medium import Medium
from stegfield.signals.signal import Signal


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What decides how a signal is folded."""

    size: tuple[int, ...]
    """Points along each axis of the signal."""
    channels: int
    """Of the signal."""
    parts: int
    """Channels of the grid that it is laid out on."""
    within: tuple[int, ...]
    """How long each axis of the grid is, in any unit: points are about as far apart along each."""

    def places(self) -> Int64[np.ndarray, "*grid parts"]:
        """Return for each point and channel of the grid the number of the value that is there.

        Values are numbered channel by channel, in each in the order of its points.

        Example:
            >>> Layout(size=(6,), channels=1, parts=1, within=(1, 1)).places()[..., 0]
            array([[0, 1, 2],
                   [5, 4, 3]])
        """
        numbers = np.arange(math.prod(self.size) * self.channels)
        numbers = numbers.reshape(self.channels, *self.size)
        if self.channels != self.parts:
            planes = self.parts == 1 and len(self.size) == 2
            numbers = numbers[None] if planes else _parted(_joined(numbers, 0), self.parts)
        axes = len(self.within)
        if numbers.ndim - 1 < min(axes, 2):
            numbers = _rows(numbers, *self.within[-2:])
        if numbers.ndim - 1 < axes:
            numbers = _slices(numbers, *self.within)
        while numbers.ndim - 1 > axes:
            numbers = _joined(numbers, 1) if axes == 1 else _tiles(numbers, *self.within)
        return np.ascontiguousarray(np.moveaxis(numbers, 0, -1))


def fold(signal: Signal, layout: Layout) -> Signal:
    """Lay a signal out on the grid of a layout that was made for its size."""
    values = np.moveaxis(signal.values, -1, 0).reshape(-1)
    return Signal(values[layout.places()], signal.medium, folded=True)


def unfold(shown: Signal, layout: Layout, medium: Medium) -> Signal:
    """Undo `fold`; of a value that is shown at several places, the mean is taken."""
    places = layout.places().reshape(-1)
    count = math.prod(layout.size) * layout.channels
    sums = np.bincount(places, weights=shown.values.reshape(-1), minlength=count)
    means = sums / np.bincount(places, minlength=count)
    return Signal(np.moveaxis(means.reshape(layout.channels, *layout.size), 0, -1), medium)


Numbers = NDArray[np.int64]


def _parted(numbers: Numbers, parts: int) -> Numbers:
    """Cut the longest axis into parts, and make these the first axis."""
    longest = int(np.argmax(numbers.shape))
    return np.moveaxis(_cut(numbers, longest, parts), longest, 0)


def _rows(line: Numbers, height: int, width: int) -> Numbers:
    """Cut a line into rows, turned in turn."""
    return _turned(_cut(line, 1, max(1, math.isqrt(line.shape[1] * height // width))), 1)


def _slices(plane: Numbers, depth: int, height: int, width: int) -> Numbers:
    """Cut a plane into tiles, as many along each side, and stack them row by row."""
    most = math.prod(plane.shape[1:]) * depth**2
    side = 1
    while (2 * side + 1) ** 6 * height * width <= 64 * most:  # side^6 nearest, in whole numbers
        side += 1
    tiles = _turned(_cut(_turned(_cut(plane, 1, side), 1), 3, side), 3)
    return _joined(np.moveaxis(tiles, 3, 2), 1)


def _tiles(slices: Numbers, height: int, width: int) -> Numbers:
    """Lay slices out as the tiles of a plane, row by row, turned in turn."""
    count, rows, columns = slices.shape[1:]

    def longest(down: int) -> int:
        across = -(-count // down)
        return max(int(width * down * rows), int(height * across * columns))

    tiles = _turned(_cut(slices, 1, min(range(1, count + 1), key=longest)), 1)
    return _joined(_joined(np.moveaxis(tiles, 2, 3), 3), 1)


def _cut(numbers: Numbers, axis: int, parts: int) -> Numbers:
    """Cut an axis into parts, which become an axis before it."""
    each = -(-numbers.shape[axis] // parts)
    missing = [(0, 0)] * numbers.ndim
    missing[axis] = (0, parts * each - numbers.shape[axis])
    shape = (*numbers.shape[:axis], parts, each, *numbers.shape[axis + 1 :])
    return np.pad(numbers, missing, mode="edge").reshape(shape)


def _joined(numbers: Numbers, axis: int) -> Numbers:
    """Lay what is along an axis behind each other along the next, turned in turn."""
    shape = (*numbers.shape[:axis], -1, *numbers.shape[axis + 2 :])
    return _turned(numbers, axis).reshape(shape)


def _turned(numbers: Numbers, axis: int) -> Numbers:
    """Turn the next axis round at every second place of this one."""
    turned = np.moveaxis(numbers, (axis, axis + 1), (0, 1)).copy()
    turned[1::2] = turned[1::2, ::-1]
    return np.moveaxis(turned, (0, 1), (axis, axis + 1))
