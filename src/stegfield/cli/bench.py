"""``stegfield bench`` and ``stegfield report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from stegfield import files
from stegfield.cli.terminal import answer, say
from stegfield.errors import ConfigError, StegfieldError

if TYPE_CHECKING:
    from stegfield.bench import Findings
    from stegfield.jobs import JobProgress

MOST_WORKERS = 1024
LARGEST_DOCUMENT = 1 << 24


def bench(
    *suite: str,
    output: Annotated[Path, Parameter(alias="-o")] = Path("bench"),
    data: Path | None = None,
    quick: bool = False,
    workers: int = 1,
    engine: Literal["local", "ray"] = "local",
    list_: Annotated[bool, Parameter(name="--list", negative="")] = False,
    json: bool = False,
) -> None:
    """Run suites of experiments; jobs that are done are not run again.

    Args:
        suite: Names of suites that ship with stegfield, or TOML files [default: all that ship].
        output: Folder of the results: `results.jsonl`, and pictures.
        data: Folder of the images and other signals that the suites name; `photographs` need none.
        quick: Run the short form of each suite: fewer images, fewer steps.
        workers: Jobs that run at once.
        engine: Where jobs run: on this machine, or on a Ray cluster.
        list_: List the suites that ship with stegfield, and run nothing.
        json: Print the result as JSON.
    """
    from stegfield import bench as suites
    from stegfield.jobs import ENGINES

    if list_:
        for name in suites.shipped():
            loaded = suites.load(name)
            say(f"{name:24} {loaded.title} ({len(loaded.jobs())} jobs)")
        return
    if not 1 <= workers <= MOST_WORKERS:
        raise ConfigError(f"--workers must be from 1 to {MOST_WORKERS:,}, got {workers}")
    if data is not None and not data.is_dir():
        raise ConfigError(
            f"{data} is not a folder", hint="name a folder of sets of images with --data"
        )
    chosen = [suites.load(name) for name in suite or suites.shipped()]
    jobs = [job for each in chosen for job in each.jobs(quick=quick)]
    results = suites.Results(output)
    try:
        failed = suites.run(
            jobs,
            results,
            data,
            engine=ENGINES[engine],
            workers=workers,
            watch=None if json else _tell,
        )
    except KeyboardInterrupt:
        raise StegfieldError(
            "stopped; the jobs that ended are kept", hint="repeat the command to run the others"
        ) from None
    facts = {"jobs": len({job.id for job in jobs}), "failed": failed, "results": str(output)}
    if json:
        answer(facts)
    else:
        say(f"{output}: {facts['jobs']} jobs, {failed} failed")
    if failed:
        raise StegfieldError(f"{failed} jobs failed", hint="repeat the command to try them again")


def report(
    folder: Path = Path("bench"),
    /,
    *,
    suite: tuple[str, ...] = (),
    into: tuple[Path, ...] = (),
    csv: bool = False,
    latex: bool = False,
    quick: bool = False,
) -> None:
    """Write a report of a folder's results: `report.html`, and a Markdown page for each suite.

    Args:
        folder: Folder where `stegfield bench` wrote its results.
        suite: Suites to show [default: all that ship with stegfield].
        into: Documents to put tables into, at marks such as `<!-- speed-1-rates figures -->`.
        csv: Also write every table as CSV, beside the pages.
        latex: Also write every table as LaTeX, for the package booktabs, and the papers' BibTeX.
        quick: Show the results of `bench --quick`.
    """
    from stegfield import bench as suites

    chosen = [suites.load(name) for name in suite or suites.shipped()]
    results = suites.Results(folder)
    for path in suites.write_report(chosen, results, quick=quick, csv=csv, latex=latex):
        say(f"wrote {path}")
    sections = suites.sections(chosen, results, quick=quick) if into else []
    for document in into:
        text = files.read_bounded(document, LARGEST_DOCUMENT).decode("utf-8")
        files.write_new(document, suites.filled(text, sections).encode(), force=True)
        say(f"wrote {document}")


def _tell(progress: JobProgress[Findings]) -> None:
    latest = progress.latest
    settings = ", ".join(f"{name} {value}" for name, value in latest.settings.items())
    outcome = latest.error or f"{latest.seconds:.1f} s"
    say(f"{progress.done}/{progress.jobs} {latest.name}: {settings}: {outcome}")
