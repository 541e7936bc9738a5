"""What is done with the bytes that visitors send, in a process with bounds (see `bounded`).

Nothing here knows of Gradio, whose import would make each process slow to start. Results are what
the page shows: files, pictures and words.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from stegfield import fields, fixednet, generative, hiding, pictures, signals
from stegfield.app.wording import noted
from stegfield.config import EmbedConfig
from stegfield.errors import ConfigError, InputError, StegfieldError
from stegfield.fields import Field, header
from stegfield.fixednet import EmbedResult
from stegfield.hiding import RevealedFile
from stegfield.keys import Key, KeyFile, Passphrase
from stegfield.signals import Signal

SMALL, LARGE = 320, 1024
"""Most pixels of the longer side of a preview."""
Upload = tuple[bytes, Path]
"""A file that was uploaded: its bytes and its name."""


@dataclass(frozen=True)
class Sent:
    """A file for the visitor, and how it looks."""

    file: bytes
    suffix: str
    picture: bytes | None
    """A preview, as PNG, of what can be seen."""
    told: str
    """What to say of it."""
    changes: bytes | None = None
    """A picture of what changed, as PNG."""


def png(image: Image.Image) -> bytes:
    """Encode a picture for the page."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def thumbnail(signal: Signal, longest: int) -> Image.Image:
    """Return a picture of a signal, with a longer side of at most ``longest`` pixels."""
    samples = signals.to_samples(signals.still(signal))
    image = Image.fromarray(samples.squeeze(-1) if samples.shape[-1] == 1 else samples)
    image.thumbnail((longest, longest), Image.Resampling.BOX)
    return image


def suffix_of(signal: Signal) -> str:
    """Return the suffix of files of a signal's medium."""
    return signal.medium.suffixes[0]


def previewed(upload: Upload, most: int) -> tuple[bytes, tuple[str, ...]]:
    """Return a preview of a file, as PNG, and notes on it."""
    signal = signals.decode(*upload, largest=most)
    return png(thumbnail(signal, SMALL)), signal.notes


def decoded(uploads: Sequence[Upload], most: int) -> list[Signal]:
    """Decode several files.

    Args:
        uploads: The files.
        most: Points that they may have together.
    """
    found: list[Signal] = []
    for data, name in uploads:
        left = most - sum(each.points for each in found)
        if left < 1:
            raise InputError(
                f"{name} is one too many: the files may have {most:,} points together",
                hint="take fewer files, or smaller ones",
            )
        found.append(signals.decode(data, name, largest=left))
    return found


def embedded(cover: Upload, most: int, message: bytes, key: Key | Passphrase, profile: str) -> Sent:
    """Embed a message in an uploaded cover."""
    signal = signals.decode(*cover, largest=most)
    result = fixednet.embed(signal, message, key, config=EmbedConfig(profile=profile))
    return _sent(result, _changes(signal, result.stego))


def extracted(stego: Upload, most: int, key: Key | Passphrase) -> bytes:
    """Extract the message of an uploaded file."""
    readings = signals.stored(stego[0], name=stego[1], largest=most)
    return fixednet.first_read(lambda each: fixednet.extract(each, key), readings)


def generated(
    model: str,
    longest: int,
    seed: int | None,
    most: int,
    message: tuple[bytes, Key | Passphrase] | None,
) -> Sent:
    """Generate a cover, with a message or without."""
    source = generative.load(model)
    shown = generative.function_shown(source, longest, seed=seed, watch=sampling(most))
    if message is not None:
        config = EmbedConfig(profile="drawn")
        return _sent(fixednet.embed(shown, *message, config=config))
    cover = fixednet.grain(shown)
    told = f"{shown.size[1]}x{shown.size[0]} points."
    return Sent(cover.file, suffix_of(shown), png(thumbnail(cover.stego, LARGE)), told)


def compared(first: Upload, second: Upload, most: int) -> tuple[str, bytes | None]:
    """Compare two uploaded files: say how far they differ, and draw where two images do."""
    before, after = (signals.decode(*each, largest=most) for each in (first, second))
    quality = signals.quality(after, before)
    return str(quality), _changes(before, after)


def revealed(
    field: Upload, key: KeyFile | Passphrase, size: tuple[int, ...] | None, most: int
) -> Sent:
    """Reveal the secret of a key in an uploaded field: a file, or what the field shows."""
    held = header.decode(field[0], "the file")
    found = hiding.reveal(held, key, size=size, watch=sampling(most))
    if isinstance(found, hiding.RevealedFile):
        told = f"A file of {len(found.data):,} bytes, exactly as it was hidden."
        return Sent(found.data, found.suffix, _picture_of(found, most), told)
    doubt = "" if found.certain else " No record was found with this key: check by eye."
    return _shown(found.signal, doubt)


def rendered(field: Upload, longest: int, most: int) -> Sent:
    """Render what an uploaded field shows to everyone."""
    loaded = _field(field)
    size = signals.scaled(loaded.public.size, longest)
    return _shown(fields.render(loaded, size, watch=sampling(most)))


def sampling(most: int) -> Callable[[int, int], None]:
    """Return a watch that ends a rendering of too many points before it begins."""

    def watch(_: int, points: int) -> None:
        if points > most:
            raise ConfigError(f"{points:,} points are too many", hint="take fewer")

    return watch


def _picture_of(found: RevealedFile, most: int) -> bytes | None:
    """Return a preview of a file that was hidden, if it is one that can be seen."""
    try:
        return png(
            thumbnail(
                signals.decode(found.data, Path(f"secret{found.suffix}"), largest=most), LARGE
            )
        )
    except StegfieldError:
        return None


def _field(upload: Upload) -> Field:
    return fields.from_bytes(upload[0], "the file")


def _shown(signal: Signal, more: str = "") -> Sent:
    suffix, told = suffix_of(signal), f"{signals.size_text(signal.size)} points.{more}"
    return Sent(signals.encode(signal, suffix), suffix, png(thumbnail(signal, LARGE)), told)


def _sent(result: EmbedResult, changes: bytes | None = None) -> Sent:
    lost = [encoder for encoder, came_back in result.survived.items() if not came_back]
    warning = f" The message would not survive {', '.join(lost)}." if lost else ""
    told = (
        f"{result.message_bytes:,} bytes at {result.quality.psnr_db:.1f} dB, "
        f"{100 * result.changed:.2g} % of the samples changed, {result.seconds:.1f} s. Read back "
        f"and compared.{warning}"
    )
    told += "".join(map(noted, result.cautions))
    picture = png(thumbnail(result.stego, LARGE))
    return Sent(result.file, result.suffix, picture, told, changes)


def _changes(cover: Signal, stego: Signal) -> bytes | None:
    """Draw where a stego image differs from its cover; nothing of other media."""
    if cover.medium is not signals.IMAGE:
        return None
    pair = (signals.to_samples(cover), signals.to_samples(stego))
    row = [pictures.difference_tile(*pair, heat_map=heat) for heat in (False, True)]
    return pictures.sheet([row])
