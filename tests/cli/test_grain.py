"""`grain`, `embed --grain`, `--also` and `capacity --key`, as a user types them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stegfield import cli, signals
from stegfield.errors import CapacityError, ConfigError, UnreadableError

PHRASES = "seven words nobody would ever guess in years\n", "another phrase of many odd words\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a picture that has a camera's data, messages and keys."""
    monkeypatch.chdir(tmp_path)
    exif = Image.Exif()
    exif[271] = "a camera"
    samples = signals.to_samples(signals.waves(96, 80))
    Image.fromarray(samples).save("photo.png", exif=exif, dpi=(300, 300))
    Path("letter.txt").write_bytes(b"meet me at noon")
    Path("zip").write_bytes(np.random.default_rng(0).bytes(500))
    for name in ("alice", "bob"):
        assert cli.run(["keygen", f"{name}.key"]) == 0


def sent(*words: str) -> list[str]:
    return ["embed", "photo.png", "letter.txt", "--key", "alice.key", *words]


def test_each_key_gets_its_own_file_and_others_learn_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(sent("-o", "s.png", "--grain", "1.5", "--also", "zip", "bob.key")) == 0
    said = capsys.readouterr().err
    assert "515 bytes of 2 messages" in said
    assert "dB from grain of 1.5 levels" in said
    for key, file in (("alice.key", "letter.txt"), ("bob.key", "zip")):
        assert cli.run(["extract", "s.png", "-o", "back", "--key", key, "--force"]) == 0
        assert Path("back").read_bytes() == Path(file).read_bytes()
    assert cli.run(["keygen", "eve.key"]) == 0
    assert cli.run(["grain", "photo.png", "-o", "g.png"]) == 0
    errors = []
    for picture in ("s.png", "g.png"):
        capsys.readouterr()
        code = cli.run(["extract", picture, "-o", "x", "--key", "eve.key"])
        errors.append((code, capsys.readouterr().err))
    assert errors[0] == errors[1]
    assert errors[0][0] == UnreadableError.exit_code


