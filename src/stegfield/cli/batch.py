"""``stegfield batch``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from stegfield.cli.progress import progress_bar
from stegfield.cli.terminal import answer, say
from stegfield.errors import ConfigError, StegfieldError

if TYPE_CHECKING:
    from stegfield.cli.jobs import Record

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
    from rich.progress import TimeRemainingColumn

    from stegfield import files
    from stegfield.cli.jobs import Records, lost, perform, read_jobs
    from stegfield.engines import apart, on_ray

    if not 1 <= workers <= MOST_WORKERS:
        raise ConfigError(f"--workers must be from 1 to {MOST_WORKERS:,}, got {workers}")
    results = output or jobs.with_suffix(".jsonl")
    wanted = read_jobs(jobs, results)
    files.check_new(results, force=True)
    records = Records(results)
    pending = [job for job in wanted if not records.done(job)]
    ended: list[Record] = []
    with progress_bar(f"{{task.completed:.0f}}/{len(pending)}", TimeRemainingColumn()) as bar:
        task = bar.add_task("", total=len(pending), told="")
        run = apart if engine == "local" else on_ray
        for record in run(pending, perform, lost, min(workers, max(1, len(pending)))):
            records.add(record)
            ended.append(record)
            failed = sum(each.error is not None for each in ended)
            bar.update(task, advance=1, told=f"{failed} failed")
    failures = [record for record in ended if record.error is not None]
    if json:
        answer(
            {
                "jobs": len(wanted),
                "done": len(ended) - len(failures),
                "kept": len(wanted) - len(pending),
                "failed": {record.where: record.error for record in failures},
            }
        )
    else:
        _tell(ended, kept=len(wanted) - len(pending))
    if failures:
        raise StegfieldError(
            f"{len(failures)} of {len(wanted)} jobs failed",
            hint="the others are done; run it again to try these once more",
        )


def _tell(ended: Sequence[Record], *, kept: int) -> None:
    """Show a table of what was done, and the first failures."""
    from rich.console import Console
    from rich.table import Table

    table = Table("command", "done", "failed", "seconds a job", "mean PSNR, dB", box=None)
    for command in sorted({record.arguments[0] for record in ended}):
        own = [record for record in ended if record.arguments[0] == command]
        good = [record for record in own if record.error is None]
        psnr = [
            float(record.result["psnr_db"])
            for record in good
            if isinstance(record.result.get("psnr_db"), int | float)
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
    failures = [record for record in ended if record.error is not None]
    for record in failures[:SHOWN]:
        say(f"{record.where}: {record.error}")
    if len(failures) > SHOWN:
        say(f"and {len(failures) - SHOWN:,} more; the file of results has them all")
