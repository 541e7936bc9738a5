"""What the command line makes of errors: flags, old names, and hints what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegfield import cli
from stegfield.cli.errors import worded
from stegfield.errors import ConfigError, StegfieldError, Wording

EMBED = ["embed", "a.png", "b.txt", "-o", "x.png"]


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Give the lines of a command that is refused before it reads anything."""
    capsys.readouterr()
    assert cli.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


@pytest.mark.parametrize(
    ("error", "text", "hint"),
    [
        (
            ConfigError(
                Wording("{known_cover} is wrong", owner="EmbedConfig"),
                hint=Wording("leave {known_cover} out, or use {profile:robust}"),
            ),
            "--known-cover is wrong",
            "leave --known-cover out, or use --profile robust",
        ),
        (ConfigError("a=... is a file", hint="steps=..."), "a=... is a file", "steps=..."),
        (StegfieldError(Wording("use {force:True}")), "use --force", None),
    ],
)
def test_settings_are_named_as_flags_and_what_is_no_setting_stays(
    error: StegfieldError, text: str, hint: str | None
) -> None:
    assert worded(error) == (text, hint)


@pytest.mark.parametrize(
    ("arguments", "text", "hint"),
    [
        ([*EMBED, "--span", "8"], "there is no option --span", "--constraint-height"),
        ([*EMBED, "--span=8"], "there is no option --span", "--constraint-height"),
        ([*EMBED, "--profile", "jpeg"], "there is no profile 'jpeg'", "robust"),
        (["extract", "a.png", "-o", "x", "--profile=jpeg"], "there is no profile 'jpeg'", "robust"),
    ],
)
def test_an_old_name_is_refused_with_the_new_one(
    arguments: list[str], text: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error, advice = said(arguments, capsys)
    assert error.startswith(f"error: {text}")
    assert advice == f"hint: it is called {hint} now"


@pytest.mark.parametrize("word", ["-dash.png", "--dash.png"])
def test_a_file_that_looks_like_an_option_gets_a_way_in(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(["fit", word, "-o", "x.safetensors"], capsys) == [
        f"error: there is no option {word}",
        f"hint: a file of this name is written ./{word}",
    ]


def test_options_after_two_dashes_get_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["embed", "--", "-dash.png", "letter.txt", "-o", "x.png", "--key", "alice.key"]
    assert said(words, capsys) == [
        "error: --output is missing",
        "hint: leave -- out, which turns options into files; a file like -a.png is written "
        "./-a.png",
    ]
    assert said(["embed", "--", "a.png", "letter.txt"], capsys)[1].endswith("with -o")


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (EMBED[:3], "--output is missing", "name the file to write with -o"),
        (["train", "digits"], "--output is missing", "name the folder to write with -o"),
        (["fit", "a.png", "-o"], "-o needs a value", "name the file to write with -o"),
        (["fit", "a", "--steps"], "--steps needs a value", "`stegfield fit --help` shows how"),
        (["embed"], "COVER is missing", "`stegfield embed --help` shows how to call it"),
        (["fit", "a", "-o", "x", "--stesp", "3"], "Did you mean --steps?", "`stegfield fit --help"),
    ],
)
def test_what_is_missing_is_said_in_words(
    arguments: list[str], error: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = said(arguments, capsys)
    assert error in first
    assert second.startswith(f"hint: {hint}")


def test_a_batch_tells_old_names_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = tmp_path / "jobs.toml"
    jobs.write_text(
        '[[jobs]]\ncommand = "embed"\ncover = "a.png"\nmessage = "b"\noutput = "x.png"\n'
        'key = "a.key"\nspan = 8\n'
    )
    assert cli.run(["batch", str(jobs)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "hint: it is called --constraint-height now"
