"""Signals that need no file: for examples, tests and timing."""

from __future__ import annotations

import math

import torch

from stegfield.signals.packing import Packing
from stegfield.signals.signal import Signal, coordinates, sphere


def waves(rows: int, columns: int, *, channels: int = 3, phase: float = 0.0) -> Signal:
    """Draw a smooth image of a few waves; another ``phase`` gives another image.

    Example:
        >>> waves(8, 12).size
        (8, 12)
    """
    down, across = coordinates((rows, columns)).unbind(dim=1)
    colours = [
        torch.sin((3 + c + phase) * down + phase) * torch.cos((2 + phase) * across - c)
        for c in range(channels)
    ]
    return Signal(0.8 * torch.stack(colours, dim=1).view(rows, columns, channels))


def chords(samples: int, *, channels: int = 1, rate: float = 8000.0, phase: float = 0.0) -> Signal:
    """Play a few tones that fade; another ``phase`` gives another sound.

    Example:
        >>> chords(400).size
        (400,)
    """
    seconds = torch.arange(samples, dtype=torch.float64) / rate
    tones = [
        torch.sin(2 * math.pi * (220 + 30 * phase) * seconds + phase)
        + torch.sin(2 * math.pi * (331 + 50 * channel) * seconds) / 2
        for channel in range(channels)
    ]
    values = 0.5 * torch.stack(tones, dim=1) * torch.exp(-2 * seconds)[:, None]
    return Signal(values.float(), "sound", rate=rate)


def clip(frames: int, rows: int, columns: int, *, rate: float = 25.0, phase: float = 0.0) -> Signal:
    """Film a smooth pattern that moves; another ``phase`` gives another one.

    Example:
        >>> clip(4, 8, 12).size
        (4, 8, 12)
    """
    still = [waves(rows, columns, phase=phase + 0.1 * frame).values for frame in range(frames)]
    return Signal(torch.stack(still), "video", rate=rate)


def blob(points: int, *, phase: float = 0.0) -> Signal:
    """Make a smooth volume with as many points along each side.

    Example:
        >>> blob(6).medium
        'volume'
    """
    at = coordinates((points, points, points)).double()
    lump = torch.exp(-3 * at.square().sum(1)) + 0.3 * torch.sin(4 * at[:, 0] + phase) * at[:, 1]
    return Signal((lump / 2).float().view(points, points, points, 1), "volume")


def ball(points: int, *, radius: float = 0.6) -> Signal:
    """Make a ball as signed distances, with as many points along each side.

    Example:
        >>> ball(6).medium
        'shape'
    """
    distance = coordinates((points, points, points)).double().norm(dim=1) - radius
    return Signal((4 * distance).clamp(-1, 1).float().view(points, points, points, 1), "shape")


def globe(rows: int, columns: int, *, phase: float = 0.0) -> Signal:
    """Draw a smooth climate field: warm at the equator, with waves; all sizes show one function.

    Example:
        >>> globe(19, 36).medium
        'climate'
    """
    x, y, z = sphere((rows, columns)).double().unbind(dim=1)
    waves = torch.sin(4 * x + phase) * torch.cos(3 * y - phase) + 0.3 * torch.sin(9 * y * x + 5 * z)
    values = 0.45 - 0.75 * z.square() + 0.1 * math.cos(phase) * z + 0.12 * waves
    return Signal(values.float().view(rows, columns, 1), "climate", packing=Packing())
