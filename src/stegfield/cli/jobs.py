"""Jobs of a batch: commands written in a file, checked together, run one by one.

A job is a command with its arguments by name, as the command's help has them. Whatever a command
refuses on the command line is refused here as well, and whatever it says as JSON is kept.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import inspect
import io
import json
import os
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from cyclopts import CycloptsError

from stegfield import files
from stegfield.cli.errors import worded
from stegfield.errors import InputError, OutputError, StegfieldError

COMMANDS = ("embed", "extract", "fit", "generate", "hide", "render", "reveal")
LARGEST_FILE = 1 << 24
LARGEST_RECORDS = 1 << 30
MOST_JOBS = 1_000_000
WILD = "*?["
WRITTEN, KEPT_MEANWHILE = ("--output", "--grid", "--plot"), "--checkpoint"
"""Options whose values are files to write, and the one whose file is gone in the end."""
RECORD = b'{"id":'
"""How the lines of a file of results begin."""
HINT = "`stegfield batch --help` shows how jobs are written"


@dataclass(frozen=True)
class Job:
    """One command, ready to run."""

    where: str
    """Its place in the file, for people."""
    arguments: tuple[str, ...]
    """As on the command line, the command first."""

    @property
    def command(self) -> str:
        """What it does."""
        return self.arguments[0]

    @property
    def id(self) -> str:
        """Name the job by what it does."""
        return hashlib.sha256("\0".join(self.arguments).encode()).hexdigest()[:16]

    @property
    def outputs(self) -> list[Path]:
        """The files that it leaves."""
        return [*self._values(*WRITTEN), *self._slot_keys()]

    @property
    def written(self) -> list[Path]:
        """The files that it writes, for good or meanwhile."""
        return [*self.outputs, *self._values(KEPT_MEANWHILE)]

    def _values(self, *flags: str) -> list[Path]:
        pairs = zip(self.arguments, self.arguments[1:], strict=False)
        return [Path(value) for name, value in pairs if name in flags]

    def _slot_keys(self) -> list[Path]:
        """Give the key files that slots are written into, if they have places of their own."""
        if self._values("--slots") in ([], [Path("keyed")]):
            return []
        words = zip(self.arguments, self.arguments[2:], strict=False)
        return [Path(key) for flag, key in words if flag == "--secret"]

    def digests(self) -> dict[str, str]:
        """Give the SHA-256 of every file that it reads."""
        written = set(self.outputs)
        read = (Path(each) for each in self.arguments[1:] if Path(each) not in written)
        return {str(path): _digest(path) for path in read if _is_file(path)}


@dataclass(frozen=True)
class Record:
    """What became of a job."""

    id: str
    where: str
    arguments: tuple[str, ...]
    inputs: Mapping[str, str]
    """SHA-256 of the files that were read."""
    seconds: float = 0.0
    result: Mapping[str, Any] = field(default_factory=dict)
    """What the command says with --json."""
    warnings: tuple[str, ...] = ()
    error: str | None = None
    hint: str | None = None


Place = tuple[str, str]
"""Where a file is: the one name of its folder, and its own."""


def read_jobs(path: Path, results: Path | None = None) -> list[Job]:
    """Read a file of jobs, and check all of it before anything is run.

    Args:
        path: File of jobs.
        results: Where their records will go, if anywhere.

    Raises:
        InputError: It is no TOML or CSV, or one of its jobs is none.
        OutputError: Two jobs write the same file, one reads what another writes, or writes where
            there is no folder; or one of them meets the file of jobs or that of results.
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
    """Give the one name of a folder, whatever leads to it, and whether it is there."""
    return os.path.realpath(name), os.path.isdir(name)  # noqa: PTH112 - of strings, many times


def _place(path: Path) -> Place:
    return _folder(str(path.parent))[0], path.name


def _check_apart(jobs: list[Job], path: Path, results: Path | None) -> None:
    """Refuse jobs that meet in a file: they may run in any order, or at the same time."""
    kept = {} if results is None else {_place(results): f"{results}, the file of results"}
    ours = kept | {_place(path): f"{path}, the file of jobs"}
    written: dict[Place, Job] = {}
    for job in jobs:
        for output in job.written:
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
        for word in job.arguments[1:]:
            place = ("", "") if "\0" in word else _place(Path(word))
            if place in kept:
                raise OutputError(f"{job.where} reads {kept[place]}", hint="name another file")
            other = written.get(place, job)
            if other is not job:
                raise OutputError(
                    f"{job.where} reads {word}, which {other.where} writes",
                    hint="put it into a batch of its own, to be run after this one",
                )


def perform(job: Job) -> Record:
    """Run a job in this process, and tell what became of it."""
    from stegfield.cli import app

    began = time.perf_counter()
    record = Record(job.id, job.where, job.arguments, {})
    out, said = io.StringIO(), io.StringIO()
    try:
        record = replace(record, inputs=job.digests())
        with redirect_stdout(out), redirect_stderr(said):
            app(
                [*job.arguments, "--json"],
                exit_on_error=False,
                print_error=False,
                result_action="return_value",
            )
        record = replace(record, result=json.loads(out.getvalue()))
    except StegfieldError as problem:
        text, hint = worded(problem)
        record = replace(record, error=text, hint=hint)
    except Exception as problem:  # one bad job does not stop the rest
        record = replace(record, error=f"{type(problem).__name__}: {problem}")
    warnings = [line for line in said.getvalue().splitlines() if line.startswith("warning: ")]
    seconds = round(time.perf_counter() - began, 3)
    return replace(record, seconds=seconds, warnings=tuple(warnings))


