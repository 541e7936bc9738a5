"""Generated covers: commands as a user types them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from stegfield import cli, fields, generative, signals
from stegfield.config import GRAIN
from stegfield.errors import CapacityError, ConfigError, InputError, UnreadableError
from stegfield.signals import to_samples

MESSAGE = b"meet me at noon"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a key and a message."""
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_bytes(MESSAGE)
    assert cli.run(["keygen", "alice.key"]) == 0
    return tmp_path


def assert_alike(function: Path, cover: Path) -> None:
    """Assert that a cover shows a function, but for its noise."""
    shown, noisy = (to_samples(signals.read(path)).astype(int) for path in (function, cover))
    noise = (noisy - shown)[(shown > 10) & (shown < 245)]
    assert noise.std() == pytest.approx(GRAIN, rel=0.2)
    assert np.abs(noise).max() <= 8 * GRAIN + 1


@pytest.mark.parametrize("name", generative.SHIPPED)
def test_every_shipped_model_generates_at_its_own_size(name: str) -> None:
    model = generative.load(name)
    shown = fields.render(model.field(1))
    assert (shown.size, shown.channels) == (model.size, model.channels)
    assert float(shown.values.std()) > 0.05


@pytest.mark.parametrize("size", [64, 128, 256, 512, 1024])
def test_one_function_carries_a_message_at_any_size(size: int) -> None:
    drawn = ["generate", "faces", "-o", "stego.png", "--size", str(size), "--seed", "7"]
    assert cli.run([*drawn, "--message", "letter.txt", "--key", "alice.key"]) == 0
    stego = signals.read(Path("stego.png"))
    assert stego.size == (size, size)
    assert cli.run(["extract", "stego.png", "-o", "again.txt", "--key", "alice.key"]) == 0
    assert Path("again.txt").read_bytes() == MESSAGE
    # it is the same face at every size: its means over 16x16 areas hardly change
    small, shown = (
        functional.adaptive_avg_pool2d(torch.from_numpy(one.values).movedim(-1, 0), 16)
        for one in (fields.render(generative.load("faces").field(7), (64, 64)), stego)
    )
    assert float((small - shown).square().mean().sqrt()) < 0.03 < float(small.std()) / 5


@pytest.mark.parametrize("size", [128, 256, 512])
def test_a_receiver_generates_a_cover_of_any_size_again(size: int) -> None:
    Path("short.txt").write_bytes(b"noon")
    drawn = ["generate", "faces", "-o", "stego.jpg", "--size", str(size), "--known-cover"]
    sent = [*drawn, "--profile", "robust", "--message", "short.txt", "--key", "alice.key"]
    if size == 128:  # the profile that knows covers needs more room, whatever the message
        assert cli.run(sent) == CapacityError.exit_code
        assert not Path("stego.jpg").exists()
        return
    assert cli.run(sent) == 0
    read = ["extract", "stego.jpg", "-o", "again.txt", "--key", "alice.key"]
    assert cli.run([*read, "--cover-model", "faces"]) == 0
    assert Path("again.txt").read_bytes() == b"noon"


def test_a_receiver_generates_the_cover_of_the_key(
    capsys: pytest.CaptureFixture[str],
) -> None:
    drawn = ["generate", "faces", "-o", "stego.jpg", "--size", "256", "--message", "letter.txt"]
    sent = [*drawn, "--key", "alice.key", "--profile", "robust", "--known-cover"]
    assert cli.run([*sent, "--seed", "1"]) == ConfigError.exit_code
    error = capsys.readouterr().err
    assert "the key decides" in error
    assert "warning" not in error
    assert cli.run(sent) == 0
    read = ["extract", "stego.jpg", "-o", "again.txt", "--key", "alice.key"]
    assert cli.run(read) == UnreadableError.exit_code
    both = ["--cover-model", "faces", "--cover", "stego.jpg"]
    assert cli.run([*read, *both]) == ConfigError.exit_code
    assert cli.run([*read, "--cover-model", "digits"]) == UnreadableError.exit_code
    assert cli.run([*read, "--cover-model", "faces"]) == 0
    assert Path("again.txt").read_bytes() == MESSAGE


