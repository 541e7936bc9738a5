"""The report: every suite's table, charts and pictures, as one HTML page and as Markdown pages.

    suites, records ─► sections ─► report.html (pictures inside), report/index.md, report/SUITE.md

Every number is the mean of results in `results.jsonl`, or is marked as reported by others. Where
another column is better than ours, or a target is missed, the row says so, and the overview lists
these rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from stegfield import files
from stegfield.bench import benchmarks, charts, markdown, papers, tables, web
from stegfield.bench.results import PICTURES, Findings, Results
from stegfield.bench.sections import Drawn, Section
from stegfield.bench.suites import Figure, Suite
from stegfield.bench.words import is_number, phrase, row
from stegfield.errors import InputError, Wording
from stegfield.jobs import Entry, Job

FORMS = {"figures": tables.table, "benchmarks": benchmarks.table}
PAGES = "report"
"""The folder of the Markdown pages."""


def write_report(
    suites: Sequence[Suite],
    results: Results,
    *,
    quick: bool = False,
    csv: bool = False,
    latex: bool = False,
) -> list[Path]:
    """Write ``report.html`` and the pages of ``report`` beside the results, with the charts.

    Args:
        suites: A section each.
        results: What their jobs found.
        quick: Show the results of the suites' short forms.
        csv: Also write each table as CSV, in ``report``.
        latex: Also write each table as LaTeX, and ``sources.bib``, in ``report``.

    Raises:
        InputError: No job of the suites has a result.
    """
    shown = sections(suites, results, quick=quick)
    folder = results.folder
    files.make_folder(folder / PICTURES)
    files.make_folder(folder / PAGES)
    for section in shown:
        for each in section.charts:
            files.write_new(folder / PICTURES / each.name, each.png, force=True)
    texts = {"report.html": web.as_html(shown, quick=quick)}
    pages = markdown.as_pages(shown, f"../{PICTURES}", quick=quick)
    texts |= {f"{PAGES}/{name}": text for name, text in pages.items()}
    if csv:
        texts |= {f"{PAGES}/{each.name}.csv": papers.as_csv(each.table) for each in shown}
    if latex:
        texts |= {f"{PAGES}/{each.name}.tex": papers.as_latex(each) for each in shown}
        texts |= {f"{PAGES}/{papers.SOURCES}": papers.sources()}
    for name, text in texts.items():
        files.write_new(folder / name, text.encode(), force=True)
    return [folder / name for name in texts]


def sections(suites: Sequence[Suite], results: Results, *, quick: bool = False) -> list[Section]:
    """Make the sections of the suites that have results.

    Raises:
        InputError: No suite has results.
    """
    made = [_section(suite, results, quick=quick) for suite in suites]
    made = [section for section in made if section.table.lines]
    if not made:
        raise InputError(
            f"{results.folder} has no results of these suites",
            hint=Wording("run them with `stegfield bench`; add {quick:True} for short forms"),
        )
    return made


def _section(suite: Suite, results: Results, *, quick: bool) -> Section:
    jobs = suite.jobs(quick=quick)
    records, errors, missing = [], [], 0
    for job in jobs:
        record = results.of(job)
        if record is None:
            missing += 1
        elif record.error is not None:
            errors.append(f"{job.name} ({phrase(job.settings, {})}): {record.error}")
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
        where=_where(records),
        table=FORMS[suite.table.form](suite, figures, records),
        charts=[
            Drawn(f"{suite.name}-chart-{at}.png", title, png)
            for at, chart in enumerate(suite.charts)
            for title, png in charts.drawn(chart, suite, figures, records)
        ],
        pictures=charts.kept(suite, records, results.folder / PICTURES),
        left_out=[
            *([f"{missing} of {len(jobs)} jobs were not run yet."] if missing else []),
            *(f"Failed: {error}" for error in errors),
        ],
        headlines=suite.table.headlines,
    )


def _run(
    suite: Suite, jobs: Sequence[Job], records: Sequence[Entry[Findings]], *, quick: bool
) -> str:
    """Return a sentence on what was run, with which settings, how long it took, and where."""
    fixed, varied = suite.settings_of(quick=quick)
    parts = [
        f"{name} {', '.join(f'{value:g}' if is_number(value) else str(value) for value in values)}"
        for name, values in [*varied.items(), *((name, (value,)) for name, value in fixed.items())]
    ]
    minutes = sum(record.seconds for record in records) / 60
    spent = f"{minutes:,.1f} minutes in all on " if minutes else "Measured on "
    count = f"{len(jobs)} {'job' if len(jobs) == 1 else 'jobs'}"
    behind_each = Counter(
        (row(record.settings, suite), tables.column(record.settings, suite)) for record in records
    )
    fewest, most = min(behind_each.values(), default=0), max(behind_each.values(), default=0)
    mean = "one job" if most == 1 else f"{fewest} jobs" if fewest == most else f"{fewest} to {most}"
    return (
        f"Run: experiment {suite.experiment}, {count}, {mean} behind each number: "
        f"{'; '.join(parts)}. {spent}{_where(records)}."
    )


def _where(records: Sequence[Entry[Findings]]) -> str:
    """Return the names of the machines that jobs ran on."""
    machines = dict.fromkeys(
        f"{machine.get('processor')}, {machine.get('cores')} cores, "
        f"{machine.get('threads')} for a job, torch {machine.get('torch')}"
        for machine in (record.facts.machine for record in records)
        if machine
    )
    return "; ".join(machines) or "a machine that is not named"
