"""Wordings: sentences that name settings as calls, and can be told in other words."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import stegfield
from stegfield.errors import ConfigError, OutputExistsError, Wording

PACKAGE = Path(stegfield.__file__).parent
FLAG = re.compile(r"(?<![\w`-])--[a-z]")
OUR_COMMAND = re.compile(r"`?stegfield [^`]*`?")


def flag(name: str, value: str) -> str:
    """Spell a setting in a way that no call has."""
    return f"<{name}|{value}>"


@pytest.mark.parametrize(
    ("wording", "call", "other"),
    [
        (Wording("leave {size} out"), "leave size=... out", "leave <size|> out"),
        (Wording("use {profile:robust}"), 'use profile="robust"', "use <profile|robust>"),
        (Wording("with {force:True}"), "with force=True", "with <force|True>"),
        (Wording("{depth:3}"), "depth=3", "<depth|3>"),
        (Wording("{steps} is {n:,}", owner="Fit", n=1000), "Fit(steps=...) is 1,000", None),
    ],
)
def test_a_setting_is_a_call_unless_another_spelling_is_asked_for(
    wording: Wording, call: str, other: str | None
) -> None:
    assert wording == call
    assert wording.spelled(flag) == (other or "<steps|> is 1,000")


@given(st.text())
def test_what_is_filled_in_is_never_taken_for_a_setting(name: str) -> None:
    wording = Wording("{path} needs {size}", path=name)
    assert wording == f"{name} needs size=..."
    assert wording.spelled(flag) == f"{name} needs <size|>"


def test_a_wording_survives_the_way_to_another_process() -> None:
    wording = Wording("{steps} of {path}", owner="FitConfig", path="{a}")
    again = pickle.loads(pickle.dumps(wording))
    assert again == wording
    assert again.spelled(flag) == wording.spelled(flag) == "<steps|> of {a}"


def test_an_error_speaks_in_calls() -> None:
    error = ConfigError(Wording("{steps} is wrong", owner="FitConfig"))
    assert str(error) == "FitConfig(steps=...) is wrong"
    assert OutputExistsError.hint == "choose another name, or overwrite it with force=True"


def messages(path: Path) -> Iterator[str]:
    """Every string of a module but docstrings, and with what f-strings have in braces left out."""
    tree = ast.parse(path.read_text("utf-8"))
    bare = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value


def test_the_library_names_no_flags() -> None:
    named = [
        f"{path.relative_to(PACKAGE)}: {text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] != "cli"
        for text in messages(path)
        if FLAG.search(OUR_COMMAND.sub("", text)) and path.name != "publishing.py"
        if " " in text  # a flag alone is an argument of a command that is run
    ]
    assert named == []
