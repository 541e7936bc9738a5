"""Work that ends in time: a process of its own does it, and is killed if it takes too long.

What reads a file that somebody sent has no say in how long that takes; a thread cannot be ended,
a process can.
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
"""Imported once, not for each process anew."""
GRACE_SECONDS = 5
EVERY = 0.2
"""Seconds between two looks whether somebody still waits."""


class TooLongError(StegfieldError):
    """The work was ended before it was done."""


def prepare() -> Any:
    """Begin to import what the work takes, or the first call would wait; return how to start it."""
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
        work: A function of a module, which takes and returns what can be pickled.
        given: Its arguments.
        seconds: Longest time that it may take, the start of the process included.
        waited_for: Tells whether somebody still waits for the result.

    Raises:
        TooLongError: The time is over, or nobody waits.
        StegfieldError: The function raised one; it has the same message and hint.
        MemoryError: The function raised one, or the system ended the process.
        RuntimeError: The function raised anything else, which was logged.
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
    if hasattr(signal, "setitimer"):  # ends it where the server was killed and cannot
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)
    try:
        answer.send(("done", work(*given), None))
    except StegfieldError as error:
        answer.send(("told", error.args[0], error.hint))
    except MemoryError:
        answer.send(("memory", None, None))
    except Exception as error:
        LOG.exception("what a handler of the web page called has failed")
        answer.send(("failed", type(error).__name__, None))
