"""Ledger: the outcomes of jobs, one JSON object a line, appended as jobs begin and end.

    {"ledger": "batch", "format": 2, "salt": ...}     first, where files' digests are kept
    {"begun": id, "absent": [files]}                  before a job that writes files runs
    {"id": ..., ...}                                  an entry, when it has ended

A line is added in one write and forced to disk, so that a run that dies loses only the jobs under
way; half a line at the end is ignored. If a job began but has no entry, the files that were absent
when it began are leftovers of a dead run.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from stegfield import files
from stegfield.errors import InputError

F = TypeVar("F")
LARGEST_LEDGER = 1 << 30
FORMAT = 2
SALT_BYTES = 16
DIGEST_BYTES = 16
UNREADABLE = "unreadable"
"""In place of the digest of a file that may not be read."""
HEAD, ENTRY, BEGUN = b'{"ledger":', b'{"id":', b'{"begun":'
"""Beginnings of a ledger: its first line, or another line where it has none."""


@dataclass(frozen=True)
class Job:
    """One piece of work: a command, an experiment, a field of a pool."""

    name: str
    """Name of the command, experiment or kind of field."""

    settings: Mapping[str, Any]
    """Its settings: anything that JSON holds."""

    where: str = ""
    """Its place in a file of jobs, for people."""

    reads: tuple[str, ...] = ()
    """Words among its settings that may name files; those that do are its inputs."""

    writes: tuple[Path, ...] = ()
    """Files that it writes and may not overwrite."""

    @cached_property
    def id(self) -> str:
        """A digest of what the job does: the same job of two suites is run once."""
        text = json.dumps([self.name, dict(self.settings)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Begun:
    """A job that is about to run."""

    job: Job

    absent: tuple[Path, ...]
    """Files that it writes and that do not exist yet."""

    leftovers: tuple[Path, ...]
    """Files that it left in a run that died; they are removed before it runs."""

    interrupted: bool
    """Whether such a run died."""

    writes: tuple[Path, ...]
    """Files that no other job writes meanwhile."""


@dataclass(frozen=True)
class Entry(Generic[F]):
    """The outcome of a job."""

    id: str
    name: str
    settings: Mapping[str, Any]

    facts: F
    """What it found; the ledger's kind decides the type."""

    seconds: float = 0.0

    error: str | None = None
    """Why it failed; the job is tried again in the next run."""

    hint: str | None = None
    where: str = ""

    inputs: Mapping[str, str] = field(default_factory=dict)
    """Salted digests of the files that were read, by their names."""

    lost: bool = False
    """Whether its process died, and may have left files."""

    @classmethod
    def of(cls, job: Job, facts: F, **outcome: Any) -> Entry[F]:
        """Make the entry of a job."""
        return cls(job.id, job.name, dict(job.settings), facts, where=job.where, **outcome)


@dataclass(frozen=True)
class LedgerKind(Generic[F]):
    """The kind of a ledger: what its jobs are, and how it is read and written."""

    title: str
    """Name in messages, such as "a batch"."""

    noun: str
    """Entry of a line that names the job, such as "command"."""

    facts: Callable[..., F]
    """Makes the facts of an entry from its line; those of a failed job from nothing."""

    private: bool = False
    """Whether only its owner may read it, since it names messages and keys."""

    shared: bool = False
    """Whether several runs may add to it at a time; a later entry of a job replaces an earlier."""


