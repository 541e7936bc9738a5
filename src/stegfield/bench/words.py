"""Words of the report: settings, values and numbers as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from stegfield.bench.results import Setting
from stegfield.bench.suites import Suite

REPORTED = "*"
"""Marks figures that others report of their methods."""
FEWEST_DIGITS = 2
HALF_UP = 1e-9
"""Added before rounding, so that equal halves are rounded to the same side."""
GAP = "{}"
NAMES = {"paper": "the paper's, run here"}
"""Names of settings that a suite does not name."""


def row(settings: Mapping[str, Setting], suite: Suite) -> str:
    """Return the row of a table that a job belongs to."""
    names = {name: settings[name] for name in suite.table.rows if name in settings}
    return phrase(names, suite.names)


def phrase(settings: Mapping[str, Setting], names: Mapping[str, str]) -> str:
    """Return settings by their names, one after the other."""
    return ", ".join(called(name, value, names) for name, value in settings.items())


def called(name: str, value: Setting, names: Mapping[str, str]) -> str:
    """Return a setting in words: its value's name, or its own name with the value."""
    text = f"{value:g}" if is_number(value) else str(value)
    text = {**NAMES, **names}.get(text, text)
    own = names.get(name, f"{name} {GAP}" if is_number(value) else GAP)
    return own.replace(GAP, text) if GAP in own else f"{own} {text}"


def bare(name: str, names: Mapping[str, str]) -> str:
    """Return the name of a setting, without a value."""
    return " ".join(names.get(name, name).replace(GAP, " ").split()).rstrip(":") or name


def number(value: float | None, digits: int, *, reported: bool, span: Sequence[float] = ()) -> str:
    """Return a number as text; a reported one gets no more digits than it was reported with."""
    if value is None or math.isnan(value):
        return ""
    text = f"{rounded(value, digits):,.{digits}f}"
    if span:
        text += f" ({' to '.join(f'{rounded(bound, digits):,.{digits}f}' for bound in span)})"
    if not reported:
        return text
    while text.endswith("0") and len(text.partition(".")[2]) > FEWEST_DIGITS:
        text = text[:-1]
    return text + REPORTED


def rounded(value: int | float, digits: int) -> float:
    """Round halves away from zero."""
    return round(value + math.copysign(HALF_UP, value), digits)


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether a value is a number; a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)
