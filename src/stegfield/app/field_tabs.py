"""Tabs for fields: hide images in a field, reveal them, render the field at any size."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import gradio as gr
from PIL import Image

from stegfield import fields, hiding, signals
from stegfield.app import work
from stegfield.app.parts import (
    FIELDS,
    LIGHT,
    SIGNALS,
    answered,
    brought,
    download,
    heavy,
    key_input,
    picture,
    show,
    status,
    stem,
    upload,
)
from stegfield.app.session import Desk, Update, Visit, done, noted, telling
from stegfield.app.work import png, thumbnail
from stegfield.config import FitConfig
from stegfield.errors import InputError
from stegfield.fields import FitProgress
from stegfield.hiding import HideResult, Secret
from stegfield.keys import Key, Passphrase
from stegfield.signals import Signal
from stegfield.watching import time_left

MOST_SECRETS, INPUTS = 8, 3
SHORTEST, DEFAULT_SECONDS = 5, 60
EVERY = 2.0
"""Seconds between two previews."""
PREVIEW_SIDE, GAP = 128, 4
LARGEST_SIDE = 4096
Seen = tuple[str, str | None]
"""How far a run is, in words, and the path of a preview."""
KINDS = {
    "Chosen by the size of the cover": "",
    "SIREN: conceals, up to about 256 pixels": "siren",
    "Fourier, robust: survives damage": "fourier",
    "Grid: fast and large, but shows outlines of the secrets": "grid",
}


def hide_tab(desk: Desk) -> None:
    """Lay out the tab that hides images in the field of a cover."""
    kinds = KINDS | brought(fields.ARCHITECTURES)
    gr.Markdown(
        "Everyone with the field sees the cover. With a secret's passphrase, the same field "
        "shows the secret."
    )
    with gr.Row():
        with gr.Column():
            cover = upload(desk, "Cover", SIGNALS)
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
        visit: Visit, cover_path: str | None, longest: float, named: str, *given: Any
    ) -> Iterator[Update]:
        rows = zip(*(given[at::INPUTS] for at in range(INPUTS)), strict=True)
        filled = [(number, *row) for number, row in enumerate(rows, 1) if any(row)]
        if not filled:
            raise InputError("there is no secret", hint="choose an image and a passphrase for it")
        keys = [_key(visit, number, text, decoy) for number, _, text, decoy in filled]
        signal, secrets = _read(visit, cover_path, filled, [key for key, _ in keys])
        asked = desk.visitors.begin(visit.visitor, visit.page)
        yield {stop: gr.update(interactive=True), result: show(None), seen: show(None)}
        architecture = kinds[named] or None
        training = FitConfig(
            max_seconds=min(longest, desk.limits.max_seconds), robust=architecture == "fourier"
        )

        def train(watch: Callable[[FitProgress], bool]) -> HideResult:
            return hiding.hide_functions(
                signal, secrets, architecture=architecture, training=training, watch=watch
            )

        def look(at: FitProgress) -> Seen:
            image = _so_far(at, signal, secrets)
            return _progress(at), None if image is None else visit.put("picture.png", png(image))

        hidden: HideResult | None = None
        for latest in _apart(train, asked, look):
            if isinstance(latest, HideResult):
                hidden = latest
            else:
                words, image = latest
                yield {told: words, seen: show(image)}
        assert hidden is not None  # noqa: S101 - or an error was raised
        data = fields.to_bytes(hidden.field)
        name = f"{stem(cover_path, 'cover')}.safetensors"
        figures = ", ".join(f"{each.quality.psnr_db:.1f}" for each in hidden.secrets)
        notes = "".join([*map(noted, hidden.cautions), *(note for _, note in keys)])
        yield {
            result: show(visit.put(name, data)),
            said: done(
                f"{hidden.steps:,} steps in {hidden.seconds:.0f} s. Cover "
                f"{hidden.cover.psnr_db:.1f} dB, secrets {figures} dB; {len(data):,} bytes.{notes}"
            ),
            told: "",
            stop: gr.update(interactive=False),
        }

    start.click(
        telling(desk, said, hide),
        [cover, seconds, kind, *inputs],
        [said, told, seen, result, stop],
        show_progress="hidden",
        **heavy(desk),
    )

    def end(request: gr.Request) -> None:
        visit = desk.visit(request)
        desk.visitors.end(visit.visitor, visit.page)

    stop.click(end, None, None, **LIGHT)


def _secret_inputs(desk: Desk) -> list[Any]:
    """Return inputs for images and their passphrases: one row, and more on a click.

    Returns:
        `INPUTS` components of each row, row by row.
    """
    rows, inputs = [], []
    for number in range(1, MOST_SECRETS + 1):
        with gr.Column(visible=number == 1) as row:
            inputs += [
                upload(desk, f"Secret {number}", SIGNALS),
                gr.Textbox(
                    label=f"Passphrase {number}", type="password", max_lines=1, max_length=1000
                ),
                gr.Checkbox(label=f"Decoy {number}: without a passphrase, its key is not kept"),
            ]
        rows.append(row)
    more = gr.Button("Add a secret", size="sm")
    shown = gr.State(1)

    def add(count: int) -> list[Any]:
        count = min(count + 1, MOST_SECRETS)
        return [count, *(gr.update(visible=at < count) for at in range(MOST_SECRETS))]

    more.click(add, shown, [shown, *rows], **LIGHT)
    return inputs


def reveal_tab(desk: Desk) -> None:
    """Lay out the tab that reveals the secret of a key."""
    gr.Markdown("Shows the secret of a key. A wrong key and a field without secrets look alike.")
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
            result = download("The secret, as a file")

    def reveal(
        visit: Visit, path: str | None, passphrase: str, key_file: str | None, asked: str | None
    ) -> Update:
        loaded = visit.file(path, "the field")
        key = visit.key_file(passphrase, key_file)
        size = signals.parse_size(asked.strip(), None) if asked and asked.strip() else None
        sent = visit.bounded(work.revealed, loaded, key, size, visit.largest)
        return answered(visit, sent, "secret", (said, seen, result))

    start.click(
        telling(desk, said, reveal),
        [field, *key.both, side],
        [said, seen, result],
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


def _key(visit: Visit, number: int, text: str, decoy: bool) -> tuple[Key | Passphrase | None, str]:
    """Return the key of a secret, None of a decoy, and what to note about its passphrase."""
    if decoy and text:
        raise InputError(f"decoy {number} cannot have a passphrase", hint="leave one of them out")
    if decoy:
        return None, ""
    if not text:
        raise InputError(f"passphrase {number} is missing", hint="each secret has its own")
    return visit.new_key(text, None)


def _read(
    visit: Visit,
    cover: str | None,
    filled: list[tuple[int, Any, Any, Any]],
    keys: list[Key | Passphrase | None],
) -> tuple[Signal, list[Secret]]:
    """Read the cover and the secrets; those without a key are decoys."""
    files = [(path, f"secret {number}") for number, path, _, _ in filled]
    signal, *shown = visit.signals([(cover, "the cover"), *files])
    pairs = zip(shown, keys, strict=True)
    return signal, [Secret.decoy(s) if key is None else Secret(s, key) for s, key in pairs]


def _small(signal: Signal) -> tuple[int, ...]:
    return signals.scaled(signal.size, min(PREVIEW_SIDE, max(signal.size)))


def _apart(
    work: Callable[[Callable[[FitProgress], bool]], HideResult],
    asked: threading.Event,
    look: Callable[[FitProgress], Seen],
) -> Iterator[Seen | HideResult]:
    """Run in a thread; yield previews now and then, and the result at the end.

    The run winds down when it is asked to, and when nobody listens any more. Previews are rendered
    between two steps, since a step uses the weights.
    """
    latest: queue.Queue[Seen] = queue.Queue(maxsize=1)
    ended: queue.Queue[HideResult | BaseException] = queue.Queue()
    last = time.monotonic()

    def watch(progress: FitProgress) -> bool:
        nonlocal last
        if time.monotonic() - last > EVERY and latest.empty():
            latest.put(look(progress))
            last = time.monotonic()
        return asked.is_set()

    def run() -> None:
        try:
            ended.put(work(watch))
        except BaseException as error:  # raised again in the other thread
            ended.put(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            with suppress(queue.Empty):
                yield latest.get(timeout=0.2)
        outcome = ended.get()
        if isinstance(outcome, BaseException):
            raise outcome
        yield outcome
    finally:
        asked.set()


def _progress(progress: FitProgress) -> str:
    names = ["cover", *(f"secret {number}" for number in range(1, MOST_SECRETS + 1))]
    pairs = zip(names, progress.psnr_db, strict=False)
    figures = " · ".join(f"{name} **{psnr_db:.1f} dB**" for name, psnr_db in pairs)
    told = progress.told(names)
    left = "" if told.seconds_left is None else time_left(told.seconds_left)
    return f"{figures}\n\n{', '.join(filter(None, (told.counted, left)))}"


def _so_far(progress: FitProgress, cover: Signal, secrets: list[Secret]) -> Image.Image | None:
    """Draw the cover and the secrets as the run shows them now, side by side."""
    if progress.field is None:
        return None
    field = progress.field
    revealed = [
        hiding.reveal_function(field, secret.key, size=_small(secret.signal)).signal
        for secret in secrets
        if secret.signal.medium is cover.medium  # folded signals make no sense before the end
    ]
    shown = [fields.render(field, _small(cover)), *revealed]
    pictures = [thumbnail(signal, PREVIEW_SIDE) for signal in shown]
    width = sum(each.width + GAP for each in pictures) - GAP
    strip = Image.new("RGB", (width, max(each.height for each in pictures)), "white")
    at = 0
    for each in pictures:
        strip.paste(each, (at, 0))
        at += each.width + GAP
    return strip
