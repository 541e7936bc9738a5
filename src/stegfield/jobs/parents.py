"""Parents: a process ends when its parent ends or dies.

A parent that is killed by SIGKILL cannot notify its children, so they check for themselves.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

PR_SET_PDEATHSIG = 1
LOOK_SECONDS = 0.5
GRACE_SECONDS = 30.0
"""Seconds for a process to end in order after its launcher died."""


def end_with_parent() -> None:
    """Make this worker of `multiprocessing` end at once when its parent dies.

    Linux kills it even within a long call that holds the interpreter; elsewhere a thread ends it as
    soon as the interpreter is free. Linux watches the thread that started the worker, which must
    live as long as the worker.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    Thread(target=_join_parent, daemon=True).start()


def _join_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


@contextmanager
def ended_with_launcher() -> Iterator[None]:
    """End this process in order where its launcher dies: as by SIGTERM, and at last by force.

    The thread that looks is gone before Python ends: one that is left would be torn down together
    with torch's own, which aborts the process now and then.
    """
    done = Event()
    looking = Thread(target=_outlive_launcher, args=(os.getppid(), done), daemon=True)
    looking.start()
    try:
        yield
    finally:
        done.set()
        looking.join()


def _outlive_launcher(launcher: int, done: Event) -> None:
    while os.getppid() == launcher:
        if done.wait(LOOK_SECONDS):
            return
    os.kill(os.getpid(), signal.SIGTERM)
    if not done.wait(GRACE_SECONDS):
        os._exit(1)
