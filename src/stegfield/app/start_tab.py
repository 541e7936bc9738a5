"""The tab that a first-time visitor sees: which of the others to take."""

from __future__ import annotations

import gradio as gr

from stegfield.app.session import Desk

STEPS = """
### 1. Agree on a key

Type one long passphrase on both sides, or make a key file in *Keys* and give the receiver a copy.

### 2. Take a way to send

- **Hide, as files**: you have a picture, and files that nobody may find out about. You get a neural
  field that shows the picture.
- **Generate**: you have a text and no picture.
- **Embed**: you have a picture that should carry a file.
- **Embed, robust**: a messenger compresses what you send.
- **Hide, as pictures**: they should survive damage to the field.

With the first two, nobody without the key can tell whether there is anything: this is proved, if
the ciphers hold. With *Embed*, a message that is short for its picture is hard to find. With the
last two, somebody may notice that there is something, and still cannot read it.

### 3. Send what you download, as it is

With the same key, the receiver takes *Extract* for pictures and *Reveal* for fields.
"""


def start_tab(_: Desk) -> None:
    """Lay out three steps."""
    gr.Markdown(STEPS)
