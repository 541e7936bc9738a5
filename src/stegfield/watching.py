"""Progress of long runs, in terminals, notebooks, files and pipes, and how they end early.

    with progress("photo", "secret") as watch:
        hide(photo, secrets, watch=watch)

A terminal shows a bar, a notebook a line that changes. A file or a pipe gets a line after half a
second, then lines further and further apart. The first Ctrl-C lets a run finish in good order, if
it can; the second stops it at once.
"""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from types import FrameType

    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn

FIRST_LINE, LONGEST_WAIT = 0.5, 60.0
"""Seconds to the first line without a terminal or a notebook, and the most between two lines."""
NOTEBOOK_WAIT = 0.25
"""Seconds between two changes of a notebook's line."""

WINDING_DOWN = "winding down"
"""What a run does when it is asked to end early, unless it says otherwise."""


@dataclass(frozen=True)
class Told:
    """How far a run is, in words."""

    fraction: float
    """Share of the work that is done, from 0 to 1."""
    counted: str
    """What is done, or left."""
    figures: str
    seconds_left: float | None = None
    """Seconds left; None: estimate them from the fraction."""
    ending: str | None = None
    """What the run does when it is asked to end early; None if it can only be stopped."""


@runtime_checkable
class Progress(Protocol):
    """The progress that a long run passes to its watcher."""

    def told(self, names: Sequence[str]) -> Told:
        """Return the progress in words.

        Args:
            names: Names of the signals that the run has figures for, in order.
        """


Watch = Callable[[Progress], bool]
"""Called with the progress of a run; returning True asks it to end early, in good order."""


def progress(
    *names: str,
    show: bool = True,
    say: Callable[[str], object] | None = None,
    opening: str | None = None,
) -> AbstractContextManager[Watch]:
    """Show how far a run is, and turn Ctrl-C into an early, orderly end.

    The run is one of `embed`, `fit`, `hide` or a training of a generator, which take the watcher as
    ``watch``.

    Args:
        names: Names of the signals with a PSNR: the cover, then each secret.
        show: Whether to show progress; if not, Ctrl-C still ends the run in good order.
        say: Prints a line if there is neither terminal nor notebook [default: on stderr].
        opening: A note to show once the run has begun, so that it is not shown for one that is
            refused.

    Example:
        >>> from stegfield.signals import waves
        >>> from stegfield.fields import FitConfig, fit
        >>> with progress("waves", show=False) as watch:
        ...     fit(waves(8, 8), training=FitConfig(steps=5), watch=watch).steps
        5
    """
    return _progress(_display(show=show, say=say or _print), names, opening)


@contextmanager
def _progress(display: Display, names: Sequence[str], opening: str | None) -> Iterator[Watch]:
    latest: list[Told] = []
    with display.shown(), _ending(display, latest) as asked:

        def watch(progress: Progress) -> bool:
            if opening is not None and not latest:
                display.note(opening)
            latest[:] = [progress.told(names)]
            display.show(latest[0])
            if asked() and latest[0].ending is None:  # before it told that it cannot
                raise KeyboardInterrupt
            return asked()

        yield watch


@contextmanager
def _ending(display: Display, latest: Sequence[Told]) -> Iterator[Callable[[], bool]]:
    """Yield a check whether Ctrl-C asked for an orderly end; a second Ctrl-C stops at once."""
    from multiprocessing import parent_process

    # the parent of a worker handles Ctrl-C, and only main threads handle signals
    if parent_process() is not None or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = False

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        promise = latest[0].ending if latest else WINDING_DOWN
        if asked or promise is None:
            raise KeyboardInterrupt
        asked = True
        display.note(f"{promise}; Ctrl-C again stops at once")

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, previous)


def time_left(seconds: float) -> str:
    """Return the time that is left in words; nothing where it is not known, as NaN tells."""
    if math.isnan(seconds):
        return ""
    return f"{seconds:.0f} s left" if seconds < 120 else f"{seconds / 60:.0f} min left"


