"""The paper profile: a ReLU network, gradients, and no error correction, for comparison.

    bits, pixel by pixel:  [ header | body | random ............ ]

Embedding and extracting import torch; the profile itself does not.

Source: Zhong et al. (GINR-Stega), Sec. 3.3 and 3.4.
"""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

from stegfield.carriers import images
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import CapacityError, ConfigError, Wording
from stegfield.fixednet.profile import Profile
from stegfield.fixednet.progress import EmbedWatch
from stegfield.keys import Key
from stegfield.payload import Content, longest_message
from stegfield.signals import Signal

RATES = (1, 2, 3, 4)
"""Bits a pixel that its networks read."""
LARGEST_PIXELS = 1 << 20
"""The solver needs about 12 KB of memory a pixel: 12 GB for an image of this size."""


class Paper(Profile):
    """The paper's fixed network and solver, in images."""

    name = "paper"
    heeds = frozenset({"bpp", *(each.name for each in fields(DescentConfig))})
    media = ("image",)
    tried = False

    def check_settings(self, config: EmbedConfig) -> None:
        """Refuse rates that are not whole numbers from 1 to 4.

        Raises:
            ConfigError: The rate is not 1, 2, 3 or 4.
        """
        if config.bpp is not None and config.bpp not in RATES:
            raise ConfigError(Wording("{bpp} must be 1, 2, 3 or 4 with the paper profile"))

    def check_size(self, size: tuple[int, ...], suffix: str) -> None:
        """Refuse an image that would take too much memory.

        Raises:
            ConfigError: The image has more than 1,048,576 pixels, or is too large for WebP.
        """
        super().check_size(size, suffix)
        check_pixels(size)

    def capacity(self, cover: Signal) -> dict[str, int]:
        """Return the bytes of the longest message for each rate; the solver may fail with fewer.

        An image that is too large for the profile has no rates.
        """
        if cover.points > LARGEST_PIXELS:
            return {}
        return {f"{bpp} bpp": longest_message(bpp * cover.points) for bpp in RATES}

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
        """Descend along gradients until a network of the key reads the message."""
        from stegfield.fixednet.paper import messages

        depth = int(config.bpp or 1)
        levels = images.samples(cover)
        try:
            stego = messages.embed(levels, content, key, depth=depth, config=descent, watch=watch)
        except CapacityError as error:
            if depth < max(RATES):
                error.hint = Wording("raise {bpp}, use a larger cover, or hide less")
            raise
        return images.with_samples(cover, stego), depth * cover.points

    def extract(
        self, stego: Signal, key: Key, *, cover: Signal | None = None, weights: Path | None = None
    ) -> bytes:
        """Read a message by the networks of a key, or by a released one.

        Raises:
            ConfigError: The image is larger than this profile takes.
            InputError: The weights are not a network that can be trusted.
            UnreadableError: There is no message for this key, or a bit of it is wrong.
        """
        from stegfield.fixednet.paper import messages

        check_pixels(stego.size)
        return messages.extract(images.samples(stego), key, weights)


def check_pixels(size: tuple[int, ...]) -> None:
    """Refuse an image that would take too much memory.

    Raises:
        ConfigError: The image has more than 1,048,576 pixels.
    """
    pixels = math.prod(size)
    if pixels > LARGEST_PIXELS:
        raise ConfigError(
            f"the paper profile takes at most {LARGEST_PIXELS:,} pixels, got {pixels:,}",
            hint="take a smaller image: the solver needs 12 KB of memory a pixel",
        )


PROFILE = Paper()
