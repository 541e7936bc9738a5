"""Media as one byte of a record: built-in ones by number, those of other packages by a hash."""

from __future__ import annotations

import hashlib

from stegfield.errors import ConfigError, PluginNeededError
from stegfield.signals import MEDIA, Medium

OURS = ("image", "sound", "climate", "video", "volume", "shape")
"""In the order of their numbers in records; a new one goes to the end."""
FIRST_HASH = 128


def encode(medium: Medium) -> int:
    """Return the byte that stands for a medium.

    Raises:
        ConfigError: Two packages have media of the same byte.

    Example:
        >>> from stegfield.signals import SOUND
        >>> encode(SOUND)
        1
    """
    if medium.name in OURS:
        return OURS.index(medium.name)
    code = _hashed(medium.name)
    _alone(code)
    return code


def decode(code: int) -> Medium | None:
    """Return the medium that a byte stands for, or None if this version knows none.

    Raises:
        PluginNeededError: The medium belongs to another package, which is not installed.
        ConfigError: Two packages have media of this byte.
        PluginError: The package of the medium cannot be imported.
    """
    if code < FIRST_HASH:
        return MEDIA[OURS[code]] if code < len(OURS) else None
    name = _alone(code)
    if name is None:
        raise PluginNeededError("this secret", "its medium")
    return MEDIA[name]


def _alone(code: int) -> str | None:
    """Return the name of the one medium of other packages that has a byte, if any."""
    names = [name for name in MEDIA if name not in OURS and _hashed(name) == code]
    if len(names) > 1:
        raise ConfigError(
            f"records of secrets cannot tell {' from '.join(names)}",
            hint="uninstall one of the packages with these media",
        )
    return names[0] if names else None


def _hashed(name: str) -> int:
    (digest,) = hashlib.blake2b(name.encode(), digest_size=1).digest()
    return FIRST_HASH + digest % FIRST_HASH
