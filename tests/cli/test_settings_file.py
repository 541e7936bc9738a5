"""A user's defaults, and how much a command says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stegfield import cli, signals
from stegfield.signals import waves

EMBED = ["embed", "cover.png", "letter.txt", "-o", "stego.png", "--key", "alice.key"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("cover.png").write_bytes(signals.to_png(waves(64, 64)))
    Path("letter.txt").write_bytes(b"meet me at noon")
    assert cli.run(["keygen", "alice.key"]) == 0
    return tmp_path


@pytest.fixture
def settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEGFIELD_CONFIG", "own.toml")
    return folder / "own.toml"


def rate(capsys: pytest.CaptureFixture[str], *words: str) -> float:
    capsys.readouterr()
    assert cli.run([*EMBED, "--force", "--json", *words]) == 0
    return float(json.loads(capsys.readouterr().out)["rate_bpp"])


def test_defaults_hold_unless_an_option_is_typed(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.write_text("[embed]\nbpp = 2\n[hide]\nmax-seconds = 3\n")
    assert rate(capsys) == pytest.approx(2, abs=0.1)
    assert rate(capsys, "--bpp", "1") == pytest.approx(1, abs=0.1)
    settings.write_text("")
    assert rate(capsys) < 0.5


def test_the_usual_place_is_in_the_home_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STEGFIELD_CONFIG")
    monkeypatch.setenv("HOME", str(folder))
    assert rate(capsys) < 0.5
    (folder / ".config").mkdir()
    (folder / ".config" / "stegfield.toml").write_text("[embed]\nbpp = 2\n")
    assert rate(capsys) == pytest.approx(2, abs=0.1)


def test_a_batch_has_all_that_it_needs_in_its_file(settings: Path) -> None:
    settings.write_text("[embed]\nbpp = 2\n")
    names = ["command = 'embed'", "cover = 'cover.png'", "message = 'letter.txt'"]
    Path("jobs.toml").write_text(
        "\n".join(["[[jobs]]", *names, "key = 'alice.key'", "output = 'stego.png'"])
    )
    assert cli.run(["batch", "jobs.toml"]) == 0
    (line,) = [each for each in Path("jobs.jsonl").read_text().splitlines() if "rate_bpp" in each]
    assert '"rate_bpp": 2' not in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[embed]\nkey = 'alice.key'", "must not have key"),
        ("[embed]\npassphrase_stdin = true", "must not have passphrase_stdin"),
        ("[embed]\nweak = true", "must not have weak"),
        ("[embed]\noutput = 'x.png'", "must not have output"),
        ("[embed]\nprofil = 'exact'", "has profil, which is no option"),
        ("[embed]\nbpp = 'much'", "bpp"),
        ("embed = 3", "is not a table"),
        ("[embed", "is not TOML"),
    ],
)
def test_what_no_defaults_may_have_is_refused(
    text: str, said: str, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.write_text(text)
    assert cli.run(EMBED) == 2
    assert said in capsys.readouterr().err
    assert not Path("stego.png").exists()


def test_a_file_that_is_named_must_exist(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(EMBED) == 1
    assert "own.toml does not exist" in capsys.readouterr().err


def test_quiet_leaves_warnings_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert cli.run([*EMBED, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert cli.run(["--quiet", *EMBED]) == 1
    assert capsys.readouterr().err.startswith("error: stego.png exists already\nhint: ")
    assert cli.run([*EMBED, "--force"]) == 0
    assert "15 bytes" in capsys.readouterr().err


def test_verbose_tells_time_and_where_an_error_came_from(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.write_text("[embed]\nbpp = 2\n")
    assert cli.run([*EMBED, "--verbose"]) == 0
    told = capsys.readouterr().err
    assert "own.toml gives bpp" in told
    assert " s in all" in told
    assert cli.run([*EMBED, "--verbose"]) == 1
    assert "Traceback" in capsys.readouterr().err
    assert cli.run(EMBED) == 1
    assert "Traceback" not in capsys.readouterr().err
