"""The tab that looks for what is hidden, as who has no key can."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import numpy as np

from stegfield import fields, pictures
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
from stegfield.fields import Field
from stegfield.steganalysis import lsb
from stegfield.steganalysis.outliers import judge_field
from stegfield.steganalysis.verdict import judge

BINS = 61
WIDEST = 4.0
"""Standard deviations of a matrix that the histogram goes to."""


def detect_tab(desk: Desk) -> None:
    """Judge an image or a field."""
    gr.Markdown(
        "Looks for LSB replacement in pictures, and for oddities in the weights of fields. That "
        "nothing is found proves nothing."
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
            loaded = fields.from_bytes(visit.data(field_path, "the field"), Path(field_path).name)
            verdict = judge_field(loaded)
            rows = [[name, f"{value:.2f}"] for name, value in verdict.tails.items()]
            return {
                said: done(f"{verdict.summary[:1].upper()}{verdict.summary[1:]}."),
                scores: gr.update(
                    value={"headers": ["matrix", "kurtosis"], "data": rows}, visible=True
                ),
                seen: show(
                    visit.put("weights.png", _histograms(loaded)), label="Weights of each matrix"
                ),
            }
        judged = judge(visit.signal(image_path, "the picture"), "all")
        rates = {name: rate for name, rate in judged.rates.items() if rate is not None}
        rows = [[name, f"{max(rate, 0):.3f}"] for name, rate in rates.items()]
        update: Update = {
            said: done(f"{judged.words[:1].upper()}{judged.words[1:]}."),
            scores: gr.update(
                value={"headers": ["detector", "bits a sample"], "data": rows}, visible=True
            ),
            seen: show(None),
        }
        if rates:
            update[seen] = show(
                visit.put("scores.png", _bars(rates)),
                label="Estimated bits a sample, and the threshold",
            )
        return update

    start.click(telling(desk, said, detect), [image, field], [said, scores, seen], **heavy(desk))


def _bars(rates: dict[str, float]) -> bytes:
    """Draw estimates beside the threshold."""
    heights = {name: max(rate, 0.0) for name, rate in rates.items()}
    return pictures.bars(heights, levels={"threshold": lsb.THRESHOLD}, title="bits a sample")


def _histograms(field: Field) -> bytes:
    """Draw how the weights of each hidden matrix are spread, in its own standard deviations."""
    edges = np.linspace(-WIDEST, WIDEST, BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    state = field.decoder.state_dict()
    series = {}
    for name in list(field.slot_bounds())[:8]:
        weights = state[name].double().flatten().numpy()
        counts, _ = np.histogram(weights / max(weights.std(), 1e-12), edges)
        shares = zip(middles, counts / len(weights), strict=True)
        series[name] = [(float(x), float(y)) for x, y in shares]
    return pictures.curves(series, across="standard deviations", title="share of the weights")
