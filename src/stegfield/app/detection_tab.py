"""The tab for detection: it looks for hidden data without a key."""

from __future__ import annotations

import gradio as gr

from stegfield.app.findings import of_field, of_image
from stegfield.app.parts import (
    FIELDS,
    IMAGES,
    heavy,
    picture,
    show,
    status,
    upload,
)
from stegfield.app.session import Desk, Update, Visit, done, telling


def detect_tab(desk: Desk) -> None:
    """Lay out the tab that judges an image or a field."""
    gr.Markdown(
        "Looks for LSB replacement in pictures, and for oddities in the weights of fields. If "
        "nothing is found, something may still be hidden."
    )
    with gr.Row():
        with gr.Column():
            image = upload(desk, "Picture", IMAGES)
            field = upload(desk, "Or a field", FIELDS)
            start = gr.Button("Detect", variant="primary")
        with gr.Column():
            said = status()
            scores = gr.Dataframe(
                headers=["", ""], label="Scores", interactive=False, visible=False
            )
            seen = picture("")

    def detect(visit: Visit, image_path: str | None, field_path: str | None) -> Update:
        if field_path and not image_path:
            findings = visit.bounded(of_field, *visit.file(field_path, "the field"))
        else:
            data, name = visit.file(image_path, "the picture")
            findings = visit.bounded(of_image, data, name, visit.largest)
        drawn = None if findings.chart is None else visit.put("chart.png", findings.chart)
        return {
            said: done(f"{findings.words[:1].upper()}{findings.words[1:]}."),
            scores: gr.update(
                value={"headers": findings.headers, "data": findings.rows}, visible=True
            ),
            seen: show(drawn, label=findings.about),
        }

    start.click(telling(desk, said, detect), [image, field], [said, scores, seen], **heavy(desk))