def test_both_commands_keep_and_leave_out_the_same_metadata(
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    for options, maker in (([], None), (["--keep-metadata"], "a camera")):
        notes = []
        for words in (sent("--grain", "1.5"), ["grain", "photo.png"]):
            assert cli.run([*words, *options, "-o", "s.png", "--force"]) == 0
            with Image.open("s.png") as image:
                assert image.getexif().get(271) == maker
                assert round(image.info["dpi"][0]) == 300
            said = capsys.readouterr().err.splitlines()
            notes.append([line for line in said if line.startswith("note")])
        assert notes[0] == notes[1]


def test_a_reduced_picture_is_not_rounded_before_its_grain_is_drawn() -> None:
    flat = np.full((64, 64, 3), 100, np.uint8)
    flat[:, ::2] = 101
    Image.fromarray(flat).save("stripes.png")
    assert cli.run(["grain", "stripes.png", "-o", "g.png", "--size", "32"]) == 0
    samples = signals.to_samples(signals.read(Path("g.png")))
    assert samples.shape == (32, 32, 3)
    assert float(samples.mean()) == pytest.approx(100.5, abs=0.15)


def test_a_size_goes_with_every_profile() -> None:
    assert cli.run(sent("-o", "s.png", "--size", "64")) == 0
    assert signals.read(Path("s.png")).size == (64, 53)
    assert cli.run(["extract", "s.png", "-o", "back", "--key", "alice.key"]) == 0
    assert Path("back").read_bytes() == b"meet me at noon"


def test_the_room_beside_the_messages_of_some_keys_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(sent("-o", "s.png", "--grain", "3", "--also", "zip", "bob.key")) == 0
    told = []
    for keys in (["alice.key"], ["bob.key"], ["alice.key", "bob.key"]):
        capsys.readouterr()
        words = [word for key in keys for word in ("--key", key)]
        assert cli.run(["capacity", "s.png", *words, "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    alice, bob, both = told
    assert both["parts"] == alice["parts"] + bob["parts"] == 64 - both["parts_left"]
    assert both["bytes_left"] < bob["bytes_left"] < alice["bytes_left"]
    assert (both["messages"], both["message_bytes"]) == (2, 515)
    assert cli.run(["capacity", "s.png", "--key", "alice.key"]) == 0
    assert "parts are left beside them" in capsys.readouterr().err
    assert cli.run(["capacity", "photo.png", "--key", "alice.key"]) == UnreadableError.exit_code


def test_passphrases_come_in_the_order_of_the_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(PHRASES)))
    words = ["embed", "photo.png", "letter.txt", "-o", "s.png", "--grain", "1.5", "--also", "zip"]
    assert cli.run([*words, "--passphrase-stdin"]) == 0
    for phrase, file in zip(PHRASES, ("letter.txt", "zip"), strict=True):
        monkeypatch.setattr(sys, "stdin", io.StringIO(phrase))
        back = ["extract", "s.png", "-o", "back", "--passphrase-stdin", "--force"]
        assert cli.run(back) == 0
        assert Path("back").read_bytes() == Path(file).read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["grain", "photo.png", "-o", "x.jpg"], ".jpg files change samples"),
        (["grain", "photo.png", "-o", "x.png", "--sigma", "0.5"], "--sigma must be from 1 to 16"),
        (["grain", "photo.png", "-o", "x.png", "--size", "7"], "--size must be from 8"),
        (["grain", "photo.png", "-o", "x.png", "--size", "97"], "--size must be from 8"),
        (["grain", "photo.png", "-o", "photo.png"], "named twice"),
        (["grain", "letter.txt", "-o", "x.png"], "not an image"),
        (["grain", "nothing.png", "-o", "x.png"], "nothing.png"),
        (sent("-o", "x.png", "--grain", "17"), "--grain must be from 1 to 16"),
        (sent("-o", "x.png", "--grain", "nan"), "--grain must be from 1 to 16"),
        (sent("-o", "x.png", "--also", "zip", "bob.key"), "without grain carries one message"),
        (sent("-o", "x.png", "--grain", "1.5", "--flat"), "--flat has no meaning"),
        (sent("-o", "x.png", "--grain", "1.5", "--also", "zip", "alice.key"), "the same key"),
        (sent("-o", "x.png", "--grain", "1.5", "--also", "none", "bob.key"), "none"),
        (sent("-o", "x.png", "--grain", "1.5", "--also", "-", "bob.key"), "reads no stdin"),
        (sent("-o", "zip", "--grain", "1.5", "--also", "zip", "bob.key"), "named twice"),
        (sent("-o", "x.png", "--grain", "1.5", "--also", "a", "b", "c"), "at most one key file"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_failures_are_one_line_and_leave_nothing(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(Path().iterdir())
    assert cli.run(words) in (1, 2)
    error = capsys.readouterr().err
    assert said in error
    assert error.count("error:") == 1
    assert set(Path().iterdir()) == before


def test_the_error_for_several_messages_says_how_to_carry_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = cli.run(sent("-o", "x.png", "--also", "zip", "bob.key"))
    assert code == ConfigError.exit_code
    assert "hint: --grain 1.5 makes room for several" in capsys.readouterr().err


def test_too_much_is_told_in_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("long").write_bytes(np.random.default_rng(0).bytes(4000))
    words = ["embed", "photo.png", "long", "--key", "alice.key", "--grain", "1.5", "-o", "x.png"]
    assert cli.run(words) == CapacityError.exit_code
    assert "4,000 bytes are needed, but the cover has room for 2," in capsys.readouterr().err


def test_a_batch_draws_grain_and_takes_several_messages() -> None:
    Path("jobs.toml").write_text(
        """
        [[jobs]]
        command = "grain"
        picture = "photo.png"
        output = "g.png"

        [[jobs]]
        command = "embed"
        cover = "photo.png"
        message = "letter.txt"
        key = "alice.key"
        also = [["zip", "bob.key"]]
        grain = 1.5
        output = "s.png"
        """
    )
    assert cli.run(["batch", "jobs.toml", "-o", "results.jsonl", "--workers", "1"]) == 0
    assert Path("g.png").exists()
    assert cli.run(["extract", "s.png", "-o", "back", "--key", "bob.key"]) == 0
    assert Path("back").read_bytes() == Path("zip").read_bytes()
    Path("keyless.toml").write_text(
        Path("jobs.toml").read_text().replace('["zip", "bob.key"]', '"zip"')
    )
    assert cli.run(["batch", "keyless.toml", "-o", "more.jsonl"]) == 1
