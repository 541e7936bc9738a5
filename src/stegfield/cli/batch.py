"""``stegfield batch``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from stegfield.cli.terminal import answer, say
from stegfield.errors import ConfigError, StegfieldError

if TYPE_CHECKING:
    from stegfield.cli.performing import Said
    from stegfield.jobs import Entry, Job, JobProgress, Ledger

MOST_WORKERS = 1024
SHOWN = 20
"""Failures that are told one by one."""


def batch(
    jobs: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    workers: int = 1,
    engine: Literal["local", "ray"] = "local",
    json: bool = False,
) -> None:
    """Run many commands that are written in a file; those that are done are not run again.

    In TOML, `[[jobs]]` are tables with `command`, one of embed, extract, fit, generate, hide,
    render and reveal, and the command's arguments by their names; `[all]` has those that all jobs
    share. In CSV, each row is a job and each column an argument; cells may be true, false or lists
    as in TOML. Where the first argument has
    wildcards, as in `cover = "photos/*.png"`, there is a job for each file, and `{name}` and
    `{number}` stand for it in the others, as in `output = "stego/{name}.png"`. Keys are key files.

    Args:
        jobs: File of jobs: TOML, or CSV where its name ends in .csv.
        output: File of results, a JSON object a line [default: that of the jobs, with .jsonl].
        workers: Jobs that run at once.
        engine: Where: on this machine, or on a Ray cluster.
        json: Print a summary as JSON.
    """
    from stegfield import files
    from stegfield.cli.job_files import read_jobs
    from stegfield.cli.performing import BATCH
    from stegfield.jobs import Ledger

    if not 1 <= workers <= MOST_WORKERS:
        raise ConfigError(f"--workers must be from 1 to {MOST_WORKERS:,}, got {workers}")
    results = output or jobs.with_suffix(".jsonl")
    wanted = read_jobs(jobs, results)
    files.check_new(results, force=True)
    ended = _run(wanted, Ledger(results, BATCH), engine, workers)
    kept = len(wanted) - len(ended)
    failures = [entry for entry in ended if entry.error is not None]
    if json:
        answer(
            {
                "jobs": len(wanted),
                "done": len(ended) - len(failures),
                "kept": kept,
                "failed": {entry.where: entry.error for entry in failures},
            }
        )
    else:
        _tell(ended, kept=kept)
    if failures:
        raise StegfieldError(
            f"{len(failures)} of {len(wanted)} jobs failed",
            hint="the others are done; run it again to try these once more",
        )


def _run(
    wanted: Sequence[Job], ledger: Ledger[Said], engine: str, workers: int
) -> list[Entry[Said]]:
    """Run the jobs that are not done, behind a bar.

    Raises:
        StegfieldError: The run was stopped; what had ended is recorded.
    """
    from rich.progress import TimeRemainingColumn

    from stegfield.cli.performing import perform
    from stegfield.jobs import apart, on_ray, run
    from stegfield.watching import progress_bar

    ended: list[Entry[Said]] = []
    with progress_bar(f"{{task.completed:.0f}}/{len(wanted)}", TimeRemainingColumn()) as bar:
        task = bar.add_task("", total=len(wanted), told="")

        def watch(progress: JobProgress[Said]) -> None:
            ended.append(progress.latest)
            before = len(wanted) - progress.jobs
            bar.update(task, completed=before + progress.done, told=f"{progress.failed} failed")

        run_on = apart if engine == "local" else on_ray
        try:
            return run(wanted, ledger, perform, engine=run_on, workers=workers, watch=watch)
        except KeyboardInterrupt:
            raise StegfieldError(
                f"stopped after {len(ended):,} jobs of this run",
                hint="run it again for the others",
            ) from None


def _tell(ended: Sequence[Entry[Said]], *, kept: int) -> None:
    """Show a table of what was done, and the first failures."""
    from rich.console import Console
    from rich.table import Table

    table = Table("command", "done", "failed", "seconds a job", "mean PSNR, dB", box=None)
    for command in sorted({entry.name for entry in ended}):
        own = [entry for entry in ended if entry.name == command]
        good = [entry for entry in own if entry.error is None]
        psnr = [
            float(entry.facts.result["psnr_db"])
            for entry in good
            if isinstance(entry.facts.result.get("psnr_db"), int | float)
        ]
        mean = sum(each.seconds for each in good) / len(good) if good else 0.0
        table.add_row(
            command,
            f"{len(good):,}",
            f"{len(own) - len(good):,}",
            f"{mean:.2f}",
            f"{sum(psnr) / len(psnr):.2f}" if psnr else "",
        )
    if ended:
        Console(stderr=True).print(table)
    if kept:
        say(f"{kept:,} jobs had been done before")
    failures = [entry for entry in ended if entry.error is not None]
    for entry in failures[:SHOWN]:
        say(f"{entry.where}: {entry.error}")
    if len(failures) > SHOWN:
        say(f"and {len(failures) - SHOWN:,} more; the file of results has them all")
