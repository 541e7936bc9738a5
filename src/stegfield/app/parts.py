"""Components of the page that several tabs share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from stegfield import signals
from stegfield.app.session import Desk, Update, Visit, done
from stegfield.app.work import Sent, previewed
from stegfield.errors import StegfieldError
from stegfield.registry import Registry

IMAGES = [*signals.IMAGE.suffixes]
SIGNALS = [suffix for medium in signals.MEDIA.usable() for suffix in medium.suffixes]
COVERS = [
    suffix for medium in signals.MEDIA.usable() if medium.lossless for suffix in medium.suffixes
]
FIELDS = [".safetensors"]
LIGHT: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
"""Options of events that take no time."""
QUICK: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": 4}
"""Options of events that take little time, and wait for nobody's run."""
SHOWN = 2000
"""Most characters of a message that the page shows."""
LOOKING_SECONDS = 60.0
"""Longest time that a preview may take; it waits for no turn, so it must not take long."""


def heavy(desk: Desk) -> dict[str, Any]:
    """Return the options of events that take a while: in turn, and never twice at once."""
    return {
        "api_visibility": "private",
        "concurrency_id": "work",
        "concurrency_limit": desk.limits.jobs,
        "trigger_mode": "once",
    }


@dataclass(frozen=True)
class KeyInput:
    """A passphrase, or a key file."""

    passphrase: gr.Textbox
    file: gr.File

    @property
    def both(self) -> list[Any]:
        """Return the two inputs, in the order in which handlers take them."""
        return [self.passphrase, self.file]


def key_input(about: str) -> KeyInput:
    """Return inputs for a passphrase or a key file."""
    passphrase = gr.Textbox(
        label="Passphrase", type="password", max_lines=1, info=about, max_length=1000
    )
    with gr.Accordion("A key file instead", open=False):
        file = any_file("Key file")
    return KeyInput(passphrase, file)


def any_file(label: str, kinds: list[str] | None = None) -> gr.File:
    """Return an input for a file; handlers get its path, or None."""
    chosen = gr.File(label=label, file_types=kinds, height=140)
    # Gradio's own preprocessing would leave an empty file behind each time
    vars(chosen)["preprocess"] = lambda given: given and given.path
    return chosen


def upload(desk: Desk, label: str, kinds: list[str] | None = None) -> gr.File:
    """Return an input for a file, of any kind or of some, with a preview of what can be seen."""
    chosen = any_file(label, kinds)
    if kinds != FIELDS:
        seen, notes = picture(f"{label}, as it was read", height=170), status()

        def look(request: gr.Request, path: str | None) -> Any:
            return looked_at(desk.visit(request), path, label)

        chosen.change(look, chosen, [seen, notes], **LIGHT)
    return chosen


def looked_at(visit: Visit, path: str | None, label: str) -> tuple[Any, str]:
    """Return a preview of an upload, and what became of the file."""
    try:
        with visit.desk.looking:
            given = visit.file(path, label)
            seen, notes = visit.bounded(previewed, given, visit.largest, seconds=LOOKING_SECONDS)
        return show(visit.put("picture.png", seen)), notes_of(notes)
    except (StegfieldError, MemoryError):  # the tab's own handler says why
        return show(None), ""


def notes_of(notes: Sequence[str]) -> str:
    """Return what became of a file that nobody would expect, as HTML; nothing where all is well."""
    told = "; it ".join(notes)
    return done(f"Note: it {told}.") if told else ""


def picture(label: str, height: int = 300) -> gr.Image:
    """Return a picture that stays hidden until there is something to show."""
    return gr.Image(
        label=label,
        visible=False,
        interactive=False,
        type="filepath",
        format="png",
        height=height,
        buttons=["fullscreen"],
    )


def download(label: str) -> gr.File:
    """Return a file to download that stays hidden until there is one."""
    return gr.File(label=label, visible=False, interactive=False)


def brought(registry: Registry[Any]) -> dict[str, str]:
    """Return choices for what other packages bring, by what is shown."""
    return {f"{name}, of another package": name for name in registry.plugins}


def show(value: Any, **more: Any) -> Any:
    """Return an update that sets a component's value, and hides it where there is none."""
    return gr.update(value=value, visible=value is not None, **more)


def status() -> gr.HTML:
    """Return the line where a tab reports its result."""
    return gr.HTML(elem_classes="said")


def answered(visit: Visit, sent: Sent, name: str, to: Sequence[Any], note: str = "") -> Update:
    """Return what a tab shows of a file for the visitor.

    Args:
        visit: The visitor's.
        sent: The file.
        name: Its name without the suffix.
        to: The components that say what it is, show how it looks, and let it be taken.
        note: What to say besides.
    """
    said, seen, result = to
    return {
        said: done(f"{sent.told}{note}"),
        seen: show(None if sent.picture is None else visit.put("picture.png", sent.picture)),
        result: show(visit.put(f"{name}{sent.suffix}", sent.file)),
    }


def words_of(message: bytes) -> tuple[str, str]:
    """Return a message as text, if it is text, and a name for its file."""
    try:
        words = message.decode()
    except UnicodeDecodeError:
        return "(not a text: take the file)", "message.bin"
    if not words.isprintable() and not all(c.isprintable() or c in "\r\n\t" for c in words):
        return "(not a text: take the file)", "message.bin"
    return words if len(words) <= SHOWN else f"{words[:SHOWN]}… (take the file)", "message.txt"


def stem(path: str | None, otherwise: str) -> str:
    """Return a name for a result, after the file that it came from."""
    return Path(path).stem[:80] or otherwise if path else otherwise
