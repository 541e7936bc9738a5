"""Engines: how many jobs run at once, on this machine or on a cluster of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING

import torch

from stegfield.bench.results import Job
from stegfield.errors import InputError

if TYPE_CHECKING:
    from stegfield.bench.running import Outcome

Perform = Callable[[Job], "Outcome"]
Engine = Callable[[Sequence[Job], Perform, int], "Iterator[Outcome]"]
"""Jobs, what runs one, and how many to run at once, to outcomes as they come."""

ATTEMPTS = 2
"""At a job whose process dies: it may have been another's fault."""


def local(jobs: Sequence[Job], perform: Perform, workers: int) -> Iterator[Outcome]:
    """Run jobs in processes of this machine, or in this one where there is one worker."""
    from stegfield.bench.running import failure

    if workers == 1:
        for job in jobs:
            yield perform(job)
        return
    threads = max(1, (os.cpu_count() or 1) // workers)
    left = {job.id: job for job in jobs}
    for attempt in range(ATTEMPTS):
        together = workers if attempt == 0 else 1  # alone, to see whose fault it was
        for batch in [list(left.values())] if attempt == 0 else [[job] for job in left.values()]:
            with ProcessPoolExecutor(
                together, get_context("spawn"), initializer=_begin, initargs=(threads,)
            ) as pool:
                running = {pool.submit(perform, job): job for job in batch}
                try:
                    for done in as_completed(running):
                        outcome = done.result()
                        del left[outcome.record.id]
                        yield outcome
                except BrokenProcessPool:
                    continue
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        if not left:
            return
    for job in left.values():
        yield failure(job, "the process died: was there enough memory?")


def _begin(threads: int) -> None:
    """Prepare a worker: Ctrl-C is for the process that started it, which ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)


def on_ray(jobs: Sequence[Job], perform: Perform, workers: int) -> Iterator[Outcome]:
    """Run jobs on the Ray cluster that this machine belongs to, or on one of its own.

    A job whose worker is lost is started again elsewhere.

    Raises:
        InputError: Ray is not installed.
    """
    try:
        import ray
    except ImportError:
        raise InputError("Ray is not installed", hint="pip install 'stegfield[ray]'") from None
    from stegfield.bench.running import failure

    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False)
    share = max(1.0, ray.cluster_resources().get("CPU", 1.0) / workers)
    task = ray.remote(num_cpus=share, max_retries=3)(perform)
    running = {task.remote(job): job for job in jobs}
    while running:
        (done,), _ = ray.wait(list(running))
        job = running.pop(done)
        try:
            yield ray.get(done)
        except ray.exceptions.RayError as error:
            yield failure(job, f"lost by the cluster: {type(error).__name__}")


ENGINES: dict[str, Engine] = {"local": local, "ray": on_ray}