def progress_bar(count: str, left: ProgressColumn, *, console: Console | None = None) -> Bar:
    """Return a bar on stderr, shown if that is a terminal: share done, count, figures, times.

    Args:
        count: Format of what is done or left.
        left: Column of the time that is left.
        console: Where to draw the bar [default: stderr].
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = console or Console(stderr=True)
    return Progress(
        TextColumn("{task.percentage:3.0f} %"),
        BarColumn(bar_width=24),
        TextColumn(count, markup=False),
        TextColumn("{task.fields[told]}", markup=False),
        TimeElapsedColumn(),
        left,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class Display(ABC):
    """A place where progress is shown."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def shown(self) -> AbstractContextManager[Any]:
        """Show progress while the context lasts."""
        return nullcontext()

    @abstractmethod
    def show(self, latest: Told) -> None:
        """Show the latest state."""

    @abstractmethod
    def note(self, text: str) -> None:
        """Show a note besides the progress."""

    def left(self, latest: Told) -> str:
        """Return how long a run still takes, if that is known."""
        seconds, elapsed = latest.seconds_left, time.monotonic() - self.began
        if seconds is None and latest.fraction:
            seconds = elapsed * (1 / latest.fraction - 1)
        return "" if seconds is None else time_left(seconds)

    def line(self, latest: Told) -> str:
        """Return the state in one line."""
        words = f"{latest.fraction:.0%}: {latest.counted}", latest.figures, self.left(latest)
        return ", ".join(filter(None, words))


class Terminal(Display):
    """A bar on a terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        from rich.progress import TextColumn

        left = TextColumn("{task.fields[left]}")
        self.bar = progress_bar("{task.fields[count]}", left, console=console)
        self._task = self.bar.add_task("", total=1.0, count="", told="", left="")

    def shown(self) -> AbstractContextManager[Any]:
        """Draw the bar, and remove it at the end."""
        return self.bar

    def show(self, latest: Told) -> None:
        """Move the bar."""
        self.bar.update(
            self._task,
            completed=latest.fraction,
            count=latest.counted,
            told=latest.figures,
            left=self.left(latest),
        )

    def note(self, text: str) -> None:
        """Print above the bar."""
        self.bar.console.print(text, markup=False)


class Notebook(Display):
    """One line below a notebook's cell, which changes until the run is done."""

    def __init__(self, display: Callable[..., Any]) -> None:
        super().__init__()
        self._handle = display(_Line(""), display_id=True)
        self._latest: Told | None = None
        self._next = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Leave the last line at the end."""
        try:
            yield
        finally:
            if self._latest is not None:
                self._put(self._latest)

    def show(self, latest: Told) -> None:
        """Change the line, but not too often."""
        self._latest = latest
        if time.monotonic() >= self._next:
            self._put(latest)

    def note(self, text: str) -> None:
        """Show the note in place of the line, until the next change."""
        self._handle.update(_Line(text))

    def _put(self, latest: Told) -> None:
        self._next = time.monotonic() + NOTEBOOK_WAIT
        self._handle.update(_Line(self.line(latest)))


class _Line(str):
    """Text that a notebook shows without quotes."""

    __repr__ = str.__str__


class Lines(Display):
    """Lines now and then; the time between them doubles, up to a limit."""

    def __init__(self, say: Callable[[str], object]) -> None:
        super().__init__()
        self._say, self._wait = say, FIRST_LINE
        self._next = self.began + self._wait

    def show(self, latest: Told) -> None:
        """Print a line if it is time for one."""
        now = time.monotonic()
        if now >= self._next:
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._next = now + self._wait
            self._say(self.line(latest))

    def note(self, text: str) -> None:
        """Print the note at once."""
        self._say(text)


class Silence(Display):
    """No progress at all; only notes are printed."""

    def __init__(self, say: Callable[[str], object]) -> None:
        super().__init__()
        self._say = say

    def show(self, latest: Told) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Print the note."""
        self._say(text)


def _display(*, show: bool, say: Callable[[str], object]) -> Display:
    """Return the place where progress can be shown."""
    if not show:
        return Silence(say)
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_jupyter:
        from IPython.display import display

        return Notebook(display)
    return Terminal(console) if console.is_terminal else Lines(say)


def _print(line: str) -> None:
    if sys.stderr is not None:  # where stderr is closed, print would take stdout
        print(line, file=sys.stderr)  # noqa: T201
