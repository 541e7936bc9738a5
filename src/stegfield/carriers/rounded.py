"""Side information: what a signal was before it was rounded to a file's levels.

Source: Fridrich, Goljan and Soukal (2004), "Perturbed Quantization Steganography": a sender who
knows the values between the levels makes the changes that rounding nearly made.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from stegfield import signals
from stegfield.signals import Signal

INEXACT = 0.3
"""Share of a level: values that were read from a file are off by less."""


def step(signal: Signal) -> float:
    """Return the difference of two values that are one level apart."""
    low, high = signals.bounds(signal)
    ends = np.array([low, high]).reshape(2, *[1] * len(signal.size))
    first, last = signals.with_levels(signal, ends).values.reshape(-1).tolist()
    return float((last - first) / (high - low))


def side_information(signal: Signal) -> Float32[np.ndarray, "*size channels"] | None:
    """Return how far each level is above the value it was rounded from, in levels.

    Returns:
        From -1/2 to 1/2; None for signals whose values are levels, as those of files.
    """
    if signal.samples is not None:
        return None
    exact = signals.with_levels(signal, signals.to_levels(signal)).values
    found = ((exact - signal.values.clip(-1, 1)) / np.float32(step(signal))).clip(-0.5, 0.5)
    return found if max(found.max(), -found.min()) > INEXACT else None
