"""The terminal: results for people on stderr, for programs on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from stegfield.errors import OutputError

if TYPE_CHECKING:
    from stegfield.metrics import AnyQuality


class Volume(IntEnum):
    """How much a command says."""

    QUIET = 0
    USUAL = 1
    VERBOSE = 2


VOLUME: ContextVar[Volume] = ContextVar("volume", default=Volume.USUAL)
NEEDED = ("error: ", "warning: ", "hint: ")
"""What is said even with ``--quiet``."""


def take_volume(words: Sequence[str]) -> tuple[list[str], Volume]:
    """Take ``--quiet`` and ``--verbose`` out of a command's words.

    Example:
        >>> take_volume(["embed", "--quiet", "a.png"])
        (['embed', 'a.png'], <Volume.QUIET: 0>)
    """
    end = list(words).index("--") if "--" in words else len(words)
    volume = Volume.USUAL
    left = []
    for word in words[:end]:
        if word in ("--quiet", "--verbose"):
            volume = Volume[word[2:].upper()]
        else:
            left.append(word)
    return [*left, *words[end:]], volume


def is_quiet() -> bool:
    """Tell whether only warnings and errors are said."""
    return VOLUME.get() is Volume.QUIET


def detail(text: str) -> None:
    """Say what only ``--verbose`` tells."""
    if VOLUME.get() is Volume.VERBOSE:
        say(text)


def say(text: str) -> None:
    """Print a result for people on stderr; stdout is for programs."""
    if is_quiet() and not text.startswith(NEEDED):
        return
    if sys.stderr is not None:  # where stderr is closed, print would take stdout
        print(printable(text), file=sys.stderr)  # noqa: T201


def printable(text: str) -> str:
    """Escape control characters: the name of a file from elsewhere may hold some."""
    return "".join(
        each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text
    )


def answer(facts: Mapping[str, Any]) -> None:
    """Print a result for programs: one JSON object on stdout."""
    print(json.dumps(facts, indent=2, allow_nan=False))  # noqa: T201


def send(data: bytes) -> None:
    """Write bytes to stdout.

    Raises:
        OutputError: Stdout is closed or cannot be written.
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


def warn_if_short(target_db: float | None, qualities: Sequence[AnyQuality]) -> None:
    """Warn if a run did not reach its target PSNR."""
    reached = min(quality.psnr_db for quality in qualities)
    if target_db is not None and reached < target_db:
        say(
            f"warning: the target was {target_db:g} dB, the result is {reached:.2f} dB\n"
            "hint: allow more time, or take a larger field with --sizes"
        )
