"""Running the jobs of suites that have no result yet."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from stegfield import files, jobs
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments import find
from stegfield.bench.measuring import machine
from stegfield.bench.results import Findings, Results, write_picture
from stegfield.errors import StegfieldError
from stegfield.jobs import Engine, Job, JobProgress, local

WORK = "work"

Watch = Callable[[JobProgress[Findings]], None]


def run(
    planned: Sequence[Job],
    results: Results,
    data: Path | None,
    *,
    engine: Engine = local,
    workers: int = 1,
    watch: Watch | None = None,
) -> int:
    """Run the jobs that have no result yet; a job that fails does not stop the others.

    Jobs share files in the folder until all are done, so only one run at a time may use it.

    Args:
        planned: The jobs; one that is named twice is run once.
        results: Where results are kept, as each job ends.
        data: Folder of the images; None leaves those that ship with scikit-image.
        engine: Where jobs run.
        workers: How many jobs run at once.
        watch: Called after each job.

    Returns:
        How many jobs failed.

    Raises:
        ConfigError: A suite names an experiment or a setting that does not exist.
        OutputError: Another run uses the folder, or it cannot be written.
    """
    for job in planned:
        find(job.name, job.settings)  # report a mistake in a suite before any job runs
    files.make_folder(results.folder)
    doing = partial(perform, data=data, folder=results.folder)
    ended = jobs.run(planned, results, doing, engine=engine, workers=workers, watch=watch)
    failed = sum(entry.error is not None for entry in ended)
    if not failed:
        shutil.rmtree(results.folder / WORK, ignore_errors=True)  # what jobs shared
    return failed


def perform(job: Job, *, data: Path | None, folder: Path) -> Findings:
    """Run one job in this process; it may keep files to resume from in a folder of its own."""
    work = folder / WORK
    try:
        found = find(job.name, job.settings)(Datasets(data, work.absolute(), job.id))
    except StegfieldError:
        raise
    except Exception as problem:  # a defect: its traceback shows where
        traceback.print_exception(problem)
        raise
    shutil.rmtree(work / job.id, ignore_errors=True)
    pictures = {f"{job.id}-{name}.png": png for name, png in found.pictures.items()}
    for name, png in pictures.items():
        write_picture(folder, name, png)
    return Findings(found.figures, tuple(pictures), machine())
