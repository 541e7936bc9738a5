"""Scenes of the demo: messages embedded in a photograph's samples, and extracted bit for bit."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from pathlib import Path

from stegfield import channel, files, fixednet, pictures, signals
from stegfield.config import EmbedConfig
from stegfield.demo.photographs import called, photograph
from stegfield.errors import UnreadableError
from stegfield.fixednet import EmbedResult
from stegfield.keys import Key, KeyFile
from stegfield.metrics import Samples
from stegfield.signals import to_samples

LETTER = (
    b"Dear Bob,\n\nthis letter travels in the low frequencies of a photograph's brightness. On its "
    b"way somebody shrinks the file and makes a JPEG of it, and most of the samples change. Each "
    b"block of eight by eight pixels still says its bits, as they were put far from where they "
    b"could be misread; and where a few are misread all the same, the parity that travels along "
    b"tells which. So you read exactly what I wrote, or nothing at all.\n\nYours, Alice\n"
)


@dataclass(frozen=True, kw_only=True)
class MessageScene:
    """One message in one photograph."""

    name: str
    title: str
    cover: str
    longest: int
    """Pixels of the cover's longer side."""
    profile: str
    message: str
    """Name of the message's file."""
    photograph: str | None
    """The photograph whose JPEG is the message; None: the letter."""
    quality: int | None
    """Quality of the JPEG that the image becomes on its way."""
    gain: float
    """Factor by which the difference is magnified."""


@dataclass(frozen=True, eq=False)
class MessageResult:
    """The result of one scene."""

    scene: MessageScene
    message: bytes
    cover: Samples = field(repr=False)
    received: Samples = field(repr=False)
    """The image as it reached the receiver."""
    embedding: EmbedResult


SCENES = (
    MessageScene(
        name="exact",
        title="A photograph's file in a photograph",
        cover="coffee",
        longest=512,
        profile="exact",
        message="cat.jpg",
        photograph="chelsea",
        quality=None,
        gain=100.0,
    ),
    MessageScene(
        name="robust",
        title="A letter that survives JPEG",
        cover="astronaut",
        longest=512,
        profile="robust",
        message="letter.txt",
        photograph=None,
        quality=75,
        gain=20.0,
    ),
)


def play(scene: MessageScene, folder: Path, *, force: bool) -> MessageResult:
    """Run a scene, and write its files."""

    def path(name: str) -> Path:
        return folder / f"{scene.name}-{name}"

    cover = photograph(scene.cover, scene.longest)
    message = _message(scene)
    files.write_new(path("cover.png"), signals.to_png(cover), force=force)
    files.write_new(path(scene.message), message, force=force)
    key_file = path("alice.key")
    KeyFile(Key.generate()).write(key_file, force=force)
    key = KeyFile.read(key_file).key

    config = EmbedConfig(profile=scene.profile)
    embedding = fixednet.embed(signals.read(path("cover.png")), message, key, config=config)
    sent = path("stego.png")
    files.write_new(sent, embedding.file, force=force)
    received = to_samples(signals.read(sent))
    if scene.quality is not None:
        received = channel.jpeg(scene.quality)(received)
    again = fixednet.extract(signals.from_samples(received), key)
    if again != message:
        raise RuntimeError("a message came back changed")
    try:
        fixednet.extract(signals.from_samples(received), Key.generate())
    except UnreadableError:
        pass
    else:
        raise RuntimeError("a random key read something")
    original = path(scene.message)
    name = f"{original.stem}-again{original.suffix}"
    files.write_new(original.with_name(name), again, force=force)
    done = MessageResult(scene, message, to_samples(cover), received, embedding)
    files.write_new(path("sheet.png"), _sheet(done, original.with_name(name)), force=force)
    return done


def section(result: MessageResult) -> str:
    """Return a scene as HTML."""
    scene, done = result.scene, result.embedding
    way = "" if scene.quality is None else f", sent as a JPEG of quality {scene.quality}"
    return (
        f"<h2>{html.escape(scene.title)}</h2><p>{len(result.message):,} bytes in "
        f"{html.escape(called(scene.cover))}, {done.rate_bpp:.3g} bits a pixel{way}. PSNR "
        f"{done.quality.psnr_db:.2f} dB, {100 * done.changed:.3g} % of the samples changed, in "
        f"{done.seconds:.1f} s. The receiver's key extracts every bit; a wrong key, nothing."
        f'</p><img src="{scene.name}-sheet.png" alt="cover, stego image, their magnified '
        'difference, and what the receiver got">'
    )


def _message(scene: MessageScene) -> bytes:
    if scene.photograph is None:
        return LETTER
    return signals.encode(photograph(scene.photograph, 256), ".jpg")


def _sheet(result: MessageResult, again: Path) -> bytes:
    scene, done = result.scene, result.embedding
    stego = to_samples(done.stego)
    tiles = [
        pictures.Tile(result.cover, f"{called(scene.cover)}: cover"),
        pictures.Tile(
            stego, f"with {len(result.message):,} bytes\nPSNR {done.quality.psnr_db:.1f} dB"
        ),
        pictures.Tile(
            pictures.difference(result.cover, stego, scene.gain), f"difference x {scene.gain:g}"
        ),
    ]
    if scene.quality is not None:
        caption = f"as JPEG of quality {scene.quality}:\nthe letter came back"
        tiles.append(pictures.Tile(result.received, caption))
    else:
        caption = f"{again.name}:\nextracted, bit for bit"
        tiles.append(pictures.Tile(to_samples(signals.read(again)), caption))
    return pictures.sheet([tiles])
