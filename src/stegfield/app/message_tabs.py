"""Tabs about messages: embed a file, extract it, generate a cover for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from stegfield import fixednet, generative, pictures, signals
from stegfield.app.parts import (
    COVERS,
    any_file,
    brought,
    download,
    heavy,
    key_input,
    picture,
    preview,
    show,
    status,
    stem,
    suffix_of,
    upload,
)
from stegfield.app.session import Desk, Update, Visit, done, noted, telling
from stegfield.config import EmbedConfig
from stegfield.errors import ConfigError, InputError
from stegfield.fixednet import EmbedResult
from stegfield.generative.seeds import check_seed
from stegfield.keys import Key, Passphrase
from stegfield.signals import Signal

PROFILES = {
    "Exact: for files that are sent as they are": "exact",
    "Robust: for pictures that are re-encoded, with short messages": "robust",
}
SHOWN = 2000
"""Most characters of a message that the page shows."""
GENERATED = ("faces", "climate", "digits")


def embed_tab(desk: Desk) -> None:
    """Lay out the tab that embeds a file or a text in an image or a climate field."""
    profiles = PROFILES | brought(fixednet.PROFILES)
    gr.Markdown(
        "Puts any file into a picture; a receiver with the key gets it back, bit for bit. "
        "A JPEG stays one; other pictures should never have been one."
    )
    with gr.Row():
        with gr.Column():
            cover = upload(desk, "Cover", COVERS)
            text = gr.Textbox(label="Message", lines=3, max_length=1_000_000)
            file = any_file("Or a file")
            key = key_input("The receiver needs the same key.")
            profile = gr.Radio(list(profiles), value=next(iter(profiles)), label="Profile")
            start = gr.Button("Embed", variant="primary")
        with gr.Column():
            said = status()
            seen = picture("The picture to send")
            changed = picture("What changed: magnified, and how much on average")
            result = download("The file to send, as it is")

    def embed(
        visit: Visit,
        path: str | None,
        words: str,
        attached: str | None,
        passphrase: str,
        key_file: str | None,
        named: str,
    ) -> Update:
        signal = visit.signal(path, "the cover")
        message = _message(visit, words, attached)
        sender, note = visit.new_key(passphrase, key_file)
        sent = _embedded(visit, signal, message, sender, profiles[named])
        name = f"{stem(path, 'cover')}-stego"
        answer = _answer(visit, sent, name, note, said, seen, result)
        return {**answer, changed: show(_changes(visit, signal, sent.stego))}

    start.click(
        telling(desk, said, embed),
        [cover, text, file, *key.both, profile],
        [said, seen, changed, result],
        **heavy(desk),
    )


def extract_tab(desk: Desk) -> None:
    """Lay out the tab that extracts the file that an image carries."""
    gr.Markdown(
        "Extracts a message from a picture. A wrong key and an innocent picture look alike."
    )
    with gr.Row():
        with gr.Column():
            stego = upload(desk, "Picture", COVERS)
            keys = key_input("The key that the message was embedded with.")
            start = gr.Button("Extract", variant="primary")
        with gr.Column():
            said = status()
            text = gr.Textbox(label="Message", lines=6, interactive=False)
            result = download("As a file")

    def extract(visit: Visit, path: str | None, passphrase: str, key_file: str | None) -> Update:
        data, name = visit.file(path, "the picture")
        key = visit.key(passphrase, key_file)
        message = visit.bounded(_extracted, data, name, visit.largest, key)
        words, named = _words(message)
        return {
            text: words,
            result: show(visit.put(named, message)),
            said: done(f"{len(message):,} bytes, exactly as they were sent."),
        }

    start.click(
        telling(desk, said, extract), [stego, *keys.both], [said, text, result], **heavy(desk)
    )


def generate_tab(desk: Desk) -> None:
    """Generate a cover, with or without a message in it."""
    gr.Markdown(
        "Generates a cover that never existed before, as a function, at any size, with grain. "
        "Nobody can tell whether there is a message in the grain, if the ciphers hold."
    )
    with gr.Row():
        with gr.Column():
            model = gr.Radio(list(GENERATED), value=GENERATED[0], label="What to generate")
            side = gr.Slider(16, 1024, 256, step=1, label="Points of the longer side")
            seed = gr.Textbox(
                label="Seed", info="A number; left empty, it is random.", max_length=19
            )
            text = gr.Textbox(label="Message, if any", lines=3, max_length=1_000_000)
            key = key_input("For the message.")
            start = gr.Button("Generate", variant="primary")
        with gr.Column():
            said = status()
            seen = picture("What was generated")
            result = download("As a file")

    def generate(
        visit: Visit,
        named: str,
        longest: int,
        number: str,
        words: str,
        passphrase: str,
        key_file: str | None,
    ) -> Update:
        source = generative.load(named)
        shown = generative.function_shown(
            source, longest, seed=_seed(number), watch=visit.sampling()
        )
        if words:
            sender, note = visit.new_key(passphrase, key_file)
            sent = _embedded(visit, shown, words.encode(), sender, "drawn")
            return _answer(visit, sent, named, note, said, seen, result)
        cover = fixednet.grain(shown)
        size = shown.size
        return {
            seen: show(preview(visit, cover.stego)),
            result: show(visit.put(f"{named}{suffix_of(shown)}", cover.file)),
            said: done(f"{size[1]}x{size[0]} points."),
        }

    start.click(
        telling(desk, said, generate),
        [model, side, seed, text, *key.both],
        [said, seen, result],
        **heavy(desk),
    )


def _message(visit: Visit, words: str, attached: str | None) -> bytes:
    if words and attached:
        raise InputError("the message is both a text and a file", hint="leave one of them out")
    if attached:
        return visit.data(attached, "the message")
    if not words:
        raise InputError("the message is missing", hint="type it, or choose a file")
    return words.encode()


def _extracted(data: bytes, name: Path, largest: int, key: Key | Passphrase) -> bytes:
    readings = signals.stored(data, name=name, largest=largest)
    return fixednet.first_read(lambda each: fixednet.extract(each, key), readings)


def _embedded(
    visit: Visit, cover: Signal, message: bytes, key: Key | Passphrase, profile: str
) -> EmbedResult:
    return fixednet.embed(
        cover, message, key, config=EmbedConfig(profile=profile), watch=visit.deadline()
    )


def _answer(
    visit: Visit, sent: EmbedResult, name: str, note: str, said: Any, seen: Any, result: Any
) -> Update:
    lost = [encoder for encoder, came_back in sent.survived.items() if not came_back]
    warning = f" The message would not survive {', '.join(lost)}." if lost else ""
    warning += "".join(noted(each) for each in sent.cautions)
    return {
        seen: show(preview(visit, sent.stego)),
        result: show(visit.put(f"{name}{sent.suffix}", sent.file)),
        said: done(
            f"{sent.message_bytes:,} bytes at {sent.quality.psnr_db:.1f} dB, "
            f"{100 * sent.changed:.2g} % of the samples changed, {sent.seconds:.1f} s. Read back "
            f"and compared.{warning}{note}"
        ),
    }


def _changes(visit: Visit, cover: Signal, stego: Signal) -> str | None:
    """Draw where a stego image differs from its cover; nothing of other media."""
    if cover.medium is not signals.IMAGE:
        return None
    pair = (signals.to_samples(cover), signals.to_samples(stego))
    row = [pictures.difference_tile(*pair, heat_map=heat) for heat in (False, True)]
    return visit.put("changes.png", pictures.sheet([row]))


def _words(message: bytes) -> tuple[str, str]:
    """Return a message as text, if it is text, and a name for its file."""
    try:
        words = message.decode()
    except UnicodeDecodeError:
        return "(not a text: take the file)", "message.bin"
    if not words.isprintable() and not all(c.isprintable() or c in "\r\n\t" for c in words):
        return "(not a text: take the file)", "message.bin"
    return words if len(words) <= SHOWN else f"{words[:SHOWN]}… (take the file)", "message.txt"


def _seed(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise ConfigError("the seed must be a number")
    check_seed(int(text))
    return int(text)
