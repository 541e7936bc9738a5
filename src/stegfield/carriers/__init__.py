"""Carriers: the integers of a file that may carry bits, and what changing them costs.

signal ─► carrier: levels, bounds, costs, side information ─► change of the levels ─► signal

A carrier knows no key and no network. A new kind is one file and one line in `CARRIERS`.
"""

from __future__ import annotations

from collections.abc import Callable

from stegfield import signals
from stegfield.carriers import climate, images, sounds
from stegfield.carriers.carrier import Carrier
from stegfield.carriers.rounded import side_information, step
from stegfield.errors import ConfigError
from stegfield.registry import Registry
from stegfield.signals import Signal

CARRIERS: Registry[Callable[..., Carrier]] = Registry(
    "stegfield.carriers",
    "carrier",
    {"image": images.carrier, "sound": sounds.carrier, "climate": climate.carrier},
)
"""What makes a carrier of a signal, by the name of its medium."""


def of(signal: Signal, *, flat: bool = False) -> Carrier:
    """Return the carrier that a signal is.

    Args:
        signal: An image, a sound or a climate field.
        flat: Let all changes cost the same, instead of what they show.

    Raises:
        ConfigError: The signal's medium carries no messages.

    Example:
        >>> of(signals.waves(8, 9)).levels.shape
        (216,)
    """
    check(signal.medium)
    return CARRIERS[signal.medium](signal, flat=flat)


def check(medium: str) -> None:
    """Refuse a medium that carries no messages.

    Raises:
        ConfigError: The medium has no carrier.
    """
    if medium not in CARRIERS:
        still = "; save one frame as a .png file" if medium == "video" else ""
        raise ConfigError(
            f"{signals.noun(medium)} carries no messages",
            hint=f"images, sounds and climate fields do; `hide` takes all media{still}",
        )


__all__ = ["CARRIERS", "Carrier", "check", "of", "side_information", "step"]
