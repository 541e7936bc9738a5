"""Errors in the words of the command line: settings as flags, and a hint what to type."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import CycloptsError, MissingArgumentError, UnknownOptionError

from stegfield.cli.terminal import say
from stegfield.config.renamed import hint_for
from stegfield.errors import Caution, StegfieldError, Wording

if TYPE_CHECKING:
    from cyclopts import Argument

FOLDERS = ("attack", "export", "train")
"""Commands that write a folder."""


def complain(text: str, hint: str | None = None) -> None:
    """Print an error, and a hint what to try."""
    say(f"error: {text}")
    if hint:
        say(f"hint: {hint}")


def warn(caution: Caution) -> None:
    """Print a warning, and a hint what to do about it."""
    say(f"warning: {with_flags(caution.text)}\nhint: {with_flags(caution.hint)}")


def worded(
    error: StegfieldError | CycloptsError, usage: str | None = None
) -> tuple[str, str | None]:
    """Return the sentence and the hint of an error, with settings named as flags.

    Args:
        error: What went wrong.
        usage: The hint for a command that was called wrongly [default: name the command's help].
    """
    if isinstance(error, StegfieldError):
        return with_flags(error.args[0]), with_flags(error.hint) if error.hint else None
    command = " ".join(error.command_chain or ["COMMAND"])
    usage = usage or f"`stegfield {command} --help` shows how to call it"
    text, hint = " ".join(str(error).split()), None
    text = text[:1].lower() + text[1:]
    if isinstance(error, MissingArgumentError) and error.argument:
        text, hint = _missing(error.argument, error.keyword, folder=command in FOLDERS)
        hint = _before_dashes(error.root_input_tokens or []) or hint
    elif isinstance(error, UnknownOptionError):
        text, hint = _unknown(error, text)
    return text, with_flags(hint or usage)


def with_flags(text: str) -> str:
    """Return a message of the library with settings named as flags."""
    return text.spelled(_flag) if isinstance(text, Wording) else text


def _flag(name: str, value: str) -> str:
    flag = "--" + name.replace("_", "-")
    return flag if value in ("", "True") else f"{flag} {value}"


def _setting(flag: str) -> str:
    return flag.partition("=")[0].lstrip("-").replace("-", "_")


def _missing(argument: Argument, given: str | None, *, folder: bool) -> tuple[str, str | None]:
    what = "folder" if folder else "file"
    hint = f"name the {what} to write with -o" if "-o" in argument.names else None
    return f"{argument.name} is missing" if given is None else f"{given} needs a value", hint


def _before_dashes(words: Sequence[str]) -> str | None:
    """Return a hint for a command whose options stand after ``--``, where all words are files."""
    if "--" not in words or not any(
        word.startswith("-") for word in words[words.index("--") + 1 :]
    ):
        return None
    return "leave -- out, which turns options into files; a file like -a.png is written ./-a.png"


def _unknown(error: UnknownOptionError, text: str) -> tuple[str, str | None]:
    """Return an error and a hint: the new name of an option, or how to name such a file."""
    word = error.token.keyword or error.token.value
    if renamed := hint_for(_setting(word)):
        return f"there is no option {word.partition('=')[0]}", renamed
    if Path(word).suffix or Path(word).exists():
        return f"there is no option {word}", f"a file of this name is written ./{word}"
    return text, None
