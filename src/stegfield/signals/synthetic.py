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
