"""What the commands share: keys and passphrases, progress, and saying things."""

from __future__ import annotations

import getpass
import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegfield.errors import ConfigError, InputError

if TYPE_CHECKING:
    from types import FrameType

    from stegfield.fields import Progress
    from stegfield.fixednet import Progress as Embedding
    from stegfield.keys import Key, Passphrase
    from stegfield.metrics import Quality

STDIN_LIMIT = 4096


def say(text: str) -> None:
    """Print a result for people on stderr, so that stdout stays for programs."""
    print(text, file=sys.stderr)  # noqa: T201


def answer(facts: Mapping[str, Any]) -> None:
    """Print a result for programs: one JSON object on stdout."""
    print(json.dumps(facts, indent=2, allow_nan=False))  # noqa: T201


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

    if path is not None:
        return Key.read(path)
    return ask_passphrase("Passphrase: ", from_stdin=passphrase_stdin, repeat=repeat)


def read_message(path: Path, *, passphrase_stdin: bool) -> bytes:
    """Read the file to embed; - is stdin, unless a passphrase comes from there."""
    from stegfield import files
    from stegfield.payload import LARGEST_MESSAGE

    if str(path) != "-":
        return files.read_bounded(path, LARGEST_MESSAGE)
    if passphrase_stdin:
        raise ConfigError(
            "stdin cannot give both the message and the passphrase", hint="name a key file"
        )
    message = sys.stdin.buffer.read(LARGEST_MESSAGE + 1)
    if len(message) > LARGEST_MESSAGE:
        raise InputError(f"the message on stdin is longer than {LARGEST_MESSAGE:,} bytes")
    return message


def ask_passphrase(prompt: str, *, from_stdin: bool, repeat: bool = False) -> Passphrase:
    """Ask for a passphrase without showing it, or take the next line of stdin."""
    from stegfield.keys import Passphrase

    if from_stdin:
        try:
            line = sys.stdin.readline(STDIN_LIMIT)
        except UnicodeDecodeError:
            raise InputError("the passphrase on stdin is not text in UTF-8") from None
        if not line:
            raise InputError("stdin has no more passphrases", hint="give one line for each")
        if len(line) == STDIN_LIMIT and not line.endswith("\n"):
            raise InputError(f"the passphrase on stdin is longer than {STDIN_LIMIT - 1} characters")
        return Passphrase(line.rstrip("\r\n"))
    if not sys.stdin.isatty():
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


def parse_sizes(text: str | None) -> dict[str, int | float]:
    """Read the sizes of an architecture, as in ``width=256,depth=4``."""
    sizes: dict[str, int | float] = {}
    for entry in (text or "").split(",") if text else []:
        name, _, value = entry.strip().partition("=")
        try:
            sizes[name] = float(value) if "." in value or "e" in value else int(value)
        except ValueError:
            raise ConfigError(f"sizes are written like width=256,depth=4, got {text!r}") from None
    return sizes


def quality_line(quality: Quality) -> str:
    """Give four figures of quality in a line."""
    ssim = "-" if quality.ssim is None else f"{quality.ssim:.4f}"
    return (
        f"PSNR {quality.psnr_db:.2f} dB, SSIM {ssim}, "
        f"RMSE {quality.rmse:.2f}, MAE {quality.mae:.2f}"
    )


def warn_if_short(wanted_db: float | None, qualities: Sequence[Quality]) -> None:
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
def watching(names: list[str]) -> Iterator[Callable[[Progress], bool]]:
    """Show progress with the PSNR of every signal, and turn Ctrl-C into an early, orderly end.

    The first Ctrl-C lets the run wind down and write its file; the second stops at once.
    """
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    asked = False

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        console.print("winding down; Ctrl-C again stops at once")

    console = Console(stderr=True)
    bar = Bar(
        TextColumn("{task.percentage:3.0f} %"),
        BarColumn(bar_width=24),
        TextColumn("step {task.fields[step]}"),
        TextColumn("{task.fields[psnr]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        with bar:
            task = bar.add_task("", total=1.0, step=0, psnr="", left="")

            def watch(progress: Progress) -> bool:
                psnr = ", ".join(
                    f"{name} {db:.1f} dB" for name, db in zip(names, progress.psnr_db, strict=False)
                )
                left = progress.seconds * (1 / max(progress.fraction, 1e-3) - 1)
                bar.update(
                    task,
                    completed=progress.fraction,
                    step=progress.step,
                    psnr=psnr,
                    left=f"{left:.0f} s left",
                )
                return asked

            yield watch
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def watching_bits() -> Iterator[Callable[[Embedding], None]]:
    """Show how many bits are left to embed, and the PSNR so far."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    bar = Bar(
        TextColumn("{task.percentage:3.0f} %"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[left]} bits left"),
        TextColumn("{task.fields[psnr]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=1.0, left="all", psnr="")

        def watch(progress: Embedding) -> None:
            bar.update(
                task,
                completed=progress.fraction,
                left=f"{progress.bits_left:,}",
                psnr=f"{progress.psnr_db:.1f} dB",
            )

        yield watch
