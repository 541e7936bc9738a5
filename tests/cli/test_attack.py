from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stegfield import cli, fields, signals
from stegfield.attacks.report import file_names
from stegfield.signals import waves

SIZES = ["--sizes", "width=24,depth=2,frequencies=12"]
TRAINING = ["--robust", "--steps", "60", "--batch", "64", "--warm-up", "10", "--seed", "1"]
EFFORT = ["--keys", "3", "--descents", "1", "--descent-steps", "2"]
SECRETS = ["--secret", "one.png", "alice.key", "--secret", "two.png", "bob.key"]
ATTACK = ["attack", "public.safetensors", "--cover", "photo.png", "-o", "report", *EFFORT]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, image in (
        ("photo.png", waves(20, 24)),
        ("one.png", waves(16, 12, phase=1.0)),
        ("two.png", waves(18, 16, phase=2.0)),
    ):
        Path(name).write_bytes(signals.to_png(image))
    assert cli.run(["keygen", "alice.key"]) == 0
    assert cli.run(["keygen", "bob.key"]) == 0
    hide = [
        "hide",
        "--as",
        "functions",
        "photo.png",
        "-o",
        "public.safetensors",
        *SIZES,
        *TRAINING,
        *SECRETS,
    ]
    assert cli.run(hide) == 0
    return tmp_path


def test_a_report_has_every_curve_and_all_figures(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert cli.run([*ATTACK, *SECRETS, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == json.loads(Path("report/report.json").read_text())
    assert facts["images"] == ["cover", "one.png", "two.png"]
    pruned = facts["damage"]["pruning"]
    assert [each["level"] for each in pruned] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert all(len(each["psnr_db"]) == 3 for each in pruned)
    assert pruned[0]["records_found"] == [True, True]
    assert facts["rounding"]["int8"]["records_found"] == [False, False]
    assert facts["guesses"]["random-keys"]["one.png"]["tries"] == 3
    assert set(facts["guesses"]["another-key"]) == {"one.png", "two.png"}
    written = sorted(path.name for path in Path("report").iterdir())
    assert written == sorted(["report.json", *file_names(2)])
    for name in file_names(2):
        with Image.open(Path("report") / name) as picture:
            assert len(np.unique(np.asarray(picture))) > 10


def test_a_second_field_of_the_cover_is_compared_with_the_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = ["fit", "photo.png", "-o", "clean.safetensors", *SIZES, *TRAINING[:-1], "2"]
    assert cli.run(clean) == 0
    capsys.readouterr()
    assert cli.run([*ATTACK, *SECRETS, "--other", "clean.safetensors"]) == 0
    facts = json.loads(Path("report/report.json").read_text())["beside_another_field"]
    assert 0.2 < facts["slots_auc"] < 0.8
    assert set(facts["correlations"]) == {"one.png", "two.png"}
    lines = capsys.readouterr().err
    assert "slots differ more than other weights do in" in lines
    assert f"two.png has a correlation of {facts['correlations']['two.png']:.2f}" in lines


def test_an_image_that_is_not_hidden_is_noticed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    longer = ["--field", "fourier", "--steps", "500", "--seed", "1", *SECRETS, "--force"]
    assert (
        cli.run(
            ["hide", "--as", "functions", "photo.png", "-o", "public.safetensors", *SIZES, *longer]
        )
        == 0
    )
    capsys.readouterr()
    assert cli.run([*ATTACK, *SECRETS]) == 0
    assert "warning" not in capsys.readouterr().err
    noise = np.random.default_rng(0).integers(0, 256, (16, 12, 3), np.uint8)
    Image.fromarray(noise).save("one.png")
    assert cli.run([*ATTACK, *SECRETS, "--force"]) == 0
    assert "what the field shows is no closer to one.png" in capsys.readouterr().err


def test_robust_fields_are_fourier_fields_with_frequencies_to_suit(folder: Path) -> None:
    field = fields.load(Path("public.safetensors"))
    assert field.architecture == "fourier"
    assert field.header()["sizes"]["std"] == 24 / 16
    plain = ["fit", "photo.png", "-o", "plain.safetensors", *TRAINING, *SIZES]
    assert cli.run(plain) == 0
    assert fields.load(Path("plain.safetensors")).header()["sizes"] == field.header()["sizes"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--secret", "one.png", "bob.key"], "another size"),
        (["--secret", "one.png", "missing.key"], "does not exist"),
        (["--secret", "one.png", "alice.key", "--keys", "0"], "--keys must be at least 1"),
        (["--cover", "one.png", "--secret", "one.png", "alice.key"], "is not the cover"),
        (["--secret", "one.png", "a", "--secret", "one.png", "b"], "same file name"),
        (["--secret", "one.png", "alice.key", "-o", "photo.png"], "photo.png"),
        (["--secret", "one.png", "alice.key", "--other", "none"], "none does not exist"),
        (["--secret", "one.png", "alice.key", "--other", "public.safetensors"], "same weights"),
    ],
)
def test_mistakes_are_told_in_one_line_and_leave_nothing(
    arguments: list[str], error: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    given = ["--cover", "photo.png", "-o", "report"]
    kept = [each for each in zip(given[::2], given[1::2], strict=True) if each[0] not in arguments]
    command = ["attack", "public.safetensors", *(word for pair in kept for word in pair)]
    assert cli.run([*command, *arguments]) in (1, 2)
    lines = capsys.readouterr().err.strip().splitlines()
    assert error in lines[0]
    assert all(line.startswith(("error: ", "hint: ")) for line in lines)
    assert not Path("report").exists()


def test_a_report_is_not_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("report").mkdir()
    Path("report/noise.png").write_bytes(b"mine")
    assert cli.run([*ATTACK, *SECRETS]) == 1
    assert "noise.png exists already" in capsys.readouterr().err
    assert [path.name for path in Path("report").iterdir()] == ["noise.png"]
    assert cli.run([*ATTACK, *SECRETS, "--force"]) == 0
    assert Path("report/noise.png").read_bytes() != b"mine"
