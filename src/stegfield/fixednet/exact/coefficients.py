"""The exact profile in JPEG files: bits in the quantised coefficients of luma.

    cover file ─decode─► coefficients ─► carrier ─solver─► change ─encode─► stego file

The file stays what it was: size, quality, tables and metadata. A sender takes the 28 lowest modes
of each block, and all modes for a message that is loud anyway; a receiver tries both.

Rates are bits per non-zero AC coefficient of luma (bpnzAC), everything included.
"""

from __future__ import annotations

import math
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int16

from stegfield import jpeg as codec
from stegfield import signals
from stegfield.carriers import jpeg
from stegfield.carriers.blocks import Table
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import (
    CapacityError,
    Caution,
    ConfigError,
    InputError,
    NotEmbeddedError,
    UnreadableError,
    Wording,
)
from stegfield.fixednet.exact import profile as exact
from stegfield.fixednet.progress import EmbedWatch
from stegfield.keys import Key
from stegfield.payload import Content, check_room, longest_message
from stegfield.signals import Signal
from stegfield.signals.images import to_jpeg

QUIET, NOTICEABLE, LOUD = 0.05, 0.1, 0.2
"""Rates: up to the first, detectors find next to nothing; beyond the second, senders are warned;
beyond the last, they must ask for it."""
WORDS = {QUIET: "quiet", NOTICEABLE: "noticeable", LOUD: "loud"}
HIGHEST = 1.0
"""Most bits per non-zero AC coefficient."""
FULLEST = 0.5
"""Most bits for each coefficient that may change."""
LEAST_HEIGHT = 12
"""Constraint height: against 10, a fifth less is lost to the code, for twice the solver's time."""
Above = Float32[np.ndarray, "rows columns 64"]
STEGO, NAME = Path("stego.jpg"), "the cover"


def loudness(rate: float) -> str:
    """Say in a word how much a rate shows.

    Example:
        >>> loudness(0.03), loudness(0.08), loudness(0.3)
        ('quiet', 'noticeable', 'loud')
    """
    return next((word for most, word in WORDS.items() if rate <= most), WORDS[LOUD])


class Coefficients(exact.Exact):
    """The exact profile for one JPEG file as cover, and a stego that is one too."""

    samples = False

    def __init__(self, image: codec.JpegFile, above: Above | None = None) -> None:
        """Take the file of the cover, and how far it rounded each coefficient of luma up."""
        self.image, self.above = image, above

    @cached_property
    def nonzero(self) -> int:
        """Count the non-zero AC coefficients of luma."""
        return jpeg.nonzero(luma(self.image)[0])

    def capacity(self, cover: Signal) -> dict[str, int]:
        """Return the bytes of the longest message for each rate, with a word for it."""
        rates = {
            f"{rate:g} bpnzAC, {word}": longest_message(int(rate * self.nonzero))
            for rate, word in WORDS.items()
        }
        most = longest_message(_room(luma(self.image)[0], loud=True))
        return {name: min(length, most) for name, length in rates.items()} | {"at most": most}

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
        """Change the coefficients of a JPEG file at the least cost."""
        file, bits = embed(self.image, content, key, config=config, above=self.above, watch=watch)
        return signals.decode(file, STEGO), bits

    def encode(self, stego: Signal, suffix: str) -> bytes:
        """Return the file itself: its coefficients carry the message."""
        return _file(stego)

    def rate_bpnzac(self, bits: int) -> float:
        """Return a rate per non-zero AC coefficient of luma."""
        return bits / max(self.nonzero, 1)

    def cautions(self, bits: int) -> tuple[Caution, ...]:
        """Warn of a message that detectors may find, and of Huffman tables that lack codes."""
        rate = self.rate_bpnzac(bits)
        loud = Caution(
            f"the message is loud, {rate:.2g} bits per non-zero coefficient: "
            f"detectors find more from {NOTICEABLE:g} on",
            "take a larger photo, or a shorter message",
        )
        return (*self.image.cautions(), *((loud,) if rate > NOTICEABLE else ()))


def for_cover(cover: Signal, config: EmbedConfig) -> tuple[Coefficients, Signal]:
    """Return what embeds in a JPEG of a cover, and the cover as that JPEG shows it.

    Args:
        cover: A picture; if it is as its JPEG file holds it, that file is the cover.
        config: Of it, how a JPEG is made where there is none, and what is left out of it.

    Raises:
        ConfigError: A quality is given, but the file is a JPEG already.
        InputError: The file is not a JPEG of a kind that carries messages, or signs its bytes.
    """
    if config.flat:
        raise ConfigError(Wording("{flat:True} has no meaning for .jpg files"))
    file = cover.jpeg
    if file is None:
        return _made(cover, config)
    if config.quality is not None:
        raise ConfigError(
            Wording("{quality} has no meaning for a picture that is a JPEG already"),
            hint=Wording("leave it out, or reduce the picture with {size}"),
        )
    image = codec.decode(file, NAME, allow_recompress=config.allow_recompress)
    if config.strip_metadata:
        image = codec.without_metadata(image)
    image.check_changeable()
    if config.allow_recompress or config.strip_metadata:
        file = codec.encode(image)
    return Coefficients(image), cover if file == cover.jpeg else signals.decode(file, STEGO)


