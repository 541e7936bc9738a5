"""What the commands share: keys and passphrases, progress, and saying things."""

from __future__ import annotations

import getpass
import json
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from stegfield.errors import ConfigError, InputError, OutputError

if TYPE_CHECKING:
    from types import FrameType

    from cyclopts import ArgumentCollection
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn

    from stegfield.fields import Progress
    from stegfield.fixednet import EmbedProgress
    from stegfield.generative import Progress as Drawing
    from stegfield.keys import Key, Passphrase
    from stegfield.metrics import AnyQuality
    from stegfield.signals import Signal

STDIN_LIMIT = 4096
LINE_EVERY = 60.0
"""Seconds between the lines of a long run where no terminal shows a bar."""


def say(text: str) -> None:
    """Print a result for people on stderr, so that stdout stays for programs."""
    if sys.stderr is not None:  # closed; print would take stdout
        print(printable(text), file=sys.stderr)  # noqa: T201


def printable(text: str) -> str:
    """Write out what would command a terminal, as names of files from others may."""
    return "".join(
        each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text
    )


def answer(facts: Mapping[str, Any]) -> None:
    """Print a result for programs: one JSON object on stdout."""
    print(json.dumps(facts, indent=2, allow_nan=False))  # noqa: T201


def send(data: bytes) -> None:
    """Write bytes to stdout.

    Raises:
        OutputError: Nothing is behind stdout, or it takes no more.
    """
    if sys.stdout is None:
        raise OutputError("stdout is closed", hint="name a file to write")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"stdout cannot be written: {error.strerror or error}", hint="name a file to write"
        ) from error


def complain(text: str, hint: str | None) -> None:
    """Say what went wrong and what to try."""
    say(f"error: {text}")
    if hint:
        say(f"hint: {hint}")


def read_key(
    path: Path | None, *, passphrase_stdin: bool = False, repeat: bool = False
) -> Key | Passphrase:
    """Read a key file, or ask for a passphrase where there is none."""
    from stegfield.keys import Key

    if path is not None and passphrase_stdin:
        raise ConfigError("there is one key", hint="name --key or --passphrase-stdin")
    if path is not None:
        return Key.read(path)
    return ask_passphrase("Passphrase: ", from_stdin=passphrase_stdin, repeat=repeat)


def check_stdin(*, passphrase_stdin: bool = False) -> None:
    """Refuse a message from stdin where nothing is behind it, or a passphrase comes from there."""
    if passphrase_stdin:
        raise ConfigError(
            "stdin cannot give both the message and the passphrase", hint="name a key file"
        )
    if sys.stdin is None:
        raise InputError("stdin is closed", hint="name a file")


def read_message(path: Path) -> bytes:
    """Read the file to embed; - is stdin."""
    from stegfield import files
    from stegfield.payload import LARGEST_MESSAGE

    if str(path) != "-":
        return files.read_bounded(path, LARGEST_MESSAGE)
    try:
        message = sys.stdin.buffer.read(LARGEST_MESSAGE + 1)
    except OSError as error:
        raise InputError(f"stdin cannot be read: {error.strerror or error}") from error
    if len(message) > LARGEST_MESSAGE:
        raise InputError(
            f"the message on stdin is longer than {LARGEST_MESSAGE:,} bytes",
            hint="send it in parts",
        )
    return message


def ask_passphrase(prompt: str, *, from_stdin: bool, repeat: bool = False) -> Passphrase:
    """Ask for a passphrase without showing it, or take the next line of stdin."""
    from stegfield.keys import Passphrase

    if from_stdin:
        if sys.stdin is None:
            raise InputError("stdin is closed", hint="name a key file")
        try:
            line = sys.stdin.readline(STDIN_LIMIT)
        except UnicodeDecodeError:
            raise InputError("the passphrase on stdin is not text in UTF-8") from None
        except OSError as error:
            raise InputError(f"stdin cannot be read: {error.strerror or error}") from error
        if not line:
            raise InputError("stdin has no more passphrases", hint="give one line for each")
        if len(line) == STDIN_LIMIT and not line.endswith("\n"):
            raise InputError(f"the passphrase on stdin is longer than {STDIN_LIMIT - 1} characters")
        return Passphrase(line.rstrip("\r\n"))
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError(
            "there is no key and nobody to ask for a passphrase",
            hint="name a key file, or send the passphrase with --passphrase-stdin",
        )
    try:
        text = getpass.getpass(prompt)
        if repeat and getpass.getpass("Once more: ") != text:
            raise InputError("the passphrases differ", hint="try again")
    except EOFError:
        raise InputError("no passphrase was given") from None
    return Passphrase(text)


def whole_numbers(app: object, commands: object, arguments: ArgumentCollection) -> None:
    """Refuse flags that take a whole number and were given another, which cyclopts would round.

    Raises:
        ConfigError: There is one.
    """
    for argument in arguments:
        if int in (argument.hint, *get_args(argument.hint)):
            for token in argument.tokens:
                if "." in token.value:
                    raise ConfigError(f"{argument.name} must be a whole number, got {token.value}")


