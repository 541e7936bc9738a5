"""``stegfield batch``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from stegfield.cli.terminal import answer, is_quiet, say
from stegfield.errors import ConfigError, StegfieldError

if TYPE_CHECKING:
    from stegfield.cli.performing import Said
    from stegfield.jobs import Entry, Job, JobProgress, Ledger

MOST_WORKERS = 1024
SHOWN = 20
"""Failures that are printed one by one."""


def batch(
    jobs: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    workers: int = 1,
    engine: Literal["local", "ray"] = "local",
    json: bool = False,
) -> None:
    """Run the commands that a file lists; jobs that are done are not run again.

    In TOML, each `[[jobs]]` table names a `command`: embed, extract, fit, generate, hide, render or
    reveal. It also has the command's arguments by name; `[all]` has those that all jobs share. In
    CSV, each row is a job and each column an argument; cells may be true, false or lists as in
    TOML. If the first argument has wildcards, as in `cover = "photos/*.png"`, there is a job for
    each file. The other arguments name it by `{name}` and `{number}`, as in
    `output = "stego/{name}.png"`. Keys must be key files.

    Args:
        jobs: File of jobs: TOML, or CSV where its name ends in .csv.
        output: File of results, one JSON object a line [default: name of the file of jobs, with
            .jsonl].
        workers: Jobs that run at once.
        engine: Where jobs run: on this machine, or on a Ray cluster.
        json: Print a summary as JSON.
    """
    from stegfield import files
    from stegfield.cli.job_files import read_jobs
    from stegfield.cli.performing import BATCH
    from stegfield.jobs import Ledger

    if not 1 <= workers <= MOST_WORKERS:
        raise ConfigError(f"--workers must be from 1 to {MOST_WORKERS:,}, got {workers}")
    results = output or jobs.with_suffix(".jsonl")
    listed = read_jobs(jobs, results)
    files.check_new(results, force=True)
    ended = _run(listed, Ledger(results, BATCH), engine, workers)
    kept = len(listed) - len(ended)
    failures = [entry for entry in ended if entry.error is not None]
    if json:
        answer(
            {
                "jobs": len(listed),
                "done": len(ended) - len(failures),
                "kept": kept,
                "failed": {entry.where: entry.error for entry in failures},
            }
        )
    else:
        _tell(ended, kept=kept)
    if failures:
        raise StegfieldError(
            f"{len(failures)} of {len(listed)} jobs failed",
            hint="the others are done; repeat the command to try these again",
        )


def _run(
    listed: Sequence[Job], ledger: Ledger[Said], engine: str, workers: int
) -> list[Entry[Said]]:
    """Run the jobs that are not done, and show a bar, or lines where no terminal is.

    Raises:
        StegfieldError: The run was stopped; the jobs that had ended are recorded.
    """
    from rich.progress import TimeRemainingColumn

    from stegfield.cli.performing import perform
    from stegfield.jobs import apart, on_ray, run
    from stegfield.watching import Lines, Told, progress_bar

    ended: list[Entry[Said]] = []
    with progress_bar(f"{{task.completed:.0f}}/{len(listed)}", TimeRemainingColumn()) as bar:
        bar.disable = bar.disable or is_quiet()
        task = bar.add_task("", total=len(listed), told="")
        lines = Lines(say) if bar.disable else None

        def watch(progress: JobProgress[Said]) -> None:
            ended.append(progress.latest)
            completed = len(listed) - progress.jobs + progress.done
            failed = f"{progress.failed} failed"
            bar.update(task, completed=completed, told=failed)
            if lines is not None:
                share = progress.done / progress.jobs
                lines.show(Told(share, f"{completed:,} of {len(listed):,} jobs", failed, None))

        run_on = apart if engine == "local" else on_ray
        try:
            return run(listed, ledger, perform, engine=run_on, workers=workers, watch=watch)
        except KeyboardInterrupt:
            raise StegfieldError(
                f"stopped after {len(ended):,} jobs of this run",
                hint="repeat the command to run the others",
            ) from None


def _tell(ended: Sequence[Entry[Said]], *, kept: int) -> None:
    """Print a table of the jobs that were run, and the first failures."""
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
    if ended and not is_quiet():
        Console(stderr=True).print(table)
    if kept:
        say(f"{kept:,} jobs were done in an earlier run")
    failures = [entry for entry in ended if entry.error is not None]
    for entry in failures[:SHOWN]:
        say(f"{entry.where}: {entry.error}")
    if len(failures) > SHOWN:
        say(f"and {len(failures) - SHOWN:,} more; the file of results lists all")
