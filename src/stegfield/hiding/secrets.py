"""Input and output of hiding: secrets, decoys and the result."""

from __future__ import annotations

from dataclasses import dataclass

from stegfield.errors import Caution
from stegfield.fields.field import Field
from stegfield.keys import Key, KeyFile, KeySource, Passphrase, opened
from stegfield.metrics import AnyQuality
from stegfield.signals import Signal, Source, read


@dataclass(frozen=True, eq=False, init=False)
class Secret:
    """What to hide, of any medium, and the key that reveals it.

    Raises:
        InputError: The signal is a file that cannot be read.
        KeyFileError: The key is the path of a file that is no key file.
        ConfigError: The key is text.
    """

    signal: Signal
    key: Key | KeyFile | Passphrase
    is_decoy: bool
    """Whether nobody gets the key (see `decoy`)."""

    def __init__(self, signal: Source, key: KeySource, *, is_decoy: bool = False) -> None:
        """Name what to hide, and its key.

        Args:
            signal: A signal, or whatever `stegfield.signals.read` makes one of.
            key: A key, a passphrase, a key file or the path of one.
            is_decoy: Nobody gets the key.
        """
        for name, value in (("signal", read(signal)), ("key", opened(key)), ("is_decoy", is_decoy)):
            object.__setattr__(self, name, value)

    @classmethod
    def decoy(cls, signal: Source) -> Secret:
        """Make a secret under a fresh key that nobody gets and no result keeps.

        Without the key, a decoy looks like a secret. So a sender who is forced to hand over keys
        can claim that the other secrets are decoys.
        """
        return cls(signal, Key.generate(), is_decoy=True)


@dataclass(frozen=True, eq=False)
class HiddenSecret:
    """One secret of a finished field."""

    key_file: KeyFile | None
    """What the receiver needs, with slot positions if they are shared; None for a decoy."""
    quality: AnyQuality
    """Quality of the signal that the key reveals, against the secret."""


@dataclass(frozen=True, eq=False)
class HideResult:
    """A field that hides secrets, measured on the integers that files would hold."""

    field: Field
    cover: AnyQuality
    secrets: tuple[HiddenSecret, ...]
    steps: int
    seconds: float
    stopped: bool
    """Whether the run was asked to end before its plan was done."""
    cautions: tuple[Caution, ...] = ()
    """Warnings about the field, before it is published."""
    positions_bits: int = 0
    """Size of the slot positions in each key file; 0 where the key itself decides them."""
    positions_entropy_bits: float = 0.0
    """The entropy of as many random positions, n H(ratio): no code is shorter on average."""
    mask_bits: int = 0
    """Size of a mask of one bit a weight, to compare with."""
