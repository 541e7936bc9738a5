"""Embed a message in a signal, extract it, and tell how long it may be.

The profiles do the work. Here one is chosen, and its result is verified: embedding ends with the
file's own bytes, which are decoded and extracted from and compared before anything is reported.
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
from stegfield.keys import IMAGE_SALT, KeySource, unlock
from stegfield.metrics import AnyQuality, Quality, finite_or_none, luma_psnr_db
from stegfield.payload import Content, message_bytes
from stegfield.signals import Signal, Source


@dataclass(frozen=True, eq=False)
class EmbedResult:
    """A cover that carries a message, measured on the file's samples."""

    stego: Signal = field(repr=False)
    file: bytes = field(repr=False)
    """The file; its message was extracted again and compared."""
    profile: str
    message_bytes: int
    bits: int
    """Carried by the cover: message, seals, parity, header and padding."""
    rate_bpp: float
    """Those bits for each pixel, point of the globe or sample."""
    quality: AnyQuality
    """Of the stego signal, beside the cover."""
    luma_psnr_db: float | None
    """What some papers print for PSNR; None for what has no luma."""
    changed: float
    """Share of the samples that differ from the cover's."""
    survived: dict[str, bool]
    """For the robust profile: which of the encoders that were tried the message survived."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        left_out = ("stego", "file", "quality")
        figures = {k: v for k, v in vars(self).items() if k not in left_out}
        return finite_or_none({**figures, **asdict(self.quality)})


@dataclass(frozen=True)
class Capacity:
    """Bytes of the longest message, as it is after deflating; 0 where none fits."""

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
            a signal, or whatever `signals.read` makes one of.
            What lies between a file's levels, as in a rendered field, is of use: changes go where
            the value was nearly rounded the other way.
        message: Any bytes, or the path of a file; deflated first where that makes them shorter.
        key: A key, a passphrase, a key file or the path of one. Who has it can extract the message,
            and nobody else.
        config: How to embed.
        descent: How the paper profile searches.
        suffix: What kind of file to write: .png, .bmp, .tiff, .webp; .jpg for the robust profile;
            .nc for a climate field; .wav or .flac for a sound [default: .png, .nc or .wav].
        keep_metadata: Keep an image's EXIF data, except previews, which would show the cover;
            colour profile, gamma and resolution are kept in any case, where the kind of file can.
        watch: Told how far the work has come.

    Raises:
        InputError: The cover or the message is a file that cannot be read.
        CapacityError: The message does not fit.
        ConfigError: The kind of file does not suit the medium, the profile or the size, or a
            setting that is given has no meaning for the profile.
        NotEmbeddedError: The file would not give the message back, or for the robust profile, not
            after any encoder.

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
    after = signals.to_levels(written)[..., : cover.channels]  # WebP files have no grey
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
        stego: What may carry it: a signal, or whatever `signals.read` makes one of; of a file, its
            samples as they are stored, whatever its transparency or a tag makes of them.
        key: The one that the message was embedded with.
        profile: Only look for messages of this profile [default: exact, then robust for images].
        weights: For the paper profile, the released network if one was used.
        cover: The cover, for a message to a receiver who has it; the profile is robust then.

    Raises:
        ConfigError: There is no such profile, it does not take the medium, the cover or the weights
            have no meaning for it, or cover and stego differ in medium or size.
        UnreadableError: There is nothing for this key, or it was destroyed.
    """
    variants = signals.stored(stego)
    first = next(variants)
    known = None if cover is None else signals.read(cover)
    tried = readers(first.medium, profile=profile, known_cover=known is not None, weights=weights)
    if known is not None:
        _check_alike(known, first)
    opened = unlock(key, IMAGE_SALT)
    for signal in chain([first], variants):
        for each in tried if known is None or known.size == signal.size else ():
            with suppress(UnreadableError):
                return each.extract(signal, opened, cover=known, weights=weights)
    raise UnreadableError


def capacity(cover: Source) -> Capacity:
    """Tell how long a message a cover can carry; bytes that deflating removes are free.

    Args:
        cover: A signal, or whatever `signals.read` makes one of.

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
