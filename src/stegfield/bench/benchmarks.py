"""Tables of benchmarks: targets beside results.

All figures of a line are in one cell, each written as its label says. A figure that misses its
target is marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stegfield.bench.results import Findings, Setting
from stegfield.bench.sections import HtmlTable, Line
from stegfield.bench.suites import Figure, Suite
from stegfield.bench.tables import Cells, collect, matching
from stegfield.bench.words import GAP, REPORTED, is_number, rounded
from stegfield.jobs import Entry

BENCHMARK, TARGET, RESULT = "benchmark", "target", "result"
MISSED = " (missed)"
SIGNS = {"higher": "≥\u00a0", "lower": "≤\u00a0", "": ""}
"""With no-break spaces."""
SEPARATOR = "; "


def table(
    suite: Suite, figures: Mapping[str, Figure], records: Sequence[Entry[Findings]]
) -> HtmlTable:
    """Make the table of a suite: one line for the figures of a row that belong together."""
    cells = collect(suite, figures, records)
    targets: dict[str, dict[str, Setting]] = {}
    for row, entry in matching(suite.targets, cells.rows, suite):
        targets.setdefault(row, {}).update(entry)
    heads = _heads(suite, cells)
    parts: dict[str, dict[str, Figure]] = {}
    for name, figure in figures.items():
        parts.setdefault(figure.line, {})[name] = figure
    lines = [
        _line(suite, heads, ", ".join(filter(None, (row, part))), shown)
        for row in cells.rows
        for part, some in parts.items()
        if (shown := _shown(cells, row, some, targets.get(row, {})))
    ]
    return HtmlTable("", list(heads.values()), lines, BENCHMARK)


def _heads(suite: Suite, cells: Cells) -> dict[str, str]:
    """Return the heads of the columns: what others report, the target, and the result."""
    run_here = {column for _, column, _ in cells.measured}
    heads = {column: head for column, head in cells.heads.items() if column not in run_here}
    heads |= {TARGET: TARGET} if suite.targets else {}
    heads |= {column: head for column, head in cells.heads.items() if column in run_here}
    return heads | ({suite.table.ours: RESULT} if run_here == {suite.table.ours} else {})


@dataclass(frozen=True)
class _Text:
    """A figure in a cell."""

    text: str
    missed: bool = False


def _shown(
    cells: Cells, row: str, figures: Mapping[str, Figure], targets: Mapping[str, Setting]
) -> dict[str, list[_Text]]:
    """Return the figures of a row by columns; None if none was measured."""
    shown: dict[str, list[_Text]] = {}
    for name, figure in figures.items():
        target = targets.get(name)
        if is_number(target):
            exact = target in (0, figure.best)
            text = f"{'' if exact else SIGNS[figure.better]}{target:,g}"
            shown.setdefault(TARGET, []).append(_Text(_labelled(figure, text)))
        for column, value in cells.line(row, name).items():
            if any(cells.get(row, column, other) is not None for other in figure.unless):
                continue
            text = f"{rounded(value, figure.digits):,.{figure.digits}f}"
            measured = (row, column, name) in cells.measured
            written = _labelled(figure, text) + ("" if measured else REPORTED)
            missed = measured and is_number(target) and _misses(value, target, figure)
            shown.setdefault(column, []).append(_Text(written, missed))
    return shown if shown.keys() - {TARGET} else {}


def _labelled(figure: Figure, text: str) -> str:
    return figure.label.replace(GAP, text) if GAP in figure.label else f"{figure.label} {text}"


def _misses(value: float, target: int | float, figure: Figure) -> bool:
    value = rounded(value, figure.digits)
    return value < target if figure.better == "higher" else value > target


def _line(
    suite: Suite,
    heads: Mapping[str, str],
    label: str,
    shown: Mapping[str, Sequence[_Text]],
) -> Line:
    ours = suite.table.ours
    written = {
        head: SEPARATOR.join(
            each.text + (MISSED if each.missed and column == ours else "")
            for each in shown.get(column, ())
        )
        for column, head in heads.items()
    }
    missed = any(each.missed for each in shown.get(ours, ()))
    return Line(
        "",
        label,
        written,
        heads.get(ours, ""),
        [TARGET] if missed else [],
        judged=TARGET in shown and ours in shown,
    )
