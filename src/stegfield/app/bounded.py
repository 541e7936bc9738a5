"""Bounded work: it runs in a process of its own, which is killed if it takes too long.

A crafted file can make its reader slow, take all memory, or crash. A thread cannot be ended from
outside, and takes the server with it; a process can, and does not. So the server itself decodes no
bytes of visitors: what does is in `stegfield.app.work` and `stegfield.app.findings`.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from stegfield.errors import StegfieldError

LOG = logging.getLogger(__name__)
METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
NEEDED = ["stegfield.app.work", "stegfield.app.findings"]
"""Imported once, not again by each process."""
USUAL_MEGABYTES = 4000
"""Memory that work may take, unless the caller says otherwise."""
STATUS = Path("/proc/self/status")
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
    megabytes: int = USUAL_MEGABYTES,
    waited_for: Callable[[], bool] = lambda: True,
) -> Any:
    """Call a function in a process of its own.

    Args:
        work: A function of a module; its arguments and its result can be pickled.
        given: Its arguments.
        seconds: Longest time that it may take, the start of the process included.
        megabytes: Most memory that it may take, where the system can bound it (Linux).
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
    process = context.Process(
        target=_work, args=(theirs, seconds, megabytes, work, given), daemon=True
    )
    process.start()
    theirs.close()
    try:
        while not ours.poll(max(0.0, min(EVERY, end - time.monotonic()))):
            if time.monotonic() > end or not waited_for():
                raise TooLongError(
                    f"it took longer than the {seconds:g} seconds that are allowed",
                    hint="take something smaller",
                )
        return _outcome(ours)
    finally:
        _kill(process)
        ours.close()


def _kill(process: Any) -> None:
    """End a process, and those that it has started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # it has not come so far
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


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
    answer: Connection,
    seconds: float,
    megabytes: int,
    work: Callable[..., Any],
    given: tuple[Any, ...],
) -> None:
    if hasattr(os, "setsid"):
        os.setsid()
    if hasattr(signal, "setitimer"):  # a killed server cannot end its processes
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)
    _limit(megabytes)
    try:
        answer.send(("done", work(*given), None))
    except StegfieldError as error:
        answer.send(("told", error.args[0], error.hint))
    except MemoryError:
        answer.send(("memory", None, None))
    except Exception as error:
        LOG.exception("a call from the web page failed")
        answer.send(("failed", type(error).__name__, None))


def _limit(megabytes: int) -> None:
    """Bound the memory of this process, and leave no image of it on disk if it crashes."""
    with suppress(ImportError, OSError, ValueError):  # there are no such limits on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # not RLIMIT_AS: threads reserve addresses that they never touch
        [has] = [line for line in STATUS.read_text().splitlines() if line.startswith("VmData")]
        most = (int(has.split()[1]) << 10) + megabytes * 1_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
