"""Files of jobs: commands with their arguments by name, in TOML or CSV, all checked beforehand.

    file ─► tables ─► one for each file that wildcards match ─► jobs ─► words of a command line

A job that its command would refuse is refused here, before any job runs.
"""

from __future__ import annotations

import csv
import glob
import inspect
import io
import math
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cyclopts import CycloptsError

from stegfield import files
from stegfield.cli.binding import bind
from stegfield.cli.errors import worded
from stegfield.cli.streams import is_stream
from stegfield.errors import InputError, OutputError, StegfieldError
from stegfield.jobs import Job
from stegfield.toml_files import plain_toml

COMMANDS = ("embed", "extract", "fit", "generate", "grain", "hide", "render", "reveal")
LARGEST_FILE = 1 << 24
MOST_JOBS = 1_000_000
WILD = "*?["
WRITTEN, KEPT_MEANWHILE = ("output", "grid", "plot"), "checkpoint"
"""Arguments that name files to write, and the one whose file is removed at the end."""
HINT = "`stegfield batch --help` shows how jobs are written"


Place = tuple[str, str]
"""Where a file is: the resolved name of its folder, and its own name."""


def read_jobs(path: Path, results: Path | None = None) -> list[Job]:
    """Read a file of jobs, and check all jobs before one is run.

    Args:
        path: File of jobs.
        results: File that their entries will be written to, if any.

    Raises:
        InputError: The file is no TOML or CSV, or a job is not written as its command needs it.
        OutputError: Two jobs write the same file, a job reads what another writes or writes into
            a missing folder, or a job names the file of jobs or of results.
    """
    _folder.cache_clear()
    if results is not None and _place(results) == _place(path):
        raise OutputError(f"{results} is the file of jobs", hint="name another file with -o")
    text = _text(path)
    tables = _from_csv(text, path) if path.suffix.lower() == ".csv" else _from_toml(text, path)
    jobs = [job for where, table in tables for job in _expanded(where, table)]
    if not jobs:
        raise InputError(f"{path} has no jobs", hint=HINT)
    if len(jobs) > MOST_JOBS:
        raise InputError(f"{path} has more than {MOST_JOBS:,} jobs", hint="divide it")
    _check_apart(jobs, path, results)
    return jobs


@lru_cache(maxsize=1 << 12)
def _folder(name: str) -> tuple[str, bool]:
    """Return the resolved name of a folder, and whether it exists."""
    return os.path.realpath(name), os.path.isdir(name)  # noqa: PTH112 - of strings, many times


def _place(path: Path) -> Place:
    return _folder(str(path.parent))[0], path.name


def _check_apart(jobs: list[Job], path: Path, results: Path | None) -> None:
    """Refuse jobs that share a file: they may run in any order, or at the same time."""
    kept = {} if results is None else {_place(results): f"{results}, the file of results"}
    ours = kept | {_place(path): f"{path}, the file of jobs"}
    written: dict[Place, Job] = {}
    for job in jobs:
        for output in (*job.writes, *_named(job.settings, KEPT_MEANWHILE)):
            if "\0" in str(output):
                raise OutputError(f"{job.where}: {str(output)!r} is not a file name")
            place = _place(output)
            if place in ours:
                raise OutputError(f"{job.where} writes {ours[place]}", hint="name another file")
            if place in written:
                raise OutputError(
                    f"{job.where} and {written[place].where} write the same file: {output}",
                    hint="put {name} or {number} into the name of the output",
                )
            if not _folder(str(output.parent))[1]:
                raise OutputError(
                    f"{job.where}: the folder {output.parent} does not exist",
                    hint="create it first",
                )
            written[place] = job
    for job in jobs:
        for word in job.reads:
            place = ("", "") if "\0" in word else _place(Path(word))
            if place in kept:
                raise OutputError(f"{job.where} reads {kept[place]}", hint="name another file")
            other = written.get(place, job)
            if other is not job:
                raise OutputError(
                    f"{job.where} reads {word}, which {other.where} writes",
                    hint="move it to a batch of its own, and run that after this one",
                )


def _text(path: Path) -> str:
    try:
        return files.read_bounded(path, LARGEST_FILE).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text in UTF-8", hint=HINT) from None


