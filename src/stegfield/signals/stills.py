"""Stills: an image of a signal that is none, to look at beside it."""

from __future__ import annotations

import torch

from stegfield.errors import ConfigError
from stegfield.signals.signal import Signal

WAVE_SIZE = (192, 512)
"""Rows and columns of the picture of a sound."""
INK, PAPER = -0.8, 1.0


def still(signal: Signal) -> Signal:
    """Give an image: the wave of a sound, the first frame of a video, the middle slice of a volume.

    Raises:
        ConfigError: The signal is on the globe.

    Example:
        >>> from stegfield.signals import chords
        >>> still(chords(4000)).size
        (192, 512)
    """
    if signal.medium == "image":
        return signal
    if signal.medium == "sound":
        return _wave(signal)
    if signal.medium == "video":
        return Signal(signal.values[0])
    if len(signal.size) == 3:
        return Signal(signal.values[signal.size[0] // 2])
    raise ConfigError(f"there is no still of medium {signal.medium}")


def _wave(sound: Signal) -> Signal:
    """Draw from the least to the largest sample of each column's share of the time."""
    rows, columns = WAVE_SIZE
    line = sound.values.mean(dim=1)
    at = torch.linspace(0, len(line), columns + 1).long()
    heights = torch.linspace(1, -1, rows)
    drawn = torch.full((rows, columns), PAPER)
    for column in range(columns):
        part = line[at[column] : max(int(at[column + 1]), int(at[column]) + 1)]
        within = (heights >= part.min() - 1 / rows) & (heights <= part.max() + 1 / rows)
        drawn[within, column] = INK
    return Signal(drawn[..., None])