def _made(cover: Signal, config: EmbedConfig) -> tuple[Coefficients, Signal]:
    """Make a JPEG of another picture; values between its levels become side information."""
    image = codec.decode(to_jpeg(cover, config.quality), NAME)
    if config.strip_metadata:
        image = codec.without_metadata(image)
    planes, table = luma(image)
    exact = jpeg.unrounded(cover, table, planes.shape[:2])
    above = None
    if exact is not None:
        planes = np.rint(exact).clip(-jpeg.LARGEST, jpeg.LARGEST).astype(np.int16)
        image = image.with_coefficients([planes, *[None] * (len(image.components) - 1)])
        above = (planes - exact).clip(-0.5, 0.5).astype(np.float32)
    return Coefficients(image, above), signals.decode(codec.encode(image), STEGO)


def luma(image: codec.JpegFile) -> tuple[Int16[np.ndarray, "rows columns 64"], Table]:
    """Return the coefficients of luma within the picture, and their quantisation steps."""
    first = image.components[0]
    return first.picture, first.table


def embed(
    cover: codec.JpegFile,
    content: Content,
    key: Key,
    *,
    config: EmbedConfig = EmbedConfig(),
    above: Above | None = None,
    watch: EmbedWatch | None = None,
) -> tuple[bytes, int]:
    """Embed a message in the coefficients of a JPEG file.

    Args:
        cover: The cover's file.
        content: The message.
        key: Decides the network.
        config: Of it, the constraint height, the costs, and whether a loud message is embedded.
        above: How far each coefficient of luma is above what it was rounded from, in steps: side
            information, of a JPEG that the sender made [default: nothing is known].
        watch: Called with the progress of the work.

    Returns:
        The stego file, and the number of bits that it carries.

    Raises:
        CapacityError: The message does not fit, or it is loud and nobody asked for that.
        NotEmbeddedError: Too many blocks are plain.
    """
    planes, table = luma(cover)
    asked = None if config.bpp is None else round(config.bpp * math.prod(cover.size))
    loud = _is_loud(content, planes, asked or 0, allowed=config.loud)
    up, down = cover.open_ways(0)
    for modes in (jpeg.EVERY,) if loud else (jpeg.QUIETEST, jpeg.EVERY):
        carrier = jpeg.carrier(
            planes, table, modes=modes, cost=config.costs, sayable=(up, down), above=above
        )
        change, bits = exact.embed(
            carrier,
            content,
            key,
            constraint_height=max(LEAST_HEIGHT, config.constraint_height),
            bits=asked,
            watch=watch,
        )
        if jpeg.is_open(change, carrier):
            others = [None] * (len(cover.components) - 1)
            stego = cover.with_coefficients([jpeg.changed(planes, change), *others])
            return codec.encode(stego), bits
    raise NotEmbeddedError(
        hint="too much of the photo is plain: take another, or a shorter message"
    )


def extract(file: bytes, key: Key) -> bytes:
    """Read a message from the coefficients of a JPEG file.

    Raises:
        UnreadableError: There is no message for this key, or the file is of another kind.
    """
    try:
        planes, _ = luma(codec.decode(file))
    except InputError:
        raise UnreadableError from None
    for modes in (jpeg.QUIETEST, jpeg.EVERY):
        with suppress(UnreadableError):
            return exact.extract(jpeg.elements(planes, modes), key)
    raise UnreadableError


def _file(signal: Signal) -> bytes:
    if signal.jpeg is None:
        raise InputError("the picture is not as a JPEG file holds it", hint="read the file again")
    return signal.jpeg


def _room(planes: Int16[np.ndarray, "rows columns 64"], *, loud: bool) -> int:
    """Return the most bits that coefficients can carry, header included."""
    rate, modes = (HIGHEST, jpeg.EVERY) if loud else (LOUD, jpeg.QUIETEST)
    return min(int(rate * jpeg.nonzero(planes)), int(FULLEST * jpeg.dry(planes, modes)))


def _is_loud(
    content: Content,
    planes: Int16[np.ndarray, "rows columns 64"],
    asked: int,
    *,
    allowed: bool,
) -> bool:
    """Tell whether a message is loud, and refuse one that does not fit, or is not asked for.

    Args:
        content: The message.
        planes: The coefficients of luma.
        asked: Bits to carry at least, random ones behind the message.
        allowed: Whether it may be loud.

    Raises:
        CapacityError: The message does not fit.
    """
    needed = max(exact.bits_for(content), asked)
    quiet, most = _room(planes, loud=False), _room(planes, loud=True)
    if needed <= quiet:
        return False
    check_room(content, needed=needed, available=most, net=longest_message(most))
    if not allowed:
        try:
            check_room(content, needed=needed, available=quiet, net=longest_message(quiet))
        except CapacityError as error:
            error.args = (f"{error}, unless the message may be loud",)
            error.hint = Wording(
                "take a larger photo or a shorter message, or {loud:True} embeds what detectors "
                "find"
            )
            raise
    return True
