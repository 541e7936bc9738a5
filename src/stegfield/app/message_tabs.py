"""Tabs about messages: embed a file, extract it, generate a cover for it."""

from __future__ import annotations

import gradio as gr

from stegfield import fixednet
from stegfield.app import work
from stegfield.app.parts import (
    COVERS,
    answered,
    any_file,
    brought,
    download,
    heavy,
    key_input,
    picture,
    show,
    status,
    stem,
    upload,
    words_of,
)
from stegfield.app.session import Desk, Update, Visit, done, telling
from stegfield.errors import ConfigError, InputError
from stegfield.generative.seeds import check_seed

PROFILES = {
    "Exact: for files that are sent as they are": "exact",
    "Robust: for pictures that are re-encoded, with short messages": "robust",
}
LONGEST_SEED = 19
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
        cover = visit.file(path, "the cover")
        message = _message(visit, words, attached)
        sender, note = visit.new_key(passphrase, key_file)
        sent = visit.bounded(work.embedded, cover, visit.largest, message, sender, profiles[named])
        changes = None if sent.changes is None else visit.put("changes.png", sent.changes)
        answer = answered(visit, sent, f"{stem(path, 'cover')}-stego", (said, seen, result), note)
        return {**answer, changed: show(changes)}

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
        stego = visit.file(path, "the picture")
        key = visit.key(passphrase, key_file)
        message = visit.bounded(work.extracted, stego, visit.largest, key)
        words, named = words_of(message)
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
                label="Seed", info="A number; left empty, it is random.", max_length=LONGEST_SEED
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
        sender, note = visit.new_key(passphrase, key_file) if words else (None, "")
        message = None if sender is None else (words.encode(), sender)
        sent = visit.bounded(
            work.generated, named, int(longest), _seed(number), visit.largest, message
        )
        return answered(visit, sent, named, (said, seen, result), note)

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


def _seed(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal() or len(text) > LONGEST_SEED:
        raise ConfigError("the seed must be a number")
    check_seed(int(text))
    return int(text)
