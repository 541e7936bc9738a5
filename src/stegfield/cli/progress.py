"""Progress of long runs, and how they end early.

A terminal shows a bar. A file or a pipe gets a line after the first second, then lines further and
further apart. The first Ctrl-C lets a run finish and write its result; the second stops it at once.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from stegfield.cli.terminal import say

if TYPE_CHECKING:
    from types import FrameType

    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn

    from stegfield.fields import FitProgress
    from stegfield.fixednet import EmbedProgress
    from stegfield.generative import Progress as Training

P = TypeVar("P")
FIRST_LINE, LONGEST_WAIT = 1.0, 60.0
"""Seconds to the first line if there is no terminal, and between two lines at most."""


class Told(NamedTuple):
    """How far a run is, for display."""

    fraction: float
    counted: str
    """What is done, or left, in words."""
    figures: str
    seconds_left: float | None
    """None: estimate it from the fraction."""


def watching(names: list[str]) -> AbstractContextManager[Callable[[FitProgress], bool]]:
    """Show the progress of a fit and the PSNR of every signal; Ctrl-C winds it down."""

    def tell(progress: FitProgress) -> Told:
        pairs = zip(names, progress.psnr_db, strict=False)
        figures = ", ".join(f"{name} {db:.1f} dB" for name, db in pairs)
        left = progress.seconds * (1 / max(progress.fraction, 1e-3) - 1)
        return Told(progress.fraction, f"step {progress.step:,}", figures, left)

    return _watching(tell, promise="winding down")


def watching_training(*, show: bool) -> AbstractContextManager[Callable[[Training], bool]]:
    """Show the progress of a training; Ctrl-C ends it after its step."""

    def tell(progress: Training) -> Told:
        figures = (
            f"warming up, {progress.warm_up_left:,} steps to go"
            if progress.warm_up_left
            else f"{progress.size}x{progress.size}, {progress.images_a_second:.0f} a second, "
            f"loss {progress.critic_loss:.2f}, scores {progress.real:+.2f} {progress.drawn:+.2f}"
        )
        count = f"step {progress.step:,}"
        return Told(progress.step / progress.steps, count, figures, progress.seconds_left)

    return _watching(tell, promise="ending after this step", show=show)


def watching_bits() -> AbstractContextManager[Callable[[EmbedProgress], Any]]:
    """Show how many bits are left to embed, and the PSNR so far."""

    def tell(progress: EmbedProgress) -> Told:
        count, figures = f"{progress.bits_left:,} bits left", f"{progress.psnr_db:.1f} dB"
        return Told(progress.fraction, count, figures, None)

    return _watching(tell)


def finish(checkpoint: Path | None, *, stopped: bool) -> None:
    """Remove the checkpoint of a run whose result is written, unless it was cut short."""
    if checkpoint is None:
        return
    if stopped:
        say(
            f"the run can be resumed from {checkpoint}: repeat the command with --force, "
            "and publish only one of the two results"
        )
    else:
        checkpoint.unlink(missing_ok=True)


def progress_bar(count: str, left: ProgressColumn) -> Bar:
    """Return a bar on stderr, shown if that is a terminal: share done, count, figures, times."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.percentage:3.0f} %"),
        BarColumn(bar_width=24),
        TextColumn(count),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
        left,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@contextmanager
def _watching(
    tell: Callable[[P], Told], *, promise: str | None = None, show: bool = True
) -> Iterator[Callable[[P], bool]]:
    """Show how far a run is; the callback returns whether Ctrl-C asked for an orderly end."""
    display = _Display(show=show)
    ending: AbstractContextManager[Callable[[], bool]] = nullcontext(bool)  # never asked
    if promise is not None:
        ending = _ending(display.bar, promise)
    with display.bar, ending as asked:

        def watch(progress: P) -> bool:
            display.show(tell(progress))
            return asked()

        yield watch


@contextmanager
def _ending(bar: Bar, promise: str) -> Iterator[Callable[[], bool]]:
    """Yield a check whether Ctrl-C asked for an orderly end; a second Ctrl-C stops at once."""
    from multiprocessing import parent_process

    if parent_process() is not None:  # a worker of a batch: its parent handles Ctrl-C
        yield lambda: False
        return
    asked = False

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        bar.console.print(f"{promise}; Ctrl-C again stops at once")

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, previous)


class _Display:
    """Shows how far a run is: a bar on a terminal, else a line now and then."""

    def __init__(self, *, show: bool) -> None:
        from rich.progress import TextColumn

        self.bar = progress_bar("{task.fields[count]}", TextColumn("{task.fields[left]}"))
        self._task = self.bar.add_task("", total=1.0, count="", told="", left="", visible=show)
        self._lines = show and self.bar.disable
        self._began, self._wait = time.monotonic(), FIRST_LINE
        self._next = self._began + self._wait

    def show(self, latest: Told) -> None:
        """Show the latest state; the time between lines doubles, up to a limit."""
        now = time.monotonic()
        left = _left(latest, now - self._began)
        self.bar.update(
            self._task,
            completed=latest.fraction,
            count=latest.counted,
            told=latest.figures,
            left=left,
        )
        if self._lines and now >= self._next:
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._next = now + self._wait
            words = (f"{latest.fraction:.0%}: {latest.counted}", latest.figures, left)
            say(", ".join(filter(None, words)))


def _left(latest: Told, elapsed: float) -> str:
    seconds = latest.seconds_left
    if seconds is None and latest.fraction:
        seconds = elapsed * (1 / latest.fraction - 1)
    if seconds is None or math.isnan(seconds):
        return ""
    return f"{seconds:.0f} s left" if seconds < 120 else f"{seconds / 60:.0f} min left"
