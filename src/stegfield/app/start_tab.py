"""The tab that a first-time visitor sees: which of the others to take."""

from __future__ import annotations

import gradio as gr

from stegfield.app.session import Desk

WAYS = [
    ("a picture, and a file to put into it", "Embed", "cannot tell for certain: see *Detect*"),
    ("a picture, and files that nobody may find out about", "Hide, as files", "cannot tell, *"),
    ("no picture", "Generate", "cannot tell, *"),
    ("pictures that should survive damage", "Hide, as pictures", "may notice"),
    ("a messenger that compresses pictures", "Embed, robust", "may notice"),
]
STEPS = """
**1. Agree on a key.** Type one long passphrase on both sides, or make a key file in *Keys* and
give the receiver a copy.

**2. Take a way to send.**

| You have | Take | Somebody without the key |
|---|---|---|
{rows}

\\* whether there is anything hidden at all: this is proved, if the ciphers hold.

**3. Send what you download, as it is.** With the same key, the receiver takes *Extract* for
pictures and *Reveal* for fields.
"""


def start_tab(_: Desk) -> None:
    """Lay out three steps."""
    rows = "\n".join(f"| {have} | **{way}** | {others} |" for have, way, others in WAYS)
    gr.Markdown(STEPS.format(rows=rows.replace(", *", r", \*")))
