"""``-`` in place of a file: stdin and stdout, of every command that reads or writes signals."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

from stegfield import cli, signals
from stegfield.signals import chords, waves

MESSAGE = bytes(range(256))
QUICK = ["--sizes", "width=32,depth=2", "--steps", "10", "--seed", "1"]
Pipe = Callable[..., bytes]


class Terminal(io.TextIOWrapper):
    """A stdout that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("cover.png").write_bytes(signals.to_png(waves(64, 64)))
    Path("song.wav").write_bytes(signals.encode(chords(9000), ".wav"))
    Path("letter.bin").write_bytes(MESSAGE)
    assert cli.run(["keygen", "alice.key"]) == 0
    return tmp_path


@pytest.fixture
def pipe(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Pipe:
    """Run a command with bytes on stdin, and return what it writes to stdout."""

    def run(data: bytes, *words: str) -> bytes:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        capfdbinary.readouterr()
        assert cli.run([*words]) == 0, capfdbinary.readouterr().err
        return capfdbinary.readouterr().out

    return run


def terminal(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(shown, write_through=True))
    return shown


@pytest.mark.parametrize("name", ["cover.png", "song.wav"])
def test_a_message_goes_through_pipes_alone(name: str, pipe: Pipe) -> None:
    key = ["--key", "alice.key"]
    stego = pipe(Path(name).read_bytes(), "embed", "-", "letter.bin", "-o", "-", *key)
    assert signals.read(stego).size == signals.read(Path(name)).size
    assert pipe(stego, "extract", "-", "--output=-", *key) == MESSAGE


def test_the_written_file_is_the_same_by_name_and_by_pipe(pipe: Pipe) -> None:
    key = ["--key", "alice.key"]
    piped = pipe(MESSAGE, "embed", "cover.png", "-", "-o", "-", *key)
    assert piped.startswith(b"\x89PNG")
    Path("stego.png").write_bytes(piped)
    assert pipe(piped, "extract", "stego.png", "-o", "again.bin", *key) == b""
    assert Path("again.bin").read_bytes() == MESSAGE


def test_a_field_is_piped_from_the_cover_to_its_rendering(pipe: Pipe) -> None:
    cover, secret = Path("cover.png").read_bytes(), ["--secret", "cover.png", "alice.key"]
    fitted = pipe(cover, "fit", "-", "-o", "-", *QUICK)
    assert json.loads(pipe(fitted, "inspect", "-", "--json"))["bytes"] == len(fitted)
    assert signals.read(pipe(fitted, "render", "-", "-o", "-")).size == (64, 64)
    hidden = pipe(cover, "hide", "--as", "functions", "-", "-o", "-", *QUICK, *secret)
    shown = pipe(hidden, "reveal", "-", "-o", "-", "--key", "alice.key")
    assert signals.read(shown).size == (64, 64)


def test_a_jpeg_comes_out_of_a_pipe_as_one(pipe: Pipe) -> None:
    image = signals.to_samples(signals.waves(192, 256)).astype(np.int16)
    image += np.random.default_rng(0).integers(-9, 10, image.shape, dtype=np.int16)
    stream = io.BytesIO()
    Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=90)
    key = ["--key", "alice.key"]
    Path("short.txt").write_bytes(b"noon")
    stego = pipe(stream.getvalue(), "embed", "-", "short.txt", "-o", "-", *key)
    assert stego[:2] == b"\xff\xd8"
    assert pipe(stego, "extract", "-", "-o", "-", *key) == b"noon"
    Path("stego.jpeg").write_bytes(stego)
    assert pipe(b"", "extract", "stego.jpeg", "-o", "-", *key) == b"noon"


def test_judges_read_stdin(pipe: Pipe) -> None:
    cover = Path("cover.png").read_bytes()
    assert json.loads(pipe(cover, "capacity", "-", "--json")) == json.loads(
        pipe(b"", "capacity", "cover.png", "--json")
    )
    assert pipe(cover, "compare", "cover.png", "-").startswith(b"PSNR inf dB")
    assert pipe(cover, "detect", "-").startswith(b"stdin: ")


