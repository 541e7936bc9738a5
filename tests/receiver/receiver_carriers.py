"""Random carriers with messages, for the receiver to read."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

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


def rewritten(channels: int, write: Callable[[NDArray[np.uint8]], bytes]) -> Maker:
    """Return what embeds a message in a PNG, and stores its samples in another way."""

    def make(draws: Draws, key: KeySource) -> Stego:
        stego = given(".png", channels)(draws, key)
        return replace(stego, file=write(np.asarray(Image.open(io.BytesIO(stego.file)))))

    return make


PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Of Adam7: the first column and row of each pass, and its steps."""


def png_of(shown: Image.Image, **settings: Any) -> bytes:
    """Write a PNG as Pillow does."""
    shown.save(stream := io.BytesIO(), "PNG", **settings)
    return stream.getvalue()


def palette(levels: NDArray[np.uint8]) -> bytes:
    """Write levels of grey by numbers of a palette, in reverse order."""
    shown = Image.fromarray(255 - levels, "P")
    shown.putpalette([255 - at // 3 for at in range(768)])
    return png_of(shown)


def transparent(levels: NDArray[np.uint8]) -> bytes:
    """Add a channel of transparency."""
    alpha = np.arange(levels[..., :1].size, dtype=np.uint8).reshape(levels[..., :1].shape)
    return png_of(Image.fromarray(np.concatenate([levels, alpha], axis=2)))


def sixteen(levels: NDArray[np.uint8]) -> bytes:
    """Write 16 bits a sample, the lower half of them anything."""
    return png_of(Image.fromarray(levels.astype(np.uint16) << 8 | 77))


def sideways(levels: NDArray[np.uint8]) -> bytes:
    """Store a picture sideways, with the tag that says so."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return png_of(Image.fromarray(np.ascontiguousarray(np.rot90(levels))), exif=exif)


def interlaced(levels: NDArray[np.uint8]) -> bytes:
    """Write a PNG in the seven passes of Adam7, its rows without filters."""
    rows = b"".join(
        b"\0" + row.tobytes() for x, y, dx, dy in PASSES for row in levels[y::dy, x::dx] if row.size
    )
    height, width, _ = levels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def jpeg(loud: bool, channels: int = 3, **settings: Any) -> Maker:
    """Return what embeds a message in the coefficients of a JPEG that Pillow wrote."""

    def make(draws: Draws, key: KeySource) -> Stego:
        rows, columns = (int(side) for side in draws.integers(150, 260, 2))
        smooth = signals.to_samples(signals.waves(rows, columns, channels=channels))
        levels = (smooth + draws.normal(0, 16, smooth.shape)).clip(0, 255).astype(np.uint8)
        shown, stream = Image.fromarray(levels.squeeze()), io.BytesIO()
        shown.save(stream, "JPEG", quality=90, **settings)
        cover, text = signals.decode(stream.getvalue(), Path("cover.jpg")), message(draws)[:99]
        config = EmbedConfig(loud=loud, bpp=0.3 if loud else None)
        stego = fixednet.embed(cover, text, key, config=config, suffix=".jpg")
        return Stego("stego.jpg", stego.file, text)

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
    "palette": rewritten(1, palette),
    "transparent png": rewritten(3, transparent),
    "png of 16 bits": rewritten(1, sixteen),
    "sideways png": rewritten(3, sideways),
    "interlaced png": rewritten(3, interlaced),
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
    "grey jpeg": jpeg(True, channels=1),
}
"""By kind, what makes a random carrier with a message."""
KEY = Key(bytes(range(32)))
