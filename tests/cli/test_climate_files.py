"""Commands on climate files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stegfield import cli, signals
from stegfield.signals import globe, netcdf, waves


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("cover.nc").write_bytes(signals.encode(globe(46, 90), ".nc"))
    Path("photo.png").write_bytes(signals.to_png(waves(48, 40)))
    Path("letter.txt").write_text("Dear Bob")
    assert cli.run(["keygen", "bob.key"]) == 0
    return tmp_path


def test_a_letter_goes_into_a_field_and_comes_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert cli.run(["capacity", "cover.nc"]) == 0
    assert "robust" not in capsys.readouterr().out
    command = ["embed", "cover.nc", "letter.txt", "-o", "stego.nc", "--key", "bob.key"]
    assert cli.run(command) == 0
    said = capsys.readouterr().err
    assert "a point" in said
    assert " K, " in said
    assert cli.run(["extract", "stego.nc", "-o", "again.txt", "--key", "bob.key"]) == 0
    assert Path("again.txt").read_text() == "Dear Bob"
    capsys.readouterr()
    assert cli.run(["compare", "cover.nc", "stego.nc", "--json"]) == 0
    assert 0 < json.loads(capsys.readouterr().out)["rmse_kelvin"] < 0.001


def test_a_field_is_fitted_and_rendered_to_files_and_pictures(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ["--sizes", "width=32,depth=2,w0=10.0", "--steps", "30"]
    assert cli.run(["fit", "cover.nc", "-o", "f.safetensors", *quick]) == 0
    assert " K, " in capsys.readouterr().err
    assert cli.run(["render", "f.safetensors", "-o", "fine.nc", "--size", "180x91"]) == 0
    assert cli.run(["render", "f.safetensors", "-o", "coarse.nc"]) == 0
    fine, coarse = signals.read(Path("fine.nc")), signals.read(Path("coarse.nc"))
    assert fine.size == (91, 180)
    assert np.allclose(fine.values[::2, ::2], coarse.values, atol=1e-4)
    assert cli.run(["render", "f.safetensors", "-o", "globe.png"]) == 0
    with Image.open("globe.png") as picture:
        assert picture.mode == "RGB"
        assert picture.width > picture.height
    capsys.readouterr()
    assert cli.run(["inspect", "f.safetensors"]) == 0
    assert "a climate field of 90x46" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("embed cover.nc letter.txt -o s.nc --key bob.key --profile robust", "for images"),
        ("embed cover.nc letter.txt -o s.nc --key bob.key --profile paper", "for images"),
        ("embed cover.nc letter.txt -o s.png --key bob.key", ".nc file"),
        ("embed photo.png letter.txt -o s.nc --key bob.key", "an image is written as"),
        ("extract cover.nc -o l.txt --key bob.key", "nothing can be read"),
        ("extract cover.nc -o l.txt --key bob.key --profile robust", "for images"),
        ("fit cover.nc -o f.safetensors --field grid", "grid fields"),
        ("compare cover.nc photo.png", "cover.nc is a climate field, and photo.png is an image"),
        ("compare cover.nc cover.nc -o difference.png", "of images only"),
        ("capacity wrong.nc", "not a climate field"),
    ],
)
def test_what_does_not_go_is_refused_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: str, words: str
) -> None:
    Path("wrong.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500))
    before = sorted(folder.iterdir())
    capsys.readouterr()
    assert cli.run(arguments.split()) > 0
    error, *rest = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert words in error
    assert all(line.startswith("hint: ") for line in rest)
    assert sorted(folder.iterdir()) == before


def test_of_several_times_a_note_tells(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = netcdf.read

    def several(data: bytes) -> netcdf.Variable:
        variable = read(data)
        return netcdf.Variable(**{**vars(variable), "leading": {"time": 24}})

    monkeypatch.setattr(netcdf, "read", several)
    assert cli.run(["capacity", "cover.nc"]) == 0
    assert (
        "cover.nc has several fields, 24 along time; the first was read" in capsys.readouterr().err
    )


def test_images_need_none_of_the_libraries(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5netcdf", None)
    assert cli.run(["capacity", "photo.png"]) == 0
    capsys.readouterr()
    assert cli.run(["capacity", "cover.nc"]) == 1
    assert "pip install 'stegfield[media]'" in capsys.readouterr().err
