"""Running jobs: those that are not done; each is recorded when it begins and when it ends."""

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
    """How far a run is."""

    done: int
    jobs: int
    """Number of jobs in this run, without those that were done before."""

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

    Before a job runs again, the leftovers of an interrupted run are removed: its files that did not
    exist when it began.

    Args:
        jobs: The jobs; one that is named twice is run once.
        ledger: Records each job; locked until all jobs have ended, unless it is shared.
        perform: Does a job and returns its facts; other processes can import it. An exception is
            recorded as the job's error.
        engine: Where jobs run.
        workers: How many jobs run at once.
        watch: Called after each job.

    Returns:
        The entries of the jobs that were run.

    Raises:
        InputError: The ledger's file is of another kind.
        OutputError: Another run uses the ledger, or it cannot be written.
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
    """Perform a job in this process, and return its entry.

    Args:
        begun: The job, and its leftovers of a run that died.
        again: Whether a process of this run died while it tried the job.
        perform: Does a job and returns its facts.
        facts: Makes the facts of a job that failed.
        salt: Salt of the digests of files.
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
    """Remove the leftovers of a process that died."""
    for path in written:
        files.remove_unfinished(path)
    for path in leftovers:
        path.unlink(missing_ok=True)


def _lost(begun: Begun, reason: str, *, facts: Callable[..., F]) -> Entry[F]:
    """Return the entry of a job whose process died."""
    return Entry.of(begun.job, facts(), error=reason, lost=True)
