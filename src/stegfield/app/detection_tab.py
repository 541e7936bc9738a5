"""The tab for detection: it looks for hidden data without a key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np

from stegfield import fields, pictures, signals
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
from stegfield.signals import Signal
from stegfield.steganalysis import lsb
from stegfield.steganalysis.detectors import FIELD, others
from stegfield.steganalysis.outliers import judge_field
from stegfield.steganalysis.verdict import COVERS, SUSPECTED, judge
from stegfield.steganalysis.verdict import IMAGES as IMAGES_JUDGED

BINS = 61
WIDEST = 4.0
"""Range of the histogram, in standard deviations of a matrix."""


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
            findings = visit.bounded(_field_findings, *visit.file(field_path, "the field"))
        else:
            data, name = visit.file(image_path, "the picture")
            findings = visit.bounded(_image_findings, data, name, visit.largest)
        drawn = None if findings.chart is None else visit.put("chart.png", findings.chart)
        return {
            said: done(f"{findings.words[:1].upper()}{findings.words[1:]}."),
            scores: gr.update(
                value={"headers": findings.headers, "data": findings.rows}, visible=True
            ),
            seen: show(drawn, label=findings.about),
        }

    start.click(telling(desk, said, detect), [image, field], [said, scores, seen], **heavy(desk))


@dataclass(frozen=True)
class Findings:
    """The verdict on a picture or a field, as the tab shows it."""

    words: str
    headers: list[str]
    rows: list[list[str]]
    about: str
    """What the chart shows."""
    chart: bytes | None


def _field_findings(data: bytes, name: Path) -> Findings:
    loaded = fields.from_bytes(data, name.name)
    verdict = judge_field(loaded)
    rows = [[matrix, f"{value:.2f}"] for matrix, value in verdict.tails.items()]
    rows += _beside(FIELD, loaded)
    about = "Weights of each matrix"
    return Findings(verdict.summary, ["matrix", "kurtosis"], rows, about, _histograms(loaded))


def _image_findings(data: bytes, name: Path, largest: int) -> Findings:
    image = signals.decode(data, name, largest=largest)
    judged = judge(image)
    rates = {detector: rate for detector, rate in judged.rates.items() if rate is not None}
    rows = [
        [name, f"{max(rate, 0):.3f}", lsb.ABOUT[name], str(SUSPECTED[COVERS][name])]
        for name, rate in rates.items()
    ]
    rows += [[name, score, "", ""] for name, score in _beside(image.medium.name, image)]
    headers = [
        "detector",
        f"estimated share of samples with a message (suspected from {lsb.THRESHOLD:g} on)",
        "judges by",
        f"false alarms of {IMAGES_JUDGED} innocent photographs",
    ]
    about = "Estimated share of samples with a message, and the threshold"
    chart = _bars(rates) if rates else None
    return Findings(judged.words, headers, rows, about, chart)


def _beside(judges: str, what: Signal | Field) -> list[list[str]]:
    """Judge by the detectors of other packages as well."""
    verdicts = [detector.judge(name, what) for name, detector in others(judges)]
    return [
        [f"{each.detector} ({each.about})", "-" if each.score is None else f"{each.score:.3g}"]
        for each in verdicts
    ]


def _bars(rates: dict[str, float]) -> bytes:
    """Draw estimates beside the threshold."""
    heights = {name: max(rate, 0.0) for name, rate in rates.items()}
    return pictures.bars(heights, levels={"threshold": lsb.THRESHOLD}, title="share of samples")


def _histograms(field: Field) -> bytes:
    """Draw a histogram of each hidden matrix, in units of its own standard deviation."""
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
