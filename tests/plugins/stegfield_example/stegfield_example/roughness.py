"""A detector: how far samples lie from the mean of their four neighbours."""

from stegfield import signals
from stegfield.signals import Signal
from stegfield.steganalysis.detectors import Detector


def roughness(image: Signal) -> float:
    """Return the mean distance, in levels."""
    x = signals.to_samples(image).astype(float)
    around = (x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]) / 4
    return float(abs(x[1:-1, 1:-1] - around).mean())


ROUGHNESS = Detector(roughness, threshold=20.0, about="levels from the neighbours")
