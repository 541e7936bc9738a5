"""Parents: a process ends when its parent ends or dies.

A parent that is killed by SIGKILL cannot notify its children, so they check for themselves.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from contextlib import suppress
from threading import Thread

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


def end_with_launcher() -> None:
    """Make this process end when its launcher dies: first as by SIGTERM, then by force."""
    Thread(target=_outlive_launcher, args=(os.getppid(),), daemon=True).start()


def _outlive_launcher(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