def _from_toml(text: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    try:
        document = plain_toml(text)
    except ValueError as error:
        raise InputError(f"{path} is not TOML: {error}", hint=HINT) from None
    common, jobs = document.pop("all", {}), document.pop("jobs", [])
    if document or not isinstance(common, dict) or not isinstance(jobs, list):
        raise InputError(f"{path} has other entries than [all] and [[jobs]]", hint=HINT)
    tables = []
    for number, job in enumerate(jobs, 1):
        if not isinstance(job, dict):
            raise InputError(f"job {number} of {path} is not a table", hint=HINT)
        tables.append((f"job {number}", common | job))
    return tables


def _from_csv(text: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    try:
        rows = list(csv.DictReader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise InputError(f"{path} is not CSV: {error}", hint=HINT) from None
    tables = []
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise InputError(
                f"row {number} of {path} differs in its number of cells from the first row",
                hint=HINT,
            )
        cells = {name: _cell(text) for name, text in row.items() if text != ""}
        tables.append((f"row {number}", cells))
    return tables


def _cell(text: str) -> Any:
    """Read a cell: true, false or a list as in TOML; other text stays as it is."""
    if text not in ("true", "false") and not text.startswith("["):
        return text
    try:
        return plain_toml(f"cell = {text}")["cell"]
    except ValueError:  # the name of a file
        return text


def _expanded(where: str, table: dict[str, Any]) -> Iterator[Job]:
    """Yield a job for each file that the first argument stands for."""
    command = table.pop("command", None)
    if command not in COMMANDS:
        raise InputError(f"{where}: the command is one of {', '.join(COMMANDS)}", hint=HINT)
    names = _positional(command)
    first = table.get(names[0])
    if (
        not isinstance(first, str)
        or not any(sign in first for sign in WILD)
        or files.is_file(first)
    ):
        yield _job(where, command, names, table)
        return
    found = sorted(glob.glob(first, recursive=True))  # noqa: PTH207 - absolute ones as well
    if not found:
        raise InputError(f"{where}: no file matches {first}", hint="check the name and the folder")
    jobs = _each(where, command, names, table, found)
    # what an earlier run wrote is no input, even if its name matches
    written = {_place(output) for job in jobs for output in job.writes if "\0" not in str(output)}
    left = [name for name in found if _place(Path(name)) not in written]
    yield from jobs if left == found else _each(where, command, names, table, left or found)


def _each(
    where: str, command: str, names: list[str], table: dict[str, Any], found: list[str]
) -> list[Job]:
    jobs = []
    for number, name in enumerate(found, 1):
        own = {**table, names[0]: name}
        named = {"name": Path(name).stem, "number": str(number)}
        jobs.append(_job(f"{where} ({name})", command, names, _filled(own, named, names[0])))
    return jobs


def _filled(table: dict[str, Any], named: Mapping[str, str], first: str) -> dict[str, Any]:
    """Put the name and the number of a file into the other arguments."""

    def fill(value: Any) -> Any:
        if isinstance(value, list):
            return [fill(each) for each in value]
        if isinstance(value, str):
            for name, text in named.items():
                value = value.replace(f"{{{name}}}", text)
        return value

    return {name: value if name == first else fill(value) for name, value in table.items()}


def _job(where: str, command: str, names: list[str], table: dict[str, Any]) -> Job:
    if _asks_for_a_key(command, table):
        raise InputError(
            f"{where}: there is no key", hint="name a key file; a batch asks for no passphrase"
        )
    if any(is_stream(Path(text)) for text in _texts(list(table.values()))):
        raise InputError(f"{where}: a batch has no stdin or stdout", hint="name a file")
    for name in (*WRITTEN, KEPT_MEANWHILE):
        if isinstance(table.get(name), list):
            raise InputError(f"{where}: {name} is one file", hint=HINT)
    settings = {name: _plain(value) for name, value in table.items()}
    job = Job(
        command,
        settings,
        where,
        reads=tuple(dict.fromkeys(_texts(list(settings.values())))),
        writes=(*_named(settings, *WRITTEN), *_slot_keys(settings)),
    )
    try:
        bind(job, words)
    except (CycloptsError, StegfieldError) as error:
        text, hint = worded(error, HINT)
        raise InputError(f"{where}: {text}", hint=hint) from None
    return job


def words(job: Job) -> list[str]:
    """Return a job as words of a command line; no value is read as an option."""
    names = _positional(job.name)
    options = [
        word
        for name, value in job.settings.items()
        if name not in names
        for word in _option(job.where, name, value)
    ]
    given = [str(job.settings[name]) for name in names if name in job.settings]
    return [job.name, *options, "--json", "--", *given]


def _plain(value: Any) -> Any:
    """Return a value of TOML as JSON has it; dates and times become text."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, str | int) else str(value)


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in a value: each may name a file."""
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _named(settings: Mapping[str, Any], *names: str) -> list[Path]:
    """Return the files that some arguments name."""
    return [Path(str(settings[name])) for name in names if name in settings]


def _slot_keys(settings: Mapping[str, Any]) -> list[Path]:
    """Return the key files that slot positions are written into, if any."""
    if settings.get("slots", "keyed") == "keyed":
        return []
    secrets = settings.get("secret", [])
    return [Path(str(each[1])) for each in secrets if isinstance(each, list) and len(each) > 1]


def _asks_for_a_key(command: str, table: dict[str, Any]) -> bool:
    """Return whether a command would ask for a passphrase."""
    if command == "hide":
        secrets = table.get("secret", [])
        each = secrets if isinstance(secrets, list) else [secrets]
        return not all(isinstance(secret, list) and len(secret) > 1 for secret in each)
    also = table.get("also", [])
    if not all(isinstance(each, list) and len(each) > 1 for each in also):
        return True
    sends = command == "generate" and "message" in table
    return "key" not in table and (sends or command in ("embed", "extract", "reveal"))


def _option(where: str, name: str, value: Any) -> list[str]:
    """Return an option as words of a command line; a list repeats the option."""
    flag = f"--{name.replace('_', '-')}"
    if flag in ("--json", "--passphrase-stdin"):
        raise InputError(f"{where}: a batch has no {flag}", hint="name key files")
    if value is True or value is False:
        return [flag] if value else []
    if not isinstance(value, list):
        return [f"{flag}={value}"]
    each = [entry if isinstance(entry, list) else [entry] for entry in value]
    return [word for entry in each for word in (flag, *map(_word, entry))]


def _word(value: Any) -> str:
    """Return one of several words of an option; a file named like a flag gets ./ before it."""
    return f"./{value}" if isinstance(value, str) and value.startswith("-") else str(value)


def _positional(command: str) -> list[str]:
    from stegfield.cli import app

    function = app[command].default_command
    parameters = inspect.signature(function).parameters.values() if callable(function) else ()
    return [each.name for each in parameters if each.kind is each.POSITIONAL_ONLY]
