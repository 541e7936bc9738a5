"""Pool: workers, each a process of this machine that performs one job after the other.

Each worker has its own pipe, which tells the job of a worker that died. Workers ignore Ctrl-C,
which their parent handles; SIGTERM ends them after their clean-up.
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
from stegfield.machine import limit_cores

if TYPE_CHECKING:
    from types import FrameType

J = TypeVar("J")
O = TypeVar("O")  # noqa: E741 - an outcome
DIED = "the process died: was there enough memory?"
GRACE_SECONDS = 10.0
"""Seconds for workers to clean up before they are killed."""
THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Variables that libraries read when they are imported."""


def performed(
    tasks: Iterable[tuple[J, bool]],
    perform: Callable[[J, bool], O],
    *,
    workers: int,
    threads: int,
    died: list[J],
) -> Generator[O, None, None]:
    """Perform jobs in new processes, yield each outcome as it comes, and end all processes.

    Args:
        tasks: Jobs, each with whether it was tried before; taken as workers get free.
        perform: Performs a job; other processes can import it.
        workers: Most processes at a time.
        threads: Threads of each process.
        died: List to which jobs are added whose process died.

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
    """A process that performs jobs, and this end of its pipe."""

    def __init__(self, threads: int) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, threads))
        self.process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    def tell(self, message: object) -> None:
        """Send it a message; a dead worker is noticed when its pipe is read."""
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
    with suppress(EOFError, OSError):  # the parent has ended, or has closed the pipe
        perform = connection.recv()
        while True:
            connection.send(_answer(connection, perform))


def _answer(connection: Connection, perform: Callable[[J, bool], O]) -> tuple[bool, O | Exception]:
    job, again = connection.recv()
    try:
        return True, perform(job, again)
    except Exception as error:  # raised again in the parent
        return False, error


def _leave(number: int, frame: FrameType | None) -> None:
    """End in order: close what is open, and remove half-written files."""
    raise SystemExit(1)


def limit_threads(count: int) -> None:
    """Limit the threads of numerical libraries, imported or not yet imported."""
    os.environ.update(dict.fromkeys(THREADS, str(count)))
    limit_cores(count)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(count)