def test_pictures_and_words_do_not_meet_on_stdout(
    pipe: Pipe, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    drawn = pipe(Path("cover.png").read_bytes(), "compare", "-", "cover.png", "-o", "-")
    assert signals.read(drawn).channels == 3
    assert signals.read(pipe(b"", "generate", "digits", "-o", "-", "--seed", "1")).channels == 1


def test_what_is_told_goes_to_stderr(pipe: Pipe, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    cli.run(["compare", "cover.png", "cover.png", "-o", "-"])
    assert capfdbinary.readouterr().err.startswith(b"PSNR inf dB")
    cli.run(["embed", "cover.png", "letter.bin", "-o", "-", "--key", "alice.key"])
    assert capfdbinary.readouterr().err.startswith(b"stdout: 256 bytes")


@pytest.mark.parametrize(
    "words",
    [
        ["embed", "cover.png", "letter.bin", "-o", "-", "--key", "alice.key"],
        ["compare", "cover.png", "cover.png", "-o", "-"],
        ["fit", "cover.png", "-o", "-", *QUICK],
        ["generate", "digits", "-o", "-"],
    ],
    ids=lambda words: words[0],
)
def test_a_terminal_gets_no_binary_result(
    words: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = terminal(monkeypatch)
    assert cli.run(words) == 1
    assert "stdout is a terminal" in capsys.readouterr().err
    assert shown.getvalue() == b""


@pytest.mark.parametrize(
    ("message", "is_shown"),
    [("Grüße,\n\tBob".encode(), True), (b"\x1b[31mred", False), (b"\xff", False)],
)
def test_a_terminal_gets_messages_that_are_plain_text(
    message: bytes,
    is_shown: bool,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("letter.bin").write_bytes(message)
    key = ["--key", "alice.key"]
    assert cli.run(["embed", "cover.png", "letter.bin", "-o", "stego.png", *key]) == 0
    shown = terminal(monkeypatch)
    assert cli.run(["extract", "stego.png", "-o", "-", *key]) == (0 if is_shown else 1)
    assert shown.getvalue() == (message if is_shown else b"")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["embed", "-", "-", "-o", "s.png"], "both the cover and the message"),
        (["embed", "-", "letter.bin", "-o", "s.png", "--passphrase-stdin"], "and the passphrase"),
        (["extract", "-", "-o", "x", "--passphrase-stdin"], "both the stego and the passphrase"),
        (["compare", "-", "-"], "both the original and the other"),
        (["embed", "cover.png", "letter.bin", "-o", "-", "--json"], "stdout cannot have both"),
        (["fit", "cover.png", "-o", "-", "--json"], "stdout cannot have both"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_one_stream_serves_one_thing(
    words: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words) == 2
    assert said in capsys.readouterr().err


def test_what_stdin_holds_is_named_in_errors(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).bytes(100)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(noise)))
    assert cli.run(["capacity", "-"]) == 1
    assert "error: the data is not an image" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(noise)))
    assert cli.run(["render", "-", "-o", "x.png"]) == 1
    assert "error: stdin is not a field file" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="named pipes are POSIX")
@pytest.mark.parametrize("grain", [[], ["--grain", "1.5", "--also", "second", "bob.key"]])
def test_a_message_from_a_pipe_is_read_once(folder: Path, grain: list[str]) -> None:
    os.mkfifo("first")
    os.mkfifo("second")
    assert cli.run(["keygen", "bob.key"]) == 0
    senders = [
        Thread(target=Path(name).write_bytes, args=[data], daemon=True)
        for name, data in (("first", MESSAGE), ("second", b"Dear Bob"))
    ]
    for sender in senders:
        sender.start()
    command = ["embed", "cover.png", "first", "-o", "s.png", "--key", "alice.key", *grain]
    assert cli.run(command) == 0
    for name, sent in (("alice", MESSAGE), *((("bob", b"Dear Bob"),) if grain else ())):
        assert cli.run(["extract", "s.png", "-o", name, "--key", f"{name}.key"]) == 0
        assert Path(name).read_bytes() == sent
