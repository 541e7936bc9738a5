"""Images as carriers: their samples, row by row."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from stegfield import signals
from stegfield.carriers import costs
from stegfield.carriers.carrier import Carrier, of_rows
from stegfield.signals import Signal


def samples(image: Signal) -> UInt8[np.ndarray, "rows columns channels"]:
    """Return the samples that may change: a single channel where all channels are equal.

    A change of one channel would colour a grey pixel. WebP files have no grey format, so a receiver
    must not depend on the number of channels in a file.
    """
    levels = signals.to_levels(image)
    grey = all((row == row[..., :1]).all() for row in levels)  # at once, it would be another image
    return levels[..., :1].copy() if grey else levels


def with_samples(image: Signal, levels: UInt8[np.ndarray, "rows columns channels"]) -> Signal:
    """Return a copy of an image with other `samples`."""
    return signals.with_levels(image, np.broadcast_to(levels, (*image.size, image.channels)))


def carrier(image: Signal, *, flat: bool = False) -> Carrier:
    """Make a carrier of all samples, with HILL's costs or equal ones."""
    return of_rows(image, samples(image), costs.flat if flat else costs.hill)
