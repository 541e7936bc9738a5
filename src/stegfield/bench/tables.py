"""Tables of methods: the results of jobs are collected, ordered and judged.

A row is a combination of settings, a column is a method, and every figure of a row is a line.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stegfield.bench.results import Findings, Setting
from stegfield.bench.sections import HtmlTable, Line
from stegfield.bench.suites import Figure, Suite
from stegfield.bench.words import bare, called, is_number, number, rounded, row
from stegfield.jobs import Entry

Key = tuple[str, str, str]
"""A row, a column and a figure."""


@dataclass(frozen=True)
class Cells:
    """The numbers of a table."""

    rows: Mapping[str, Mapping[str, Setting]]
    """The settings of one job of each row."""
    measured: Mapping[Key, float]
    """Means over the jobs."""
    reported: Mapping[Key, float]
    """What others report of methods that were not run."""
    heads: Mapping[str, str]
    """Columns in their order, with their names."""

    def line(self, row: str, figure: str) -> dict[str, float]:
        """Return the values of a row's figure, by column."""
        numbers = {column: self.get(row, column, figure) for column in self.heads}
        return {column: found for column, found in numbers.items() if found is not None}

    def get(self, row: str, column: str, figure: str) -> float | None:
        """Return a number, or None if there is none."""
        key = (row, column, figure)
        return self.measured.get(key, self.reported.get(key))


def table(
    suite: Suite, figures: Mapping[str, Figure], records: Sequence[Entry[Findings]]
) -> HtmlTable:
    """Make the table of a suite: a line for each figure of each row."""
    cells = collect(suite, figures, records)
    lines = [
        _line(suite, cells, row, name, figure)
        for row in cells.rows
        for name, figure in figures.items()
        if cells.line(row, name)
    ]
    head = " / ".join(bare(name, suite.names) for name in suite.table.rows)
    return HtmlTable(head, list(cells.heads.values()), lines)


def column(settings: Mapping[str, Setting], suite: Suite) -> str:
    """Return the column of a table that a job belongs to."""
    value = settings.get(suite.table.columns, suite.table.ours)
    return value if isinstance(value, str) else f"{value:g}"


def collect(
    suite: Suite, figures: Mapping[str, Figure], records: Sequence[Entry[Findings]]
) -> Cells:
    """Collect the means of jobs, and what others report."""
    rows: dict[str, Mapping[str, Setting]] = {}
    found: dict[Key, list[float]] = {}
    for record in records:
        name = row(record.settings, suite)
        for figure, value in record.facts.figures.items():
            if is_number(value):
                rows.setdefault(name, record.settings)
                key = (name, column(record.settings, suite), figure)
                found.setdefault(key, []).append(float(value))
    measured = {key: statistics.mean(values) for key, values in found.items()}
    reported = {
        (name, column(entry, suite), figure): float(value)
        for name, entry in matching(suite.reported, rows, suite)
        for figure in figures
        if is_number(value := entry.get(figure))
    }
    reported = {key: value for key, value in reported.items() if key not in measured}
    return Cells(rows, measured, reported, _heads(suite, figures, records, measured, reported))


def matching(
    entries: Sequence[Mapping[str, Setting]],
    rows: Mapping[str, Mapping[str, Setting]],
    suite: Suite,
) -> Iterator[tuple[str, Mapping[str, Setting]]]:
    """Match entries of a suite with the rows whose settings they name."""
    for entry in entries:
        named = {name: entry[name] for name in suite.table.rows if name in entry}
        for name, settings in rows.items():
            if named.items() <= settings.items():
                yield name, entry


def _heads(
    suite: Suite,
    figures: Mapping[str, Figure],
    records: Sequence[Entry[Findings]],
    measured: Mapping[Key, float],
    reported: Mapping[Key, float],
) -> dict[str, str]:
    """Put the columns in order, and name them."""
    spec = suite.table
    found = dict.fromkeys(at for _, at, name in (*reported, *measured) if name in figures)
    order = [at for at in spec.order if at in found]
    order += [at for at in found if at not in order]
    run_here = {at for _, at, _ in measured}
    values = {
        column(settings, suite): settings.get(spec.columns, "")
        for settings in (*suite.reported, *(record.settings for record in records))
    }
    return {
        at: called(spec.columns, values[at] or at, suite.names)
        + ("" if at in run_here or "reported" in at else ", reported")
        for at in order
    }


def _line(suite: Suite, cells: Cells, row: str, name: str, figure: Figure) -> Line:
    """Return a row's figure as a line, with the columns that are ahead of ours."""
    line, ours, heads = cells.line(row, name), suite.table.ours, cells.heads
    spans = {
        at: [bound for each in figure.interval if (bound := cells.get(row, at, each)) is not None]
        for at in heads
    }
    shown = {
        head: number(
            line.get(at),
            figure.digits,
            reported=(row, at, name) in cells.reported,
            span=spans[at],
        )
        for at, head in heads.items()
    }
    ahead = _ahead(line, figure, suite)
    level = [at for at in ahead if _level(line[at], line[ours], figure, spans[ours])]
    compared = any(not _beside(at, suite) for at in line)
    return Line(
        row,
        figure.label,
        shown,
        heads.get(ours, ""),
        [heads[at] for at in ahead if at not in level],
        [heads[at] for at in level],
        judged=bool(figure.better and compared and ours in line),
    )


def _beside(column: str, suite: Suite) -> bool:
    """Return whether a column is not compared with ours, as variants of ours are."""
    return column.startswith(suite.table.ours) or column in suite.table.beside


def _ahead(line: Mapping[str, float], figure: Figure, suite: Suite) -> list[str]:
    """Return the columns that have a better figure than ours."""
    ours = suite.table.ours
    if ours not in line or not figure.better:
        return []
    sign = 1 if figure.better == "higher" else -1
    limit = sign * math.inf if figure.best is None else figure.best
    shown = {
        name: rounded(sign * min(sign * value, sign * limit), figure.digits)
        for name, value in line.items()
    }
    return [
        name
        for name, value in shown.items()
        if not _beside(name, suite) and sign * (value - shown[ours]) > 0
    ]


def _level(value: float, ours: float, figure: Figure, span: Sequence[float]) -> bool:
    """Return whether a figure differs from ours by no more than chance."""
    low, high = span or (ours, ours)
    return abs(value - ours) < figure.tie or low < value < high
