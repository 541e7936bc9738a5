"""Results of jobs: one JSON object a line, appended as each is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from stegfield import files
from stegfield.errors import InputError
from stegfield.metrics import finite_or_none

LARGEST_RESULTS = 1 << 30
RESULTS = "results.jsonl"
PICTURES = "pictures"

Setting = str | int | float | bool
Figure = float | int | str | None


@dataclass(frozen=True)
class Job:
    """An experiment and all its settings."""

    experiment: str
    settings: Mapping[str, Setting]

    @cached_property
    def id(self) -> str:
        """Name the job by what it does: the same job of two suites is run once."""
        text = json.dumps([self.experiment, dict(self.settings)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Record:
    """What became of a job."""

    id: str
    experiment: str
    settings: Mapping[str, Setting]
    figures: Mapping[str, Figure]
    pictures: tuple[str, ...] = ()
    """Their file names in the folder of pictures."""
    seconds: float = 0.0
    error: str | None = None
    """Why there are no figures; the job is tried again in the next run."""
    machine: Mapping[str, Any] = field(default_factory=dict)


class Results:
    """The records of a folder.

    Each is one line, written in one go, so a run that dies loses at most the job at hand: a last
    line that was cut off is passed over.

    Raises:
        InputError: A line is not a record.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / RESULTS
        self._records: dict[str, Record] = {}
        try:
            if not self._path.exists():
                return
        except OSError as error:
            raise InputError(f"{self._path} cannot be read: {error.strerror}") from error
        data = files.read_bounded(self._path, LARGEST_RESULTS)
        whole, _, _ = data.rpartition(b"\n")
        for number, line in enumerate(whole.splitlines(), 1):
            record = _record(line, f"line {number} of {self._path}")
            self._records[record.id] = record

    def __len__(self) -> int:
        """Count the jobs of which there is a record."""
        return len(self._records)

    def of(self, job: Job) -> Record | None:
        """Give what became of a job, if it was run."""
        return self._records.get(job.id)

    def done(self, job: Job) -> bool:
        """Tell whether a job need not be run again."""
        record = self.of(job)
        return record is not None and record.error is None

    def add(self, record: Record, pictures: Mapping[str, bytes]) -> None:
        """Keep a record for good, with its pictures."""
        files.make_folder(self.folder)
        if pictures:
            files.make_folder(self.folder / PICTURES)
        for name, data in pictures.items():
            files.write_new(self.folder / PICTURES / name, data, force=True)
        record = replace(record, figures=finite_or_none(dict(record.figures)))
        files.add_line(self._path, json.dumps(asdict(record), allow_nan=False).encode())
        self._records[record.id] = record


def _record(line: bytes, where: str) -> Record:
    try:
        entries = json.loads(line)
        entries["pictures"] = tuple(entries["pictures"])
        record = Record(**entries)
        if not isinstance(record.settings, dict) or not isinstance(record.figures, dict):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InputError(
            f"{where} is not a record", hint="remove the line, and its job is run again"
        ) from None
    return record
