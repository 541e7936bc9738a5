"""Signals that need no file: for examples, tests and timing."""

from __future__ import annotations

import math

import numpy as np

from stegfield.signals.climate import CLIMATE
from stegfield.signals.grids import coordinates, sphere
from stegfield.signals.packing import Packing
from stegfield.signals.shape import SHAPE
from stegfield.signals.signal import Signal
from stegfield.signals.sound import SOUND
from stegfield.signals.video import VIDEO
from stegfield.signals.volume import VOLUME


def waves(rows: int, columns: int, *, channels: int = 3, phase: float = 0.0) -> Signal:
    """Draw a smooth image of a few waves; another ``phase`` gives another image.

    Example:
        >>> waves(8, 12).size
        (8, 12)
    """
    down, across = coordinates((rows, columns)).T.astype(np.float64)
    colours = [
        np.sin((3 + c + phase) * down + phase) * np.cos((2 + phase) * across - c)
        for c in range(channels)
    ]
    return Signal(0.8 * np.stack(colours, axis=1).reshape(rows, columns, channels))


def chords(samples: int, *, channels: int = 1, rate: float = 8000.0, phase: float = 0.0) -> Signal:
    """Play a few tones that fade; another ``phase`` gives another sound.

    Example:
        >>> chords(400).size
        (400,)
    """
    seconds = np.arange(samples) / rate
    tones = [
        np.sin(2 * math.pi * (220 + 30 * phase) * seconds + phase)
        + np.sin(2 * math.pi * (331 + 50 * channel) * seconds) / 2
        for channel in range(channels)
    ]
    values = 0.5 * np.stack(tones, axis=1) * np.exp(-2 * seconds)[:, None]
    return Signal(values, SOUND, rate=rate)


def clip(frames: int, rows: int, columns: int, *, rate: float = 25.0, phase: float = 0.0) -> Signal:
    """Film a smooth pattern that moves; another ``phase`` gives another one.

    Example:
        >>> clip(4, 8, 12).size
        (4, 8, 12)
    """
    still = [waves(rows, columns, phase=phase + 0.1 * frame).values for frame in range(frames)]
    return Signal(np.stack(still), VIDEO, rate=rate)


def blob(points: int, *, phase: float = 0.0) -> Signal:
    """Make a smooth volume with as many points along each side.

    Example:
        >>> blob(6)
        Signal(volume, 6x6x6, 1 channel)
    """
    at = coordinates((points, points, points)).astype(np.float64)
    lump = np.exp(-3 * np.square(at).sum(1)) + 0.3 * np.sin(4 * at[:, 0] + phase) * at[:, 1]
    return Signal((lump / 2).reshape(points, points, points, 1), VOLUME)


def ball(points: int, *, radius: float = 0.6) -> Signal:
    """Make a ball as signed distances, with as many points along each side.

    Example:
        >>> ball(6)
        Signal(shape, 6x6x6, 1 channel)
    """
    at = coordinates((points, points, points)).astype(np.float64)
    distance = np.sqrt(np.square(at).sum(1)) - radius
    return Signal((4 * distance).clip(-1, 1).reshape(points, points, points, 1), SHAPE)


def globe(rows: int, columns: int, *, phase: float = 0.0) -> Signal:
    """Draw a smooth climate field: warm at the equator, with waves; all sizes show one function.

    Example:
        >>> globe(19, 36)
        Signal(climate, 36x19, 1 channel)
    """
    x, y, z = sphere((rows, columns)).T.astype(np.float64)
    waves = np.sin(4 * x + phase) * np.cos(3 * y - phase) + 0.3 * np.sin(9 * y * x + 5 * z)
    values = 0.45 - 0.75 * np.square(z) + 0.1 * math.cos(phase) * z + 0.12 * waves
    return Signal(values.reshape(rows, columns, 1), CLIMATE, packing=Packing())
