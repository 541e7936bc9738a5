"""How easily a passphrase is guessed, and passphrases that are not.

The estimate counts the guesses of an attacker who tries common words, names, dates and patterns
first. Each guess costs 64 MiB and about a tenth of a second of a core; an attacker with ten
thousand cores makes 10^10 in a day.

Sources: Wheeler (2016), zxcvbn, for the estimate; Bonneau (2016) for the list of words, that of the
Electronic Frontier Foundation (CC BY 3.0 US), without its dice.
"""

from __future__ import annotations

import secrets
from functools import cache
from importlib import resources

from stegfield.errors import Caution, ConfigError, Wording
from stegfield.keys.passphrase import Passphrase

WEAK, DOUBTFUL = 8.0, 12.0
"""Decimal logarithms of the guesses: below the first, minutes; below the second, within reach."""
LONGEST = 72
"""Characters that are looked at; more only add to the strength."""
WORDS = 6
"""Of a generated passphrase: 77 bits."""


class WeakPassphraseError(ConfigError):
    """A passphrase for a new secret is guessed within minutes."""

    hint = Wording(
        "take six random words, which `stegfield keygen --passphrase` draws, "
        "or insist with {weak:True}"
    )


def guesses_log10(passphrase: Passphrase) -> float:
    """Estimate how many guesses find a passphrase, as a decimal logarithm.

    Example:
        >>> round(guesses_log10(Passphrase("password1")), 1)
        2.3
    """
    from zxcvbn import zxcvbn  # which takes 50 ms

    return float(zxcvbn(passphrase.text[:LONGEST])["guesses_log10"])


def check_strength(passphrase: Passphrase, *, weak: bool = False) -> Caution | None:
    """Refuse a passphrase for a new secret that is guessed within minutes.

    Args:
        passphrase: The one to be used; one that reads an old secret needs no check.
        weak: Take it all the same.

    Returns:
        What to warn of, where it is not strong.

    Raises:
        WeakPassphraseError: the passphrase takes fewer than 10^8 guesses, and ``weak`` is off.
    """
    count = guesses_log10(passphrase)
    said = f"the passphrase is found in about {_count(count)} guesses"
    if count < WEAK and not weak:
        raise WeakPassphraseError(said)
    if count < DOUBTFUL:
        return Caution(said, "take six random words: `stegfield keygen --passphrase` draws them")
    return None


def generate_passphrase(words: int = WORDS) -> Passphrase:
    """Draw a passphrase of random words, 12.9 bits each, from the operating system's randomness.

    Raises:
        ConfigError: ``words`` is below 4.
    """
    if words < 4:
        raise ConfigError(f"generate_passphrase(words=...) must be at least 4, got {words}")
    return Passphrase(" ".join(secrets.choice(word_list()) for _ in range(words)))


@cache
def word_list() -> tuple[str, ...]:
    """Return the 7,776 words that passphrases are drawn from."""
    text = resources.files("stegfield.keys").joinpath("words.txt").read_text("ascii")
    return tuple(text.split())


def _count(logarithm: float) -> str:
    return f"{10**logarithm:,.0f}" if logarithm < 6 else f"10^{logarithm:.0f}"
