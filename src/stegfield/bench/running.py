"""Running the jobs of suites that have no result yet."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments import find
from stegfield.bench.measuring import machine
from stegfield.bench.results import Figure, Job, Record, Results
from stegfield.engines import Engine, local
from stegfield.errors import StegfieldError

WORK = "work"


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    done: int
    jobs: int
    failed: int
    latest: Record


Watch = Callable[[Progress], None]


def run(
    jobs: Sequence[Job],
    results: Results,
    data: Path | None,
    *,
    engine: Engine = local,
    workers: int = 1,
    watch: Watch | None = None,
) -> int:
    """Run the jobs that have no result yet; a job that fails does not stop the others.

    What jobs share is in the folder until all are done, so it is for one run at a time.

    Args:
        jobs: What to run; one that is named twice is run once.
        results: Where records are kept, as each job ends.
        data: Folder of the images; None leaves those that ship with scikit-image.
        engine: How several jobs run at once.
        workers: How many.
        watch: Told of each job that ended.

    Returns:
        How many jobs failed.
    """
    for job in jobs:
        find(job.experiment, job.settings)  # a mistake in a suite shows before anything is run
    pending = list({job.id: job for job in jobs if not results.done(job)}.values())
    failed = 0
    for done, outcome in enumerate(
        engine(pending, partial(perform, data=data, work=results.folder / WORK), failure, workers),
        1,
    ):
        results.add(outcome.record, outcome.pictures)
        failed += outcome.record.error is not None
        if watch is not None:
            watch(Progress(done, len(pending), failed, outcome.record))
    if not failed:
        shutil.rmtree(results.folder / WORK, ignore_errors=True)  # what jobs shared
    return failed


@dataclass(frozen=True)
class Outcome:
    """A record and the pictures it names."""

    record: Record
    pictures: dict[str, bytes]


def perform(job: Job, *, data: Path | None, work: Path) -> Outcome:
    """Run one job, here; in a folder of its own, if it has something to go on from."""
    began = time.perf_counter()
    figures: dict[str, Figure] = {}
    pictures: dict[str, bytes] = {}
    error: str | None = None
    try:
        found = find(job.experiment, job.settings)(Datasets(data, work.absolute(), job.id))
        shutil.rmtree(work / job.id, ignore_errors=True)
        figures = dict(found.figures)
        pictures = {f"{job.id}-{name}.png": png for name, png in found.pictures.items()}
    except StegfieldError as problem:
        error = str(problem)
    except Exception as problem:  # one bad job does not stop the rest
        error = "".join(traceback.format_exception_only(problem)).strip()
        traceback.print_exception(problem)
    record = Record(
        id=job.id,
        experiment=job.experiment,
        settings=dict(job.settings),
        figures=figures,
        pictures=tuple(pictures),
        seconds=round(time.perf_counter() - began, 2),
        error=error,
        machine=machine(),
    )
    return Outcome(record, pictures)


def failure(job: Job, error: str) -> Outcome:
    """Tell of a job whose process died."""
    record = Record(job.id, job.experiment, dict(job.settings), {}, error=error)
    return Outcome(record, {})
