"""Keys, passphrases and messages: from files, from stdin, or typed at the terminal."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stegfield.errors import ConfigError, InputError

if TYPE_CHECKING:
    from stegfield.keys import Key, KeyFile, Passphrase

STDIN_LIMIT = 4096
"""Characters of the longest line that is read as a passphrase."""


def read_key(
    path: Path | None, *, passphrase_stdin: bool = False, repeat: bool = False
) -> Key | Passphrase:
    """Read the key of a key file, or ask for a passphrase where no file is named.

    Raises:
        ConfigError: A key file is named, and a passphrase comes from stdin as well.
        InputError: The key file cannot be read, or no passphrase is given.
    """
    from stegfield.keys import KeyFile

    found = read_key_file(path, passphrase_stdin=passphrase_stdin, repeat=repeat)
    return found.key if isinstance(found, KeyFile) else found


def read_key_file(
    path: Path | None, *, passphrase_stdin: bool = False, repeat: bool = False
) -> KeyFile | Passphrase:
    """Read a key file with its slot positions, or ask for a passphrase where no file is named.

    Raises:
        ConfigError: A key file is named, and a passphrase comes from stdin as well.
        InputError: The key file cannot be read, or no passphrase is given.
    """
    from stegfield.keys import KeyFile

    if path is not None and passphrase_stdin:
        raise ConfigError(
            "--key cannot be combined with --passphrase-stdin", hint="leave one of them out"
        )
    if path is not None:
        return KeyFile.read(path)
    return ask_passphrase("Passphrase: ", from_stdin=passphrase_stdin, repeat=repeat)


def check_stdin(*, passphrase_stdin: bool = False) -> None:
    """Refuse a message from stdin if stdin is closed or holds the passphrase.

    Raises:
        ConfigError: The passphrase comes from stdin.
        InputError: Stdin is closed.
    """
    if passphrase_stdin:
        raise ConfigError(
            "stdin cannot give both the message and the passphrase", hint="name a key file"
        )
    if sys.stdin is None:
        raise InputError("stdin is closed", hint="name a file")


def read_message(path: Path) -> bytes:
    """Read the message to embed; - is stdin.

    Raises:
        InputError: The file or stdin cannot be read, or is too long.
    """
    from stegfield.payload import LARGEST_MESSAGE, message_bytes

    if str(path) != "-":
        return message_bytes(path)
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
    """Ask for a passphrase without showing it, or take the next line of stdin.

    Args:
        prompt: Text that asks for it.
        from_stdin: Whether the passphrase comes from stdin.
        repeat: Ask twice: what is embedded with a mistyped passphrase is lost.

    Raises:
        InputError: No passphrase is given, it is too long, or the two differ.
    """
    from stegfield.keys import Passphrase

    if from_stdin:
        return Passphrase(_next_line())
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


def _next_line() -> str:
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
    return line.rstrip("\r\n")
