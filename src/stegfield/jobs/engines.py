"""Engines: where jobs run: in this process, in processes of this machine, or on a cluster.

The function that performs a job is sent to other processes, so it must be importable. It raises
nothing, and gets whether the job was tried before, in a process that was lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from stegfield.errors import InputError
from stegfield.jobs.pool import DIED, performed
from stegfield.machine import cores

J = TypeVar("J")
O = TypeVar("O")  # noqa: E741 - an outcome
TRIES = 3
"""Most tries of a job whose worker is lost, on a cluster."""


@runtime_checkable
class Engine(Protocol):
    """Runs jobs."""

    def __call__(
        self,
        jobs: Iterable[J],
        perform: Callable[[J, bool], O],
        lost: Callable[[J, str], O],
        workers: int,
    ) -> Generator[O, None, None]:
        """Perform jobs as workers get free, and yield outcomes as they come.

        Args:
            jobs: The jobs.
            perform: Performs a job; also gets whether it was tried before.
            lost: Makes the outcome of a job whose process was lost, from the reason.
            workers: How many jobs run at once.
        """


def local(
    jobs: Iterable[J], perform: Callable[[J, bool], O], lost: Callable[[J, str], O], workers: int
) -> Generator[O, None, None]:
    """Run jobs in processes of this machine, or in this process if there is one worker."""
    if workers > 1:
        yield from apart(jobs, perform, lost, workers)
        return
    for job in jobs:
        yield perform(job, False)


def apart(
    jobs: Iterable[J],
    perform: Callable[[J, bool], O],
    lost: Callable[[J, str], O],
    workers: int,
    *,
    threads: int | None = None,
) -> Generator[O, None, None]:
    """Run jobs in other processes of this machine, which end when this process ends or dies.

    A job whose process dies is tried once more, alone, when all others are done and memory is free.

    Args:
        jobs: The jobs, as in `Engine`.
        perform: Performs a job.
        lost: Makes the outcome of a lost job.
        workers: How many processes.
        threads: Threads of each process [default: its share of the cores].
    """
    share, all_of_them = (threads or max(1, cores() // count) for count in (workers, 1))
    suspects: list[J] = []
    tasks = ((job, False) for job in jobs)
    yield from performed(tasks, perform, workers=workers, threads=share, died=suspects)
    for suspect in suspects:
        died: list[J] = []
        alone = [(suspect, True)]
        yield from performed(alone, perform, workers=1, threads=all_of_them, died=died)
        for job in died:
            yield lost(job, DIED)


def on_ray(
    jobs: Iterable[J], perform: Callable[[J, bool], O], lost: Callable[[J, str], O], workers: int
) -> Generator[O, None, None]:
    """Run jobs on this machine's Ray cluster, or start Ray on this machine alone.

    A job whose worker is lost is started again elsewhere; jobs that run when this process ends are
    cancelled. The machines of a cluster must share the current folder, since jobs name files
    relative to it.

    Raises:
        InputError: Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report usage to its makers
    try:
        import ray
    except ImportError:
        raise InputError("Ray is not installed", hint="pip install 'stegfield[ray]'") from None
    cluster: Any = ray
    if not cluster.is_initialized():
        cluster.init(log_to_driver=False, include_dashboard=False)
    cpus = [int(node["Resources"].get("CPU", 0)) for node in cluster.nodes() if node["Alive"]]
    # no more than the largest machine has, or the job would wait for ever
    share = max(1, min(sum(cpus) // workers, max(cpus, default=1)))
    task = cluster.remote(num_cpus=share, max_retries=0)(_there)
    here, shared = Path.cwd(), cluster.put(perform)
    waiting = iter(jobs)
    running: dict[Any, tuple[J, int]] = {}
    try:
        while True:
            for job in islice(waiting, workers - len(running)):
                running[task.remote(here, shared, job, False)] = job, 1
            if not running:
                return
            (done,), _ = cluster.wait(list(running))
            job, tries = running.pop(done)
            try:
                outcome = cluster.get(done)
            except cluster.exceptions.RayError as error:
                if tries < TRIES:
                    running[task.remote(here, shared, job, True)] = job, tries + 1
                    continue
                outcome = lost(job, f"lost by the cluster: {type(error).__name__}")
            yield outcome
    finally:
        for each in running:
            cluster.cancel(each, force=True)


def _there(folder: Path, perform: Callable[[J, bool], O], job: J, again: bool) -> O:
    """Perform a job on a machine of a cluster, in the folder that its file names start from."""
    os.chdir(folder)
    return perform(job, again)


ENGINES: dict[str, Engine] = {"local": local, "ray": on_ray}
