"""The robust profile: messages in images that are resized and re-encoded on their way.

Messages of up to 512 bytes, deflated, are `short` where the image has room, others and those with a
known cover `long`. The receiver tries both, and needs neither length nor size nor format.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from stegfield import channel, signals
from stegfield.carriers import images
from stegfield.channel import Channel
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import CapacityError, ConfigError, NotEmbeddedError, UnreadableError
from stegfield.fixednet.profile import WEBP_SIDE, Profile
from stegfield.fixednet.progress import EmbedProgress, EmbedWatch
from stegfield.fixednet.robust import long, sending, short
from stegfield.fixednet.robust.coding import fullest, net_bytes
from stegfield.fixednet.robust.lattice import STEPS
from stegfield.fixednet.robust.services import Service, services
from stegfield.keys import Key
from stegfield.metrics import psnr_db
from stegfield.payload import Content
from stegfield.signals import Signal

Levels = UInt8[np.ndarray, "rows columns channels"]
TOO_MUCH = (
    "re-encoding would destroy the message: take a larger cover, one with fewer samples that are "
    "quite black or white, or a shorter message"
)
GENTLE = 28.0
"""Step that is tried first in large images."""
USUAL = 40.0
"""Step that is tried first in others."""
LEAST_DB = 44.2
"""PSNR below which a message is made to survive no more than what is promised."""


def embed(
    levels: UInt8[np.ndarray, "rows columns channels"],
    content: Content,
    key: Key,
    *,
    known_cover: bool = False,
    written: Channel | None = None,
    service: Service | None = None,
    watch: EmbedWatch | None = None,
) -> tuple[UInt8[np.ndarray, "rows columns channels"], int]:
    """Change an image so that it carries a message, in the format that suits its length.

    Args:
        levels: The cover.
        content: The message.
        key: Decides the networks.
        known_cover: Whether the receiver has the cover too.
        written: What the file to be written makes of the samples [default: it keeps them].
        service: What a short message must outlast too.
        watch: Called with the progress of the work.

    Returns:
        The stego image, and the number of bits carried before the code.

    Raises:
        CapacityError: The message does not fit.
    """
    rows, columns = levels.shape[:2]
    form = None if known_cover else short.format_for(rows, columns, len(content.data))
    if form is None:
        try:
            return long.embed(levels, content, key, known_cover=known_cover, watch=watch)
        except CapacityError:
            most = 0 if known_cover else short.longest(rows, columns)
            if most <= net_bytes(fullest(rows, columns)):
                raise
            raise CapacityError(
                needed=len(content.data), available=most, unit="bytes", holder="cover"
            ) from None
    hoped, promised = (
        [channel.chain(written, each) if written else each for each in kind(levels, form.blocks)]
        for kind in (sending.hoped_for, sending.promised_for)
    )
    if service is not None:
        promised.append(channel.chain(written, service.channel) if written else service.channel)
    first = GENTLE if max(rows, columns) > sending.LARGE else USUAL
    tries = [(first, [*promised, *hoped], LEAST_DB)]
    tries += [(step, promised, 0.0) for step in STEPS if step >= first]
    for done, (step, channels, least_db) in enumerate(tries, 1):
        stronger = form._replace(step=step)
        stego, bits = short.embed(
            levels, content, key, stronger, channels=channels, least_db=least_db
        )
        if watch is not None:
            watch(EmbedProgress(done / len(tries), 0, psnr_db(levels, stego)))
        if all(_reads(each(stego), key) is not None for each in promised):
            break
    return stego, bits


def _reads(levels: Levels, key: Key) -> bytes | None:
    try:
        return short.extract(levels, key)
    except UnreadableError:
        return None


def extract(
    levels: UInt8[np.ndarray, "rows columns channels"],
    key: Key,
    cover: UInt8[np.ndarray, "rows columns _channels"] | None = None,
) -> bytes:
    """Read a message in any format; with the cover, one that was embedded with it first.

    Raises:
        UnreadableError: There is no message for this key, or too much of it was lost.
    """
    if cover is None and (message := _reads(levels, key)) is not None:
        return message
    return long.extract(levels, key, cover)


def survived(
    levels: UInt8[np.ndarray, "rows columns channels"],
    key: Key,
    message: bytes,
    cover: UInt8[np.ndarray, "rows columns _channels"] | None = None,
    service: Service | None = None,
) -> dict[str, bool]:
    """Return for each channel that the sender tries whether the message can be extracted."""
    is_short = cover is None and _reads(levels, key) is not None

    def reads(channel: Channel) -> bool:
        seen = channel(levels)
        if is_short:
            return _reads(seen, key) == message
        try:
            return long.extract(seen, key, cover) == message
        except UnreadableError:
            return False

    tried = sending.channels_for(levels) if is_short else sending.SAME_SIZE
    if service is not None:
        tried = {service.label: service.channel, **tried}
    return {name: reads(each) for name, each in tried.items()}


class Robust(Profile):
    """The robust profile: messages in images, which survive JPEG, WebP and, if short, resizing."""

    name = "robust"
    heeds = frozenset({"known_cover", "target"})
    media = ("image",)
    lossy = True

    def __init__(self, written: Channel | None = None, service: Service | None = None) -> None:
        self.written, self.service = written, service

    def for_file(self, cover: Signal, suffix: str, config: EmbedConfig) -> tuple[Profile, Signal]:
        """Return the profile that simulates file and service, and the cover, reduced for it."""
        service = services()[config.target] if config.target else None
        if service is not None and max(cover.size) > service.side:
            cover = signals.reduced(cover, service.side)
        if suffix.lower() in cover.medium.lossless:
            return (self if service is None else Robust(None, service)), cover
        shown = Path(f"stego{suffix}")

        def written(levels: Levels) -> Levels:
            file = signals.encode(signals.from_samples(levels), suffix)
            return images.samples(signals.decode(file, shown))[..., : levels.shape[2]]

        return Robust(written, service), cover

    def check_size(self, size: tuple[int, ...], suffix: str) -> None:
        """Refuse an image that is too large for WebP, which messages should survive.

        Raises:
            ConfigError: The image is too large.
        """
        super().check_size(size, suffix)
        if max(size) > WEBP_SIDE:
            raise ConfigError(
                f"the robust profile takes at most {WEBP_SIDE:,} pixels a side, got {max(size):,}",
                hint="use the exact profile, or take a smaller image",
            )

    def capacity(self, cover: Signal) -> dict[str, int]:
        """Return the bytes of the longest message that is sure to survive resizing, and of any.

        The first is embedded at about 47 dB, the other at about 40.
        """
        rows, columns = cover.size
        if max(rows, columns) > WEBP_SIDE:
            return {"at most": 0}
        resized = short.longest(rows, columns)
        return {
            **({"resized": resized} if resized else {}),
            "at most": max(resized, net_bytes(fullest(rows, columns))),
        }

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
        """Change the luma of an image's blocks until the message survives real encoders."""
        stego, bits = embed(
            images.samples(cover),
            content,
            key,
            known_cover=config.known_cover,
            written=self.written,
            service=self.service,
            watch=watch,
        )
        return images.with_samples(cover, stego), bits

    def extract(
        self, stego: Signal, key: Key, *, cover: Signal | None = None, weights: Path | None = None
    ) -> bytes:
        """Read a message from the luma of an image's blocks."""
        return extract(images.samples(stego), key, _levels(cover))

    def survived(
        self, stego: Signal, message: bytes, key: Key, *, cover: Signal | None
    ) -> dict[str, bool]:
        """Return whether the message survives, for each encoder that the sender tries.

        Raises:
            NotEmbeddedError: The message survives none of them.
        """
        found = survived(images.samples(stego), key, message, _levels(cover), self.service)
        if not any(found.values()):
            raise NotEmbeddedError(hint=TOO_MUCH)
        return found


def _levels(cover: Signal | None) -> UInt8[np.ndarray, "rows columns channels"] | None:
    return None if cover is None else images.samples(cover)


PROFILE = Robust()
