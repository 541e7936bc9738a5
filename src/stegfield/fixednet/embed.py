"""Embedding a message in a signal, extracting it, and capacities.

The profiles do the work. This module chooses one and verifies its result: embedding ends with the
bytes of the file, which are decoded, extracted from and compared before the function returns.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from stegfield import carriers, signals
from stegfield.config import GRAINS, DescentConfig, EmbedConfig
from stegfield.errors import Caution, ConfigError, NotEmbeddedError, UnreadableError, Wording
from stegfield.fixednet.profile import Profile
from stegfield.fixednet.profiles import PROFILES, check, load, readers
from stegfield.fixednet.progress import EmbedWatch
from stegfield.fixednet.readings import first_read
from stegfield.keys import IMAGE_SALT, KeySource, unlock
from stegfield.metrics import AnyQuality, Quality, finite_or_none, luma_psnr_db
from stegfield.payload.law import Message
from stegfield.signals import Signal, Source


@dataclass(frozen=True, eq=False)
class EmbedResult:
    """A stego signal that carries a message, measured on the file's samples."""

    stego: Signal = field(repr=False)
    file: bytes = field(repr=False)
    """The bytes of the file; its message was extracted and compared."""
    suffix: str
    """Kind of the file, such as .png."""
    profile: str
    messages: int
    """Number of messages that it carries."""
    message_bytes: int
    """Bytes of all of them."""
    bits: int
    """Number of bits carried: messages, seals, parity, headers and padding."""
    rate_bpp: float
    """Bits carried per pixel, point of the globe or sample."""
    quality: AnyQuality
    """Quality of the stego signal against the cover; where grain is drawn, it is the grain's."""
    luma_psnr_db: float | None
    """PSNR of the luma, as some papers report it; None for signals without luma."""
    grain: float | None
    """Standard deviation of the grain that was drawn, in levels; None where none was."""
    changed: float
    """Share of the samples that differ from the cover's."""
    rate_bpnzac: float | None
    """Of a JPEG whose coefficients carry the message: bits per non-zero AC coefficient of luma."""
    cautions: tuple[Caution, ...]
    """What to know before the file is sent."""
    survived: dict[str, bool]
    """For the robust profile: whether the message survives each encoder."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        left_out = ("stego", "file", "quality", "cautions")
        figures = {k: v for k, v in vars(self).items() if k not in left_out}
        cautions = [asdict(each) for each in self.cautions]
        return finite_or_none({**figures, "cautions": cautions, **asdict(self.quality)})


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
    also: Sequence[tuple[bytes | Path, KeySource]] = (),
    config: EmbedConfig = EmbedConfig(),
    descent: DescentConfig = DescentConfig(),
    suffix: str | None = None,
    keep_metadata: bool = False,
    watch: EmbedWatch | None = None,
) -> EmbedResult:
    """Embed a message in an image, a climate field or a sound.

    With ``EmbedConfig(grain=1.5)`` the cover is drawn, as `grain` draws it without a message, and
    nobody can tell which was done, if the ciphers hold. Then there may be several messages.

    Args:
        cover: An image, grey or RGB; or a climate field or a sound, for the exact profile only:
            a signal, or an input of `signals.read`. Values between a file's levels, as in a
            rendered field, are side information: changes go where the value was nearly rounded
            the other way.
        message: Any bytes, or the path of a file; deflated first where that makes them shorter.
        key: A key, a passphrase, a key file or the path of one. Only its owner can extract the
            message.
        also: More messages, each with a key of its own, for covers that are drawn. Holders of one
            key cannot tell whether there are others.
        config: How to embed.
        descent: How the paper profile searches.
        suffix: Kind of file to write: .png, .bmp, .tiff, .webp or .jpg; .nc for a climate field;
            .wav or .flac for a sound [default: .jpg for a JPEG, which the exact profile leaves one,
            and .png for other images; .nc; .wav].
        keep_metadata: Keep an image's EXIF data, except previews, which would show the cover;
            colour profile, gamma and resolution are kept in any case, where the kind of file can.
            A JPEG that stays one keeps all of it, unless the config strips it.
        watch: Called with the progress of the work.

    Raises:
        InputError: The cover or the message is a file that cannot be read.
        CapacityError: The message does not fit.
        ConfigError: The kind of file does not suit the medium, the profile or the size, a setting
            that is given has no meaning for the profile, or there are several messages and the
            profile takes one, or two have the same key.
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
    cover = signals.read(cover)
    carriers.check(cover.medium)
    suffix = suffix or load(config.chosen).suffix(cover, config)
    profile = check(cover.medium, suffix, config, descent=descent, size=cover.size)
    messages = [Message.of(*each) for each in ((message, key), *also)]
    if not profile.several:
        if also:
            raise ConfigError(
                f"a cover without grain carries one message, got {len(messages)}",
                hint=Wording("{grain:1.5} makes room for several"),
            )
        messages = [replace(messages[0], key=unlock(key, IMAGE_SALT))]
    cover = _without_metadata(cover, keep=keep_metadata)
    profile, cover = profile.for_file(cover, suffix, config)
    return _embedded(cover, messages, profile, suffix, config=config, descent=descent, watch=watch)


