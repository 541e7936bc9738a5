"""Random carriers with messages, for the receiver to read."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stegfield import fields, fixednet, signals
from stegfield.config import EmbedConfig
from stegfield.keys import Key, KeySource
from stegfield.payload.law import Message
from stegfield.signals import Signal

Draws = np.random.Generator


@dataclass(frozen=True)
class Stego:
    """A file, and the message in it."""

    name: str
    file: bytes
    message: bytes
    suffix: str = ""


def image(draws: Draws, channels: int = 3) -> Signal:
    """Draw a picture of any small size, with noise."""
    rows, columns = draws.integers(40, 120, 2)
    smooth = signals.waves(int(rows), int(columns), channels=channels, phase=draws.random())
    values = smooth.values + draws.normal(0, 0.05, smooth.values.shape)
    return Signal(values.clip(-1, 1).astype(np.float32))


def sound(draws: Draws, channels: int) -> Signal:
    """Draw a short sound, with noise."""
    smooth = signals.chords(int(draws.integers(3000, 20_000)), channels=channels)
    values = 0.7 * smooth.values + draws.normal(0, 0.05, smooth.values.shape)
    return replace(smooth, values=values.clip(-1, 1).astype(np.float32))


def message(draws: Draws) -> bytes:
    """Draw a message: text, which is deflated, or bytes, which are not."""
    count = int(draws.integers(0, 200))
    return b"noon " * (count // 5) if draws.random() < 0.5 else draws.bytes(count)


def given(suffix: str, channels: int, settings: EmbedConfig = EmbedConfig()) -> Maker:
    """Return what embeds a message in a picture or a sound."""

    def make(draws: Draws, key: KeySource) -> Stego:
        cover = (sound if suffix == ".wav" else image)(draws, channels)
        text = message(draws)
        stego = fixednet.embed(cover, text, key, config=settings, suffix=suffix)
        return Stego(f"stego{suffix}", stego.file, text)

    return make


def two_planes(draws: Draws, key: KeySource) -> Stego:
    """Embed so much that the second lowest bits carry some of it."""
    cover, text = image(draws), message(draws)
    stego = fixednet.embed(cover, text, key, config=EmbedConfig(bpp=4.0))
    return Stego("stego.png", stego.file, text)


def jpeg(loud: bool, **settings: Any) -> Maker:
    """Return what embeds a message in the coefficients of a JPEG that Pillow wrote."""

    def make(draws: Draws, key: KeySource) -> Stego:
        rows, columns = (int(side) for side in draws.integers(150, 260, 2))
        levels = signals.to_samples(signals.waves(rows, columns)).astype(np.float64)
        levels += draws.normal(0, 12, levels.shape)
        shown, stream = Image.fromarray(levels.clip(0, 255).astype(np.uint8)), io.BytesIO()
        shown.convert(settings.get("mode", "RGB")).save(stream, "JPEG", quality=90, **settings)
        cover, text = signals.decode(stream.getvalue(), Path("cover.jpg")), message(draws)
        config = EmbedConfig(loud=loud, bpp=0.5 if loud else None)
        stego = fixednet.embed(cover, text[:99], key, config=config, suffix=".jpg")
        return Stego("stego.jpg", stego.file, text[:99])

    return make


def field(draws: Draws, key: KeySource) -> Stego:
    """Draw a field that carries a file."""
    text = message(draws)
    width = int(draws.integers(12, 40))
    drawn = fields.new_field(signals.waves(12, 16), sizes={"width": width, "depth": 3}, seed=1)
    fields.draw(drawn, [Message(text, key, ".md")])
    return Stego("field.safetensors", fields.store.to_bytes(drawn), text, ".md")


Maker = Callable[[Draws, KeySource], Stego]
MAKERS: dict[str, Maker] = {
    "png": given(".png", 3),
    "grey png": given(".png", 1),
    "full png": two_planes,
    "bmp": given(".bmp", 3),
    "grey bmp": given(".bmp", 1),
    "wav": given(".wav", 1),
    "stereo wav": given(".wav", 2),
    "grain": given(".png", 3, EmbedConfig(grain=1.5)),
    "coarse grain": given(".png", 1, EmbedConfig(grain=4.0)),
    "grain in a sound": given(".wav", 1, EmbedConfig(grain=4.0)),
    "field": field,
    "jpeg": jpeg(False),
    "loud jpeg": jpeg(True, subsampling="4:4:4", optimize=True),
    "jpeg with restarts": jpeg(False, subsampling="4:2:2", restart_marker_blocks=3),
    "grey jpeg": jpeg(True, mode="L"),
}
"""By kind, what makes a random carrier with a message."""
KEY = Key(bytes(range(32)))
