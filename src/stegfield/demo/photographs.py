"""The photographs of the demo, which ship with scikit-image."""

from __future__ import annotations

from stegfield import signals
from stegfield.errors import InputError
from stegfield.signals import Signal


def photograph(name: str, longest: int) -> Signal:
    """Give one of scikit-image's photographs, with a longer side of so many pixels.

    Raises:
        InputError: scikit-image is not installed.
    """
    try:
        import skimage.data
    except ImportError:
        raise InputError(
            "the demo's photographs come with scikit-image, which is not installed",
            hint="pip install 'stegfield[demo]'",
        ) from None
    return signals.resize(signals.from_samples(getattr(skimage.data, name)()), longest)
