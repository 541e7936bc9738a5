"""Embedding a message in a signal, extracting it, and capacities.

The profiles do the work. This module chooses one and verifies its result: embedding ends with the
bytes of the file, which are decoded, extracted from and compared before the function returns.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from stegfield import carriers, signals
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import ConfigError, NotEmbeddedError, UnreadableError
from stegfield.fixednet.profiles import PROFILES, check, readers
from stegfield.fixednet.progress import EmbedWatch
from stegfield.fixednet.readings import first_read
from stegfield.keys import IMAGE_SALT, KeySource, unlock
from stegfield.metrics import AnyQuality, Quality, finite_or_none, luma_psnr_db
from stegfield.payload import Content, message_bytes
from stegfield.signals import Signal, Source


@dataclass(frozen=True, eq=False)
class EmbedResult:
    """A stego signal that carries a message, measured on the file's samples."""

    stego: Signal = field(repr=False)
    file: bytes = field(repr=False)
    """The bytes of the file; its message was extracted and compared."""
    profile: str
    message_bytes: int
    bits: int
    """Number of bits carried: message, seals, parity, header and padding."""
    rate_bpp: float
    """Bits carried per pixel, point of the globe or sample."""
    quality: AnyQuality
    """Quality of the stego signal against the cover."""
    luma_psnr_db: float | None
    """PSNR of the luma, as some papers report it; None for signals without luma."""
    changed: float
    """Share of the samples that differ from the cover's."""
    survived: dict[str, bool]
    """For the robust profile: whether the message survives each encoder."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        left_out = ("stego", "file", "quality")
        figures = {k: v for k, v in vars(self).items() if k not in left_out}
        return finite_or_none({**figures, **asdict(self.quality)})


@dataclass(frozen=True)
class Capacity:
    """Bytes of the longest message after deflating; 0 where none fits."""

    profiles: Mapping[str, Mapping[str, int]]
    """By the name of a profile that takes the medium, then by rate."""

    def __getitem__(self, profile: str) -> Mapping[str, int]:
        return self.profiles[profile]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: dict(rates) for name, rates in self.profiles.items()}


def embed(
    cover: Source,
    message: bytes | Path,
    key: KeySource,
    *,
    config: EmbedConfig = EmbedConfig(),
    descent: DescentConfig = DescentConfig(),
    suffix: str | None = None,
    keep_metadata: bool = False,
    watch: EmbedWatch | None = None,
) -> EmbedResult:
    """Embed a message in an image, a climate field or a sound.

    Args:
        cover: An image, grey or RGB; or a climate field or a sound, for the exact profile only:
            a signal, or an input of `signals.read`. Values between a file's levels, as in a
            rendered field, are side information: changes go where the value was nearly rounded
            the other way.
        message: Any bytes, or the path of a file; deflated first where that makes them shorter.
        key: A key, a passphrase, a key file or the path of one. Only its owner can extract the
            message.
        config: How to embed.
        descent: How the paper profile searches.
        suffix: Kind of file to write: .png, .bmp, .tiff, .webp; .jpg for the robust profile; .nc
            for a climate field; .wav or .flac for a sound [default: .png, .nc or .wav].
        keep_metadata: Keep an image's EXIF data, except previews, which would show the cover;
            colour profile, gamma and resolution are kept in any case, where the kind of file can.
        watch: Called with the progress of the work.

    Raises:
        InputError: The cover or the message is a file that cannot be read.
        CapacityError: The message does not fit.
        ConfigError: The kind of file does not suit the medium, the profile or the size, or a
            setting that is given has no meaning for the profile.
        NotEmbeddedError: The message cannot be extracted from the file, or with the robust
            profile, after no encoder.

    Example:
        >>> from stegfield import fixednet, signals
        >>> from stegfield.keys import Key
        >>> key = Key.generate()
        >>> result = fixednet.embed(signals.waves(64, 64), b"meet me at noon", key)
        >>> fixednet.extract(result.stego, key)
        b'meet me at noon'
    """
    began = time.perf_counter()
    cover, message = signals.read(cover), message_bytes(message)
    carriers.check(cover.medium)
    suffix = suffix or cover.medium.lossless[0]
    profile = check(cover.medium, suffix, config, descent=descent, size=cover.size)
    if cover.look is not None and not keep_metadata:
        cover = replace(cover, values=cover.held, look=cover.look.without_metadata())
    opened, known = unlock(key, IMAGE_SALT), cover if config.known_cover else None
    stego, bits = profile.embed(
        cover, Content.of(message), opened, config=config, descent=descent, watch=watch
    )
    file = signals.encode(stego, suffix)
    written = signals.decode(file, Path(f"stego{suffix}"))
    try:
        again = profile.extract(written, opened, cover=known, weights=descent.weights)
    except UnreadableError:
        raise NotEmbeddedError from None
    if again != message:
        raise NotEmbeddedError
    survived = profile.survived(written, message, opened, cover=known)
    before = signals.to_levels(cover)
    after = signals.to_levels(written)[..., : cover.channels]  # WebP has no grey format
    stego = signals.with_levels(cover, after)
    quality = signals.quality(stego, signals.with_levels(cover, before))
    has_luma = isinstance(quality, Quality)
    return EmbedResult(
        stego=stego,
        file=file,
        profile=profile.name,
        message_bytes=len(message),
        bits=bits,
        rate_bpp=bits / cover.points,
        quality=quality,
        luma_psnr_db=luma_psnr_db(after, before) if has_luma else None,
        changed=float((after != before).mean()),
        survived=survived,
        seconds=time.perf_counter() - began,
    )


def extract(
    stego: Source,
    key: KeySource,
    *,
    profile: str | None = None,
    weights: Path | None = None,
    cover: Source | None = None,
) -> bytes:
    """Extract a message from an image, a climate field or a sound.

    Args:
        stego: The signal that may carry it, or an input of `signals.read`; of a file, its samples
            as they are stored, whatever its transparency or a tag makes of them.
        key: The key that the message was embedded with.
        profile: Look only for messages of this profile [default: exact, then robust for images].
        weights: For the paper profile, the released network if one was used.
        cover: The cover, for a message with a known cover, of the robust profile.

    Raises:
        ConfigError: There is no such profile, it does not take the medium, the cover or the weights
            have no meaning for it, or cover and stego differ in medium or size.
        UnreadableError: There is no message for this key, or it was destroyed.
    """
    variants = signals.stored(stego)
    first = next(variants)
    known = None if cover is None else signals.read(cover)
    tried = readers(first.medium, profile=profile, known_cover=known is not None, weights=weights)
    if known is not None:
        _check_alike(known, first)
    opened = unlock(key, IMAGE_SALT)

    def of(signal: Signal) -> bytes:
        for each in tried if known is None or known.size == signal.size else ():
            with suppress(UnreadableError):
                return each.extract(signal, opened, cover=known, weights=weights)
        raise UnreadableError

    return first_read(of, chain([first], variants))


def capacity(cover: Source) -> Capacity:
    """Return how long a message a cover can carry; bytes that deflating removes are free.

    Args:
        cover: A signal, or an input of `signals.read`.

    Raises:
        InputError: The cover is a file that cannot be read.
        ConfigError: The cover's medium carries no messages.
    """
    cover = signals.read(cover)
    carriers.check(cover.medium)
    return Capacity(
        {each.name: each.capacity(cover) for each in PROFILES.usable() if each.takes(cover.medium)}
    )


def _check_alike(cover: Signal, stego: Signal) -> None:
    if (cover.medium, cover.size) != (stego.medium, stego.size):
        sizes = " and ".join(
            f"{signals.size_text(each.size)} ({each.medium.name})" for each in (cover, stego)
        )
        raise ConfigError(f"cover and stego must be of one medium and size, got {sizes}")
