"""``-`` in place of a file's name: input comes from stdin, output goes to stdout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from stegfield.cli.terminal import send
from stegfield.errors import ConfigError, InputError, OutputError
from stegfield.files import Output

STREAM = Path("-")


def file_names(arguments: Sequence[str]) -> list[str]:
    """Return a command's words with each ``-`` written so that it is not taken for an option."""
    return [f"./{word}" if word == "-" else word for word in arguments]


def is_stream(path: Path | None) -> bool:
    """Tell whether a name stands for stdin or stdout."""
    return path == STREAM


def name_of(path: Path, stream: str = "stdin") -> str:
    """Name a file as people know it."""
    return stream if is_stream(path) else str(path)


def files_among(*paths: Path | None) -> list[Path]:
    """Return the names that are those of files."""
    return [path for path in paths if path is not None and not is_stream(path)]


def check_stdin(*, passphrase_stdin: bool = False, **inputs: Path | None) -> None:
    """Refuse a command that would read two things from stdin, or a file where stdin is closed.

    Args:
        passphrase_stdin: Whether a passphrase comes from stdin.
        inputs: What the command reads, by the words for it.

    Raises:
        ConfigError: two of them come from stdin.
        InputError: stdin is closed.
    """
    taken = [name for name, path in inputs.items() if is_stream(path)]
    if not taken:
        return
    if passphrase_stdin:
        raise ConfigError(
            f"stdin cannot give both the {taken[0]} and the passphrase", hint="name a key file"
        )
    if len(taken) > 1:
        raise ConfigError(
            f"stdin cannot give both the {taken[0]} and the {taken[1]}",
            hint="name a file for one of them",
        )
    if sys.stdin is None:
        raise InputError("stdin is closed", hint="name a file")


def read_stdin(limit: int, what: str) -> bytes:
    """Read all of stdin.

    Raises:
        InputError: stdin cannot be read, or is longer than ``limit`` bytes.
    """
    try:
        data = sys.stdin.buffer.read(limit + 1)
    except OSError as error:
        raise InputError(f"stdin cannot be read: {error.strerror or error}") from error
    if len(data) > limit:
        raise InputError(
            f"the {what} on stdin is longer than {limit:,} bytes", hint="send it in parts"
        )
    return data


def check_output(
    path: Path, *, json: bool = False, force: bool = False, text: bool = False
) -> None:
    """Refuse an output that cannot be written, before any work is done.

    Args:
        path: the file to write, or -.
        json: whether JSON goes to stdout.
        force: whether an existing file is replaced.
        text: whether the result may turn out to be text, which a terminal shows.

    Raises:
        ConfigError: the output is stdout, and JSON goes there.
        OutputError: the output is stdout, which is a terminal; or a file that `files.check_new`
            refuses.
    """
    from stegfield import files

    if not is_stream(path):
        files.check_new(path, force=force)
    elif json:
        raise ConfigError("stdout cannot have both the result and JSON", hint="name a file with -o")
    elif _at_terminal() and not text:
        raise OutputError(
            "the result is not text, and stdout is a terminal",
            hint="name a file with -o, or send stdout to a file or to another command",
        )


def write(path: Path, data: bytes, *, force: bool = False, private: bool = False) -> None:
    """Write a whole file, or send it to stdout.

    Raises:
        OutputError: the file or stdout cannot be written.
    """
    write_all([Output(path, data, private)], force=force)


def write_all(outputs: Sequence[Output], *, force: bool = False) -> None:
    """Write several whole files, or leave none of them; then send to stdout what goes there.

    Raises:
        OutputError: one of them cannot be written.
    """
    from stegfield import files

    files.write_all_new([each for each in outputs if not is_stream(each.path)], force=force)
    for each in outputs:
        if is_stream(each.path):
            send(each.data)


def send_message(data: bytes) -> None:
    """Send a message to stdout; on a terminal only if it is plain text, which commands nothing.

    Raises:
        OutputError: stdout is a terminal and the message is not text; or stdout cannot be written.
    """
    if _at_terminal() and not _is_text(data):
        raise OutputError(
            "the message is not text, and stdout is a terminal", hint="name a file with -o"
        )
    send(data)


def _at_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(each.isprintable() or each in "\r\n\t" for each in text)
