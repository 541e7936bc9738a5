"""Running jobs: those that are not done, each recorded as it begins and as it ends."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from stegfield import files
from stegfield.errors import StegfieldError
from stegfield.jobs.engines import Engine, local
from stegfield.jobs.ledger import Begun, Entry, Job, Ledger, digests

F = TypeVar("F")


@dataclass(frozen=True)
class JobProgress(Generic[F]):
    """How far a run has come."""

    done: int
    jobs: int
    """Those of this run: without what had been done before."""

    failed: int
    latest: Entry[F]


def run(
    jobs: Sequence[Job],
    ledger: Ledger[F],
    perform: Callable[[Job], F],
    *,
    engine: Engine = local,
    workers: int = 1,
    watch: Callable[[JobProgress[F]], None] | None = None,
) -> list[Entry[F]]:
    """Run the jobs that are not done; one that fails does not stop the others.

    Files that an interrupted run of a job has left are removed before it runs again: those alone
    that were not there when it began.

    Args:
        jobs: What to run; one that is named twice is run once.
        ledger: Where each is recorded. It is this run's alone until all jobs have ended.
        perform: Does a job and returns its facts; other processes can import it. What it raises
            is recorded as the job's error.
        engine: How several jobs run at once.
        workers: How many.
        watch: Told of each job that ended.

    Returns:
        The entries of the jobs that were run.

    Raises:
        InputError: The ledger's file is of another kind.
        OutputError: Another run has the ledger, or it cannot be written.
    """
    ended: list[Entry[F]] = []
    failed = 0
    with ledger.writing():
        pending = {job.id: job for job in jobs if not ledger.done(job)}
        outcomes = engine(
            (ledger.begin(job) for job in pending.values()),
            partial(attempt, perform=perform, facts=ledger.kind.facts, salt=ledger.salt),
            partial(_lost, facts=ledger.kind.facts),
            max(1, min(workers, len(pending))),
        )
        with closing(outcomes):  # at once, so that no worker outlives an interruption
            for entry in outcomes:
                ledger.add(entry)
                ended.append(entry)
                failed += entry.error is not None
                if watch is not None:
                    watch(JobProgress(len(ended), len(pending), failed, entry))
    return ended


def attempt(
    begun: Begun,
    again: bool,
    *,
    perform: Callable[[Job], F],
    facts: Callable[..., F],
    salt: bytes = b"",
) -> Entry[F]:
    """Perform a job here, and tell what became of it.

    Args:
        begun: The job, and what it may have left in a run that died.
        again: Whether it was tried in this run as well, by a process that died.
        perform: Does a job and returns its facts.
        facts: Makes the facts of a job that failed.
        salt: Of the digests of files.
    """
    job, began = begun.job, time.perf_counter()
    found: F = facts()
    inputs: dict[str, str] = {}
    error: str | None = None
    hint: str | None = None
    try:
        if again or begun.interrupted:
            _clean(begun.writes, begun.absent if again else begun.leftovers)
        inputs = digests(job, salt)
        found = perform(job)
    except StegfieldError as problem:
        error, hint = str(problem), problem.hint
    except Exception as problem:  # one bad job does not stop the rest
        error = "".join(traceback.format_exception_only(problem)).strip()
    seconds = round(time.perf_counter() - began, 3)
    return Entry.of(job, found, seconds=seconds, error=error, hint=hint, inputs=inputs)


def _clean(written: Sequence[Path], leftovers: Sequence[Path]) -> None:
    """Remove what a process that died has left of the files that it was to write."""
    for path in written:
        files.remove_unfinished(path)
    for path in leftovers:
        path.unlink(missing_ok=True)


def _lost(begun: Begun, reason: str, *, facts: Callable[..., F]) -> Entry[F]:
    """Tell of a job whose process died."""
    return Entry.of(begun.job, facts(), error=reason, lost=True)