def grain(
    picture: Source,
    sigma: float | None = None,
    *,
    suffix: str | None = None,
    keep_metadata: bool = False,
) -> EmbedResult:
    """Draw grain over an image, a climate field or a sound, without a message.

    It is what `embed` does with ``EmbedConfig(grain=sigma)``, but for the message.

    Args:
        picture: A signal, or an input of `signals.read`. Values between a file's levels are taken
            as they are.
        sigma: Standard deviation of the grain, in levels, from 1 to 16 [default: 1.5; 6 for climate
            fields, of which a level is 0.0024 K].
        suffix: Kind of file to write, one that keeps every sample [default: .png, .nc or .wav].
        keep_metadata: Keep an image's EXIF data, except previews.

    Raises:
        InputError: The picture is a file that cannot be read.
        ConfigError: The kind of file changes samples, or the grain is out of range.

    Example:
        >>> round(grain(signals.waves(64, 64)).quality.psnr_db)
        44
    """
    if sigma is not None:
        GRAINS.check(sigma, owner="grain", name="sigma")
    picture, config = signals.read(picture), EmbedConfig(profile="drawn", grain=sigma)
    suffix = suffix or picture.medium.lossless[0]
    carriers.check(picture.medium)
    profile = check(picture.medium, suffix, config, size=picture.size)
    picture = _without_metadata(picture, keep=keep_metadata)
    return _embedded(picture, [], profile, suffix, config=config)


def _embedded(
    cover: Signal,
    messages: Sequence[Message],
    profile: Profile,
    suffix: str,
    *,
    config: EmbedConfig,
    descent: DescentConfig = DescentConfig(),
    watch: EmbedWatch | None = None,
) -> EmbedResult:
    """Embed messages or none, write the file, read it back, and compare."""
    began = time.perf_counter()
    known = cover if config.known_cover else None
    stego, bits = profile.embed_all(cover, messages, config=config, descent=descent, watch=watch)
    file = profile.encode(stego, suffix)
    written = signals.decode(file, Path(f"stego{suffix}"))
    survived: dict[str, bool] = {}
    for each in messages:
        try:
            opened = unlock(each.key, profile.salt(written))
            again = profile.extract(written, opened, cover=known, weights=descent.weights)
        except UnreadableError:
            raise NotEmbeddedError from None
        if again != each.data:
            raise NotEmbeddedError
        survived = profile.survived(written, each.data, opened, cover=known)
    before = signals.to_levels(cover)
    after = signals.to_levels(written)[..., : cover.channels]  # WebP has no grey format
    if not (messages or np.array_equal(after, signals.to_levels(stego))):
        raise NotEmbeddedError
    stego = signals.with_levels(cover, after)
    quality = signals.quality(stego, signals.with_levels(cover, before))
    has_luma = isinstance(quality, Quality)
    return EmbedResult(
        stego=stego,
        file=file,
        suffix=suffix,
        profile=profile.name,
        messages=len(messages),
        message_bytes=sum(len(each.data) for each in messages),
        bits=bits,
        rate_bpp=bits / cover.points,
        quality=quality,
        luma_psnr_db=luma_psnr_db(after, before) if has_luma else None,
        grain=profile.grain(cover, config),
        changed=float((after != before).mean()),
        rate_bpnzac=profile.rate_bpnzac(bits),
        cautions=profile.cautions(bits),
        survived=survived,
        seconds=time.perf_counter() - began,
    )


def _without_metadata(cover: Signal, *, keep: bool) -> Signal:
    if cover.look is None or keep:
        return cover
    return replace(cover, values=cover.held, look=cover.look.without_metadata())


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
        profile: Look only for messages of this profile [default: drawn, exact, and robust for
            images].
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
    unlocked = cache(lambda salt: unlock(key, salt))  # a passphrase takes its time

    def of(signal: Signal) -> bytes:
        for each in tried if known is None or known.size == signal.size else ():
            with suppress(UnreadableError):
                opened = unlocked(each.salt(signal))
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
