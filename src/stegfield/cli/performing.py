"""Commands as jobs: how a worker performs one, and what the ledger keeps of it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from stegfield.cli.binding import bind
from stegfield.cli.job_files import words
from stegfield.cli.waiting import begin
from stegfield.jobs import Job, LedgerKind


@dataclass(frozen=True)
class Said:
    """The answer of a command."""

    result: Mapping[str, Any] = field(default_factory=dict)
    """The object that it prints with ``--json``."""

    warnings: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.result, Mapping):
            raise TypeError("the result of a command is an object")


BATCH = LedgerKind("a batch", "command", Said, private=True)


def perform(job: Job) -> Said:
    """Run the command of a job in this process."""
    out, said = io.StringIO(), io.StringIO()
    begin()
    with redirect_stdout(out), redirect_stderr(said):
        function, arguments = bind(job, words)
        function(*arguments.args, **arguments.kwargs)
    warnings = [line for line in said.getvalue().splitlines() if line.startswith("warning: ")]
    return Said(json.loads(out.getvalue()), tuple(warnings))
