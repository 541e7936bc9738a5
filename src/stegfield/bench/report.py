"""The report: every suite's table, charts and pictures, as one HTML page and as Markdown.

    suites, records ─► sections of blocks ─► report.html (pictures inside), report.md

Every number is the mean of what `results.jsonl` holds, or stands in a suite as reported by others,
and is then marked. Where another column is better than ours, the row says so, and the page begins
with a list of these.
"""

from __future__ import annotations

import base64
import html
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stegfield import files, pictures
from stegfield.bench.results import PICTURES, Job, Record, Results, Setting
from stegfield.bench.suites import OURS, Chart, Figure, Suite
from stegfield.errors import InputError

REPORTED = "*"
"""Marks figures that others report of theirs."""
BEHIND = "behind"
TITLE = "What was measured"
HEAD = """Each table has a column for every method and a row for every figure. A figure is the mean
over the images of the experiment, which its text names. Figures with a star are reported by others
on images of theirs: they were not run here. Where a method is better than ours, the row is marked
“behind”."""
QUICK = """This is the short form: few images, few steps. It shows that everything runs, not how
well it does."""
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}
th,td{padding:.25rem .75rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}thead th{border-bottom:2px solid #888}
tr.behind td:last-child{color:#b03000}img{max-width:100%;image-rendering:auto}
figure{margin:1rem 0}figcaption,.source{color:#666}
@media (prefers-color-scheme:dark){body{background:#111;color:#ddd}th,td{border-color:#333}}
"""


@dataclass(frozen=True)
class _Table:
    """Cells as text; the last column says where we are behind."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass
class _Section:
    title: str
    source: str
    about: str
    name: str
    tables: list[_Table] = field(default_factory=list)
    drawn: list[tuple[str, bytes]] = field(default_factory=list)
    """Pictures, with what they show."""
    behind: list[str] = field(default_factory=list)
    missing: int = 0
    errors: list[str] = field(default_factory=list)


def write_report(suites: Sequence[Suite], results: Results, *, quick: bool = False) -> list[Path]:
    """Write ``report.html`` and ``report.md`` beside the results, with the charts.

    Raises:
        InputError: None of the suites' jobs has a result.
    """
    sections = [_section(suite, results, quick=quick) for suite in suites]
    sections = [section for section in sections if section.tables]
    if not sections:
        raise InputError(
            f"{results.folder} has no results of these suites",
            hint="`stegfield bench` runs them; say --quick where they were run so",
        )
    folder = results.folder
    files.make_folder(folder / PICTURES)
    for section in sections:
        for at, (_, png) in enumerate(section.drawn):
            files.write_new(_picture(folder, section, at), png, force=True)
    written = [folder / "report.html", folder / "report.md"]
    head = f"{HEAD} {QUICK}" if quick else HEAD
    texts = [_html(sections, head), _markdown(sections, head, folder)]
    for path, text in zip(written, texts, strict=True):
        files.write_new(path, text.encode(), force=True)
    return written


def _picture(folder: Path, section: _Section, at: int) -> Path:
    return folder / PICTURES / f"{section.name}-{at}.png"


def _section(suite: Suite, results: Results, *, quick: bool) -> _Section:
    jobs = suite.jobs(quick=quick)
    section = _Section(suite.title, suite.source, suite.about, suite.name)
    records = []
    for job in jobs:
        record = results.of(job)
        if record is None:
            section.missing += 1
        elif record.error is not None:
            section.errors.append(f"{_named(job)}: {record.error}")
        else:
            records.append(record)
    if not records:
        return section
    figures = suite.figures or {
        name: Figure(name)
        for name, value in records[0].figures.items()
        if isinstance(value, int | float)
    }
    _tabulate(suite, figures, records, section)
    for chart in suite.charts:
        if drawn := _chart(chart, figures, records):
            section.drawn.append(drawn)
    for record in records:
        for name in record.pictures:
            path = results.folder / PICTURES / name
            if path.exists():
                varied = {k: record.settings[k] for k in suite.vary if k in record.settings}
                what = name.removeprefix(f"{record.id}-").removesuffix(".png")
                about = ": ".join(filter(None, (_settings(varied), what)))
                section.drawn.append((about, path.read_bytes()))
    return section


def _tabulate(
    suite: Suite, figures: Mapping[str, Figure], records: Sequence[Record], section: _Section
) -> None:
    columns, rows = suite.table.columns, suite.table.rows
    measured: dict[tuple[str, str, str], list[float]] = {}
    reported: dict[tuple[str, str, str], float] = {}
    for record in records:
        row, column = _row(record.settings, rows), str(record.settings.get(columns, OURS))
        for name, value in record.figures.items():
            if isinstance(value, int | float):
                measured.setdefault((row, column, name), []).append(float(value))
    for entry in suite.reported:
        row, column = _row(entry, rows), str(entry.get(columns, "reported"))
        for name in figures:
            if isinstance(value := entry.get(name), int | float):
                reported[row, column, name] = float(value)
    cells = {key: statistics.mean(values) for key, values in measured.items()}
    everything = {**reported, **cells}
    found = list(dict.fromkeys(column for _, column, name in everything if name in figures))
    order = [column for column in suite.table.order if column in found]
    order += [column for column in found if column not in order]
    lines = []
    for row in dict.fromkeys(row for row, _, _ in cells):  # none of which nothing was run
        for name, figure in figures.items():
            line = {c: everything[row, c, name] for c in order if (row, c, name) in everything}
            if not line:
                continue
            better = _better_than_ours(line, figure)
            label = f"{row}: {figure.label}" if row else figure.label
            shown = [
                _number(line.get(column), figure.digits)
                + (REPORTED if (row, column, name) not in cells and column in line else "")
                for column in order
            ]
            lines.append([label, *shown, f"{BEHIND} {', '.join(better)}" if better else ""])
            if better:
                section.behind.append(f"{label}: behind {', '.join(better)}")
    section.tables.append(_Table(["", *order, ""], lines))


def _better_than_ours(line: Mapping[str, float], figure: Figure) -> list[str]:
    """Name the columns that show a better figure than ours; variants of ours aside."""
    if OURS not in line or not figure.better:
        return []
    sign = 1 if figure.better == "higher" else -1
    shown = {name: round(value, figure.digits) for name, value in line.items()}
    return [
        name
        for name, value in shown.items()
        if not name.startswith(OURS) and sign * (value - shown[OURS]) > 0
    ]


def _row(settings: Mapping[str, Setting], names: Sequence[str]) -> str:
    return ", ".join(_value(name, settings[name]) for name in names if name in settings)


def _value(name: str, value: Setting) -> str:
    return str(value) if isinstance(value, str) else f"{name} {value:g}"


def _settings(settings: Mapping[str, Setting]) -> str:
    return ", ".join(_value(name, value) for name, value in settings.items())


def _named(job: Job) -> str:
    return f"{job.experiment} ({_settings(job.settings)})"


def _number(value: float | None, digits: int) -> str:
    if value is None or math.isnan(value):
        return ""
    return f"{value:,.{digits}f}"


def _chart(
    chart: Chart, figures: Mapping[str, Figure], records: Sequence[Record]
) -> tuple[str, bytes] | None:
    """Draw the mean of a figure over a setting."""
    series: dict[str, dict[float, list[float]]] = {}
    for record in records:
        x, y = record.settings.get(chart.x), record.figures.get(chart.y)
        if isinstance(x, int | float) and isinstance(y, int | float):
            name = _row(record.settings, chart.by) or chart.y
            series.setdefault(name, {}).setdefault(float(x), []).append(float(y))
    points = {
        name: sorted((x, statistics.mean(values)) for x, values in by.items())
        for name, by in series.items()
    }
    if not any(len(line) > 1 for line in points.values()):
        return None
    label = figures[chart.y].label if chart.y in figures else chart.y
    title = chart.title or f"{label} over {chart.x}"
    return title, pictures.curves(points, across=chart.x, title=title)


def _html(sections: Sequence[_Section], head: str) -> str:
    parts = [f"<h1>{TITLE}</h1><p>{html.escape(head)}</p>"]
    behind = [(section, line) for section in sections for line in section.behind]
    parts.append("<h2>Where we fall behind</h2>")
    items = "".join(
        f'<li><a href="#{html.escape(section.name)}">{html.escape(section.title)}</a>: '
        f"{html.escape(line)}</li>"
        for section, line in behind
    )
    parts.append(f"<ul>{items}</ul>" if items else "<p>Nowhere, by these figures.</p>")
    for section in sections:
        parts.append(f'<h2 id="{html.escape(section.name)}">{html.escape(section.title)}</h2>')
        parts += [
            f'<p class="source">{html.escape(section.source)}</p>' if section.source else "",
            f"<p>{html.escape(section.about)}</p>",
        ]
        for table in section.tables:
            head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.head)
            body = "".join(
                f"<tr{_class(row)}>"
                + "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
                + "</tr>"
                for row in table.rows
            )
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        parts += [f"<p>{html.escape(line)}</p>" for line in _left_out(section)]
        parts += [
            f'<figure><img alt="{html.escape(about)}" '
            f'src="data:image/png;base64,{base64.b64encode(png).decode()}">'
            f"<figcaption>{html.escape(about)}</figcaption></figure>"
            for about, png in section.drawn
        ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>stegfield: {TITLE}</title><style>{STYLE}</style>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _class(row: Sequence[str]) -> str:
    return f' class="{BEHIND}"' if row[-1] else ""


def _markdown(sections: Sequence[_Section], head: str, folder: Path) -> str:
    lines = [f"# {TITLE}", "", " ".join(head.split()), "", "## Where we fall behind", ""]
    behind = [f"- {section.title}: {line}" for section in sections for line in section.behind]
    lines += [*(behind or ["Nowhere, by these figures."]), ""]
    for section in sections:
        lines += [f"## {section.title}", ""]
        lines += [f"*{section.source}*", ""] if section.source else []
        lines += [" ".join(section.about.split()), ""]
        for table in section.tables:
            lines.append("| " + " | ".join(map(_plain, table.head)) + " |")
            lines.append("|---" + "|---:" * (len(table.head) - 1) + "|")
            lines += ["| " + " | ".join(map(_plain, row)) + " |" for row in table.rows]
            lines.append("")
        lines += [line for text in _left_out(section) for line in (text, "")]
        for at, (about, _) in enumerate(section.drawn):
            path = _picture(folder, section, at).relative_to(folder)
            lines += [f"![{_plain(about)}]({path.as_posix()})", ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", " ")


def _left_out(section: _Section) -> list[str]:
    told = []
    if section.missing:
        told.append(f"{section.missing} jobs of this suite were not run.")
    return told + [f"Failed: {error}" for error in section.errors]
