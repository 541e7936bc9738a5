"""Embed a message in a signal, extract it, and tell how long it may be.

Embedding ends with the file's own bytes: they are decoded and the message is extracted from them
and compared before anything is reported as done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer

from stegfield import signals
from stegfield.channel import Levels
from stegfield.config import DescentConfig, EmbedConfig, Profile, check_solver
from stegfield.errors import CapacityError, ConfigError, NotEmbeddedError, UnreadableError, Wording
from stegfield.fixednet import costs, exact, paper, robust
from stegfield.fixednet.blocks import luma
from stegfield.fixednet.progress import Watch
from stegfield.keys import IMAGE_SALT, Key, Passphrase, unlock
from stegfield.metrics import AnyQuality, finite_or_none, mean_psnr_db
from stegfield.payload import Content
from stegfield.signals import Signal

Samples = Integer[np.ndarray, "... _channels"]
RATES = (1, 2, 3, 4)
DEFAULT: tuple[Profile, ...] = ("exact", "robust")
"""Profiles that a receiver tries, if none is named."""
TOO_MUCH = (
    "re-encoding would destroy the message: take a larger cover, one with fewer samples that are "
    "quite black or white, or a shorter message"
)
WEBP_SIDE = 16_383
"""Pixels of a WebP file's longer side, at most."""


@dataclass(frozen=True, eq=False)
class EmbedResult:
    """A cover that carries a message, measured on the file's samples."""

    stego: Signal
    file: bytes = field(repr=False)
    """The file; its message was extracted again and compared."""
    profile: Profile
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
        """Give the figures as plain values."""
        left_out = ("stego", "file", "quality")
        figures = {k: v for k, v in vars(self).items() if k not in left_out}
        return finite_or_none({**figures, **asdict(self.quality)})


@dataclass(frozen=True)
class Capacity:
    """Bytes of the longest message, as it is after deflating; 0 where none fits."""

    exact: dict[str, int]
    """For each rate, in bits a pixel or point, and at most."""
    jpeg: int
    """Through JPEG and WebP, at about 40 dB."""

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)


