"""What detection finds in the bytes of a visitor, in a process with bounds (see `bounded`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stegfield import fields, pictures, signals
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


@dataclass(frozen=True)
class Findings:
    """The verdict on a picture or a field, as the tab shows it."""

    words: str
    headers: list[str]
    rows: list[list[str]]
    about: str
    """What the chart shows."""
    chart: bytes | None


def of_field(data: bytes, name: Path) -> Findings:
    """Judge an uploaded field."""
    loaded = fields.from_bytes(data, name.name)
    verdict = judge_field(loaded)
    rows = [[matrix, f"{value:.2f}"] for matrix, value in verdict.tails.items()]
    rows += _beside(FIELD, loaded)
    about = "Weights of each matrix"
    return Findings(verdict.summary, ["matrix", "kurtosis"], rows, about, _histograms(loaded))


def of_image(data: bytes, name: Path, largest: int) -> Findings:
    """Judge an uploaded image of at most ``largest`` points."""
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
