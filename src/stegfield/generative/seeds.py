"""Seeds of generated signals: secret ones, and what to know of public ones."""

from __future__ import annotations

import secrets

from stegfield.errors import Caution, ConfigError, Wording

SEEDS = 1 << 63
"""How many there are."""


def new_seed(count: int = 1) -> int:
    """Draw a seed by the system's randomness; ``count`` consecutive ones begin with it."""
    return secrets.randbelow(SEEDS - count + 1)


def check_seed(seed: int, count: int = 1) -> None:
    """Refuse a seed that is out of range, for itself or for ``count`` consecutive ones.

    Raises:
        ConfigError: the seed is below 0, or the last one above 2^63 - 1.
    """
    if not 0 <= seed <= SEEDS - count:
        most = f"2^63 - {count}"
        raise ConfigError(
            Wording("{seed} must be from 0 to {most}, got {got}", most=most, got=seed)
        )


def public_seed_caution(seed: int) -> Caution:
    """Return what to know before a message goes into the cover of a seed that others may know."""
    return Caution(
        f"an adversary who tries seed {seed} sees what the message changed",
        Wording("leave {seed} out: a secret one is drawn, and forgotten"),
    )
