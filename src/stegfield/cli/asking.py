"""Keys, passphrases and messages: from files, from stdin, or typed at the terminal."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stegfield.cli.errors import warn
from stegfield.cli.streams import is_stream, read_stdin
from stegfield.errors import ConfigError, InputError

if TYPE_CHECKING:
    from stegfield.keys import Key, KeyFile, Passphrase

STDIN_LIMIT = 4096
"""Characters of the longest line that is read as a passphrase."""


def read_key(
    path: Path | None, *, passphrase_stdin: bool = False, new: bool = False, weak: bool = False
) -> Key | Passphrase:
    """Read the key of a key file, or ask for a passphrase where no file is named.

    Raises:
        ConfigError: A key file is named, and a passphrase comes from stdin as well.
        InputError: The key file cannot be read, or no passphrase is given.
    """
    from stegfield.keys import KeyFile

    found = read_key_file(path, passphrase_stdin=passphrase_stdin, new=new, weak=weak)
    return found.key if isinstance(found, KeyFile) else found


def read_key_file(
    path: Path | None, *, passphrase_stdin: bool = False, new: bool = False, weak: bool = False
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
    if weak and path is not None:
        raise ConfigError("--weak is for passphrases", hint="leave it out")
    if path is not None:
        return KeyFile.read(path)
    return ask_passphrase("Passphrase: ", from_stdin=passphrase_stdin, new=new, weak=weak)


def read_message(path: Path) -> bytes:
    """Read the message to embed; - is stdin.

    Raises:
        InputError: The file or stdin cannot be read, or is too long.
    """
    from stegfield.payload import LARGEST_MESSAGE, message_bytes

    if is_stream(path):
        return read_stdin(LARGEST_MESSAGE, "message")
    return message_bytes(path)


def read_early(path: Path) -> bytes | Path:
    """Read a message before long work, which a file that cannot be read shall not begin.

    Returns:
        The path, which tells the kind of file, if it can be read again; the bytes of a pipe.

    Raises:
        InputError: The file cannot be read, or is too long.
    """
    data = read_message(path)
    return data if is_stream(path) or not path.is_file() else path


def ask_passphrase(
    prompt: str, *, from_stdin: bool, new: bool = False, weak: bool = False
) -> Passphrase:
    """Ask for a passphrase without showing it, or take the next line of stdin.

    Args:
        prompt: Text that asks for it.
        from_stdin: Whether the passphrase comes from stdin.
        new: Whether a new secret gets it. Then it is asked for twice, since what is embedded with a
            mistyped passphrase is lost, and must be hard to guess.
        weak: Take one that is easily guessed.

    Raises:
        WeakPassphraseError: A new passphrase is easily guessed, and ``weak`` is off.
        InputError: No passphrase is given, it is too long, or the two differ.
    """
    from stegfield.keys import check_strength

    passphrase = _asked(prompt, from_stdin=from_stdin, repeat=new)
    if new and (caution := check_strength(passphrase, weak=weak)):
        warn(caution)
    return passphrase


def _asked(prompt: str, *, from_stdin: bool, repeat: bool) -> Passphrase:
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