@pytest.mark.parametrize("profile", ["exact", "robust"])
def test_a_message_that_needs_no_cover_is_read_beside_one(profile: str) -> None:
    sent = ["generate", "faces", "-o", "stego.png", "--size", "256", "--message", "letter.txt"]
    assert cli.run([*sent, "--key", "alice.key", "--profile", profile]) == 0
    read = ["extract", "stego.png", "--key", "alice.key"]
    assert cli.run([*read, "-o", "a.txt", "--cover-model", "faces"]) == 0
    assert cli.run([*read, "-o", "b.txt", "--cover", "stego.png"]) == 0
    assert Path("a.txt").read_bytes() == Path("b.txt").read_bytes() == MESSAGE


def test_where_neither_way_reads_anything_key_and_cover_are_to_be_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["generate", "faces", "-o", "plain.png"]) == 0
    capsys.readouterr()
    read = ["extract", "plain.png", "-o", "again.txt", "--key", "alice.key"]
    assert cli.run([*read, "--cover-model", "faces"]) == UnreadableError.exit_code
    error = capsys.readouterr().err
    assert error.count("error:") == 1
    assert "hint: check the key and the cover, and that" in error
    assert not Path("again.txt").exists()


@pytest.mark.parametrize("words", [["--cover-model", "climate"], ["--cover", "stego.nc"]], ids=str)
def test_known_covers_are_for_images(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("h5netcdf", reason="NetCDF files need stegfield[media]")
    sent = ["generate", "climate", "-o", "stego.nc", "--message", "letter.txt"]
    assert cli.run([*sent, "--key", "alice.key"]) == 0
    capsys.readouterr()
    read = ["extract", "stego.nc", "-o", "again.txt", "--key", "alice.key"]
    assert cli.run([*read, *words]) == ConfigError.exit_code
    error = capsys.readouterr().err
    assert "error: messages in climate fields are read without a cover" in error
    assert "hint: leave the cover out" in error


def test_a_seed_gives_the_same_picture_again_with_other_grain() -> None:
    for name, seed in (("a.png", 7), ("b.png", 7), ("c.png", 8)):
        assert cli.run(["generate", "digits", "-o", name, "--seed", str(seed)]) == 0
    one, again, other = (
        to_samples(signals.read(Path(f"{name}.png"))).astype(int) for name in "abc"
    )
    assert 0 < np.abs(one - again).mean() < 2 * GRAIN < 4 * GRAIN < np.abs(one - other).mean()


def test_without_a_seed_each_cover_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    seeds = set()
    for name in ("a.png", "b.png"):
        assert cli.run(["generate", "digits", "-o", name, "--json"]) == 0
        seeds.add(json.loads(capsys.readouterr().out)["seed"])
    assert len(seeds) == 2


def test_a_known_seed_is_warned_about_only_where_a_cover_is_changed_afterwards(
    capsys: pytest.CaptureFixture[str],
) -> None:
    drawn = ["generate", "faces", "--message", "letter.txt", "--key", "alice.key", "--json"]
    assert cli.run([*drawn, "-o", "a.png", "--seed", "7"]) == 0
    assert "warning" not in capsys.readouterr().err
    changed = [*drawn, "--profile", "exact"]
    assert cli.run([*changed, "-o", "b.png", "--seed", "7"]) == 0
    assert "an adversary who tries seed 7" in capsys.readouterr().err
    assert cli.run([*changed, "-o", "c.png"]) == 0
    told = capsys.readouterr()
    assert "warning" not in told.err
    assert json.loads(told.out)["seed"] is None


def test_the_function_itself_is_a_field_like_any_other() -> None:
    assert cli.run(["generate", "digits", "-o", "f.safetensors", "--seed", "3"]) == 0
    assert cli.run(["render", "f.safetensors", "-o", "rendered.png", "--size", "40x40"]) == 0
    assert cli.run(["generate", "digits", "-o", "g.png", "--seed", "3", "--size", "40"]) == 0
    assert_alike(Path("rendered.png"), Path("g.png"))


def test_many_are_shown_in_one_picture() -> None:
    assert cli.run(["generate", "digits", "--count", "10", "--grid", "sheet.png"]) == 0
    picture = signals.read(Path("sheet.png"))
    assert to_samples(picture).std() > 10
    assert cli.run(["generate", "faces", "--grid", "one.png", "--seed", "5", "--size", "128"]) == 0
    assert cli.run(["generate", "faces", "-o", "face.png", "--seed", "5", "--size", "128"]) == 0
    sheet = to_samples(signals.read(Path("one.png")))
    gap = (len(sheet) - 128) // 2
    face = signals.from_samples(sheet[gap : gap + 128, gap : gap + 128])
    Path("again.png").write_bytes(signals.to_png(face))
    assert_alike(Path("again.png"), Path("face.png"))


def test_a_sheet_of_large_samples_shows_them_small() -> None:
    command = ["generate", "faces", "--count", "3", "--grid", "sheet.png", "--size", "4000x1000"]
    assert cli.run(command) == 0
    rows, columns = signals.read(Path("sheet.png")).size
    assert 64 <= rows < 80
    assert 3 * 256 <= columns < 800
    assert cli.run(["generate", "climate", "--count", "2", "--grid", "maps.png"]) == 0
    assert signals.read(Path("maps.png")).size[1] > 2 * 360


def test_secrets_are_hidden_in_a_generated_cover() -> None:
    Path("one.png").write_bytes(signals.to_png(signals.waves(16, 16)))
    quick = ["--sizes", "width=16,depth=2", "--steps", "5", "--secret", "one.png", "alice.key"]
    cover = ["--cover-model", "faces", "--cover-seed", "7", "--cover-size", "16"]
    assert cli.run(["hide", "--as", "functions", "-o", "public.safetensors", *cover, *quick]) == 0
    assert cli.run(["reveal", "public.safetensors", "-o", "r.png", "--key", "alice.key"]) == 0


@pytest.mark.parametrize(
    ("seeds", "drawn"),
    [
        ([], "digits 0"),
        (["--seed", "7"], "digits 7"),
        (["--cover-seed", "3"], "digits 3"),
        (["--seed", "7", "--cover-seed", "3"], "digits 3"),
        (["--seed", "7", "--cover-seed", "0"], "digits 0"),
    ],
    ids=str,
)
def test_one_seed_decides_the_cover_too(
    seeds: list[str], drawn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("one.png").write_bytes(signals.to_png(signals.waves(8, 8)))
    quick = ["--sizes", "width=16,depth=2", "--steps", "2", "--secret", "one.png", "alice.key"]
    command = [
        "hide",
        "--as",
        "functions",
        "-o",
        "public.safetensors",
        "--cover-model",
        "digits",
        *quick,
        "--json",
    ]
    capsys.readouterr()
    assert cli.run([*command, *seeds]) == 0
    assert json.loads(capsys.readouterr().out)["cover"]["image"] == drawn


def test_a_field_is_fitted_to_the_cover_of_its_seed() -> None:
    quick = ["--cover-model", "climate", "--cover-size", "20", "--steps", "2", "--seed", "7"]
    sizes = ["--sizes", "width=16,depth=2", "--no-draw"]  # grain is another each time
    for name, seeds in (("a", []), ("b", ["--cover-seed", "7"]), ("c", ["--cover-seed", "0"])):
        assert cli.run(["fit", "-o", f"{name}.safetensors", *quick, *sizes, *seeds]) == 0
    same, again, other = (Path(f"{name}.safetensors").read_bytes() for name in "abc")
    assert same == again != other


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("words", [["--message", "-"], ["--message=-"]], ids=" ".join)
def test_a_message_comes_from_stdin(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, MESSAGE)
    assert cli.run(["generate", "faces", "-o", "stego.png", *words, "--key", "alice.key"]) == 0
    assert cli.run(["extract", "stego.png", "-o", "again.txt", "--key", "alice.key"]) == 0
    assert Path("again.txt").read_bytes() == MESSAGE


def test_stdin_gives_a_message_or_a_passphrase(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(monkeypatch, b"a passphrase\n" + MESSAGE)
    command = ["generate", "faces", "-o", "stego.png", "--message=-"]
    assert cli.run([*command, "--passphrase-stdin"]) == ConfigError.exit_code
    assert "both the message and the passphrase" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", None)
    assert cli.run([*command, "--key", "alice.key"]) == InputError.exit_code
    assert "stdin is closed" in capsys.readouterr().err
    assert not Path("stego.png").exists()


def test_a_file_named_as_stdin_is_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, MESSAGE)
    output = str(Path("-").absolute())
    command = ["generate", "digits", "-o", output, "--message=-", "--key", "alice.key"]
    assert cli.run(command) == ConfigError.exit_code  # of its suffix, not of its name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["digits"], "nothing to write"),
        (["nobody", "-o", "x.png"], "there is no model nobody"),
        (["letter.txt", "-o", "x.png"], "not a model"),
        (["digits", "-o", "x.gif"], ".gif"),
        (["digits", "-o", "x.png", "--size", "0"], "size"),
        (["digits", "-o", "x.png", "--seed", "-1"], "--seed"),
        (["digits", "-o", "x.png", "--count", "4"], "--grid"),
        (["digits", "-o", "alice.key"], "exists already"),
        (["faces", "-o", "x.jpg", "--message", "letter.txt"], "lost"),
        (["faces", "-o", "x.safetensors", "--message", "letter.txt"], "not into a field"),
        (["faces", "--grid", "x.png", "--message", "letter.txt"], "file to go into"),
        (
            ["faces", "-o=y.png", "--grid=x.png", "--message=letter.txt", "--profile=exact"],
            "--grid out",
        ),
        (["digits", "-o", "x.png", "--also", "letter.txt", "alice.key"], "--also has no meaning"),
        (["digits", "-o", "x.png", "--grain", "0.5"], "--grain must be from 1 to 16"),
        (["faces", "--grid", "x.jpg"], "x.jpg would be a PNG file"),
        (["climate", "--plot", "x"], "x would be a PNG file"),
        (["faces", "--plot", "x.png"], "shows a climate field"),
        (["faces", "-o", "x.png", "--grid", "x.png"], "named twice"),
        (["faces", "-o", "x.png", "--size", "\u00b2"], "a size is"),
        (["faces", "-o", "x.png", "--size", "9" * 5000], "a size is"),
        (["faces", "-o", "x.png", "--size", "60000"], "megapixels"),
        (["faces", "-o", "x.png", "--seed", str(1 << 63)], "--seed"),
        (["faces", "-o", "x.png", "--count", "9999", "--grid", "y.png"], "--count"),
        (["faces", "-o", "nowhere/x.png"], "does not exist"),
        (["faces", "-o", "x.nc"], ".nc"),
        (["climate", "-o", "x.png"], ".nc"),
        (["", "-o", "x.png"], "is a folder"),
        (["digits", "-o", "x.png", "--known-cover", "--profile", "robust"], "without a message"),
        (["digits", "-o", "x.png", "--key", "alice.key"], "--key has no meaning without"),
        (["digits", "-o", "x.png", "--passphrase-stdin"], "--passphrase-stdin has no meaning"),
    ],
)
def test_failures_are_one_line_and_leave_nothing(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(Path().iterdir())
    assert cli.run(["generate", *words]) in (1, 2)
    error = capsys.readouterr().err
    assert said in error
    assert error.count("error:") == 1
    assert set(Path().iterdir()) == before


def test_one_cover_and_not_two(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = ["--cover-model", "faces", "--cover-seed", "-1"]
    assert cli.run(["fit", "-o", "x.safetensors", *drawn]) == 2
    assert "--cover-seed" in capsys.readouterr().err
    assert cli.run(["fit", "-o", "x.safetensors"]) == 2
    assert "there must be exactly one cover" in capsys.readouterr().err
