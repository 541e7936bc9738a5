"""Errors as people at a command line read them: settings as flags, and a hint what to type."""

from __future__ import annotations

from pathlib import Path

from cyclopts import CoercionError, CycloptsError, MissingArgumentError, UnknownOptionError

from stegfield.cli.terminal import say
from stegfield.config.renamed import hint_for
from stegfield.errors import StegfieldError, Wording

HELP = "`stegfield COMMAND --help` shows how to call it"


def complain(text: str, hint: str | None = None) -> None:
    """Say what went wrong and what to try."""
    say(f"error: {text}")
    if hint:
        say(f"hint: {hint}")


def worded(error: StegfieldError | CycloptsError) -> tuple[str, str | None]:
    """Return the sentence and the hint of an error, with settings named as flags."""
    if isinstance(error, StegfieldError):
        return with_flags(error.args[0]), with_flags(error.hint) if error.hint else None
    missing = error.argument if isinstance(error, MissingArgumentError) else None
    if missing is not None and "-o" in missing.names and not missing.tokens:
        what = (missing.parameter.metavar or "file").lower()
        return "--output is missing", f"name the {what} to write with -o"
    return " ".join(str(error).split()), _hint(error) or HELP


def with_flags(text: str) -> str:
    """Return a sentence of the library's with settings named as flags."""
    return text.spelled(_flag) if isinstance(text, Wording) else text


def _flag(name: str, value: str) -> str:
    flag = "--" + name.replace("_", "-")
    return flag if value in ("", "True") else f"{flag} {value}"


def _hint(error: CycloptsError) -> str | None:
    """Tell of a new name, or how a file is named that looks like an option."""
    if isinstance(error, CoercionError) and error.argument is not None and error.token is not None:
        return hint_for(error.argument.name.lstrip("-").replace("-", "_"), error.token.value)
    if not isinstance(error, UnknownOptionError):
        return None
    word = error.token.keyword or error.token.value
    renamed = hint_for(word.partition("=")[0].lstrip("-").replace("-", "_"))
    if renamed is None and (Path(word).suffix or Path(word).exists()):
        return f"a file of this name is written ./{word}"
    return renamed
