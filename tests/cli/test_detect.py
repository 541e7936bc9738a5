"""Looking for LSB replacement as a command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from stegfield import cli, fields, signals
from stegfield.errors import ConfigError, InputError
from stegfield.signals import waves
from stegfield.steganalysis import outliers
from stegfield.steganalysis.simulate import lsb_replacement
from stegfield.steganalysis.weights import features


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


def test_names_do_not_command_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("stego.png").rename("red\x1b[31m.png")
    assert cli.run(["detect", "red\x1b[31m.png", "gone\x07.png"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith(r"red\x1b[31m.png: suspected")
    assert r"gone\x07.png does not exist" in captured.err


def test_small_images_are_not_judged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Image.open("stego.png") as stego:
        stego.crop((0, 0, 63, 65)).save("small.png")
    assert cli.run(["detect", "small.png"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("small.png: cannot be judged: it has fewer than 4,096 pixels")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to judge"),
        (["missing.png"], "does not exist"),
        (["text.png"], "not an image"),
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


def test_figures_of_clean_fields_are_computed_once_a_command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "clean").mkdir()
    sizes = {"width": 8, "depth": 2}
    for seed in range(5):
        name = f"clean/{seed}.safetensors" if seed < 3 else f"{seed}.safetensors"
        fields.save(folder / name, fields.new_field(waves(12, 16), sizes=sizes, seed=seed))
    counted: list[object] = []

    def count(*arguments: Any) -> dict[str, float]:
        counted.append(arguments)
        return features(*arguments)

    monkeypatch.setattr(outliers, "features", count)
    assert cli.run(["detect", "3.safetensors", "4.safetensors", "--pool", "clean"]) == 0
    assert "3 clean fields" in capsys.readouterr().out
    assert len(counted) == 3 + 2


def test_a_bad_file_does_not_stop_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "text.png").write_text("no picture")
    files = ["missing.png", "cover.png", "text.png", "stego.png"]
    assert cli.run(["detect", *files]) == 1
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert [line.split(":")[0] for line in lines[::2]] == ["cover.png", "stego.png"]
    errors = [line for line in output.err.splitlines() if line.startswith("error: ")]
    assert "missing.png does not exist" in errors[0]
    assert "text.png is not an image" in errors[1]
    assert len(errors) == 2
    assert cli.run(["detect", *files, "--json"]) == 1
    output = capsys.readouterr()
    facts = json.loads(output.out)["files"]
    assert list(facts) == files
    assert facts["missing.png"] == {"error": errors[0].removeprefix("error: ")}
    assert facts["stego.png"]["suspected"] is True
    assert "error: " in output.err


def test_the_exit_code_is_that_of_the_first_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **_: object) -> object:
        raise ConfigError("no") if path.name == "cover.png" else InputError("no")

    monkeypatch.setattr(signals, "read", refuse)
    assert cli.run(["detect", "cover.png", "stego.png"]) == 2
    assert cli.run(["detect", "stego.png", "cover.png"]) == 1
