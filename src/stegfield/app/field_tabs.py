"""Tabs for fields: hide files or pictures in one, reveal them, render it at any size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from stegfield import fields, signals
from stegfield.app import runs, work
from stegfield.app.parts import (
    FIELDS,
    LIGHT,
    SIGNALS,
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
from stegfield.app.wording import noted
from stegfield.app.work import png
from stegfield.config import FitConfig
from stegfield.errors import InputError
from stegfield.fields import FitProgress
from stegfield.keys import Key, Passphrase

MOST_SECRETS, INPUTS = 8, 4
SHORTEST, DEFAULT_SECONDS = 5, 60
LARGEST_SIDE = 4096
KINDS = {
    "Chosen by the size of the cover": "",
    "SIREN: up to about 256 pixels": "siren",
    "Fourier: pictures in it survive damage": "fourier",
    "Grid: fast and large, but shows outlines of pictures": "grid",
}
AS_FILES = "Files: bit for bit, and nobody can tell that there are any"
AS_FUNCTIONS = "Pictures that the field shows: they survive damage, but can be detected"


def hide_tab(desk: Desk) -> None:
    """Lay out the tab that hides files or pictures in the field of a cover."""
    kinds = KINDS | brought(fields.ARCHITECTURES)
    gr.Markdown(
        "Everyone with the field sees the cover. The passphrase of a secret reveals that secret."
    )
    with gr.Row():
        with gr.Column():
            cover = upload(desk, "Cover", SIGNALS)
            way = gr.Radio([AS_FILES, AS_FUNCTIONS], value=AS_FILES, label="Hide the secrets as")
            inputs = _secret_inputs(desk)
            most = min(desk.limits.max_seconds, 600)
            seconds = gr.Slider(
                min(SHORTEST, most / 2),
                most,
                min(DEFAULT_SECONDS, most),
                step=5,
                label="Seconds to train",
            )
            kind = gr.Radio(list(kinds), value=next(iter(kinds)), label="Field")
            with gr.Row():
                start = gr.Button("Hide", variant="primary")
                stop = gr.Button("Stop and keep what there is", interactive=False)
        with gr.Column():
            said = status()
            told = gr.Markdown("")
            seen = picture("What the cover and the secrets look like so far")
            result = download("The field, for everyone")

    def hide(
        visit: Visit, cover_path: str | None, way: str, longest: float, named: str, *given: Any
    ) -> Iterator[Update]:
        rows = zip(*(given[at::INPUTS] for at in range(INPUTS)), strict=True)
        uploads, keys = _given(visit, list(rows))
        architecture = kinds[named] or None
        training = FitConfig(
            max_seconds=min(longest, desk.limits.max_seconds),
            robust=architecture == "fourier" and way == AS_FUNCTIONS,
        )
        prepared = runs.of_files if way == AS_FILES else runs.of_functions
        run = prepared(visit, cover_path, uploads, [key for key, _ in keys])
        asked = desk.visitors.begin(visit.visitor, visit.page)
        yield {stop: gr.update(interactive=True), result: show(None), seen: show(None)}

        def look(at: FitProgress) -> runs.Seen:
            image = runs.so_far(at, run)
            shown = None if image is None else visit.put("picture.png", png(image))
            return runs.progress_told(at), shown

        hidden: runs.Hidden | None = None
        for latest in runs.apart(partial(run.train, architecture, training), asked, look):
            if isinstance(latest, runs.Hidden):
                hidden = latest
            else:
                words, image = latest
                yield {told: words, seen: show(image)}
        assert hidden is not None  # noqa: S101 - or an error was raised
        data = fields.to_bytes(hidden.field)
        name = f"{stem(cover_path, 'cover')}.safetensors"
        notes = "".join([*map(noted, hidden.cautions), *(note for _, note in keys)])
        yield {
            result: show(visit.put(name, data)),
            said: done(f"{hidden.told}; {len(data):,} bytes.{notes}"),
            told: "",
            stop: gr.update(interactive=False),
        }

    start.click(
        telling(desk, said, hide),
        [cover, way, seconds, kind, *inputs],
        [said, told, seen, result, stop],
        show_progress="hidden",
        **heavy(desk),
    )

    def end(request: gr.Request) -> None:
        visit = desk.visit(request)
        desk.visitors.end(visit.visitor, visit.page)

    stop.click(end, None, None, **LIGHT)


def _secret_inputs(desk: Desk) -> list[Any]:
    """Return inputs for secrets and their passphrases: one row, and more on a click.

    Returns:
        `INPUTS` components of each row, row by row.
    """
    rows, inputs = [], []
    for number in range(1, MOST_SECRETS + 1):
        with gr.Column(visible=number == 1) as row:
            inputs += [
                upload(desk, f"Secret {number}"),
                gr.Textbox(
                    label=f"Passphrase {number}", type="password", max_lines=1, max_length=1000
                ),
                _folded(f"Key file {number}"),
                gr.Checkbox(label=f"Decoy {number}: nobody has its key"),
            ]
        rows.append(row)
    more = gr.Button("Add a secret", size="sm")
    shown = gr.State(1)

    def add(count: int) -> list[Any]:
        count = min(count + 1, MOST_SECRETS)
        return [count, *(gr.update(visible=at < count) for at in range(MOST_SECRETS))]

    more.click(add, shown, [shown, *rows], **LIGHT)
    return inputs


def _folded(label: str) -> gr.File:
    with gr.Accordion(f"{label} instead", open=False):
        return any_file(label)


def reveal_tab(desk: Desk) -> None:
    """Lay out the tab that reveals the secret of a key."""
    gr.Markdown(
        "Takes out the secret of a key: a file, or a picture that the field shows. A wrong key and "
        "a field without secrets look alike."
    )
    with gr.Row():
        with gr.Column():
            field = upload(desk, "Field", FIELDS)
            key = key_input("The key that the secret was hidden with.")
            with gr.Accordion("The field was damaged", open=False):
                side = gr.Textbox(
                    label="Size",
                    info="Columns x rows, like 512x384, to look at what is left.",
                    max_length=40,
                )
            start = gr.Button("Reveal", variant="primary")
        with gr.Column():
            said = status()
            seen = picture("The secret")
            text = gr.Textbox(label="The secret, as text", lines=6, visible=False)
            result = download("The secret, as a file")

    def reveal(
        visit: Visit, path: str | None, passphrase: str, key_file: str | None, asked: str | None
    ) -> Update:
        loaded = visit.file(path, "the field")
        key = visit.key_file(passphrase, key_file)
        size = signals.parse_size(asked.strip(), None) if asked and asked.strip() else None
        sent = visit.bounded(work.revealed, loaded, key, size, visit.largest)
        if sent.suffix == "":  # a file whose kind nobody told
            sent = replace(sent, suffix=Path(words_of(sent.file)[1]).suffix)
        unseen = sent.picture is None
        words = gr.update(visible=unseen, value=words_of(sent.file)[0] if unseen else "")
        return {**answered(visit, sent, "secret", (said, seen, result)), text: words}

    start.click(
        telling(desk, said, reveal),
        [field, *key.both, side],
        [said, seen, text, result],
        **heavy(desk),
    )


def render_tab(desk: Desk) -> None:
    """Lay out the tab that renders a field at any size."""
    gr.Markdown("Renders what a field shows to everyone. It is a function, so any size will do.")
    with gr.Row():
        with gr.Column():
            field = upload(desk, "Field", FIELDS)
            longest = gr.Slider(8, LARGEST_SIDE, 512, step=1, label="Points of the longest side")
            start = gr.Button("Render", variant="primary")
        with gr.Column():
            said = status()
            seen = picture("What everyone sees")
            result = download("As a file")

    def render(visit: Visit, path: str | None, side: int) -> Update:
        loaded = visit.file(path, "the field")
        sent = visit.bounded(work.rendered, loaded, int(side), visit.largest)
        return answered(visit, sent, "shown", (said, seen, result))

    start.click(telling(desk, said, render), [field, longest], [said, seen, result], **heavy(desk))


def _given(
    visit: Visit, rows: Sequence[tuple[Any, ...]]
) -> tuple[runs.Uploads, Sequence[tuple[Key | Passphrase | None, str]]]:
    """Return the secrets that were chosen, and the key of each with a note on it.

    Raises:
        InputError: No secret was chosen.
    """
    filled = [(number, *row) for number, row in enumerate(rows, 1) if any(row)]
    if not filled:
        raise InputError("there is no secret", hint="choose a file and a passphrase for it")
    keys = [_key(visit, number, *given) for number, _, *given in filled]
    return [(path, f"secret {number}") for number, path, *_ in filled], keys


def _key(
    visit: Visit, number: int, text: str, key_file: str | None, decoy: bool
) -> tuple[Key | Passphrase | None, str]:
    """Return the key of a secret, None of a decoy, and what to note about its passphrase."""
    if decoy and (text or key_file):
        raise InputError(f"decoy {number} cannot have a key", hint="leave one of them out")
    if decoy:
        return None, ""
    if not (text or key_file):
        raise InputError(f"passphrase {number} is missing", hint="each secret has its own")
    return visit.new_key(text, key_file)
