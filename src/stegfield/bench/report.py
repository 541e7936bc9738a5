"""The report: every suite's table, charts and pictures, as one HTML page and as Markdown.

    suites, records ─► sections ─► report.html (pictures inside), report.md

Every number is the mean of what `results.jsonl` holds, or stands in a suite as reported by others,
and is then marked. Where another column is better than ours, the row says so, and the page ends
with a list of these.
"""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeGuard

from stegfield import files, pictures
from stegfield.bench.pages import Drawn, Line, Section, Table, as_html, as_markdown
from stegfield.bench.results import PICTURES, Findings, Results, Setting
from stegfield.bench.suites import Chart, Figure, Suite
from stegfield.errors import InputError, Wording
from stegfield.jobs import Entry, Job

REPORTED = "*"
"""Marks figures that others report of theirs."""
FEWEST_DIGITS = 2
HALF_UP = 1e-9
"""Added before rounding, so that equal halves are not rounded to different sides."""
GAP = "{}"
NAMES = {"paper": "the paper's, run here"}
"""What settings are called where a suite does not say."""


def write_report(suites: Sequence[Suite], results: Results, *, quick: bool = False) -> list[Path]:
    """Write ``report.html`` and ``report.md`` beside the results, with the charts.

    Raises:
        InputError: None of the suites' jobs has a result.
    """
    sections = [_section(suite, results, quick=quick) for suite in suites]
    sections = [section for section in sections if section.table.lines]
    if not sections:
        raise InputError(
            f"{results.folder} has no results of these suites",
            hint=Wording("`stegfield bench` runs them; say {quick:True} where they were run so"),
        )
    folder = results.folder
    files.make_folder(folder / PICTURES)
    for section in sections:
        for each in section.charts:
            files.write_new(folder / PICTURES / each.name, each.png, force=True)
    written = [folder / "report.html", folder / "report.md"]
    texts = [as_html(sections, quick=quick), as_markdown(sections, PICTURES, quick=quick)]
    for path, text in zip(written, texts, strict=True):
        files.write_new(path, text.encode(), force=True)
    return written


def _section(suite: Suite, results: Results, *, quick: bool) -> Section:
    jobs = suite.jobs(quick=quick)
    records, errors, missing = [], [], 0
    for job in jobs:
        record = results.of(job)
        if record is None:
            missing += 1
        elif record.error is not None:
            errors.append(f"{job.name} ({_settings(job.settings, {})}): {record.error}")
        else:
            records.append(record)
    figures = suite.figures or {
        name: Figure(name)
        for record in records[:1]
        for name, value in record.facts.figures.items()
        if isinstance(value, int | float)
    }
    return Section(
        name=suite.name,
        title=suite.title,
        source=suite.source,
        about=suite.about,
        run=_run(suite, jobs, records, quick=quick),
        table=_table(suite, figures, records),
        charts=[
            Drawn(f"{suite.name}-chart-{at}.png", title, png)
            for at, chart in enumerate(suite.charts)
            for title, png in _chart(chart, suite, figures, records)
        ],
        pictures=_pictures(suite, records, results.folder / PICTURES),
        left_out=[
            *([f"{missing} of {len(jobs)} jobs were not run yet."] if missing else []),
            *(f"Failed: {error}" for error in errors),
        ],
    )


def _run(
    suite: Suite, jobs: Sequence[Job], records: Sequence[Entry[Findings]], *, quick: bool
) -> str:
    """Tell what was run, by the settings of the suite, how long it took, and where."""
    fixed, varied = suite.settings_of(quick=quick)
    parts = [
        f"{name} {', '.join(f'{value:g}' if _is_number(value) else str(value) for value in values)}"
        for name, values in [*varied.items(), *((name, (value,)) for name, value in fixed.items())]
    ]
    minutes = sum(record.seconds for record in records) / 60
    machines = dict.fromkeys(
        f"{machine.get('processor')}, {machine.get('cores')} cores, "
        f"{machine.get('threads')} for a job, torch {machine.get('torch')}"
        for machine in (record.facts.machine for record in records)
        if machine
    )
    where = f" on {'; '.join(machines)}" if machines else ""
    count = f"{len(jobs)} {'job' if len(jobs) == 1 else 'jobs'}"
    behind_each = Counter(
        (_row(record.settings, suite), _column(record.settings, suite.table.columns, suite))
        for record in records
    )
    fewest, most = min(behind_each.values(), default=0), max(behind_each.values(), default=0)
    mean = "one job" if most == 1 else f"{fewest} jobs" if fewest == most else f"{fewest} to {most}"
    return (
        f"Run: experiment {suite.experiment}, {count}, {mean} behind each number: "
        f"{'; '.join(parts)}. {minutes:,.1f} minutes in all{where}."
    )


