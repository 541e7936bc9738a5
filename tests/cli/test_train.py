"""``stegfield train`` as a user types it."""

from __future__ import annotations

import io
import json
import re
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
from PIL import Image

from stegfield import cli, generative
from stegfield.cli.train import Given, _settings
from stegfield.config import NEVER, PRESETS, GanConfig
from stegfield.errors import ConfigError
from stegfield.fields import checkpoints
from stegfield.generative import Arrays
from stegfield.generative.logbook import CURVES, EARLIER, LOG, SAMPLES
from stegfield.generative.states import MODEL, STATE
from stegfield.watching import Told

QUICK = ["--steps", "3", "--warm-up", "2", "--batch", "4"]
TINY = ["--hidden", "8", "--width", "8", "--frequencies", "4", "--latent", "4", "--channels", "4"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder, where the digits are few and made up."""
    monkeypatch.chdir(tmp_path)

    def few() -> Arrays:
        import torch

        rng = np.random.default_rng(1)
        return Arrays(torch.from_numpy(rng.random((20, 8, 8, 1)).astype(np.float32)))

    monkeypatch.setattr("stegfield.generative.reading.digits", few)
    return tmp_path


def fails(arguments: list[str], capsys: pytest.CaptureFixture[str], *, code: int) -> str:
    """Run a command that must fail, in one line and a hint."""
    capsys.readouterr()
    assert cli.run(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.strip().splitlines()
    assert sum(line.startswith("error: ") for line in lines) == 1
    assert all(line.startswith(("error: ", "hint: ")) for line in lines)
    return captured.err


def settings_of(path: str) -> GanConfig:
    """The settings that a run was last continued with."""
    with safetensors.safe_open(Path(path) / STATE, "pt") as stream:
        facts = json.loads(stream.metadata()[checkpoints.ENTRY])
    return GanConfig(**facts["settings"])


def test_digits_are_trained_and_the_run_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "digits", "-o", "runs", *QUICK]
    assert cli.run(command) == 0
    captured = capsys.readouterr()
    *shown, told = captured.err.splitlines()
    assert told == f"runs/{MODEL}: 3 of 3 steps"
    assert all(re.match("[0-9]+%: step", line) for line in shown)  # on a slow machine
    assert captured.out == ""
    names = sorted(path.name for path in Path("runs").iterdir())
    assert names == sorted([LOG, MODEL, SAMPLES, CURVES, STATE, EARLIER])
    before = {path: path.read_bytes() for path in Path("runs").rglob("*.*")}
    message = fails(command, capsys, code=1)
    assert f"error: runs/{STATE} exists already" in message
    assert "hint: add --resume to continue the run" in message
    assert {path: path.read_bytes() for path in Path("runs").rglob("*.*")} == before
    command[command.index("3")] = "5"
    assert cli.run([*command, "--resume", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"model": f"runs/{MODEL}", "steps": 5, "examples": 18}
    assert generative.load("runs/" + MODEL).name == "digits"


@pytest.mark.usefixtures("_sigterm")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_writes_everything_and_goes_on(
    number: int,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ["train", "digits", "-o", "runs", *QUICK]
    command[command.index("3")] = "1000"

    def ended(_: object, latest: Told) -> None:
        if latest.fraction:  # after the warm-up
            signal.raise_signal(number)

    with monkeypatch.context() as patch:
        patch.setattr("stegfield.watching.Lines.show", ended)
        assert cli.run(command) == 0
    assert f"runs/{MODEL}: 1 of 1,000 steps" in capsys.readouterr().err
    command[command.index("1000")] = "3"
    assert cli.run([*command, "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 3


def test_a_log_file_gets_a_line_now_and_then(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stegfield.watching.FIRST_LINE", 0.0)
    assert cli.run(["train", "digits", "-o", "runs", *QUICK]) == 0
    *lines, last = capsys.readouterr().err.splitlines()
    assert last == f"runs/{MODEL}: 3 of 3 steps"
    assert "warming up, 1 steps to go" in lines[0]
    assert lines[-1].startswith("100%: step 3, 8x8, ")
    assert "loss " in lines[-1]


def test_a_run_begins_with_a_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "digits", "-o", "runs", "--start", "digits", *QUICK]
    steps = generative.load("digits").steps
    assert f"--steps must be above the {steps:,}" in fails(command, capsys, code=2)
    command[command.index("3")] = str(steps + 2)
    message = fails([*command, "--width", "8"], capsys, code=2)
    assert "other sizes than this run: --latent" in message
    assert not Path("runs").exists()
    assert "hint: leave them out" in message
    assert cli.run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == steps + 2
    command[command.index(str(steps + 2))] = str(steps + 3)
    command[command.index("--start") + 1] = "no-longer-there"
    assert cli.run([*command, "--resume"]) == 0
    assert generative.load("runs/" + MODEL).steps == steps + 3


def test_a_run_that_begins_with_a_model_has_its_sizes(folder: Path) -> None:
    assert cli.run(["train", "digits", "-o", "first", *QUICK, *TINY]) == 0
    start = ["--start", f"first/{MODEL}", "--steps", "5", "--warm-up", "1", "--batch", "4"]
    assert cli.run(["train", "digits", "-o", "second", *start]) == 0
    assert cli.run(["train", "digits", "-o", "third", *start, "--rank", "6"]) == 0
    first, second, third = (
        generative.load(f"{name}/{MODEL}").sizes for name in ("first", "second", "third")
    )
    assert second == first
    assert third == replace(first, rank=6)


@pytest.mark.parametrize("start", ["nobody", "my.toml"])
def test_a_run_without_its_model_leaves_nothing(
    start: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("my.toml").write_text("steps = 3")
    fails(["train", "digits", "-o", "runs", "--start", start, *QUICK], capsys, code=1)
    assert not Path("runs").exists()


def test_a_run_of_another_model_does_not_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "digits", "-o", "runs", *QUICK]
    assert cli.run(command) == 0
    message = fails([*command, "--resume", "--width", "8"], capsys, code=1)
    assert "belongs to another run: its --width is 64, not 8" in message
    assert "hint: leave --width out" in message


def test_a_run_that_goes_on_keeps_its_settings(folder: Path) -> None:
    Path("my.toml").write_text("std = 3\nmax_seconds = 100\n")
    given = ["--config", "my.toml", "--batch", "4", "--warm-up", "2", "--seed", "5", *TINY]
    assert cli.run(["train", "digits", "-o", "runs", "--steps", "2", *given]) == 0
    before = settings_of("runs")
    assert cli.run(["train", "digits", "-o", "runs", "--steps", "3", "--resume"]) == 0
    assert settings_of("runs") == replace(before, steps=3, max_seconds=None)
    assert generative.load("runs/" + MODEL).steps == 3


def test_a_run_that_is_not_there_does_not_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "digits", "-o", "runs/mistyped", *QUICK, *TINY, "--resume"]
    for start in ([], ["--start", "digits"]):
        message = fails([*command, *start], capsys, code=1)
        assert f"error: runs/mistyped/{STATE} does not exist" in message
        assert "hint: name the folder of the run, or leave --resume out" in message
        assert not Path("runs").exists()


def test_a_run_takes_no_fewer_steps_than_it_has(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "digits", "-o", "runs", *QUICK, *TINY]
    assert cli.run(command) == 0
    before = {path: path.read_bytes() for path in Path("runs").rglob("*.*")}
    command[command.index("3")] = "2"
    message = fails([*command, "--resume"], capsys, code=2)
    assert "error: --steps must be at least the 3 that the run has taken, got 2" in message
    assert {path: path.read_bytes() for path in Path("runs").rglob("*.*")} == before
    assert cli.run(["train", "digits", "-o", "runs", "--resume"]) == 0  # it is done already
    assert capsys.readouterr().err.splitlines() == [f"runs/{MODEL}: 3 of 3 steps"]


@pytest.mark.parametrize("words", [["--resume"], ["--resume", "--rank", "2"]], ids=" ".join)
def test_a_state_without_readable_settings_is_damaged(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "digits", "-o", "runs", *QUICK, *TINY]
    assert cli.run(command) == 0
    wrong: list[Any] = [{"std": -1.0}, {"whatever": 3}, [], None]
    for settings in wrong:
        with safetensors.safe_open(f"runs/{STATE}", "pt") as stream:
            facts = json.loads(stream.metadata()[checkpoints.ENTRY])
        metadata = {checkpoints.ENTRY: json.dumps(facts | {"settings": settings})}
        tensors = safetensors.torch.load_file(f"runs/{STATE}")
        safetensors.torch.save_file(tensors, f"runs/{STATE}", metadata)
        assert "damaged checkpoint" in fails([*command, *words], capsys, code=1)


def test_as_many_layers_as_are_trained_can_be_loaded(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "digits", "-o", "runs", *QUICK, *TINY[2:], "--std", "0.01", "--hidden"]
    assert "at most 16 layers, got 17" in fails([*command, ",".join("4" * 17)], capsys, code=2)
    assert cli.run([*command, ",".join("4" * 16)]) == 0
    assert len(generative.load("runs/" + MODEL).sizes.hidden) == 16


def test_flags_come_before_the_file_and_the_file_before_the_preset(folder: Path) -> None:
    Path("my.toml").write_text("steps = 2\nseed = 5\nwarm_up = 0\nstd = 3\nmax_seconds = 100\n")
    command = ["train", "digits", "-o", "runs", "--config", "my.toml", "--seed", "6"]
    assert cli.run([*command, *TINY]) == 0
    settings = settings_of("runs")
    assert (settings.seed, settings.latent, settings.hidden) == (6, 4, "8")
    assert (settings.steps, settings.warm_up, settings.std) == (2, 0, 3.0)
    assert settings.max_seconds == 100
    assert settings.batch == PRESETS["digits"].batch
    assert settings.generator_rate == PRESETS["digits"].generator_rate


def test_a_flag_of_the_default_s_value_still_comes_first(folder: Path) -> None:
    Path("my.toml").write_text("seed = 5\nmirror = true\n")
    command = ["train", "digits", "-o", "runs", "--config", "my.toml", *QUICK, *TINY]
    assert cli.run([*command, "--seed", "0", "--no-mirror"]) == 0
    assert (settings_of("runs").seed, settings_of("runs").mirror) == (0, False)


def test_settings_are_judged_when_they_are_together(folder: Path) -> None:
    # 8:2 goes with a size of 16, which the file has, and not with that of the preset
    Path("my.toml").write_text('size = 16\ngrow = "32:5"\n')
    command = ["train", "digits", "-o", "runs", "--config", "my.toml", *QUICK, *TINY]
    assert cli.run([*command, "--grow", "8:2"]) == 0
    assert settings_of("runs").stages == [(8, 2), (16, NEVER)]


def test_a_size_below_those_that_a_preset_begins_with_needs_no_other_word() -> None:
    for size, stages in (
        (16, [(16, NEVER)]),
        (32, [(32, NEVER)]),
        (128, [(32, 8500), (128, NEVER)]),
    ):
        chosen = _settings(None, Given(size=size), PRESETS["faces"])
        assert chosen.stages == stages
    assert _settings(None, None, PRESETS["faces"]) == PRESETS["faces"]
    with pytest.raises(ConfigError, match=r"GanConfig\(size=\.\.\.\)"):
        _settings(None, Given(size=12), PRESETS["faces"])
    with pytest.raises(ConfigError, match=r"GanConfig\(grow=\.\.\.\)"):
        _settings(None, Given(size=16, grow="32:9"), PRESETS["faces"])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("stepz = 3", "stepz"),
        ("steps = 'three'", "--steps"),
        ("steps = 1.5", "--steps"),
        ("steps = 0", "--steps"),
        ("hidden = 64", "--hidden"),
        ("grow = 8", "--grow"),
        ("mirror = 'no'", "--mirror"),
        ("precision = 'float8'", "--precision"),
        ("std = nan", "--std"),
        ("[training]\nsteps = 3", "training"),
        ("steps = ", "my.toml"),
        ("\x00", "my.toml"),
        ("steps = " + "[" * 5000, "my.toml"),
        ("steps = " + "9" * 5000, "my.toml"),
    ],
)
def test_a_file_of_wrong_settings_is_wrong_usage(
    text: str, named: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("my.toml").write_text(text)
    command = ["train", "digits", "-o", "runs", "--config", "my.toml", *QUICK[2:]]
    assert named in fails(command, capsys, code=2)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "digits"],
        ["train", "-o", "runs"],
        ["train", "digits", "-o", "runs", "--steps", "0"],
        ["train", "digits", "-o", "runs", "--steps", "many"],
        ["train", "digits", "-o", "runs", "--precision", "float8"],
        ["train", "digits", "-o", "runs", "--grow", "64:10"],
        ["train", "digits", "-o", "runs", "--size", "4"],
        ["train", "digits", "-o", "runs", "--hidden", "8,"],
        ["train", "digits", "-o", "runs", "--hidden", "9" * 5000],
        ["train", "digits", "-o", "runs", "--grow", "4:" + "9" * 5000],
        ["train", "digits", "-o", "runs", "--steps", "9" * 5000],
        ["train", "digits", "-o", "runs", "--std", "0.001"],
        ["train", "faces", "-o", "runs"],
        ["train", "climate", "-o", "runs"],
    ],
    ids=" ".join,
)
def test_wrong_usage_has_its_exit_code(
    arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fails(arguments, capsys, code=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "digits", "-o", "runs", "--config", "nothing.toml"],
        ["train", "faces", "-o", "runs", "--data", "nothing"],
        ["train", "climate", "-o", "runs", "--data", "nothing"],
        ["train", "digits", "-o", "a-file"],
    ],
    ids=" ".join,
)
def test_what_is_missing_or_in_the_way_fails(
    arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a-file").write_text("in the way")
    fails(arguments, capsys, code=1)
    assert not Path("runs").exists()


def test_a_name_of_one_s_own_learns_from_a_folder_of_images(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pictures").mkdir()
    rng = np.random.default_rng(1)
    for number in range(20):
        stream = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).save(stream, "PNG")
        Path(f"pictures/{number}.png").write_bytes(stream.getvalue())
    command = ["train", "clouds", "-o", "runs/deep/down", "--data", "pictures", "--size", "8"]
    assert cli.run([*command, *QUICK, *TINY]) == 0
    model = generative.load("runs/deep/down/" + MODEL)
    facts = model.name, model.medium.name, model.channels, model.size
    assert facts == ("clouds", "image", 3, (8, 8))
    Path("pictures/13.png").write_bytes(b"no image")
    command[3] = "again"
    assert "13.png" in fails([*command, *QUICK, *TINY], capsys, code=1)
    assert not Path("again").exists()
    command[3] = "not/even/here"
    assert "13.png" in fails([*command, *QUICK, *TINY], capsys, code=1)
    assert not Path("not").exists()


@pytest.fixture
def globes(folder: Path) -> Path:
    """Temperatures in a folder and one below it, with what macOS adds to them."""
    latitude = np.linspace(90, -90, 19)
    rng = np.random.default_rng(1)
    (folder / "globes" / "more").mkdir(parents=True)
    for number in range(20):
        kelvin = 260 + rng.random((19, 24)).astype(np.float32)
        path = folder / "globes" / ("more" if number % 2 else ".") / f"{number}.npz"
        np.savez(path, temperature=kelvin, latitude=latitude)
    (folder / "globes" / "._0.npz").write_bytes(b"no temperatures")
    return folder / "globes"


def test_a_name_of_one_s_own_learns_from_a_folder_of_temperatures(globes: Path) -> None:
    command = ["train", "weather", "-o", "runs", "--data", "globes", "--size", "8", *QUICK]
    assert cli.run([*command, *TINY[:-2]]) == 0
    model = generative.load("runs/" + MODEL)
    assert (model.name, model.medium.name, model.size) == ("weather", "climate", (19, 24))
    settings, preset = settings_of("runs"), PRESETS["climate"]
    assert (settings.std, settings.channels) == (preset.std, preset.channels)
    assert settings.mirror is False
    command[command.index("3")] = "5"
    assert cli.run([*command, "--resume"]) == 0
    assert generative.load("runs/" + MODEL).steps == 5


def test_one_file_of_temperatures_is_enough(globes: Path) -> None:
    kelvin = 260 + np.random.default_rng(1).random((20, 19, 24)).astype(np.float32)
    np.savez("all.npz", temperature=kelvin, latitude=np.linspace(90, -90, 19))
    command = ["train", "weather", "-o", "runs", "--data", "all.npz", "--size", "8"]
    assert cli.run([*command, *QUICK, *TINY]) == 0
    assert generative.load("runs/" + MODEL).medium.name == "climate"


def test_a_model_of_images_does_not_begin_a_run_of_temperatures(
    globes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "weather", "-o", "runs", "--data", "globes", "--start", "digits"]
    message = fails(command, capsys, code=2)
    assert "error: digits generates another kind of signals than the examples" in message
    assert "hint: begin with a model of such examples" in message
    assert not Path("runs").exists()


def test_a_folder_without_examples_says_what_is_looked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("notes").mkdir()
    message = fails(["train", "clouds", "-o", "runs", "--data", "notes"], capsys, code=1)
    assert "error: notes has 0 images" in message
    assert "hint: name a folder or a zip of images; temperatures are learned from" in message


def test_a_name_of_one_s_own_needs_examples(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = fails(["train", "clouds", "-o", "runs"], capsys, code=2)
    assert "error: there are no examples to learn clouds from" in message
    assert "--data" in message
