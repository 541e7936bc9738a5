"""Embed a message in an image, extract it, and tell how long it may be.

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
from jaxtyping import UInt8

from stegfield import signals
from stegfield.channel import Levels
from stegfield.config import DescentConfig, EmbedConfig, Profile, check_solver
from stegfield.errors import CapacityError, ConfigError, NotEmbeddedError, UnreadableError
from stegfield.fixednet import costs, exact, paper, robust
from stegfield.fixednet.blocks import luma
from stegfield.fixednet.progress import Watch
from stegfield.keys import IMAGE_SALT, Key, Passphrase, unlock
from stegfield.metrics import Quality, mean_psnr_db, quality, without_infinity
from stegfield.payload import Content
from stegfield.signals import Signal

LEVELS = (0, 255)
RATES = (1, 2, 3, 4)
DEFAULT: tuple[Profile, ...] = ("exact", "jpeg")
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
    """The image file; its message was extracted again and compared."""
    profile: Profile
    message_bytes: int
    bits: int
    """Carried by the image: message, seals, parity, header and padding."""
    rate_bpp: float
    """Those bits for each pixel."""
    quality: Quality
    """Of the stego image, beside the cover."""
    luma_psnr_db: float
    """What some papers print for PSNR."""
    changed: float
    """Share of the samples that differ from the cover's."""
    survived: dict[str, bool]
    """For the jpeg profile: which of the encoders that were tried the message survived."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Give the figures as plain values."""
        left_out = ("stego", "file", "quality")
        figures = {k: v for k, v in vars(self).items() if k not in left_out}
        return without_infinity({**figures, **asdict(self.quality)})


