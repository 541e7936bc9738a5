"""The tab for keys: it makes key files and passphrases, and tells two keys apart."""

from __future__ import annotations

import gradio as gr

from stegfield.app.parts import QUICK, any_file, download, show, status
from stegfield.app.session import Desk, Update, Visit, done, telling
from stegfield.keys import Key, KeyFile, generate_passphrase

NAME = "new.key"


def keys_tab(desk: Desk) -> None:
    """Lay out the tab that makes keys."""
    gr.Markdown(
        "Sender and receiver need the same key, and nobody else may have it. A key file holds 32 "
        "random bytes, which nobody guesses; a passphrase can be kept in mind. If two fingerprints "
        "are equal, so are the keys; nothing that carries a message holds one."
    )
    with gr.Row():
        with gr.Column():
            make = gr.Button("Make a key file", variant="primary")
            speak = gr.Button("Make a passphrase of six random words")
            file = any_file("Or look at a key file")
            look = gr.Button("Show its fingerprint")
        with gr.Column():
            said = status()
            words = gr.Textbox(label="Passphrase made", interactive=False, visible=False)
            result = download("The key file: keep it, and give the receiver a copy")

    def made(visit: Visit) -> Update:
        key = Key.generate()
        return {
            result: show(visit.put(NAME, KeyFile(key).to_bytes())),
            words: show(None),
            said: done(f"A new key, fingerprint {key.fingerprint}."),
        }

    def spoken(_: Visit) -> Update:
        return {
            words: show(generate_passphrase().text),
            result: show(None),
            said: done("Six words, drawn by chance: note them now."),
        }

    def looked(visit: Visit, path: str | None) -> Update:
        held = KeyFile.parse(visit.data(path, "the key file"))
        return {said: done(f"Fingerprint {held.key.fingerprint}.")}

    make.click(telling(desk, said, made), None, [said, words, result], **QUICK)
    speak.click(telling(desk, said, spoken), None, [said, words, result], **QUICK)
    look.click(telling(desk, said, looked), [file], [said], **QUICK)
