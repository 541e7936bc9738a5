"""Pool: workers, each a process of this machine that performs one job after the other.

Each worker has a pipe of its own, so that it is known which job a dead one was at. Workers ignore
Ctrl-C, which is for the process that started them; SIGTERM ends them with their clean-up done.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, TypeVar

from stegfield.jobs.parents import end_with_parent

if TYPE_CHECKING:
    from types import FrameType

J = TypeVar("J")
O = TypeVar("O")  # noqa: E741 - an outcome
DIED = "the process died: was there enough memory?"
GRACE_SECONDS = 10.0
"""For workers to clean up before they are killed."""
THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Variables that libraries read when they are imported."""


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS and Windows


def performed(
    tasks: Iterable[tuple[J, bool]],
    perform: Callable[[J, bool], O],
    *,
    workers: int,
    threads: int,
    died: list[J],
) -> Generator[O, None, None]:
    """Perform jobs in new processes and yield each outcome as it comes; end all processes.

    Args:
        tasks: Jobs, each taken when a worker is free, and whether it was tried before.
        perform: Performs a job; it can be imported by another process.
        workers: How many processes at most.
        threads: Threads of each.
        died: Gets the jobs whose process died.

    Raises:
        Exception: ``perform`` raised it.
    """
    waiting = iter(tasks)
    crew: list[_Worker] = []
    idle: list[_Worker] = []
    running: dict[Connection, tuple[_Worker, J]] = {}
    try:
        while True:
            for job, again in islice(waiting, workers - len(running)):
                if not idle:
                    crew.append(_Worker(threads))
                    idle.append(crew[-1])
                    idle[-1].tell(perform)
                worker = idle.pop()
                worker.tell((job, again))
                running[worker.connection] = worker, job
            if not running:
                return
            for ready in wait(list(running)):
                worker, job = running.pop(ready)  # type: ignore[call-overload]
                try:
                    done, outcome = worker.connection.recv()
                except (EOFError, OSError):
                    died.append(job)
                    continue
                if not done:
                    raise outcome
                idle.append(worker)
                yield outcome
    finally:
        _end(crew, busy=[worker for worker, _ in running.values()])


class _Worker:
    """A process that performs jobs, and our end of its pipe."""

    def __init__(self, threads: int) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, threads))
        self.process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    def tell(self, message: object) -> None:
        """Send it a message; one that died is noticed when it is listened to."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)


def _end(crew: Sequence[_Worker], busy: Sequence[_Worker]) -> None:
    """End workers: idle ones by closing their pipe, others by SIGTERM, and late ones by force."""
    for worker in crew:
        worker.connection.close()
    for worker in busy:
        worker.process.terminate()
    until = time.monotonic() + GRACE_SECONDS
    for worker in crew:
        worker.process.join(max(0.0, until - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _serve(connection: Connection, threads: int) -> None:
    """Perform jobs until the pipe is closed."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    limit_threads(threads)
    with suppress(EOFError, OSError):  # whoever started it has ended, or is done with it
        perform = connection.recv()
        while True:
            connection.send(_answer(connection, perform))


def _answer(connection: Connection, perform: Callable[[J, bool], O]) -> tuple[bool, O | Exception]:
    job, again = connection.recv()
    try:
        return True, perform(job, again)
    except Exception as error:  # it is raised where the outcome is awaited
        return False, error


def _leave(number: int, frame: FrameType | None) -> None:
    """End in order: what is open is closed, and half files are removed."""
    raise SystemExit(1)


def limit_threads(count: int) -> None:
    """Limit the threads of numerical libraries, whether they are imported already or not yet."""
    os.environ.update(dict.fromkeys(THREADS, str(count)))
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(count)