def parse_sizes(text: str | None) -> dict[str, int | float]:
    """Read the sizes of an architecture, as in ``width=256,depth=4``."""
    sizes: dict[str, int | float] = {}
    for entry in (text or "").split(",") if text else []:
        name, _, value = entry.strip().partition("=")
        name = name.strip()
        if name in sizes:
            raise ConfigError(f"--sizes names {name} twice")
        try:
            sizes[name] = float(value) if "." in value or "e" in value else int(value)
        except ValueError:
            raise ConfigError(f"sizes are written like width=256,depth=4, got {text!r}") from None
    return sizes


def size_text(size: Sequence[int]) -> str:
    """Give a size as people write it, columns first."""
    return "x".join(map(str, reversed(size)))


def note_times(path: Path, signal: Signal) -> None:
    """Say so where a climate file has more fields than the one that was read."""
    if signal.packing is not None and signal.packing.times > 1:
        say(f"note: {path} has {signal.packing.times:,} fields; the first of them was read")


def warn_if_short(wanted_db: float | None, qualities: Sequence[AnyQuality]) -> None:
    """Say so where a run did not come to the PSNR asked for."""
    reached = min(quality.psnr_db for quality in qualities)
    if wanted_db is not None and reached < wanted_db:
        say(
            f"warning: {wanted_db:g} dB were asked for, {reached:.2f} dB were reached\n"
            "hint: give it more time, or a larger field with --sizes"
        )


def finish(checkpoint: Path | None, *, stopped: bool) -> None:
    """Remove the checkpoint of a run whose result is written, unless it was cut short."""
    if checkpoint is None:
        return
    if stopped:
        say(
            f"the run can go on from {checkpoint}: repeat the command with --force, "
            "and publish only one of the two results"
        )
    else:
        checkpoint.unlink(missing_ok=True)


@contextmanager
def interruptible(bar: Bar, promise: str) -> Iterator[Callable[[], bool]]:
    """Show a bar, and tell whether Ctrl-C asked for an orderly end; the second stops at once."""
    asked = False

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        bar.console.print(f"{promise}; Ctrl-C again stops at once")

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        with bar:
            yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, previous)


class _Steps:
    """How far a run is, in steps: as a bar; in a file or a pipe, as a line now and then."""

    def __init__(self, *, show: bool = True) -> None:
        from rich.progress import TextColumn

        self.bar = progress_bar("step {task.fields[step]}", TextColumn("{task.fields[left]}"))
        self._task = self.bar.add_task("", total=1.0, step="0", told="", left="", visible=show)
        self._lines = show and self.bar.disable
        self._next = time.monotonic() + LINE_EVERY

    def tell(self, fraction: float, step: int, told: str, left: str) -> None:
        """Show the latest."""
        self.bar.update(self._task, completed=fraction, step=f"{step:,}", told=told, left=left)
        if self._lines and time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_EVERY
            say(", ".join(filter(None, (f"{fraction:.0%}: step {step:,}", told, left))))


@contextmanager
def watching(names: list[str]) -> Iterator[Callable[[Progress], bool]]:
    """Show progress with the PSNR of every signal, and turn Ctrl-C into an early, orderly end.

    The first Ctrl-C lets the run wind down and write its file; the second stops at once.
    """
    steps = _Steps()
    with interruptible(steps.bar, "winding down") as asked:

        def watch(progress: Progress) -> bool:
            psnr = ", ".join(
                f"{name} {db:.1f} dB" for name, db in zip(names, progress.psnr_db, strict=False)
            )
            left = progress.seconds * (1 / max(progress.fraction, 1e-3) - 1)
            steps.tell(progress.fraction, progress.step, psnr, f"{left:.0f} s left")
            return asked()

        yield watch


@contextmanager
def watching_training(*, show: bool) -> Iterator[Callable[[Drawing], bool]]:
    """Show the progress of a training, and turn Ctrl-C into an orderly end."""
    steps = _Steps(show=show)
    with interruptible(steps.bar, "ending after this step") as asked:

        def watch(progress: Drawing) -> bool:
            told = (
                f"warming up, {progress.warm_up_left:,} steps to go"
                if progress.warm_up_left
                else f"{progress.size}x{progress.size}, {progress.images_a_second:.0f} a second, "
                f"loss {progress.critic_loss:.2f}, "
                f"scores {progress.real:+.2f} {progress.drawn:+.2f}"
            )
            minutes = progress.seconds_left / 60
            left = "" if math.isnan(minutes) else f"{minutes:.0f} min left"
            steps.tell(progress.step / progress.steps, progress.step, told, left)
            return asked()

        yield watch


@contextmanager
def watching_bits() -> Iterator[Callable[[EmbedProgress], None]]:
    """Show how many bits are left to embed, and the PSNR so far."""
    from rich.progress import TimeRemainingColumn

    with progress_bar("{task.fields[left]} bits left", TimeRemainingColumn()) as bar:
        task = bar.add_task("", total=1.0, left="all", told="")

        def watch(progress: EmbedProgress) -> None:
            bar.update(
                task,
                completed=progress.fraction,
                left=f"{progress.bits_left:,}",
                told=f"{progress.psnr_db:.1f} dB",
            )

        yield watch


def progress_bar(count: str, left: ProgressColumn) -> Bar:
    """Draw a bar on stderr, if that is a terminal: the share done, a count, figures, times."""
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
