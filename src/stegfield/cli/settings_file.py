"""The user's own defaults: a TOML file with a table for each command.

It is what `STEGFIELD_CONFIG` names, or else ``~/.config/stegfield.toml``. What is typed wins. No
secret can stand in it, nor anything that is a command's own: what it reads, and where it writes.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegfield.cli.terminal import detail
from stegfield.errors import ConfigError
from stegfield.toml_files import plain_toml

if TYPE_CHECKING:
    from cyclopts import App, ArgumentCollection

VARIABLE = "STEGFIELD_CONFIG"
HEEDED: ContextVar[bool] = ContextVar("heeded", default=False)
"""Whether a command was typed; the jobs of a batch have all that they need in their own file."""
USUAL = Path("~/.config/stegfield.toml")
LARGEST_FILE = 1 << 20
OWN = {
    *("key", "secret", "message", "decoy", "passphrase", "passphrase-stdin", "weak"),
    *("output", "force", "grid", "plot", "checkpoint", "cover", "like", "seed", "cover-seed"),
}
"""Options that are given with each command: secrets, what is read, written or replaced."""


def defaults(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Fill in the options of a command that its table in the user's file has.

    Raises:
        ConfigError: the file is not TOML, or has entries that no table of options may have.
        InputError: the file that the environment names cannot be read.
    """
    from cyclopts.config import Dict

    path = _path() if HEEDED.get() else None
    if path is None or not commands:
        return
    table = _read(path).get(commands[0], {})
    if not isinstance(table, dict):
        raise ConfigError(f"[{commands[0]}] of {path} is not a table")
    _check(table, commands[0], path, arguments)
    detail(f"{path} gives {', '.join(table) or 'nothing'}")
    Dict({commands[0]: table}, source=str(path))(app, commands, arguments)


def _path() -> Path | None:
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named).expanduser() if named else None
    usual = USUAL.expanduser()
    return usual if usual.is_file() else None


def _read(path: Path) -> dict[str, Any]:
    from stegfield import files

    try:
        return plain_toml(files.read_bounded(path, LARGEST_FILE))
    except ValueError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None


def _check(table: dict[str, Any], command: str, path: Path, arguments: ArgumentCollection) -> None:
    known = {name.lstrip("-") for each in arguments for name in each.names if name[:2] == "--"}
    for name in table:
        if name.replace("_", "-") in OWN:
            raise ConfigError(
                f"[{command}] of {path} must not have {name}",
                hint="secrets and the names of files are given with each command",
            )
        if name not in known:
            raise ConfigError(
                f"[{command}] of {path} has {name}, which is no option of the command",
                hint=f"`stegfield {command} --help` lists them",
            )