def lost(job: Job, reason: str) -> Record:
    """Tell of a job whose process died."""
    return Record(job.id, job.where, job.arguments, {}, error=reason)


class Records:
    """What became of jobs, a JSON object a line; a line that was cut off is passed over.

    Raises:
        InputError: A line is not a record.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: dict[str, Record] = {}
        if not path.exists():
            return
        whole, _, rest = files.read_bounded(path, LARGEST_RECORDS).rpartition(b"\n")
        if not rest.startswith(RECORD[: len(rest)]):
            raise InputError(
                f"{path} is not a file of a batch's results", hint="name another file with -o"
            )
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                record = _record(json.loads(line))
            except (ValueError, TypeError, KeyError, RecursionError):
                raise InputError(
                    f"line {number} of {path} is not a record of a batch",
                    hint="name another file with -o",
                ) from None
            self._done[record.id] = record

    def done(self, job: Job) -> bool:
        """Tell whether a job has been done, its files are there, and what it read is the same."""
        record = self._done.get(job.id)
        return (
            record is not None
            and record.error is None
            and all(_is_file(output) for output in job.outputs)
            and record.inputs == job.digests()
        )

    def add(self, record: Record) -> None:
        """Write a record, for good."""
        files.add_line(self._path, json.dumps(asdict(record)).encode())
        self._done[record.id] = record


def _record(facts: dict[str, Any]) -> Record:
    record = Record(
        **{
            **facts,
            "arguments": tuple(map(str, facts["arguments"])),
            "warnings": tuple(map(str, facts["warnings"])),
        }
    )
    if not isinstance(record.id, str) or not isinstance(record.inputs, dict):
        raise TypeError
    return record


def _text(path: Path) -> str:
    try:
        return files.read_bounded(path, LARGEST_FILE).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text in UTF-8", hint=HINT) from None


def _from_toml(text: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
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
            raise InputError(f"row {number} of {path} has not as many cells as the first row")
        cells = {name: _cell(text) for name, text in row.items() if text != ""}
        tables.append((f"row {number}", cells))
    return tables


def _cell(text: str) -> Any:
    """Read a cell: true, false or a list as in TOML, any other text as it is."""
    if text not in ("true", "false") and not text.startswith("["):
        return text
    try:
        return tomllib.loads(f"cell = {text}")["cell"]
    except (tomllib.TOMLDecodeError, RecursionError):  # the name of a file
        return text


def _expanded(where: str, table: dict[str, Any]) -> Iterator[Job]:
    """Give a job for each file that the first argument stands for."""
    command = table.pop("command", None)
    if command not in COMMANDS:
        raise InputError(f"{where}: the command is one of {', '.join(COMMANDS)}", hint=HINT)
    names = _positional(command)
    first = table.get(names[0])
    if not isinstance(first, str) or not any(sign in first for sign in WILD) or _is_file(first):
        yield _job(where, command, names, table)
        return
    found = sorted(glob.glob(first, recursive=True))  # noqa: PTH207 - absolute ones as well
    if not found:
        raise InputError(f"{where}: no file has a name like {first}")
    jobs = _each(where, command, names, table, found)
    # what an earlier run wrote is no input, even if its name fits
    written = {_place(output) for job in jobs for output in job.outputs if "\0" not in str(output)}
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
    from stegfield.cli import app

    if _asks_for_a_key(command, table):
        raise InputError(f"{where}: there is no key", hint="name a key file; nobody can be asked")
    arguments = [command]
    options = []
    for name, value in table.items():
        if value == "-":
            raise InputError(f"{where}: a batch has no stdin or stdout", hint="name a file")
        if name not in names:
            options += _option(where, name, value)
    arguments += [str(table[name]) for name in names if name in table]
    job = Job(where, (*arguments, *options))
    try:
        app.parse_args([*job.arguments, "--json"], exit_on_error=False, print_error=False)
    except (CycloptsError, StegfieldError) as error:
        text, hint = worded(error, HINT)
        raise InputError(f"{where}: {text}", hint=hint) from None
    return job


def _asks_for_a_key(command: str, table: dict[str, Any]) -> bool:
    """Tell whether a command would ask for a passphrase."""
    if command == "hide":
        secrets = table.get("secret", [])
        each = secrets if isinstance(secrets, list) else [secrets]
        return not all(isinstance(secret, list) and len(secret) > 1 for secret in each)
    sends = command == "generate" and "message" in table
    return "key" not in table and (sends or command in ("embed", "extract", "reveal"))


def _option(where: str, name: str, value: Any) -> list[str]:
    """Write an option as on the command line; lists are options given several times."""
    flag = f"--{name.replace('_', '-')}"
    if flag in ("--json", "--passphrase-stdin"):
        raise InputError(f"{where}: a batch has no {flag}", hint="name key files")
    if value is True or value is False:
        return [flag] if value else []
    if not isinstance(value, list):
        return [flag, str(value)]
    each = [entry if isinstance(entry, list) else [entry] for entry in value]
    return [word for entry in each for word in (flag, *map(str, entry))]


def _positional(command: str) -> list[str]:
    from stegfield.cli import app

    function = app[command].default_command
    parameters = inspect.signature(function).parameters.values() if callable(function) else ()
    return [each.name for each in parameters if each.kind is each.POSITIONAL_ONLY]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_file(path: Path | str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
