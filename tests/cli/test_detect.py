"""Looking for LSB replacement as a command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from stegfield import cli
from stegfield.steganalysis.simulate import lsb_replacement


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    levels = data.coffee()[72:200, 172:300]  # type: ignore[no-untyped-call]
    Image.fromarray(levels).save("cover.png")
    Image.fromarray(levels).save("photo.jpg")
    stego = lsb_replacement(levels, 0.9, np.random.default_rng(0))
    Image.fromarray(stego).save("stego.png")
    return tmp_path


def test_several_files_are_judged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["detect", "cover.png", "stego.png", "photo.jpg"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("cover.png: no sign")
    assert lines[2].startswith("stego.png: suspected")
    assert lines[4].startswith("photo.jpg: cannot be judged")
    assert all(name in lines[1] for name in ("primary", "pairs", "rs", "chi", "ws", "fusion"))


def test_one_detector_and_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["detect", "stego.png", "--detector", "pairs", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["files"]["stego.png"]
    assert facts["suspected"] is True
    assert facts["rates"]["pairs"] == pytest.approx(0.9, abs=0.2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to judge"),
        (["missing.png"], "does not exist"),
        (["cover.png", "text.png"], "not an image"),
        (["field.safetensors"], "does not exist"),
        (["fake.safetensors"], "not a field file"),
        (["cover.png", "--detector", "magic"], "magic"),
    ],
)
def test_mistakes_are_told_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    (folder / "text.png").write_text("no picture")
    (folder / "fake.safetensors").write_text("no field")
    assert cli.run(["detect", *arguments]) in (1, 2)
    output = capsys.readouterr()
    assert output.out == ""
    assert told in output.err
    assert "Traceback" not in output.err


def test_fields_are_judged_alone_and_beside_clean_ones(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--steps", "3", "--sizes", "width=8,depth=2"]
    for number in range(4):
        name = f"clean{number}.safetensors"
        assert cli.run(["fit", "cover.png", "-o", name, *few, "--seed", str(number)]) == 0
    capsys.readouterr()
    assert cli.run(["detect", "clean0.safetensors", "cover.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("clean0.safetensors: nothing unusual")
    assert lines[1].startswith("cover.png: no sign")
    assert cli.run(["detect", "clean0.safetensors", "--pool", ".", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["files"]["clean0.safetensors"]
    assert facts["pool"] == 3  # without itself
    assert facts["suspicious"] is False
