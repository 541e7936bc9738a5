"""Bounded work: it runs in a process of its own, which is killed if it takes too long.

A crafted file can make its reader slow. A thread cannot be ended from outside; a process can.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any

from stegfield.errors import StegfieldError

LOG = logging.getLogger(__name__)
METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
NEEDED = ["stegfield.fixednet", "stegfield.steganalysis.verdict", "stegfield.fields"]
"""Imported once, not again by each process."""
GRACE_SECONDS = 5
EVERY = 0.2
"""Seconds between two checks whether the visitor still waits."""


class TooLongError(StegfieldError):
    """An error: the work was ended before it was done."""


def prepare() -> Any:
    """Start importing what the work needs, for a quick first call; return the process context."""
    context: Any = multiprocessing.get_context(METHOD)
    if METHOD == "forkserver":
        context.set_forkserver_preload(NEEDED)
        forkserver.ensure_running()
    return context


def call(
    work: Callable[..., Any],
    *given: Any,
    seconds: float,
    waited_for: Callable[[], bool] = lambda: True,
) -> Any:
    """Call a function in a process of its own.

    Args:
        work: A function of a module; its arguments and its result can be pickled.
        given: Its arguments.
        seconds: Longest time that it may take, the start of the process included.
        waited_for: Returns whether the visitor still waits for the result.

    Raises:
        TooLongError: The time is over, or the visitor no longer waits.
        StegfieldError: The function raised one; this one has the same message and hint.
        MemoryError: The function raised one, or the system ended the process.
        RuntimeError: The function raised another exception, which was logged.
    """
    end = time.monotonic() + seconds
    context = prepare()
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, seconds, work, given), daemon=True)
    process.start()
    theirs.close()
    try:
        while not ours.poll(EVERY):
            if time.monotonic() > end or not waited_for():
                raise TooLongError(
                    f"it took longer than the {seconds:g} seconds that are allowed",
                    hint="take something smaller",
                )
        return _outcome(ours)
    finally:
        process.kill()
        process.join()
        ours.close()


def _outcome(answer: Connection) -> Any:
    try:
        kind, value, hint = answer.recv()
    except EOFError:
        raise MemoryError from None
    if kind == "done":
        return value
    if kind == "told":
        raise StegfieldError(value, hint=hint)
    if kind == "memory":
        raise MemoryError
    raise RuntimeError(value)


def _work(
    answer: Connection, seconds: float, work: Callable[..., Any], given: tuple[Any, ...]
) -> None:
    if hasattr(signal, "setitimer"):  # a killed server cannot end its processes
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)
    try:
        answer.send(("done", work(*given), None))
    except StegfieldError as error:
        answer.send(("told", error.args[0], error.hint))
    except MemoryError:
        answer.send(("memory", None, None))
    except Exception as error:
        LOG.exception("a call from the web page failed")
        answer.send(("failed", type(error).__name__, None))
