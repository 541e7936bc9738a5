"""A profile: one way to embed bits in a signal and to read them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from stegfield import carriers, signals
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import Caution, ConfigError, Wording
from stegfield.fixednet.progress import EmbedWatch
from stegfield.keys import IMAGE_SALT, Key, unlock
from stegfield.payload import Content
from stegfield.payload.law import Message
from stegfield.signals import Medium, Signal

WEBP_SIDE = 16_383
"""Pixels of a WebP file's longer side, at most."""


class Profile(ABC):
    """A network that reads bits, the solver that writes them, and the files that keep them.

    A subclass sets the class variables and implements the abstract methods. Its package exports one
    object of it as ``PROFILE``, named in `stegfield.fixednet.profiles.PROFILES`. Another package
    adds one by an entry point of the group ``stegfield.profiles``.
    """

    name: ClassVar[str]
    """Its name for users."""
    heeds: ClassVar[frozenset[str]]
    """The settings of `EmbedConfig` and `DescentConfig` that it uses."""
    media: ClassVar[tuple[str, ...] | None] = None
    """Names of the media that it takes; None: all that have a carrier."""
    lossy: ClassVar[bool] = False
    """Whether its messages survive files that change samples."""
    quiet: ClassVar[bool] = False
    """Whether its changes are hard to detect, unless the cover's origin reveals them."""
    samples: ClassVar[bool] = True
    """Whether it changes samples, whose history, as in a JPEG or a palette, then shows."""
    tried: ClassVar[bool] = True
    """Whether a receiver tries it if no profile is named."""
    several: ClassVar[bool] = False
    """Whether a cover may carry several messages, with a key each."""

    def takes(self, medium: Medium) -> bool:
        """Return whether it embeds in signals of a medium."""
        return medium.name in (carriers.CARRIERS if self.media is None else self.media)

    def check_medium(self, medium: Medium) -> None:
        """Refuse signals of a medium that it does not embed in.

        Raises:
            ConfigError: The medium carries no messages, or none of this profile.
        """
        carriers.check(medium)
        if not self.takes(medium):
            meant = " and ".join(signals.MEDIA[name].plural for name in self.media or ())
            raise ConfigError(
                f"the {self.name} profile is for {meant}, not for {medium.noun}",
                hint=Wording("leave {profile} out"),
            )

    def check_suffix(self, medium: Medium, suffix: str) -> None:
        """Refuse a kind of file that would lose the message.

        Raises:
            ConfigError: No file of the medium has the suffix, or such files change samples.
        """
        suffix = suffix.lower()
        kinds = _either(medium.written if self.lossy else medium.lossless)
        if suffix not in medium.written:
            raise ConfigError(
                f"{medium.noun} is written as a {kinds} file, "
                f"not {f'as {suffix}' if suffix else 'without a suffix'}",
                hint=f"name an output that ends in {kinds}",
            )
        if suffix not in medium.lossless and not self.lossy:
            raise ConfigError(
                f"{suffix} files change samples, and the message would be lost",
                hint=Wording("write a .png file, or use {profile:robust}"),
            )

    def check_size(self, size: tuple[int, ...], suffix: str) -> None:
        """Refuse a cover that is too large for the profile or the kind of file.

        Raises:
            ConfigError: The cover is too large.
        """
        if suffix.lower() == ".webp" and max(size) > WEBP_SIDE:
            raise ConfigError(
                f"WebP files have at most {WEBP_SIDE:,} pixels a side, got {max(size):,}",
                hint="write a .png file, or take a smaller image",
            )

    def check_settings(self, config: EmbedConfig) -> None:  # noqa: B027 - most have nothing to add
        """Refuse values of settings that only other profiles take.

        Raises:
            ConfigError: A value is not one that this profile takes.
        """

    def for_file(self, cover: Signal, suffix: str, config: EmbedConfig) -> tuple[Profile, Signal]:
        """Return what embeds in a cover for a kind of file, and the cover as that file shows it.

        Args:
            cover: The cover.
            suffix: Suffix of the file to write.
            config: How to embed.

        Raises:
            ConfigError: A setting has no meaning for the kind of file.
            InputError: The cover's file does not suit the kind of file.
        """
        return self, cover

    def suffix(self, cover: Signal, config: EmbedConfig) -> str:
        """Return the suffix of the file to write where the sender names none."""
        return cover.medium.lossless[0]

    def encode(self, stego: Signal, suffix: str) -> bytes:
        """Encode a stego signal, which `embed` returned, as the file to send."""
        return signals.encode(stego, suffix)

    def rate_bpnzac(self, bits: int) -> float | None:
        """Return a rate per non-zero AC coefficient; None where the carrier has none."""
        return None

    def cautions(self, bits: int) -> tuple[Caution, ...]:
        """Return what to know of a stego that carries so many bits, before it is sent."""
        return ()

    @abstractmethod
    def capacity(self, cover: Signal) -> dict[str, int]:
        """Return the bytes of the longest message after deflating, by rate.

        Returns:
            Bytes for rates in bits a pixel or point, and under "at most" for the highest rate; 0
            where no message fits.
        """

    @abstractmethod
    def embed(
        self,
        cover: Signal,
        content: Content,
        key: Key,
        *,
        config: EmbedConfig,
        descent: DescentConfig,
        watch: EmbedWatch | None,
    ) -> tuple[Signal, int]:
        """Change a cover until it carries a message.

        Returns:
            The stego signal, and how many bits it carries: message, seals, parity, header, padding.

        Raises:
            CapacityError: The message does not fit.
        """

    @abstractmethod
    def extract(
        self, stego: Signal, key: Key, *, cover: Signal | None = None, weights: Path | None = None
    ) -> bytes:
        """Read a message.

        Args:
            stego: The signal that may carry it.
            key: The key that it was embedded with.
            cover: The cover, if the receiver has it and the profile uses ``known_cover``.
            weights: The released network, if one was used and the profile uses ``weights``.

        Raises:
            UnreadableError: There is no message for this key, or too much of it was lost.
        """

    def grain(self, cover: Signal, config: EmbedConfig) -> float | None:
        """Return the standard deviation of the grain that is drawn, in levels, if any is."""
        return None

    def salt(self, stego: Signal) -> bytes:
        """Return the salt of the keys of a signal.

        Raises:
            UnreadableError: The signal has no room for one.
        """
        return IMAGE_SALT

    def embed_all(
        self,
        cover: Signal,
        messages: Sequence[Message],
        *,
        config: EmbedConfig,
        descent: DescentConfig,
        watch: EmbedWatch | None,
    ) -> tuple[Signal, int]:
        """Embed as `embed` does: one message, or as many as the profile takes.

        Raises:
            CapacityError: The messages do not fit.
            ConfigError: Two messages have the same key.
        """
        (message,) = messages
        opened, content = unlock(message.key, IMAGE_SALT), Content.of(message.data)
        return self.embed(cover, content, opened, config=config, descent=descent, watch=watch)

    def survived(
        self, stego: Signal, message: bytes, key: Key, *, cover: Signal | None
    ) -> dict[str, bool]:
        """Return whether a message survives, for each encoder that the profile promises to survive.

        Raises:
            NotEmbeddedError: The message survives none of them.
        """
        return {}


def _either(kinds: Iterable[str]) -> str:
    *others, last = kinds
    return f"{', '.join(others)} or {last}" if others else last