def _table(
    suite: Suite, figures: Mapping[str, Figure], records: Sequence[Entry[Findings]]
) -> Table:
    columns, rows = suite.table.columns, suite.table.rows
    measured: dict[tuple[str, str, str], list[float]] = {}
    reported: dict[tuple[str, str, str], float] = {}
    for record in records:
        row, column = _row(record.settings, suite), _column(record.settings, columns, suite)
        for name, value in record.facts.figures.items():
            if _is_number(value):
                measured.setdefault((row, column, name), []).append(float(value))
    cells = {key: statistics.mean(values) for key, values in measured.items()}
    for entry in suite.reported:
        row, column = _row(entry, suite), _column(entry, columns, suite)
        for name in figures:
            if _is_number(value := entry.get(name)) and (row, column, name) not in cells:
                reported[row, column, name] = float(value)
    shown_rows = dict.fromkeys(row for row, _, _ in cells)  # none of which nothing was run
    everything = {**reported, **cells}
    found = dict.fromkeys(
        column for row, column, name in everything if row in shown_rows and name in figures
    )
    order = [column for column in suite.table.order if column in found]
    order += [column for column in found if column not in order]
    run_here = {column for _, column, _ in cells}
    values = {
        _column(each, columns, suite): each.get(columns, "")
        for each in (*suite.reported, *(record.settings for record in records))
    }
    heads = {
        column: _value(columns, values[column] or column, suite.names)
        + ("" if column in run_here or "reported" in column else ", reported")
        for column in order
    }
    compared = {column for column in order if not _beside(column, suite)}
    lines = []
    for row in shown_rows:
        for name, figure in figures.items():
            line = {c: everything[row, c, name] for c in order if (row, c, name) in everything}
            if not line:
                continue
            spans = {c: [everything.get((row, c, n)) for n in figure.interval] for c in order}
            shown = {
                heads[column]: _number(
                    line.get(column),
                    figure.digits,
                    reported=(row, column, name) in reported,
                    span=[bound for bound in spans[column] if bound is not None],
                )
                for column in order
            }
            ours_span = [b for b in spans.get(suite.table.ours, ()) if b is not None]
            ahead = _ahead(line, figure, suite)
            level = [c for c in ahead if _level(line[c], line[suite.table.ours], figure, ours_span)]
            ours = heads.get(suite.table.ours, "")
            others = line.keys() & compared
            judged = bool(figure.better and others and suite.table.ours in line)
            better = [heads[column] for column in ahead if column not in level]
            chance = [heads[column] for column in level]
            lines.append(Line(row, figure.label, shown, ours, better, chance, judged))
    return Table(
        " / ".join(_bare(name, suite.names) for name in rows),
        list(heads.values()),
        lines,
    )


def _column(settings: Mapping[str, Setting], columns: str, suite: Suite) -> str:
    value = settings.get(columns, suite.table.ours)
    return value if isinstance(value, str) else f"{value:g}"


def _beside(column: str, suite: Suite) -> bool:
    """Tell of a column that ours is not compared with, such as variants of it."""
    return column.startswith(suite.table.ours) or column in suite.table.beside


def _ahead(line: Mapping[str, float], figure: Figure, suite: Suite) -> list[str]:
    """Name the columns that show a better figure than ours."""
    ours = suite.table.ours
    if ours not in line or not figure.better:
        return []
    sign = 1 if figure.better == "higher" else -1
    limit = sign * math.inf if figure.best is None else figure.best
    shown = {
        name: _rounded(sign * min(sign * value, sign * limit), figure.digits)
        for name, value in line.items()
    }
    return [
        name
        for name, value in shown.items()
        if not _beside(name, suite) and sign * (value - shown[ours]) > 0
    ]


