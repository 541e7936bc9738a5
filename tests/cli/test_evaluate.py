"""Judging a model as a command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stegfield import cli


def test_evaluate_as_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["evaluate", "digits", "-o", "samples.png", "--count", "60"]) == 0
    told = capsys.readouterr().err
    assert all(name in told for name in ("generated", "real", "blurred", "noise"))
    assert "too near" not in told.splitlines()[1]
    assert "with fewer than 200 other real ones, too near cannot be measured" in told
    with Image.open("samples.png") as picture:
        assert picture.width > 100
    assert cli.run(["evaluate", "digits", "-o", "samples.png"]) == 1


def test_a_climate_model_is_measured_by_latitude_and_wavenumber(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    kelvin = 280 + 5 * np.random.default_rng(1).standard_normal((40, 46, 90)).astype(np.float32)
    latitude = np.linspace(90, -90, 46, dtype=np.float32)
    np.savez("noise.npz", temperature=kelvin, latitude=latitude)
    command = ["evaluate", "climate", "-o", "globes.png", "--data", "noise.npz", "--seed", "3"]
    assert cli.run(command) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "warning: climate was trained on 105 examples, and these would be 36"
    assert "36 samples, beside 4 held-out examples, so that the other real" in told[2]
    assert told[3].split()[:4] == ["SWD", "diversity", "PSNR-2", "nearest"]
    assert told[3].split()[4:] == ["zonal", "mean", "spread", "spectrum"]
    assert [line.split()[0] for line in told[4:8]] == ["generated", "real", "blurred", "noise"]
    assert told[8].startswith("with fewer than 200")
    # white noise has no zones, and real ones differ less among themselves than from temperatures
    generated, real = (float(told[at].split()[6]) for at in (4, 5))
    assert generated > 10
    assert 0 < real < 1
    assert cli.run([*command, "--force", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["generated"]["copied"] is None
    assert (answer["samples"], answer["trained_anchors"]) == (36, True)
    assert 80 * answer["generated"]["zonal"]["mean_rms"] == pytest.approx(generated, abs=0.01)


def test_copies_are_counted_where_enough_was_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stegfield.generative.measures.ENOUGH", 60)
    command = ["evaluate", "digits", "-o", "samples.png", "--count", "60"]
    assert cli.run(command) == 0
    _, heads, *lines = capsys.readouterr().err.splitlines()
    assert heads.split()[4:] == ["too", "near"]
    assert cli.run([*command, "--force", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    for line in lines:
        name, *_, share, unit = line.split()
        assert float(share) == pytest.approx(100 * answer[name]["copied"], abs=0.051)
        assert unit == "%"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["digits", "--count", "1"], 2, "--count"),
        (["digits", "--seed", "-1"], 2, "--seed"),
        (["digits", "--seed", str(1 << 63)], 2, "--seed"),
        (["nobody"], 1, "no model nobody"),
        (["faces"], 2, "--data"),
        (["faces", "--data", "nowhere"], 1, "does not exist"),
        (["digits", "--data", "pictures"], 1, "0 images"),
    ],
    ids=str,
)
def test_what_cannot_be_measured_is_refused(
    words: list[str],
    code: int,
    said: str,
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    assert cli.run(["evaluate", *words, "-o", "x.png"]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("error:") == 1
    assert not Path("x.png").exists()
