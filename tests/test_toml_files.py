"""TOML of strangers: whatever is wrong is one kind of error, in every place that reads some."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegfield import bench, cli
from stegfield.errors import InputError
from stegfield.toml_files import plain_toml

DIGITS = "a = 1" + "0" * 5000
"""More digits than Python reads."""
DOTS = "a" + ".a" * 200_000
"""A key that would take hours, and all memory."""
CRAFTED = [
    f"{DOTS} = 1",
    f"[{DOTS}]",
    f"a = {{{DOTS} = 1}}",
    DIGITS,
    "a = " + "[" * 5000,
    "a = 1\na = 2",
    "\0",
    "a = 2026-13-45",
]


@pytest.mark.parametrize("text", CRAFTED)
def test_crafted_documents_are_a_value_error(text: str) -> None:
    for given_as in (text, text.encode()):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever the reason
            plain_toml(given_as)


def test_dots_in_values_are_no_key() -> None:
    assert plain_toml("a.b.c = 'x.y.z'\nd = 1.5") == {"a": {"b": {"c": "x.y.z"}}, "d": 1.5}


@given(st.binary(max_size=60))
def test_other_bytes_are_read_or_a_value_error(data: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(plain_toml(data), dict)


def test_every_reader_says_so_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.toml").write_text(DIGITS)
    Path("x.csv").write_text("command,cover,message,output,key\nembed,[" + "1" * 5000 + "],b,c,d\n")
    with pytest.raises(InputError):
        bench.load("x.toml")
    commands = [["batch", "x.toml"], ["batch", "x.csv"], ["train", "digits", "-o", "r", "--config"]]
    commands[2].append("x.toml")
    for words in commands:
        assert cli.run(words) in (1, 2)
        assert capsys.readouterr().err.startswith("error: ")
    monkeypatch.setenv("STEGFIELD_CONFIG", "x.toml")
    assert cli.run(["keygen", "a.key"]) in (1, 2)
    assert capsys.readouterr().err.startswith("error: x.toml is not TOML")
