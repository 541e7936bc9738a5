"""Commands as a user types them: what they print, what they leave, how they fail."""

from __future__ import annotations

import io
import json
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stegfield import cli, fields, fixednet, signals
from stegfield.fields.run import Run
from stegfield.keys import KeyFile
from stegfield.signals import waves

QUICK = [
    "--field",
    "siren",
    "--sizes",
    "width=32,depth=2,w0=10.0",
    "--steps",
    "20",
    "--batch",
    "256",
    "--seed",
    "1",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with three images and two keys."""
    monkeypatch.chdir(tmp_path)
    for name, image in (
        ("photo.png", waves(20, 24)),
        ("one.png", waves(16, 12, phase=1.0)),
        ("two.png", waves(18, 30, phase=2.0)),
    ):
        Path(name).write_bytes(signals.to_png(image))
    assert cli.run(["keygen", "alice.key"]) == 0
    assert cli.run(["keygen", "bob.key"]) == 0
    return tmp_path


@pytest.fixture
def public(folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A field with both secrets in it."""
    command = ["hide", "--as", "functions", "photo.png", "-o", "public.safetensors", *QUICK]
    secrets = ["--secret", "one.png", "alice.key", "--secret", "two.png", "bob.key"]
    assert cli.run([*command, *secrets]) == 0
    capsys.readouterr()
    return folder / "public.safetensors"


def size_of(name: str) -> tuple[int, int]:
    """Columns and rows of an image file."""
    with Image.open(name) as image:
        return image.size


def fails(arguments: list[str], capsys: pytest.CaptureFixture[str], *, code: int = 1) -> str:
    """Run a command that must fail, in one line and a hint, leaving the folder as it was."""
    before = sorted(Path().iterdir())
    capsys.readouterr()
    assert cli.run(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.strip().splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1
    assert all(line.startswith(("error: ", "hint: ", "warning: ")) for line in lines)
    assert sorted(Path().iterdir()) == before
    return captured.err


def test_hide_then_reveal_and_render(public: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["reveal", str(public), "-o", "one-again.png", "--key", "alice.key"]) == 0
    assert stat.S_IMODE(Path("one-again.png").stat().st_mode) == 0o600
    assert cli.run(["reveal", str(public), "-o", "two-again.png", "--key", "bob.key"]) == 0
    assert cli.run(["render", str(public), "-o", "photo-again.png"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "one-again.png: 12x16",
        "two-again.png: 30x18",
        "photo-again.png: 24x20",
    ]
    assert size_of("one-again.png") == (12, 16)
    large = ["render", str(public), "-o", "large.png", "--size", "48x40", "--json"]
    assert cli.run(large) == 0
    assert json.loads(capsys.readouterr().out) == {"image": "large.png", "size": [40, 48]}
    assert size_of("large.png") == (48, 40)
    assert cli.run(["compare", "photo.png", "photo-again.png", "-o", "difference.png"]) == 0
    assert capsys.readouterr().out.startswith("PSNR ")
    assert size_of("difference.png")[0] > 3 * 256


def test_keygen_tells_programs_what_it_wrote(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert cli.run(["keygen", "eve.key", "--json"]) == 0
    fingerprint = KeyFile.read(Path("eve.key")).key.fingerprint
    assert json.loads(capsys.readouterr().out) == {"key": "eve.key", "fingerprint": fingerprint}


def test_hide_reports_what_it_measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["hide", "--as", "functions", "photo.png", "-o", "p.safetensors", *QUICK]
    assert cli.run([*command, "--secret", "one.png", "alice.key", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["steps"] == 20
    assert facts["secrets"][0]["key"] == "alice.key"
    assert facts["secrets"][0]["key_bytes"] == Path("alice.key").stat().st_size
    assert cli.run(["render", "p.safetensors", "-o", "p.png"]) == 0
    assert cli.run(["compare", "p.png", "photo.png", "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    for figure in ("psnr_db", "ssim", "rmse", "mae"):
        assert compared[figure] == pytest.approx(facts["cover"][figure])


def test_a_psnr_that_was_not_reached_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["fit", "photo.png", "-o", "clean.safetensors", *QUICK, "--target-db", "70"]
    assert cli.run(command) == 0
    assert "warning: the target was 70 dB" in capsys.readouterr().err


def test_a_log_file_gets_a_line_now_and_then(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["fit", "photo.png", "-o", "clean.safetensors", *QUICK]
    monkeypatch.setattr("stegfield.watching.FIRST_LINE", 1e9)  # however slow the machine
    assert cli.run(command) == 0
    assert ": step" not in capsys.readouterr().err
    monkeypatch.setattr("stegfield.watching.FIRST_LINE", 0.0)
    assert cli.run([*command, "--force"]) == 0
    assert re.match(r"\d+%: step \d+, photo.png \d+\.\d dB, \d+ s left", capsys.readouterr().err)


def test_a_checkpoint_is_removed_when_the_result_is_written(folder: Path) -> None:
    command = ["fit", "photo.png", "-o", "clean.safetensors", *QUICK, "--checkpoint", "run"]
    assert cli.run(command) == 0
    assert Path("clean.safetensors").exists()
    assert not Path("run").exists()


def test_fit_and_inspect(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fit", "photo.png", "-o", "clean.safetensors", *QUICK]) == 0
    assert "clean.safetensors: PSNR " in capsys.readouterr().err
    assert cli.run(["inspect", "clean.safetensors", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["architecture"] == "siren"
    assert facts["size"] == [20, 24]
    assert facts["bytes"] == Path("clean.safetensors").stat().st_size
    assert cli.run(["inspect", "clean.safetensors"]) == 0
    assert "decoder.layers.0.weight" in capsys.readouterr().out


def test_inspect_tells_a_stego_field_and_a_clean_one_the_same(
    public: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["fit", "photo.png", "-o", "clean.safetensors", *QUICK]) == 0
    capsys.readouterr()
    told = []
    for path in ("clean.safetensors", str(public)):
        assert cli.run(["inspect", path, "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        told.append({k: v for k, v in facts.items() if k not in ("tensors", "seed")})
    assert told[0] == told[1]


def test_passphrases_come_from_stdin_in_order(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("first phrase\nsecond phrase\n"))
    command = [
        "hide",
        "--as",
        "functions",
        "photo.png",
        "-o",
        "p.safetensors",
        *QUICK,
        "--passphrase-stdin",
    ]
    assert cli.run([*command, "--secret", "one.png", "--secret", "two.png"]) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("second phrase\n"))
    reveal = ["reveal", "p.safetensors", "-o", "again.png", "--passphrase-stdin"]
    assert cli.run(reveal) == 0
    assert size_of("again.png") == (30, 18)
    captured = capsys.readouterr()
    assert "phrase" not in captured.out.replace("a passphrase", "")
    assert "first phrase" not in captured.err


def test_a_passphrase_is_asked_for_twice_when_hiding(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["one two three four", "another"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    command = [
        "hide",
        "--as",
        "functions",
        "photo.png",
        "-o",
        "p.safetensors",
        *QUICK,
        "--secret",
        "one.png",
    ]
    assert "the passphrases differ" in fails(command, capsys)


def test_nobody_to_ask_for_a_passphrase(public: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = fails(["reveal", str(public), "-o", "again.png"], capsys)
    assert "nobody to ask" in message
    assert "--passphrase-stdin" in message


@pytest.mark.parametrize("slots", ["magnitude", "random"])
def test_shared_slots_are_written_into_the_key_files(
    slots: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["hide", "photo.png", "-o", "p.safetensors", *QUICK, "--slots", slots]
    message = fails([*command, "--secret", "one.png", "alice.key"], capsys)
    assert "slot positions must be written into it" in message
    assert cli.run([*command, "--secret", "one.png", "new.key"]) == 0
    assert "of its entropy" in capsys.readouterr().err
    assert stat.S_IMODE(Path("new.key").stat().st_mode) == 0o600
    assert cli.run(["reveal", "p.safetensors", "-o", "again.png", "--key", "new.key"]) == 0
    assert cli.run([*command, "--secret", "one.png", "alice.key", "--force"]) == 0
    assert cli.run(["reveal", "p.safetensors", "-o", "a.png", "--key", "alice.key"]) == 0


def test_a_run_with_shared_slots_goes_on_with_the_key_files_that_it_wrote(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [
        "hide",
        "--as",
        "functions",
        "photo.png",
        "-o",
        "p.safetensors",
        *QUICK,
        "--slots",
        "magnitude",
    ]
    command += ["--checkpoint", "run", "--secret", "one.png"]
    assert "a run with a checkpoint needs its key" in fails([*command, "new.key"], capsys)
    advance = Run.advance

    def interrupted(run: Run, scale: float) -> None:
        if len(run.targets) == 2 and run.step == 3:
            signal.raise_signal(signal.SIGINT)
        advance(run, scale)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "advance", interrupted)
        assert cli.run([*command, "alice.key", "--force"]) == 0
    assert "the run can be resumed from run" in capsys.readouterr().err
    slots = KeyFile.read(Path("alice.key")).slots
    assert slots
    assert cli.run([*command, "alice.key", "--force"]) == 0
    assert not Path("run").exists()
    assert KeyFile.read(Path("alice.key")).slots == slots
    assert cli.run(["reveal", "p.safetensors", "-o", "a.png", "--key", "alice.key"]) == 0
    assert "holds the slots of another field" in fails([*command, "alice.key", "--force"], capsys)


def test_one_new_key_file_for_two_secrets_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "hide",
        "--as",
        "functions",
        "photo.png",
        "-o",
        "p.safetensors",
        *QUICK,
        "--slots",
        "magnitude",
    ]
    secrets = ["--secret", "one.png", "new.key", "--secret", "two.png", "new.key"]
    assert "new.key is named twice" in fails([*command, *secrets], capsys)


def test_a_wrong_key_a_damaged_field_and_an_innocent_one_look_alike(
    public: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["keygen", "eve.key"]) == 0
    assert cli.run(["fit", "photo.png", "-o", "clean.safetensors", *QUICK]) == 0
    wrong = fails(["reveal", str(public), "-o", "x.png", "--key", "eve.key"], capsys)
    clean = fails(["reveal", "clean.safetensors", "-o", "x.png", "--key", "alice.key"], capsys)
    assert wrong == clean
    assert wrong.startswith("error: nothing can be read with this key\nhint: ")


def test_a_given_size_shows_what_is_there_and_says_so(
    public: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["keygen", "eve.key"]) == 0
    command = ["reveal", str(public), "-o", "x.png", "--key", "eve.key", "--size", "12x16"]
    assert cli.run(command) == 0
    assert "warning: no record was found" in capsys.readouterr().err
    assert cli.run([*command, "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "image": "x.png",
        "size": [16, 12],
        "certain": False,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "nothing.png", "-o", "x"], "nothing.png does not exist"),
        (["fit", ".", "-o", "x"], "is a folder"),
        (["fit", "alice.key", "-o", "x"], "alice.key is not an image"),
        (["fit", "photo.png", "-o", "alice.key"], "alice.key exists already"),
        (["fit", "photo.png", "-o", "photo.png", "--force"], "photo.png is named twice"),
        (["fit", "photo.png", "-o", "x", "--checkpoint", "x"], "x is named twice"),
        (["fit", "photo.png", "-o", "x", "--checkpoint", "no/x"], "folder no does not exist"),
        (["fit", "photo.png", "-o", "no/such/x"], "the folder no/such does not exist"),
        (["hide", "photo.png", "-o", "x", "--secret", "a.png", "alice.key"], "a.png does not"),
        (["hide", "photo.png", "-o", "x", "--secret", "one.png", "no.key"], "no.key does not"),
        (["hide", "photo.png", "-o", "x", "--secret", "one.png", "two.png"], "not a key file"),
        (["reveal", "photo.png", "-o", "x", "--key", "alice.key"], "not a field file"),
        (["render", "alice.key", "-o", "x"], "not a field file"),
        (["inspect", "nothing"], "nothing does not exist"),
        (["keygen", "alice.key"], "alice.key exists already"),
        (["compare", "photo.png", "nothing.png"], "nothing.png does not exist"),
        (["compare", "photo.png", "one.png", "-o", "one.png", "--force"], "one.png is named twice"),
        (["generate", "x.png", "-o", "x.png", "--force"], "x.png is named twice"),
        (["fit", "--cover-model", "two.png", "-o", "two.png", "--force"], "two.png is named twice"),
    ],
)
def test_failures_are_one_line_and_leave_nothing(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in fails(arguments, capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hide", "photo.png", "-o", "x"], "secret"),
        (["hide", "photo.png", "-o", "x", "--secret", "one.png", "a", "b"], "at most one key"),
        (["hide", "photo.png", "-o", "x", "--secret", "one.png", "--ratio", "2"], "--ratio"),
        (["fit", "photo.png", "-o", "x", "--steps", "0"], "--steps must be at least 1"),
        (["fit", "photo.png", "-o", "x", "--steps", "2.5"], "--steps must be a whole number"),
        (["generate", "faces", "-o", "x.png", "--seed", "1.5"], "--seed must be a whole number"),
        (["app", "--port", "1.5"], "--port must be a whole number, got 1.5"),
        (["fit", "photo.png", "-o", "x", "--field", "cnn"], "cnn"),
        (["fit", "photo.png", "-o", "x", "--sizes", "width"], "width=256,depth=4"),
        (["fit", "photo.png", "-o", "x", "--sizes", "height=3"], "the sizes of siren are"),
        (["fit", "photo.png", "-o", "x", "--sizes", "width=8, width=9"], "names width twice"),
        (["fit", "photo.png", "-o", "x.jpg"], "x.jpg would be a field"),
        (["hide", "photo.png", "-o", "x.wav", "--secret", "one.png", "alice.key"], "be a field"),
        (["fit", "photo.png", "-o", "x", "--cover-seed", "3"], "are for generated covers"),
        (["fit", "photo.png", "-o", "x", "--cover-size", "9"], "are for generated covers"),
        (["compare", "photo.png", "photo.png", "-o", "x.jpg"], "x.jpg would be a PNG file"),
        (["generate", "digits", "-o", "x.png", "--plot", "y.png"], "--plot shows a climate field"),
        (["generate", "digits", "-o", "x.safetensors", "--size", "9"], "a function has no size"),
        (["detect", "photo.png", "--pool", "."], "--pool is for fields"),
        (["detect", "x.safetensors", "--detector", "rs"], "--detector rs is for images"),
        (["export", "x", "-o", "y", "--private"], "--private is for the hub"),
        (
            ["extract", "photo.png", "-o", "x", "--key", "alice.key", "--passphrase-stdin"],
            "--key cannot be combined with --passphrase-stdin",
        ),
        (["render", "x", "-o", "y", "--size", "12x"], "columns x rows"),
        (["render", "x", "-o", "y", "--size", "65536x65536"], "megapixels"),
        (["compare", "photo.png", "photo.png", "--gain", "inf"], "--gain must be above 0"),
        (["compare", "photo.png", "one.png"], "photo.png is 24x20 with 3 channels, and one.png is"),
        (["compare", "one.png", "photo.png"], "and photo.png is 24x20 with 3 channels"),
        (["compare", "photo.png", "photo.png", "--gain", "0"], "--gain must be above 0"),
        (
            ["compare", "photo.png", "photo.png", "--gain", "9", "--heat"],
            "--heat cannot be combined",
        ),
        (["extract", "photo.png", "-o", "x", "--weights", "w"], "--weights has no meaning without"),
        (["embed", "photo.png", "one.png", "-o", "x"], "not without a suffix"),
        (["nonsense"], "nonsense"),
        (["fit"], "--output"),
    ],
)
def test_wrong_usage_has_its_own_exit_code(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in fails(arguments, capsys, code=2)


def test_the_same_key_twice_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["hide", "--as", "functions", "photo.png", "-o", "x", *QUICK]
    secrets = ["--secret", "one.png", "alice.key", "--secret", "two.png", "alice.key"]
    assert "two secrets have the same key" in fails([*command, *secrets], capsys, code=2)


def test_a_field_too_small_is_warned_about(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "hide",
        "--as",
        "functions",
        "photo.png",
        "-o",
        "x",
        "--secret",
        "one.png",
        "alice.key",
    ]
    assert (
        cli.run([*command, "--field", "siren", "--sizes", "width=8,depth=2", "--steps", "2"]) == 0
    )
    assert "weights are few for all this: expect about" in capsys.readouterr().err


def test_a_field_like_a_clean_one_has_its_sizes_and_hides(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["fit", "photo.png", "-o", "clean.safetensors", *QUICK]) == 0
    like = [
        "hide",
        "--as",
        "functions",
        "photo.png",
        "-o",
        "public.safetensors",
        "--like",
        "clean.safetensors",
    ]
    secret = ["--secret", "one.png", "alice.key"]
    assert cli.run([*like, *secret, "--steps", "20", "--batch", "256"]) == 0
    clean, public = (fields.load(Path(f"{name}.safetensors")) for name in ("clean", "public"))
    assert public.sizes == clean.sizes
    assert public.public.seed != clean.public.seed
    reveal = ["reveal", "public.safetensors", "-o", "out.png", "--key", "alice.key"]
    assert cli.run(reveal) == 0
    other = [
        "hide",
        "--as",
        "functions",
        "one.png",
        "-o",
        "other.safetensors",
        "--like",
        "clean.safetensors",
    ]
    assert "another size" in fails([*other, *secret], capsys, code=2)
    assert "leave out architecture and sizes" in fails(
        [*like, *secret, "--force", *QUICK], capsys, code=2
    )
    own = [*like, "--force", *secret]
    own[own.index("-o") + 1] = "clean.safetensors"
    assert "named twice" in fails(own, capsys)


def test_a_grid_field_is_warned_about(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "hide",
        "--as",
        "functions",
        "photo.png",
        "-o",
        "x",
        "--secret",
        "one.png",
        "alice.key",
    ]
    assert cli.run([*command, "--field", "grid", "--steps", "2"]) == 0
    assert "show traces of its secrets" in capsys.readouterr().err


def test_transparent_images_are_flattened_on_request(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(np.full((16, 16, 4), 100, np.uint8)).save("glass.png")
    assert "--flatten" in fails(["fit", "glass.png", "-o", "x", *QUICK], capsys)
    assert cli.run(["fit", "glass.png", "-o", "x", *QUICK, "--flatten"]) == 0


def test_a_full_disk_leaves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    message = fails(["fit", "photo.png", "-o", "x.safetensors", *QUICK], capsys)
    assert "x.safetensors cannot be written: No space left on device" in message


def test_pictures_are_named_png(public: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "x.jpg would be a PNG" in fails(["render", str(public), "-o", "x.jpg"], capsys, code=2)
    command = ["reveal", str(public), "--key", "alice.key", "-o", "x"]
    assert "x would be a PNG" in fails(command, capsys, code=2)


def test_what_is_said_never_goes_to_stdout(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    monkeypatch.setattr(sys, "stderr", None)  # as where a caller has closed it
    assert cli.run(["extract", "nothing.png", "-o", "-", "--key", "alice.key"]) == 1
    assert capsys.readouterr().out == ""


def test_force_replaces(public: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "exists already" in fails(["render", str(public), "-o", "photo.png"], capsys)
    assert cli.run(["render", str(public), "-o", "photo.png", "--force"]) == 0


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    script = (
        "import sys; from stegfield.cli import run; run(sys.argv[1:]); "
        "heavy = {'torch', 'numpy', 'PIL'} & sys.modules.keys(); sys.exit(len(heavy))"
    )
    for arguments in ([], ["--help"], ["hide", "--help"], ["demo", "--help"], ["--version"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout


@pytest.fixture
def long_hide(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A run without end in another process, which has begun to train."""
    script = (
        "from stegfield import cli; from stegfield.fields import training; "
        "training.CHECKPOINT_SECONDS = 0.0; cli.main()"
    )
    command = [
        sys.executable,
        "-c",
        script,
        "hide",
        "--as",
        "functions",
        "photo.png",
        "-o",
        "long.safetensors",
    ]
    options = ["--secret", "one.png", "alice.key", "--steps", "10000000", "--checkpoint", "run"]
    process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if Path("run").exists():
            break
        time.sleep(0.1)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_wind_down_to_a_usable_file(
    number: int, long_hide: subprocess.Popen[str]
) -> None:
    long_hide.send_signal(number)
    _, told = long_hide.communicate(timeout=120)
    assert long_hide.returncode == 0, told
    assert "the run can be resumed from run" in told
    assert Path("run").exists()
    assert fields.load(Path("long.safetensors")).public.size == (20, 24)
    assert cli.run(["reveal", "long.safetensors", "-o", "again.png", "--key", "alice.key"]) == 0


@pytest.mark.usefixtures("_sigterm")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_twice_stops_at_once_and_writes_nothing(
    number: int, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[float] = []

    def interrupted(_: object, scale: float) -> None:
        steps.append(scale)
        signal.raise_signal(number)
        signal.raise_signal(number)

    monkeypatch.setattr("stegfield.fields.run.Run.advance", interrupted)
    command = ["hide", "--as", "functions", "photo.png", "-o", "long.safetensors", *QUICK]
    before = signal.signal(signal.SIGTERM, cli._as_ctrl_c)  # as main() does
    try:
        assert cli.run([*command, "--secret", "one.png", "alice.key"]) == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    told = capsys.readouterr().err
    assert "winding down" in told
    assert "error: stopped before the result was written" in told
    assert "Traceback" not in told
    assert len(steps) == 1
    assert not Path("long.safetensors").exists()


@pytest.fixture
def letter(folder: Path) -> Path:
    """A cover of 64x64, and a letter."""
    (folder / "cover.png").write_bytes(signals.to_png(waves(64, 64)))
    (folder / "letter.txt").write_bytes(b"meet me at noon\n" * 4)
    return folder / "letter.txt"


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp"])
def test_a_file_goes_into_an_image_and_comes_back(
    letter: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    stego = f"stego{suffix}"
    command = ["embed", "cover.png", "letter.txt", "-o", stego, "--key", "alice.key"]
    assert cli.run([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["image"] == stego
    assert told["message_bytes"] == letter.stat().st_size
    assert told["psnr_db"] > 55
    assert cli.run(["extract", stego, "-o", "again.txt", "--key", "alice.key"]) == 0
    assert Path("again.txt").read_bytes() == letter.read_bytes()
    assert "64 bytes" in capsys.readouterr().err
    said = fails(["extract", stego, "-o", "other.txt", "--key", "bob.key"], capsys)
    assert said == fails(["extract", "cover.png", "-o", "other.txt", "--key", "bob.key"], capsys)


@pytest.mark.usefixtures("letter")
def test_a_dash_is_stdin_and_stdout(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = bytes(range(256))
    stream = io.TextIOWrapper(io.BytesIO(message))
    monkeypatch.setattr(sys, "stdin", stream)
    assert cli.run(["embed", "cover.png", "-", "-o", "stego.png", "--key", "alice.key"]) == 0
    capsysbinary.readouterr()
    assert cli.run(["extract", "stego.png", "-o", "-", "--key", "alice.key"]) == 0
    assert capsysbinary.readouterr().out == message


@pytest.mark.usefixtures("letter")
def test_a_passphrase_alone_brings_a_message_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (
        ["embed", "cover.png", "letter.txt", "-o", "stego.png"],
        ["extract", "stego.png", "-o", "again.txt"],
    ):
        monkeypatch.setattr(sys, "stdin", io.StringIO("open sesame\n"))
        assert cli.run([*command, "--passphrase-stdin"]) == 0
    assert Path("again.txt").read_bytes() == Path("letter.txt").read_bytes()


@pytest.mark.usefixtures("letter")
def test_embedding_refuses_what_cannot_work(capsys: pytest.CaptureFixture[str]) -> None:
    def embed(*words: str) -> list[str]:
        return ["embed", *words, "--key", "alice.key"]

    assert ".jpg files change samples" in fails(
        embed("cover.png", "letter.txt", "-o", "s.jpg", "--profile", "paper"), capsys, code=2
    )
    assert "an image is written as a" in fails(
        embed("cover.png", "letter.txt", "-o", "s.gif"), capsys, code=2
    )
    frames = [Image.new("L", (16, 16), level) for level in (0, 255)]
    frames[0].save("clip.gif", save_all=True, append_images=frames[1:])
    assert "save one frame as a .png file" in fails(
        embed("clip.gif", "letter.txt", "-o", "s.png"), capsys, code=2
    )
    assert "exists" in fails(embed("cover.png", "letter.txt", "-o", "photo.png"), capsys)
    assert "not exist" in fails(embed("cover.png", "none.txt", "-o", "s.png"), capsys)
    assert "not an image" in fails(embed("letter.txt", "letter.txt", "-o", "s.png"), capsys)
    assert "named twice" in fails(
        embed("cover.png", "letter.txt", "-o", "cover.png", "--force"), capsys
    )
    assert "no meaning" in fails(
        embed("cover.png", "letter.txt", "-o", "s.png", "--profile", "robust", "--bpp", "1"),
        capsys,
        code=2,
    )
    assert "stdin cannot give both" in fails(
        ["embed", "cover.png", "-", "-o", "s.png", "--passphrase-stdin"], capsys, code=2
    )
    Path("long.bin").write_bytes(np.random.default_rng(0).bytes(5000))
    said = fails(embed("cover.png", "long.bin", "-o", "s.png", "--bpp", "1"), capsys)
    assert "5,000 bytes are needed" in said
    assert f"room for {fixednet.capacity(waves(64, 64))['exact']['1 bpp']:,}" in said
    assert "hint: raise --bpp, or leave it out" in said
    said = fails(embed("cover.png", "long.bin", "-o", "s.png", "--bpp", "6"), capsys)
    assert "hint: lower --bpp, or leave it out" in said
    said = fails(embed("one.png", "long.bin", "-o", "s.png", "--bpp", "1"), capsys)
    assert "samples are needed" in said
    assert "hint: use a larger cover" in said
    paper = embed("cover.png", "long.bin", "-o", "s.png", "--profile", "paper")
    assert "hint: raise --bpp, use" in fails(paper, capsys)
    assert "hint: use a larger cover" in fails([*paper, "--bpp", "4"], capsys)
    assert "stdout cannot have both" in fails(
        ["extract", "cover.png", "-o", "-", "--json", "--key", "alice.key"], capsys, code=2
    )


@pytest.mark.usefixtures("letter")
@pytest.mark.parametrize("words", [[], ["--heat"], ["--gain", "150"]], ids=str)
def test_what_a_message_changed_is_seen(words: list[str]) -> None:
    Path("cover.png").write_bytes(signals.to_png(waves(128, 128)))  # most of it stays as it is
    command = ["embed", "cover.png", "letter.txt", "-o", "stego.png", "--key", "alice.key"]
    assert cli.run(command) == 0
    assert cli.run(["compare", "cover.png", "stego.png", "-o", "changes.png", *words]) == 0
    with Image.open("changes.png") as drawn:
        third = np.asarray(drawn)[12:268, -268:-12]
    assert third.max() == 255 if words == ["--heat"] else third.max() in (150, 200)
    assert (third == 0).mean() > 0.3


@pytest.mark.usefixtures("letter")
def test_capacity_tells_every_rate(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["capacity", "cover.png", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    room = fixednet.capacity(waves(64, 64))
    assert told == room.to_json()
    assert list(told) == ["drawn", "exact", "robust", "paper"]
    assert cli.run(["capacity", "cover.png"]) == 0
    assert f"{room['exact']['2 bpp']:,}" in capsys.readouterr().out


@pytest.mark.usefixtures("letter")
@pytest.mark.parametrize(
    ("profile", "flag"),
    [
        ("robust", "--flat"),
        ("robust", "--constraint-height=8"),
        ("robust", "--bpp=1"),
        ("robust", "--eps=0.1"),
        ("paper", "--flat"),
        ("paper", "--constraint-height=8"),
        ("exact", "--restarts=3"),
        ("exact", "--weights=w.safetensors"),
        ("exact", "--start=noise"),
    ],
)
def test_a_flag_that_the_profile_would_ignore_is_refused(
    profile: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["embed", "cover.png", "letter.txt", "-o", "s.png", "--key", "alice.key"]
    said = fails([*command, "--profile", profile, flag], capsys, code=2)
    assert f"{flag.partition('=')[0]} has no meaning for the {profile} profile" in said
    assert "hint: it goes with --profile " in said


@pytest.mark.usefixtures("letter")
def test_a_panorama_too_long_for_webp_is_refused_before_solving(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("wide.png").write_bytes(signals.to_png(waves(8, 16_384, channels=1)))
    command = ["embed", "wide.png", "letter.txt", "--key", "alice.key"]
    for words in (["-o", "s.webp"], ["-o", "s.png", "--profile", "robust"]):
        said = fails([*command, *words], capsys, code=2)
        assert "at most 16,383 pixels a side, got 16,384" in said
    assert cli.run(["capacity", "wide.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["robust"] == {"at most": 0}


@pytest.mark.usefixtures("letter")
def test_the_paper_profile_refuses_images_that_would_fill_the_memory(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("large.png").write_bytes(signals.to_png(waves(1025, 1024, channels=1)))
    for command in (["embed", "large.png", "letter.txt"], ["extract", "large.png"]):
        words = ["-o", "s.png", "--key", "alice.key", "--profile", "paper"]
        said = fails([*command, *words], capsys, code=2)
        assert "at most 1,048,576 pixels, got 1,049,600" in said


@pytest.mark.usefixtures("letter")
def test_a_cover_whose_file_gives_changes_away_is_warned_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Image.open("cover.png") as image:
        image.save("cover.jpg")
        image.save("lossy.webp")
        image.quantize(16).save("few.png")
        image.convert("1").save("two.png")
        wide = np.asarray(image.convert("L")).astype(np.uint16) * 257
        Image.fromarray(wide).save("wide.png")
    command = ["letter.txt", "-o", "s.png", "--key", "alice.key", "--force"]
    for name, warning in (
        ("cover.jpg", "warning: cover.jpg is a JPEG"),
        ("lossy.webp", "warning: lossy.webp is a lossy WebP"),
        ("few.png", "warning: few.png has a palette"),
        ("two.png", "warning: two.png has few levels"),
        ("wide.png", "note: wide.png has 16 bits a sample; the output has 8"),
    ):
        assert cli.run(["embed", name, *command]) == 0
        assert warning in capsys.readouterr().err
    assert cli.run(["embed", "cover.jpg", *command]) == 0
    assert "hint: write a .jpg file" in capsys.readouterr().err
    assert cli.run(["embed", "cover.png", *command]) == 0
    assert "warning" not in capsys.readouterr().err


class Stdin:
    """A stdin that must not be read, or cannot be."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.buffer = self

    def isatty(self) -> bool:
        return False

    def read(self, _: int) -> str:
        raise self.error

    readline = read


@pytest.mark.usefixtures("letter")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--key", "none.key"], "none.key does not exist"),
        (["--key", "letter.txt"], "letter.txt is not a key file"),
        ([], "nobody to ask for a passphrase"),
    ],
)
def test_stdin_is_not_waited_for_before_the_key_is_there(
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(AssertionError("stdin was read")))
    assert message in fails(["embed", "cover.png", "-", "-o", "s.png", *words], capsys)


@pytest.mark.usefixtures("letter")
def test_a_stdin_that_cannot_be_read_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["embed", "cover.png", "-", "-o", "s.png", "--key", "alice.key"]
    passphrase = ["extract", "cover.png", "-o", "x", "--passphrase-stdin"]
    monkeypatch.setattr(sys, "stdin", Stdin(IsADirectoryError(21, "Is a directory")))
    assert "stdin cannot be read: Is a directory" in fails(command, capsys)
    assert "stdin cannot be read: Is a directory" in fails(passphrase, capsys)
    monkeypatch.setattr(sys, "stdin", None)
    assert "stdin is closed" in fails(command, capsys)
    assert "stdin is closed" in fails(passphrase, capsys)


@pytest.mark.usefixtures("letter")
@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("CUDA out of memory"),
    ],
)
def test_too_little_memory_is_told_in_a_line(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(fixednet, "embed", greedy)
    command = ["embed", "cover.png", "letter.txt", "-o", "s.png", "--key", "alice.key"]
    said = fails(command, capsys)
    assert said.startswith("error: there is not enough memory\nhint: ")


def test_a_defect_of_ours_is_not_taken_for_lack_of_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(fixednet, "capacity", wrong)
    with pytest.raises(RuntimeError, match="a defect"):
        cli.run(["capacity", "photo.png"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.usefixtures("letter")
@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("extract stego.png -o - --key alice.key", "stdout cannot be written: No space left"),
        ("capacity cover.png --json", "input or output failed: [Errno 28] No space left"),
        ("--version", "input or output failed: [Errno 28] No space left"),
    ],
)
def test_a_full_stdout_is_told_in_a_line(command: str, message: str) -> None:
    embed = ["embed", "cover.png", "letter.txt", "-o", "stego.png", "--key", "alice.key"]
    assert cli.run(embed) == 0
    before = sorted(Path().iterdir())
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stegfield", *command.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()
    assert error == f"error: {message} on device"
    assert hint.startswith("hint: ")
    assert sorted(Path().iterdir()) == before


@pytest.mark.usefixtures("letter")
def test_a_closed_stdout_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    embed = ["embed", "cover.png", "letter.txt", "-o", "stego.png", "--key", "alice.key"]
    assert cli.run(embed) == 0
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdout", None)
    assert cli.run(["extract", "stego.png", "-o", "-", "--key", "alice.key"]) == 1
    assert "error: stdout is closed" in capsys.readouterr().err


def test_decoys_are_hidden_and_their_keys_forgotten(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--steps", "3", "--sizes", "width=32,depth=2", "--json"]
    names = ["photo.png", "-o", "f.safetensors", "--decoy", "one.png", "--decoy", "two.png"]
    assert cli.run(["hide", "--as", "functions", *names, *few]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [entry["decoy"] for entry in facts["secrets"]] == [True, True]
    assert {path.name for path in folder.glob("f*")} == {"f.safetensors"}
    assert cli.run(["hide", "--as", "functions", *names, *few, "--force", "--checkpoint", "c"]) == 2
    assert "keys are not kept" in capsys.readouterr().err
    assert cli.run(["hide", "--as", "functions", "photo.png", "-o", "g.safetensors", *few]) == 2


def test_the_first_of_two_sounds_is_the_original(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sound = signals.chords(4000)
    Path("loud.wav").write_bytes(signals.encode(sound, ".wav"))
    quiet = signals.with_levels(sound, signals.to_levels(sound) // 10)
    Path("quiet.wav").write_bytes(signals.encode(quiet, ".wav"))
    found = []
    for pair in (("loud.wav", "quiet.wav"), ("quiet.wav", "loud.wav")):
        assert cli.run(["compare", *pair, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["snr_db"])
    assert found == [pytest.approx(0.915, abs=0.05), pytest.approx(-19.08, abs=0.05)]