def _level(value: float, ours: float, figure: Figure, span: Sequence[float]) -> bool:
    """Tell whether a figure is as good as ours, by what chance may do."""
    low, high = span or (ours, ours)
    return abs(value - ours) < figure.tie or low < value < high


def _row(settings: Mapping[str, Setting], suite: Suite) -> str:
    names = {name: settings[name] for name in suite.table.rows if name in settings}
    return _settings(names, suite.names)


def _settings(settings: Mapping[str, Setting], names: Mapping[str, str]) -> str:
    return ", ".join(_value(name, value, names) for name, value in settings.items())


def _value(name: str, value: Setting, names: Mapping[str, str]) -> str:
    """Give a setting as it is called: by its value's name, or by its own around the value."""
    text = f"{value:g}" if _is_number(value) else str(value)
    text = {**NAMES, **names}.get(text, text)
    own = names.get(name, f"{name} {GAP}" if _is_number(value) else GAP)
    return own.replace(GAP, text) if GAP in own else f"{own} {text}"


def _bare(name: str, names: Mapping[str, str]) -> str:
    """Give what a setting is called, without a value."""
    return " ".join(names.get(name, name).replace(GAP, " ").split()).rstrip(":") or name


def _number(value: float | None, digits: int, *, reported: bool, span: Sequence[float] = ()) -> str:
    """Give a number; one that was reported with no more digits than it was reported with."""
    if value is None or math.isnan(value):
        return ""
    text = f"{_rounded(value, digits):,.{digits}f}"
    if span:
        text += f" ({' to '.join(f'{_rounded(bound, digits):,.{digits}f}' for bound in span)})"
    if not reported:
        return text
    while text.endswith("0") and len(text.partition(".")[2]) > FEWEST_DIGITS:
        text = text[:-1]
    return text + REPORTED


def _rounded(value: int | float, digits: int) -> float:
    return round(value + math.copysign(HALF_UP, value), digits)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _chart(
    chart: Chart, suite: Suite, figures: Mapping[str, Figure], records: Sequence[Entry[Findings]]
) -> list[tuple[str, bytes]]:
    """Draw the mean of a figure over a setting, or over the number in its name; if it varies."""
    series: dict[str, dict[float, list[float]]] = {}
    label = chart.title or (figures[chart.y].label if chart.y in figures else chart.y)
    for record in records:
        by = {name: record.settings[name] for name in chart.by if name in record.settings}
        name = _settings(by, suite.names) or label
        for x, y in _points(chart, record):
            series.setdefault(name, {}).setdefault(x, []).append(y)
    points = {
        name: sorted((x, statistics.mean(values)) for x, values in by.items())
        for name, by in series.items()
    }
    if not any(len(line) > 1 for line in points.values()):
        return []
    across = _bare(chart.x, suite.names)
    drawn = pictures.curves(points, across=across, title=label, logarithmic=chart.logarithmic)
    return [(f"{label}, over {across}", drawn)]


def _points(chart: Chart, record: Entry[Findings]) -> list[tuple[float, float]]:
    if GAP not in chart.y:
        pairs = [(record.settings.get(chart.x), record.facts.figures.get(chart.y))]
    else:
        start, _, end = chart.y.partition(GAP)
        name = re.compile(re.escape(start) + r"(\d+(?:\.\d+)?)" + re.escape(end))
        found = [(name.fullmatch(each), value) for each, value in record.facts.figures.items()]
        pairs = [(float(match[1]), value) for match, value in found if match]
    return [(float(x), float(y)) for x, y in pairs if _is_number(x) and _is_number(y)]


def _pictures(suite: Suite, records: Sequence[Entry[Findings]], folder: Path) -> list[Drawn]:
    shown = []
    for record in records:
        varied = {k: record.settings[k] for k in suite.vary if k in record.settings}
        for name in record.facts.pictures:
            what = name.removeprefix(f"{record.id}-").removesuffix(".png")
            told = _told(suite, what)
            path = folder / name
            if told is not None and path.exists():
                about = ": ".join(filter(None, (_settings(varied, suite.names), told)))
                shown.append(Drawn(name, about, path.read_bytes()))
    return shown


def _told(suite: Suite, what: str) -> str | None:
    """Say what a picture shows; None if it is not to be shown."""
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
