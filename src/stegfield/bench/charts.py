"""Charts and pictures of a suite's jobs."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from stegfield import pictures
from stegfield.bench.results import Findings
from stegfield.bench.sections import Drawn
from stegfield.bench.suites import Chart, Figure, Suite
from stegfield.bench.words import GAP, bare, is_number, phrase
from stegfield.jobs import Entry


def drawn(
    chart: Chart, suite: Suite, figures: Mapping[str, Figure], records: Sequence[Entry[Findings]]
) -> list[tuple[str, bytes]]:
    """Draw the mean of a figure over a setting, or over the number in its name, if that varies."""
    series: dict[str, dict[float, list[float]]] = {}
    label = chart.title or (figures[chart.y].label if chart.y in figures else chart.y)
    for record in records:
        by = {name: record.settings[name] for name in chart.by if name in record.settings}
        name = phrase(by, suite.names) or label
        for x, y in _points(chart, record):
            series.setdefault(name, {}).setdefault(x, []).append(y)
    points = {
        name: sorted((x, statistics.mean(values)) for x, values in by.items())
        for name, by in series.items()
    }
    if not any(len(line) > 1 for line in points.values()):
        return []
    across = bare(chart.x, suite.names)
    png = pictures.curves(points, across=across, title=label, logarithmic=chart.logarithmic)
    return [(f"{label}, over {across}", png)]


def _points(chart: Chart, record: Entry[Findings]) -> list[tuple[float, float]]:
    if GAP not in chart.y:
        pairs = [(record.settings.get(chart.x), record.facts.figures.get(chart.y))]
    else:
        start, _, end = chart.y.partition(GAP)
        name = re.compile(re.escape(start) + r"(\d+(?:\.\d+)?)" + re.escape(end))
        found = [(name.fullmatch(each), value) for each, value in record.facts.figures.items()]
        pairs = [(float(match[1]), value) for match, value in found if match]
    return [(float(x), float(y)) for x, y in pairs if is_number(x) and is_number(y)]


def kept(suite: Suite, records: Sequence[Entry[Findings]], folder: Path) -> list[Drawn]:
    """Read the pictures of jobs that a suite shows."""
    shown = []
    for record in records:
        varied = {k: record.settings[k] for k in suite.vary if k in record.settings}
        for name in record.facts.pictures:
            what = name.removeprefix(f"{record.id}-").removesuffix(".png")
            told = _told(suite, what)
            path = folder / name
            if told is not None and path.exists():
                about = ": ".join(filter(None, (phrase(varied, suite.names), told)))
                shown.append(Drawn(name, about, path.read_bytes()))
    return shown


def _told(suite: Suite, what: str) -> str | None:
    """Return what a picture shows; None if the suite leaves it out."""
    if suite.pictures is None:
        return what
    return next(
        (
            told.replace(GAP, what.removeprefix(pattern.rstrip("*")))
            for pattern, told in suite.pictures.items()
            if fnmatchcase(what, pattern)
        ),
        None,
    )
