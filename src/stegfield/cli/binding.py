"""Arguments of jobs, bound to their command's function as its command line binds them.

To parse a command line takes longer than to embed in a small picture. Jobs that differ in nothing
but names of files have the same arguments but for these, so one of them is parsed for all.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from stegfield.jobs import Job

PLAIN = re.compile(r"[\w./][^\0]*", re.DOTALL)
"""Names that no parser takes for anything else."""
MOST = 256
"""Kinds of jobs that are remembered."""

_parsed: dict[tuple[str, ...], tuple[Callable[..., Any], inspect.BoundArguments]] = {}


def bind(
    job: Job, words: Callable[[Job], list[str]]
) -> tuple[Callable[..., Any], inspect.BoundArguments]:
    """Return the function of a job's command, and its arguments.

    Args:
        job: The job.
        words: Returns a job as words of a command line.

    Raises:
        CycloptsError: The command does not take such arguments.
        StegfieldError: A setting is out of range, or settings conflict.
    """
    named = _names_of_files(job.name, job.settings)
    others = {name: value for name, value in job.settings.items() if name not in named}
    kind = (job.name, json.dumps(others, sort_keys=True), *sorted(named))
    if kind not in _parsed:
        from stegfield.cli import app

        function, parsed, _ = app.parse_args(words(job), exit_on_error=False, print_error=False)
        if len(_parsed) >= MOST:
            _parsed.clear()
        _parsed[kind] = function, parsed
    function, parsed = _parsed[kind]
    arguments = parsed.arguments | {name: Path(value) for name, value in named.items()}
    return function, inspect.BoundArguments(parsed.signature, arguments)


def _names_of_files(command: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that name one file each, as the command's function names them."""
    paths = _paths(command)
    return {
        name: value
        for name, value in settings.items()
        if name in paths and isinstance(value, str) and PLAIN.fullmatch(value)
    }


@cache
def _paths(command: str) -> frozenset[str]:
    """Return the parameters of a command that are paths."""
    from stegfield.cli import app

    hints = get_type_hints(app[command].default_command)
    return frozenset(name for name, hint in hints.items() if hint in (Path, Path | None))