@dataclass(frozen=True)
class Capacity:
    """Bytes of the longest message, as it is after deflating; 0 where none fits."""

    exact: dict[str, int]
    """For each rate, in bits a pixel, and at most."""
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
    suffix: str = ".png",
    watch: Watch | None = None,
) -> EmbedResult:
    """Embed a message in an image.

    Args:
        cover: An image, grey or RGB.
        message: Any bytes; deflated first where that makes them shorter.
        key: Who has it can extract the message, and nobody else.
        config: How to embed.
        descent: How the paper profile searches.
        suffix: What kind of file to write: .png, .bmp, .tiff, .webp; .jpg for the jpeg profile.
        watch: Told how far the work has come.

    Raises:
        CapacityError: The message does not fit.
        ConfigError: The kind of file does not suit the profile or the size, or a setting that is
            given has no meaning for the profile.
        NotEmbeddedError: The file would not give the message back, or for the jpeg profile, not
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
    check_suffix(suffix, config.profile)
    check_solver(config.profile, descent)
    check_size(cover.size, suffix, config.profile)
    original = signals.to_samples(cover)
    levels = _without_copies(original)
    opened = unlock(key, IMAGE_SALT)
    stego, bits = _embed(
        levels, Content.of(message), opened, config=config, descent=descent, watch=watch
    )
    stego = np.broadcast_to(stego, original.shape)
    file = signals.encode(signals.from_samples(stego), suffix)
    written = signals.decode(file, Path(f"stego{suffix}"))
    try:
        again = extract(written, opened, profile=config.profile, weights=descent.weights)
        if again != message:
            raise NotEmbeddedError
    except UnreadableError:
        raise NotEmbeddedError from None
    stego = signals.to_samples(written)
    survived = {}
    if config.profile == "jpeg":
        survived = robust.survived(_without_copies(stego), opened, message)
        if not any(survived.values()):
            raise NotEmbeddedError(hint=TOO_MUCH)
    if stego.shape != original.shape:
        stego = _without_copies(stego)
    return EmbedResult(
        stego=signals.from_samples(stego),
        file=file,
        profile=config.profile,
        message_bytes=len(message),
        bits=bits,
        rate_bpp=bits / (original.shape[0] * original.shape[1]),
        quality=quality(stego, original),
        luma_psnr_db=mean_psnr_db(luma(stego), luma(original)),
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
) -> bytes:
    """Extract a message from an image.

    Args:
        stego: The image.
        key: The one that the message was embedded with.
        profile: Only look for messages of this profile [default: exact, then jpeg].
        weights: For the paper profile, the released network if one was used.

    Raises:
        UnreadableError: There is nothing for this key, or it was destroyed.
    """
    levels = _without_copies(signals.to_samples(stego))
    opened = unlock(key, IMAGE_SALT)
    for name in DEFAULT if profile is None else (profile,):
        try:
            return _READERS[name](levels, opened, weights)
        except UnreadableError:
            continue
    raise UnreadableError


def capacity(cover: Signal) -> Capacity:
    """Tell how long a message an image can carry; bytes that deflating removes are free."""
    levels = _without_copies(signals.to_samples(cover))
    pixels = levels.shape[0] * levels.shape[1]
    try:
        most = exact.fullest(levels.size)
    except CapacityError:
        most = 0
    rates = {f"{bpp} bpp": bpp * pixels for bpp in RATES if bpp * pixels <= most}
    net = {name: exact.net_bytes(bits) for name, bits in {**rates, "at most": most}.items()}
    lossy = max(levels.shape) <= WEBP_SIDE
    return Capacity(net, robust.net_bytes(robust.fullest(*levels.shape[:2])) if lossy else 0)


def check_suffix(suffix: str, profile: Profile) -> None:
    """Refuse a kind of file that would lose the message.

    Raises:
        ConfigError: It would.
    """
    if suffix.lower() not in signals.WRITTEN:
        kinds = " ".join(signals.WRITTEN if profile == "jpeg" else signals.LOSSLESS)
        raise ConfigError(
            f"{suffix} is no kind of image"
            if suffix
            else "the output's name has no suffix, which tells the kind of image",
            hint=f"use {kinds}",
        )
    if profile != "jpeg" and suffix.lower() not in signals.LOSSLESS:
        raise ConfigError(
            f"{suffix} files change samples, and the message would be lost",
            hint="write a .png file, or use --profile jpeg",
        )


def check_size(size: tuple[int, ...], suffix: str, profile: Profile) -> None:
    """Refuse an image too large for the profile or the kind of file.

    WebP has a longest side, for files of its own and for those that are promised to survive it.

    Raises:
        ConfigError: It is too large.
    """
    if profile == "paper":
        paper.check_pixels(size)
    if max(size) <= WEBP_SIDE or (suffix.lower() != ".webp" and profile != "jpeg"):
        return
    what = "WebP files have" if suffix.lower() == ".webp" else "the jpeg profile takes"
    raise ConfigError(
        f"{what} at most {WEBP_SIDE:,} pixels a side, got {max(size):,}",
        hint="write a .png file with the exact profile, or take a smaller image",
    )


def _without_copies(
    levels: UInt8[np.ndarray, "rows columns _channels"],
) -> UInt8[np.ndarray, "rows columns _channels"]:
    """Give one channel where all are equal: grey, whatever the file.

    A change of one channel alone would colour a pixel; and WebP files have no grey of their own.
    """
    return levels[..., :1].copy() if (levels == levels[..., :1]).all() else levels


def _embed(
    levels: Levels,
    content: Content,
    key: Key,
    *,
    config: EmbedConfig,
    descent: DescentConfig,
    watch: Watch | None,
) -> tuple[Levels, int]:
    pixels = levels.shape[0] * levels.shape[1]
    if config.profile == "jpeg":
        return robust.embed(levels, content, key, watch=watch)
    if config.profile == "paper":
        depth = int(config.bpp or 1)
        try:
            stego = paper.embed(levels, content, key, depth=depth, config=descent, watch=watch)
        except CapacityError as error:
            if depth < max(RATES):
                error.hint = "raise --bpp, use a larger cover, or hide less"
            raise
        return stego, depth * pixels
    wanted = None if config.bpp is None else round(config.bpp * pixels)
    most = exact.fullest(levels.size)
    if wanted is not None and wanted > most:
        raise CapacityError(
            needed=wanted,
            available=most,
            unit="bits",
            holder="cover",
            hint="lower --bpp, or leave it out",
        )
    prices = (costs.flat if config.flat else costs.hill)(levels)
    try:
        change, bits = exact.embed(
            levels.reshape(-1),
            prices.reshape(-1),
            content,
            key,
            bounds=LEVELS,
            span=config.span,
            bits=wanted,
            watch=watch,
        )
    except CapacityError as error:
        if wanted is not None:
            error.hint = "raise --bpp, or leave it out"
        raise
    return (levels + change.reshape(levels.shape)).astype(np.uint8), bits


_READERS: dict[Profile, Callable[[Levels, Key, Path | None], bytes]] = {
    "exact": lambda levels, key, _: exact.extract(levels.reshape(-1), key),
    "jpeg": lambda levels, key, _: robust.extract(levels, key),
    "paper": paper.extract,
}
