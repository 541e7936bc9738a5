"""Engines: how many jobs run at once, on this machine or on a cluster of them.

An engine takes jobs, what performs one, what tells of one that was lost, and a number of workers;
it gives what came of each job as they end, in any order. What performs a job is sent to other
processes, and so must be importable; it should raise nothing.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch

from stegfield.errors import InputError

J = TypeVar("J")
O = TypeVar("O")  # noqa: E741 - an outcome
TRIES_ELSEWHERE = 3
"""Of a job whose worker is lost, on a cluster."""
DIED = "the process died: was there enough memory?"


@runtime_checkable
class Engine(Protocol):
    """Runs jobs."""

    def __call__(
        self,
        jobs: Sequence[J],
        perform: Callable[[J], O],
        lost: Callable[[J, str], O],
        workers: int,
    ) -> Iterator[O]:
        """Give the outcomes."""


def local(
    jobs: Sequence[J], perform: Callable[[J], O], lost: Callable[[J, str], O], workers: int
) -> Iterator[O]:
    """Run jobs in processes of this machine, or in this one where there is one worker."""
    if workers == 1:
        yield from map(perform, jobs)
    else:
        yield from apart(jobs, perform, lost, workers)


def apart(
    jobs: Sequence[J], perform: Callable[[J], O], lost: Callable[[J, str], O], workers: int
) -> Iterator[O]:
    """Run jobs in other processes of this machine; they end with this one, at once.

    Where a process dies, those jobs that were running are suspects: the others go on together, and
    each suspect is tried once more, alone, to see whose fault it was.
    """
    waiting, suspects = deque(jobs), deque[J]()
    while waiting:
        yield from _together(waiting, suspects, perform, workers)
    for suspect in suspects:
        died = deque[J]()
        yield from _together(deque([suspect]), died, perform, 1)
        for job in died:
            yield lost(job, DIED)


def _together(
    waiting: deque[J], suspects: deque[J], perform: Callable[[J], O], workers: int
) -> Iterator[O]:
    """Run jobs in new processes until none waits, or a process dies; then tell which ran."""
    threads = max(1, (os.cpu_count() or 1) // workers)
    running: dict[Future[O], J] = {}
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_begin, initargs=(threads,)
    ) as pool:
        try:
            while waiting or running:
                # no more than there are workers: what waits here is no suspect
                while waiting and len(running) < workers:
                    future = pool.submit(perform, waiting[0])
                    running[future] = waiting.popleft()
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    outcome = done.result()
                    del running[done]
                    yield outcome
        except BrokenProcessPool:
            ended = [each for each in running if each.done() and each.exception() is None]
            suspects.extend(job for each, job in running.items() if each not in ended)
            yield from (each.result() for each in ended)
        except BaseException:
            for process in active_children():
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin(threads: int) -> None:
    """Prepare a worker: Ctrl-C is for the process that started it, which ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)


def on_ray(
    jobs: Sequence[J], perform: Callable[[J], O], lost: Callable[[J, str], O], workers: int
) -> Iterator[O]:
    """Run jobs on the Ray cluster that this machine belongs to, or on one of its own.

    A job whose worker is lost is started again elsewhere. The machines of a cluster share the
    folder that this process runs in: jobs name files from there.

    Raises:
        InputError: Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    try:
        import ray
    except ImportError:
        raise InputError("Ray is not installed", hint="pip install 'stegfield[ray]'") from None
    cluster: Any = ray
    if not cluster.is_initialized():
        cluster.init(log_to_driver=False, include_dashboard=False)
    cores = [int(node["Resources"].get("CPU", 0)) for node in cluster.nodes() if node["Alive"]]
    here = Path.cwd()
    # no more than the largest machine has: the job would wait for ever
    share = max(1, min(sum(cores) // workers, max(cores, default=1)))
    task = cluster.remote(num_cpus=share, max_retries=TRIES_ELSEWHERE)(_there)
    waiting = iter(jobs)
    running: dict[Any, J] = {}
    while True:
        for job in islice(waiting, workers - len(running)):
            running[task.remote(here, perform, job)] = job
        if not running:
            return
        (done,), _ = cluster.wait(list(running))
        job = running.pop(done)
        try:
            outcome = cluster.get(done)
        except cluster.exceptions.RayError as error:
            outcome = lost(job, f"lost by the cluster: {type(error).__name__}")
        yield outcome


def _there(folder: Path, perform: Callable[[J], O], job: J) -> O:
    """Perform a job on a machine of a cluster, in the folder that its files are named from."""
    os.chdir(folder)
    return perform(job)


ENGINES: dict[str, Engine] = {"local": local, "ray": on_ray}
