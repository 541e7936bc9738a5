"""The pictures of the demo: photographs that ship with scikit-image, or generated faces."""

from __future__ import annotations

from importlib.util import find_spec

from stegfield import generative, signals
from stegfield.signals import Signal

NAMES = ("coffee", "chelsea", "astronaut", "rocket")
STAND_INS = (
    "scikit-image, whose photographs this demo shows, is not installed (stegfield[demo]): faces "
    "that never existed stand in for them"
)


def missing() -> bool:
    """Tell whether the photographs are not there."""
    return find_spec("skimage") is None


def photograph(name: str, longest: int) -> Signal:
    """Return one of `NAMES`, or its stand-in, with a longer side of so many pixels."""
    if missing():
        return generative.load("faces").cover(NAMES.index(name), (longest, longest))
    import skimage.data

    return signals.resize(signals.from_samples(getattr(skimage.data, name)()), longest)


def called(name: str) -> str:
    """Say what a picture is."""
    return f"generated face {1 + NAMES.index(name)}" if missing() else name
