"""The pictures of the demo: photographs that ship with scikit-image, or generated faces."""

from __future__ import annotations

from importlib.util import find_spec

from stegfield import generative, signals
from stegfield.signals import Signal

NAMES = ("coffee", "chelsea", "astronaut", "rocket")
STAND_INS = (
    "scikit-image, which has the photographs of the demo, is not installed (stegfield[demo]): the "
    "demo shows generated faces instead"
)


def missing() -> bool:
    """Return whether the photographs are missing."""
    return find_spec("skimage") is None


def photograph(name: str, longest: int) -> Signal:
    """Return one of `NAMES`, or a generated face, with a longer side of ``longest`` pixels."""
    if missing():
        return generative.generate("faces", size=longest, seed=NAMES.index(name))
    import skimage.data

    return signals.resize(signals.from_samples(getattr(skimage.data, name)()), longest)


def called(name: str) -> str:
    """Return the caption of a picture."""
    return f"generated face {1 + NAMES.index(name)}" if missing() else name
