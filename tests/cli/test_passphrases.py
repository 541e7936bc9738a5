"""Keys and passphrases as commands: fingerprints, generated passphrases, weak ones."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from stegfield import cli, signals
from stegfield.keys import KeyFile, Passphrase, guesses_log10
from stegfield.signals import waves

SENDERS = {
    "embed": ["embed", "cover.png", "letter.txt", "-o", "stego.png"],
    "generate": [
        "generate",
        "digits",
        "--size",
        "64",
        "--message",
        "letter.txt",
        "-o",
        "stego.png",
    ],
    "hide": [
        *("hide", "cover.png", "--secret", "cover.png", "-o", "stego.safetensors"),
        *("--as", "functions", "--sizes", "width=32,depth=2", "--steps", "5"),
    ],
}
READERS = {
    "embed": ["extract", "stego.png", "-o", "again.txt"],
    "generate": ["extract", "stego.png", "-o", "again.txt"],
    "hide": ["reveal", "stego.safetensors", "-o", "again.png"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("cover.png").write_bytes(signals.to_png(waves(64, 64)))
    Path("letter.txt").write_bytes(b"meet me at noon")
    return tmp_path


def run(words: list[str], passphrase: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{passphrase}\n"))
    return cli.run([*words, "--passphrase-stdin"])


@pytest.mark.parametrize("command", SENDERS)
def test_a_weak_passphrase_is_refused_unless_one_insists_and_read_without_a_word(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(SENDERS[command], "x", monkeypatch) == 2
    said = capsys.readouterr().err
    assert "the passphrase is found in about 12 guesses" in said
    assert "insist with --weak" in said
    assert not list(Path().glob("stego.*"))
    assert run([*SENDERS[command], "--weak"], "x", monkeypatch) == 0
    assert "warning: the passphrase is found in about 12 guesses" in capsys.readouterr().err
    assert run(READERS[command], "x", monkeypatch) == 0
    assert "guesses" not in capsys.readouterr().err


def test_a_doubtful_passphrase_is_warned_about_and_a_good_one_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(SENDERS["embed"], "open sesame", monkeypatch) == 0
    assert "warning: the passphrase is found in about 10^8 guesses" in capsys.readouterr().err
    assert cli.run(["keygen", "--passphrase"]) == 0
    passphrase = capsys.readouterr().out.rstrip("\n")
    assert run([*SENDERS["embed"], "--force"], passphrase, monkeypatch) == 0
    assert "guesses" not in capsys.readouterr().err
    assert run(READERS["embed"], passphrase, monkeypatch) == 0
    assert Path("again.txt").read_bytes() == b"meet me at noon"


def test_a_passphrase_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = []
    for words in ([], ["--json"]):
        assert cli.run(["keygen", "--passphrase", *words]) == 0
        told = capsys.readouterr().out
        drawn.append(json.loads(told)["passphrase"] if words else told.strip())
    assert drawn[0] != drawn[1]
    assert all(guesses_log10(Passphrase(each)) > 15 for each in drawn)
    assert [path.name for path in Path().glob("*.key")] == []
    for wrong in (["keygen"], ["keygen", "a.key", "--passphrase"]):
        assert cli.run(wrong) == 2
        assert "there must be a key file to write, or --passphrase" in capsys.readouterr().err


def test_copies_of_a_key_have_one_fingerprint_which_nothing_else_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["keygen", "alice.key"]) == 0
    fingerprint = KeyFile.read(Path("alice.key")).key.fingerprint
    assert capsys.readouterr().err == f"alice.key: a new key, fingerprint {fingerprint}\n"
    Path("copy").write_bytes(Path("alice.key").read_bytes())
    assert cli.run(["inspect", "copy"]) == 0
    assert capsys.readouterr().out == f"a key, fingerprint {fingerprint}\n"
    assert cli.run(["inspect", "copy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"fingerprint": fingerprint, "slot_bytes": 0}
    for words in (
        [*SENDERS["embed"], "--key", "alice.key"],
        [*SENDERS["hide"][:4], "alice.key", *SENDERS["hide"][4:]],
    ):
        assert cli.run(words) == 0
    raw = bytes.fromhex(fingerprint.replace("-", ""))
    for path in Path().glob("stego.*"):
        data = path.read_bytes()
        assert raw not in data
        assert fingerprint.encode() not in data


def test_a_damaged_key_file_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["keygen", "alice.key"]) == 0
    Path("alice.key").write_bytes(Path("alice.key").read_bytes()[:-4])
    assert cli.run(["inspect", "alice.key"]) == 1
    assert "error: alice.key is a damaged key file" in capsys.readouterr().err


def test_strength_is_for_passphrases(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["keygen", "alice.key"]) == 0
    assert cli.run([*SENDERS["embed"], "--key", "alice.key", "--weak"]) == 2
    assert "--weak is for passphrases" in capsys.readouterr().err
    assert cli.run(["generate", "digits", "-o", "x.png", "--weak"]) == 2
    assert "--weak has no meaning without a message" in capsys.readouterr().err