def embed(
    cover: Signal,
    message: bytes,
    key: Key | Passphrase,
    *,
    config: EmbedConfig = EmbedConfig(),
    descent: DescentConfig = DescentConfig(),
    suffix: str | None = None,
    watch: Watch | None = None,
) -> EmbedResult:
    """Embed a message in an image, a climate field or a sound.

    Args:
        cover: An image, grey or RGB; or a climate field or a sound, for the exact profile only.
            What lies between a file's levels, as in a rendered field, is of use: changes go where
            the value was nearly rounded the other way.
        message: Any bytes; deflated first where that makes them shorter.
        key: Who has it can extract the message, and nobody else.
        config: How to embed.
        descent: How the paper profile searches.
        suffix: What kind of file to write: .png, .bmp, .tiff, .webp; .jpg for the robust profile;
            .nc for a climate field; .wav or .flac for a sound [default: .png, .nc or .wav].
        watch: Told how far the work has come.

    Raises:
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
    check_medium(cover.medium, config.profile)
    suffix = suffix or signals.MEDIA[cover.medium].LOSSLESS[0]
    check_suffix(suffix, config.profile, cover.medium)
    check_solver(config.profile, descent)
    check_size(cover.size, suffix, config.profile)
    original = signals.to_levels(cover)
    levels = _without_copies(original)
    opened, content = unlock(key, IMAGE_SALT), Content.of(message)
    if config.profile == "exact":
        stego, bits = _embed_exactly(cover, levels, content, opened, config=config, watch=watch)
    else:
        stego, bits = _embed_in_image(
            levels, content, opened, config=config, descent=descent, watch=watch
        )
    stego = np.broadcast_to(stego, original.shape)
    file = signals.encode(signals.with_levels(cover, stego), suffix)
    written = signals.decode(file, Path(f"stego{suffix}"))
    try:
        again = extract(
            written,
            opened,
            profile=config.profile,
            weights=descent.weights,
            cover=cover if config.known_cover else None,
        )
        if again != message:
            raise NotEmbeddedError
    except UnreadableError:
        raise NotEmbeddedError from None
    stego = signals.to_levels(written)
    survived = {}
    if config.profile == "robust":
        known = levels if config.known_cover else None
        survived = robust.survived(_without_copies(stego), opened, message, known)
        if not any(survived.values()):
            raise NotEmbeddedError(hint=TOO_MUCH)
    if stego.shape != original.shape:
        stego = _without_copies(stego)
    signal = signals.with_levels(cover, stego)
    return EmbedResult(
        stego=signal,
        file=file,
        profile=config.profile,
        message_bytes=len(message),
        bits=bits,
        rate_bpp=bits / cover.points,
        quality=signals.quality(signal, signals.with_levels(cover, original)),
        luma_psnr_db=_luma_psnr_db(cover.medium, stego, original),
        changed=float((stego != original).mean()),
        survived=survived,
        seconds=time.perf_counter() - began,
    )


def extract(
    stego: Signal,
    key: Key | Passphrase,
    *,
    profile: Profile | None = None,
    weights: Path | None = None,
    cover: Signal | None = None,
) -> bytes:
    """Extract a message from an image, a climate field or a sound.

    Args:
        stego: What may carry it.
        key: The one that the message was embedded with.
        profile: Only look for messages of this profile [default: exact, then jpeg for images].
        weights: For the paper profile, the released network if one was used.
        cover: The cover, for a message to a receiver who has it; the profile is jpeg then.

    Raises:
        ConfigError: The profile is one that only images have, or not that of a known cover; or
            the cover is not of the same size.
        UnreadableError: There is nothing for this key, or it was destroyed.
    """
    check_medium(stego.medium, profile)
    levels = _without_copies(signals.to_levels(stego))
    levels = levels[_rows(stego.medium, levels)]
    opened = unlock(key, IMAGE_SALT)
    if cover is not None:
        check_cover(cover, stego, profile)
        return robust.extract(levels, opened, signals.to_levels(cover))
    profiles = DEFAULT if stego.medium == "image" else DEFAULT[:1]
    for name in profiles if profile is None else (profile,):
        try:
            return _READERS[name](levels, opened, weights)
        except UnreadableError:
            continue
    raise UnreadableError


def capacity(cover: Signal) -> Capacity:
    """Tell how long a message a cover can carry; bytes that deflating removes are free.

    Raises:
        ConfigError: It is of a medium that carries none.
    """
    check_medium(cover.medium, None)
    levels = _without_copies(signals.to_levels(cover))
    pixels = cover.points
    try:
        most = exact.fullest(levels[_rows(cover.medium, levels)].size)
    except CapacityError:
        most = 0
    rates = {f"{bpp} bpp": bpp * pixels for bpp in RATES if bpp * pixels <= most}
    net = {name: exact.net_bytes(bits) for name, bits in {**rates, "at most": most}.items()}
    lossy = cover.medium == "image" and max(levels.shape) <= WEBP_SIDE
    return Capacity(net, robust.net_bytes(robust.fullest(*levels.shape[:2])) if lossy else 0)


def check_medium(medium: str, profile: Profile | None) -> None:
    """Refuse a medium that carries no messages, and a profile for images where the cover is none.

    Raises:
        ConfigError: It is.
    """
    if not signals.MEDIA[medium].LOSSLESS:
        still = "; save one frame as a .png file" if medium == "video" else ""
        raise ConfigError(
            f"{signals.noun(medium)} carries no messages",
            hint=f"images, sounds and climate fields do; `hide` takes all media{still}",
        )
    if medium != "image" and profile not in (None, "exact"):
        raise ConfigError(
            f"the {profile} profile is for images, not for {signals.noun(medium)}",
            hint=Wording("leave {profile} out"),
        )


def check_known_cover(medium: str, profile: Profile | None) -> None:
    """Refuse a receiver's cover where messages are read without one.

    Raises:
        ConfigError: They are.
    """
    if medium != "image":
        raise ConfigError(
            f"a known cover is for images, not for {signals.noun(medium)}",
            hint="leave the cover out",
        )
    if profile not in (None, "robust"):
        raise ConfigError(f"the {profile} profile needs no cover", hint="leave the cover out")


def check_cover(cover: Signal, stego: Signal, profile: Profile | None) -> None:
    """Refuse a receiver's cover that cannot be the stego's.

    Raises:
        ConfigError: It cannot.
    """
    check_known_cover(stego.medium, profile)
    if (cover.medium, cover.size) != (stego.medium, stego.size):
        sizes = " and ".join(
            f"{'x'.join(map(str, reversed(each.size)))} ({each.medium})" for each in (cover, stego)
        )
        raise ConfigError(f"cover and stego must be images of one size, got {sizes}")


def check_suffix(suffix: str, profile: Profile, medium: str = "image") -> None:
    """Refuse a kind of file that would lose the message.

    Raises:
        ConfigError: It would.
    """
    check_medium(medium, profile)
    if medium != "image":
        lossless = signals.MEDIA[medium].LOSSLESS
        if suffix.lower() not in lossless:
            raise ConfigError(
                f"{signals.noun(medium)} is written as a {' or '.join(lossless)} file",
                hint=f"name an output that ends in {' or '.join(lossless)}",
            )
        return
    if suffix.lower() not in signals.WRITTEN:
        kinds = " ".join(signals.WRITTEN if profile == "robust" else signals.LOSSLESS)
        raise ConfigError(
            f"{suffix} is no kind of image"
            if suffix
            else "the output's name has no suffix, which tells the kind of image",
            hint=f"use {kinds}",
        )
    if profile != "robust" and suffix.lower() not in signals.LOSSLESS:
        raise ConfigError(
            f"{suffix} files change samples, and the message would be lost",
            hint=Wording("write a .png file, or use {profile:robust}"),
        )


def check_size(size: tuple[int, ...], suffix: str, profile: Profile) -> None:
    """Refuse an image too large for the profile or the kind of file.

    WebP has a longest side, for files of its own and for those that are promised to survive it.

    Raises:
        ConfigError: It is too large.
    """
    if profile == "paper":
        paper.check_pixels(size)
    if max(size) <= WEBP_SIDE or (suffix.lower() != ".webp" and profile != "robust"):
        return
    what = "WebP files have" if suffix.lower() == ".webp" else "the robust profile takes"
    raise ConfigError(
        f"{what} at most {WEBP_SIDE:,} pixels a side, got {max(size):,}",
        hint="write a .png file with the exact profile, or take a smaller image",
    )


def _without_copies(
    levels: Samples,
) -> Samples:
    """Give one channel where all are equal: grey, whatever the file.

    A change of one channel alone would colour a pixel; and WebP files have no grey of their own.
    """
    return levels[..., :1].copy() if (levels == levels[..., :1]).all() else levels


def _luma_psnr_db(medium: str, stego: Samples, original: Samples) -> float | None:
    return mean_psnr_db(luma(stego), luma(original)) if medium == "image" else None


def _embed_in_image(
    levels: Levels,
    content: Content,
    key: Key,
    *,
    config: EmbedConfig,
    descent: DescentConfig,
    watch: Watch | None,
) -> tuple[Levels, int]:
    if config.profile == "robust":
        return robust.embed(levels, content, key, known_cover=config.known_cover, watch=watch)
    depth = int(config.bpp or 1)
    try:
        stego = paper.embed(levels, content, key, depth=depth, config=descent, watch=watch)
    except CapacityError as error:
        if depth < max(RATES):
            error.hint = Wording("raise {bpp}, use a larger cover, or hide less")
        raise
    return stego, depth * levels.shape[0] * levels.shape[1]


def _embed_exactly(
    cover: Signal,
    levels: Samples,
    content: Content,
    key: Key,
    *,
    config: EmbedConfig,
    watch: Watch | None,
) -> tuple[Samples, int]:
    rows = _rows(cover.medium, levels)
    carrying = levels[rows]
    wanted = None if config.bpp is None else round(config.bpp * cover.points)
    most = exact.fullest(carrying.size)
    if wanted is not None and wanted > most:
        raise CapacityError(
            needed=wanted,
            available=most,
            unit="bits",
            holder="cover",
            hint=Wording("lower {bpp}, or leave it out"),
        )
    prices = costs.flat(levels) if config.flat else costs.of(cover.medium, levels)
    rounding = signals.rounding(cover)
    if rounding is not None:
        rounding = rounding[rows][..., : levels.shape[-1]].reshape(-1)
    try:
        change, bits = exact.embed(
            carrying.reshape(-1),
            prices[rows].reshape(-1),
            content,
            key,
            bounds=signals.bounds(cover),
            span=config.constraint_height,
            bits=wanted,
            rounding=rounding,
            watch=watch,
        )
    except CapacityError as error:
        if wanted is not None:
            error.hint = Wording("raise {bpp}, or leave it out")
        raise
    stego = levels.copy()
    stego[rows] += change.reshape(carrying.shape).astype(levels.dtype)
    return stego, bits


def _rows(medium: str, levels: Samples) -> slice:
    """Give the rows that carry a message: on the globe, without poles that are a single value.

    All samples of a pole's row are of one place, so that a change of one of them alone would show.
    Nothing changes them, and so a reader finds them as the sender did.
    """
    if medium != "climate":
        return slice(None)
    north, south = ((levels[row] == levels[row, :1]).all() for row in (0, -1))
    return slice(int(north), len(levels) - int(south))


_READERS: dict[Profile, Callable[[Samples, Key, Path | None], bytes]] = {
    "exact": lambda levels, key, _: exact.extract(levels.reshape(-1), key),
    "robust": lambda levels, key, _: robust.extract(levels, key),
    "paper": paper.extract,
}
