"""Carriers: the integers of a file that may carry bits, and what changing them costs.

signal ─► carrier: levels, bounds, costs, side information ─► change of the levels ─► signal

A carrier knows no key and no network. A new kind is one file and one line in `CARRIERS`.
"""

from __future__ import annotations

from collections.abc import Callable

from stegfield.carriers import climate, costs, images, sounds
from stegfield.carriers.carrier import Carrier, of_rows
from stegfield.carriers.rounded import side_information, step
from stegfield.errors import ConfigError
from stegfield.registry import Registry
from stegfield.signals import Medium, Signal

CARRIERS: Registry[Callable[..., Carrier]] = Registry(
    "stegfield.carriers",
    "carrier",
    {"image": images.carrier, "sound": sounds.carrier, "climate": climate.carrier},
)
"""The function that makes a carrier of a signal, by the name of its medium."""


def of(signal: Signal, *, flat: bool = False) -> Carrier:
    """Return the carrier of a signal.

    Args:
        signal: An image, a sound or a climate field.
        flat: Let all changes cost the same, instead of HILL's costs.

    Raises:
        ConfigError: The signal's medium carries no messages.

    Example:
        >>> from stegfield.signals import waves
        >>> of(waves(8, 9)).levels.shape
        (216,)
    """
    check(signal.medium)
    return CARRIERS[signal.medium.name](signal, flat=flat)


def check(medium: Medium) -> None:
    """Refuse a medium that carries no messages.

    Raises:
        ConfigError: The medium has no carrier.
    """
    if medium.name not in CARRIERS:
        raise ConfigError(
            f"{medium.noun} carries no messages",
            hint=f"images, sounds and climate fields do; `hide` takes all media{medium.instead}",
        )


__all__ = ["CARRIERS", "Carrier", "check", "costs", "of", "of_rows", "side_information", "step"]
