"""The drawn profile: covers that are drawn with grain, with messages or without, by one law."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stegfield.config import GRAIN, DescentConfig, EmbedConfig
from stegfield.fixednet.drawn import drawing
from stegfield.fixednet.drawn.sampler import TWO_BITS
from stegfield.fixednet.profile import Profile
from stegfield.fixednet.progress import EmbedWatch
from stegfield.keys import Key
from stegfield.payload import Content
from stegfield.payload.law import SLOT_BYTES, Message, longest
from stegfield.signals import Medium, Signal

USUAL = {"climate": 6.0}
"""Grain of media whose levels are finer than an eye sees: of temperatures, 0.015 K."""


def usual_grain(medium: Medium) -> float:
    """Return the standard deviation of the grain of a medium's covers, in levels."""
    return USUAL.get(medium.name, GRAIN)


class Drawn(Profile):
    """Messages in the low bits of samples that are drawn: any number of them, up to eight."""

    name = "drawn"
    heeds = frozenset({"grain"})
    media = ("image", "climate", "sound")
    several = True

    def capacity(self, cover: Signal) -> dict[str, int]:
        """Return the bytes of the longest message, for the least grain of each number of bits."""
        usual = usual_grain(cover.medium)
        grains = [usual] if usual >= TWO_BITS else [usual, TWO_BITS]
        places = {grain: drawing.places(cover, grain) for grain in grains}
        return {f"grain {grain:g}": longest(each.bits) for grain, each in places.items()}

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
        """Draw a cover that carries one message."""
        message = Message(content.message(), key)
        return self.embed_all(cover, [message], config=config, descent=descent, watch=watch)

    def embed_all(
        self,
        cover: Signal,
        messages: Sequence[Message],
        *,
        config: EmbedConfig,
        descent: DescentConfig,
        watch: EmbedWatch | None,
    ) -> tuple[Signal, int]:
        """Draw a cover that carries any number of messages, or none."""
        grain = self.grain(cover, config)
        drawn, places = drawing.draw(cover, grain, messages), drawing.places(cover, grain)
        parts = sum(places.parts_for(message.content().length) for message in messages)
        return drawn, parts * places.part_bits + 8 * SLOT_BYTES * len(messages)

    def grain(self, cover: Signal, config: EmbedConfig) -> float:
        """Return the standard deviation that is asked for, or else the medium's usual one."""
        return config.grain or usual_grain(cover.medium)

    def salt(self, stego: Signal) -> bytes:
        """Return the salt that the signal carries."""
        return drawing.salt(stego)

    def extract(
        self, stego: Signal, key: Key, *, cover: Signal | None = None, weights: Path | None = None
    ) -> bytes:
        """Read the message of a key."""
        return drawing.find(stego, key).data


PROFILE = Drawn()
