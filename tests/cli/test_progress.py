"""How commands that are piped show that they live, and how signals end them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

import pytest

from stegfield import cli, fields, signals
from stegfield.signals import waves

STEGFIELD = [sys.executable, "-m", "stegfield"]


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with an image."""
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(signals.to_png(waves(20, 24)))
    return tmp_path / "photo.png"


@pytest.mark.usefixtures("photo")
def test_a_piped_run_shows_that_it_lives_and_sigterm_lets_it_wind_down() -> None:
    command = ["fit", "photo.png", "-o", "f.safetensors", "--steps", "1000000", "--batch", "64"]
    with subprocess.Popen(
        [*STEGFIELD, *command, "--sizes", "width=16,depth=2"], stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        chosen, first = run.stderr.readline(), run.stderr.readline()
        run.send_signal(signal.SIGTERM)
        told = run.stderr.read()
    assert chosen.startswith("chosen: a siren field for 480 points")
    assert re.match(r"0%: step [\d,]+, photo.png \d+\.\d dB, \d+ (s|min) left", first)
    assert run.returncode == 0, told
    assert "winding down" in told
    assert fields.load(Path("f.safetensors")).public.size == (20, 24)


@pytest.mark.usefixtures("photo")
@pytest.mark.parametrize("ignored", [False, True])
def test_sigterm_ends_a_command_that_cannot_wind_down(ignored: bool) -> None:
    program = f"""
import os, signal, sys
from stegfield import cli, fixednet
if {ignored}:  # as in the background of a script
    signal.signal(signal.SIGINT, signal.SIG_IGN)
fixednet.capacity = lambda _: os.kill(os.getpid(), signal.SIGTERM)
sys.argv = ["stegfield", "capacity", "photo.png"]
cli.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "error: stopped before the result was written\n"


def test_sigterm_does_what_ctrl_c_would() -> None:
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    previous = signal.signal(signal.SIGINT, note)
    try:
        cli._as_ctrl_c(signal.SIGTERM, None)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert seen == [signal.SIGINT]
