"""Signals that need no file: for examples, tests and timing."""

from __future__ import annotations

import torch

from stegfield.signals.signal import Signal, coordinates


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
