"""The tab that compares two files: how much they differ, and where."""

from __future__ import annotations

import gradio as gr

from stegfield.app import work
from stegfield.app.parts import SIGNALS, heavy, picture, show, status, upload
from stegfield.app.session import Desk, Update, Visit, done, telling


def compare_tab(desk: Desk) -> None:
    """Lay out the tab that compares two pictures, or two signals of another medium."""
    gr.Markdown(
        "Shows how far a file is from its original, as somebody who has both can see. An adversary "
        "who has the cover sees every change: delete it, and never take one that is public."
    )
    with gr.Row():
        with gr.Column():
            before = upload(desk, "Original", SIGNALS)
            after = upload(desk, "What to compare with it", SIGNALS)
            start = gr.Button("Compare", variant="primary")
        with gr.Column():
            said = status()
            seen = picture("Where they differ: magnified, and how much on average")

    def compare(visit: Visit, first: str | None, second: str | None) -> Update:
        pair = visit.file(first, "the original"), visit.file(second, "what to compare with it")
        told, changes = visit.bounded(work.compared, *pair, visit.largest)
        drawn = None if changes is None else visit.put("changes.png", changes)
        return {said: done(f"{told}."), seen: show(drawn)}

    start.click(telling(desk, said, compare), [before, after], [said, seen], **heavy(desk))