class Ledger(Generic[F]):
    """The entries of a file, which may not exist yet.

    Raises:
        InputError: The file is not a ledger of this kind, or one of its lines is damaged.
    """

    def __init__(self, path: Path, kind: LedgerKind[F]) -> None:
        self.path, self.kind = path, kind
        self.salt = b""
        self._entries: dict[str, Entry[F]] = {}
        self._begun: dict[str, frozenset[str]] = {}
        self._lines: files.Lines | None = None
        self._read()

    def __len__(self) -> int:
        """Count the jobs that have an entry."""
        return len(self._entries)

    def of(self, job: Job) -> Entry[F] | None:
        """Return the entry of a job, or None if it was not run."""
        return self._entries.get(job.id)

    def done(self, job: Job) -> bool:
        """Return whether a job is done, its outputs exist, and its inputs are unchanged."""
        entry = self.of(job)
        return (
            entry is not None
            and entry.error is None
            and all(files.is_file(path) for path in job.writes)
            and entry.inputs == digests(job, self.salt)
        )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the ledger for this run until it ends, unless it is shared.

        Raises:
            InputError: The file is not a ledger of this kind.
            OutputError: Another run uses the ledger, or it cannot be written.
        """
        if self.kind.shared:
            self._read()
            yield
            return
        with files.appending(self.path, private=self.kind.private, alone=True) as lines:
            self._read()  # another run may have just ended
            self._lines = lines
            try:
                self._head(lines)
                yield
            finally:
                self._lines = None

    def begin(self, job: Job) -> Begun:
        """Record that a job is about to run, and which of its files do not exist yet."""
        if self.kind.shared:
            return Begun(job, (), (), False, ())
        interrupted = job.id in self._begun
        before = self._begun.get(job.id, frozenset())
        leftovers = tuple(path for path in job.writes if _place(path) in before)
        absent = tuple(
            path for path in job.writes if path in leftovers or not os.path.lexists(path)
        )
        if job.writes:
            self._begun[job.id] = frozenset(map(_place, absent))
            self._add({"begun": job.id, "absent": sorted(self._begun[job.id])})
        return Begun(job, absent, leftovers, interrupted, job.writes)

    def add(self, entry: Entry[F]) -> None:
        """Record the outcome of a job on disk.

        Raises:
            OutputError: The file cannot be written.
        """
        facts = asdict(entry.facts)  # type: ignore[call-overload]
        told = {"hint": entry.hint, "where": entry.where, "inputs": entry.inputs}
        self._add(
            {
                "id": entry.id,
                self.kind.noun: entry.name,
                "settings": dict(entry.settings),
                **facts,
                "seconds": entry.seconds,
                "error": entry.error,
                **{name: value for name, value in told.items() if value},
                **({"lost": True} if entry.lost else {}),
            }
        )
        self._keep(entry)

    def _keep(self, entry: Entry[F]) -> None:
        self._entries[entry.id] = entry
        if not entry.lost:
            self._begun.pop(entry.id, None)

    def _add(self, line: Mapping[str, Any]) -> None:
        data = json.dumps(line, allow_nan=False).encode()
        if self._lines is not None:
            self._lines.add(data)
            return
        with files.appending(self.path, private=self.kind.private) as lines:
            self._head(lines)
            lines.add(data)

    def _head(self, lines: files.Lines) -> None:
        """Write the first line of a private ledger, with its salt."""
        if self.kind.private and lines.empty:
            self.salt = secrets.token_bytes(SALT_BYTES)
            head = {"ledger": self.kind.title, "format": FORMAT, "salt": self.salt.hex()}
            lines.add(json.dumps(head).encode())

    def _read(self) -> None:
        try:
            if not self.path.exists():
                return
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}") from error
        whole, _, rest = files.read_bounded(self.path, LARGEST_LEDGER).rpartition(b"\n")
        lines = whole.splitlines()
        self._check_start(lines[0] if lines else b"", rest)
        for number, line in enumerate(lines, 1):
            try:
                self._take(json.loads(line), first=number == 1)
            except Exception:  # a foreign line may raise anything
                raise InputError(
                    f"line {number} of {self.path} is not an entry of {self.kind.title}",
                    hint="remove the line to run its job again, or name another file",
                ) from None

    def _check_start(self, first: bytes, rest: bytes) -> None:
        """Refuse a file that is no ledger, before a line is added to it."""
        starts = (HEAD,) if self.kind.private else (ENTRY, BEGUN)
        begins = first or rest
        if self.kind.private and first.startswith(ENTRY):
            raise InputError(
                f"{self.path} holds results of {self.kind.title} of stegfield 0.1, whose digests "
                "were not salted; this version does not read it",
                hint="name another file with -o, or remove this one",
            )
        if all(begins[: len(start)] != start[: len(begins)] for start in starts):
            raise InputError(
                f"{self.path} is not a file of results of {self.kind.title}",
                hint="name another file with -o",
            )

    def _take(self, line: dict[str, Any], *, first: bool) -> None:
        """Add a line's content to the entries.

        Raises:
            Exception: The line is of no known kind.
        """
        if "ledger" in line:
            if not first or (line["ledger"], line["format"]) != (self.kind.title, FORMAT):
                raise ValueError("another kind of ledger")
            self.salt = bytes.fromhex(line["salt"])
        elif "begun" in line:
            self._begun[_text(line["begun"])] = frozenset(map(_text, line["absent"]))
        else:
            self._keep(_entry(line, self.kind))


def digests(job: Job, salt: bytes) -> dict[str, str]:
    """Return salted digests of all files that a job reads; nobody can look files up by them."""
    written = set(map(str, job.writes))
    return {
        name: _digest(Path(name), salt)
        for name in job.reads
        if name not in written and files.is_file(name)
    }


def _digest(path: Path, salt: bytes) -> str:
    try:
        with path.open("rb") as file:
            keyed = partial(hashlib.blake2b, key=salt, digest_size=DIGEST_BYTES)
            return hashlib.file_digest(file, keyed).hexdigest()
    except OSError:
        return UNREADABLE


def _place(path: Path) -> str:
    """Return the absolute name of a file, which is the same from every folder."""
    return os.path.abspath(path)  # noqa: PTH100 - a link stays a link


def _entry(line: dict[str, Any], kind: LedgerKind[F]) -> Entry[F]:
    own: dict[str, Any] = {
        "id": _text(line.pop("id")),
        "name": _text(line.pop(kind.noun)),
        "settings": _mapping(line.pop("settings")),
        "seconds": float(line.pop("seconds")),
        "error": _text_or_none(line.pop("error")),
        "hint": _text_or_none(line.pop("hint", None)),
        "where": _text(line.pop("where", "")),
        "inputs": _mapping(line.pop("inputs", {})),
        "lost": line.pop("lost", False) is True,
    }
    return Entry(facts=kind.facts(**line), **own)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return value
