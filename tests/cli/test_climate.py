"""Messages in temperatures on the globe, and fields that show them, as commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stegfield import cli, signals

pytest.importorskip("h5netcdf", reason="NetCDF files need stegfield[media]")

MESSAGE = b"meet me at noon" * 4


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a climate field, a key and a message."""
    monkeypatch.chdir(tmp_path)
    Path("cover.nc").write_bytes(signals.encode(signals.globe(46, 90), ".nc"))
    Path("letter.txt").write_bytes(MESSAGE)
    assert cli.run(["keygen", "alice.key"]) == 0
    return tmp_path


def test_a_file_comes_back_integer_by_integer() -> None:
    written = signals.read(Path("cover.nc"))
    again = signals.decode(signals.encode(written, ".nc"), Path("again.nc"))
    assert (signals.to_levels(again) == signals.to_levels(written)).all()
    assert again.size == (46, 90)


def test_a_message_goes_into_a_field_and_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["embed", "cover.nc", "letter.txt", "-o", "stego.nc", "--key", "alice.key", "--json"]
    assert cli.run(command) == 0
    assert json.loads(capsys.readouterr().out)["message_bytes"] == len(MESSAGE)
    assert cli.run(["extract", "stego.nc", "-o", "again.txt", "--key", "alice.key"]) == 0
    assert Path("again.txt").read_bytes() == MESSAGE
    before, after = (signals.to_kelvin(signals.read(Path(f"{n}.nc")).values) for n in NAMES)
    assert 0 < abs(before - after).max() < 0.05  # kelvin


NAMES = ("cover", "stego")


def test_the_wrong_kind_of_output_or_profile_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["embed", "cover.nc", "letter.txt", "--key", "alice.key"]
    assert cli.run([*command, "-o", "stego.png"]) == 2
    assert cli.run([*command, "-o", "stego.nc", "--profile", "robust"]) == 2
    assert capsys.readouterr().err.count("error:") == 2
    assert not list(Path().glob("stego*"))


def test_a_field_over_the_globe_agrees_with_itself_at_two_sizes() -> None:
    fitted = ["fit", "cover.nc", "-o", "globe.safetensors", "--field", "fourier", "--steps", "30"]
    assert cli.run([*fitted, "--sizes", "width=16,depth=2,frequencies=8", "--seed", "1"]) == 0
    for name, size in (("small.nc", "8x5"), ("large.nc", "16x9")):
        assert cli.run(["render", "globe.safetensors", "-o", name, "--size", size]) == 0
    small, large = (signals.read(Path(name)).values for name in ("small.nc", "large.nc"))
    assert np.allclose(large[::2, ::2], small, atol=1e-3)
    assert float(small[0].std()) < 1e-3  # one point, whatever its longitude


@pytest.mark.parametrize("kept", [0, 8, 100, 3000])
def test_a_damaged_file_is_one_line(kept: int, capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.nc").write_bytes(Path("cover.nc").read_bytes()[:kept])
    assert cli.run(["capacity", "broken.nc"]) == 1
    assert capsys.readouterr().err.count("error:") == 1
