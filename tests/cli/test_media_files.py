"""Commands on sounds, and on secrets and covers of different media."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stegfield import cli, signals
from stegfield.signals import ball, blob, chords, clip, globe, waves

QUICK = ["--sizes", "width=40,depth=3", "--steps", "200", "--batch", "512"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("song.wav").write_bytes(signals.encode(chords(9000), ".wav"))
    Path("word.wav").write_bytes(signals.encode(chords(600, channels=2), ".wav"))
    Path("globe.nc").write_bytes(signals.encode(globe(13, 24), ".nc"))
    Path("photo.png").write_bytes(signals.to_png(waves(24, 20)))
    Path("clip.mp4").write_bytes(signals.encode(clip(4, 16, 16), ".mp4"))
    Path("box.npy").write_bytes(signals.encode(blob(9), ".npy"))
    Path("ball.ply").write_bytes(signals.encode(ball(24), ".ply"))
    Path("letter.txt").write_text("Dear Bob")
    for name in ("alice.key", "bob.key"):
        assert cli.run(["keygen", name]) == 0
    return tmp_path


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_letter_goes_into_a_song_and_comes_out(
    folder: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    assert cli.run(["capacity", "song.wav"]) == 0
    assert "robust" not in capsys.readouterr().out
    stego = f"stego{suffix}"
    assert cli.run(["embed", "song.wav", "letter.txt", "-o", stego, "--key", "bob.key"]) == 0
    said = capsys.readouterr().err
    assert "a sample; read back" in said
    assert "SNR" in said
    assert cli.run(["extract", stego, "-o", "again.txt", "--key", "bob.key"]) == 0
    assert Path("again.txt").read_text() == "Dear Bob"
    capsys.readouterr()
    assert cli.run(["compare", "song.wav", stego, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["snr_db"] > 60


def test_a_field_of_a_word_is_shown_at_any_rate(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["fit", "word.wav", "-o", "f.safetensors", *QUICK]) == 0
    assert "SNR" in capsys.readouterr().err
    assert cli.run(["render", "f.safetensors", "-o", "same.wav"]) == 0
    assert cli.run(["render", "f.safetensors", "-o", "finer.flac", "--size", "1200"]) == 0
    assert cli.run(["render", "f.safetensors", "-o", "wave.png"]) == 0
    assert cli.run(["export", "f.safetensors", "-o", "folder"]) == 0
    card = Path("folder/README.md").read_text()
    assert "A sound as a neural field" in card
    assert "-o shown.wav --size 1200" in card
    assert Path("folder/preview.png").read_bytes() == Path("wave.png").read_bytes()
    assert signals.read(Path("same.wav")).rate == 8000
    assert signals.read(Path("finer.flac")).rate == 16_000
    capsys.readouterr()
    assert cli.run(["inspect", "f.safetensors"]) == 0
    assert "a sound of 600 with 2 channels, 8000 a second" in capsys.readouterr().out


def test_secrets_of_other_media_come_out_as_files_of_their_own(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = ["--secret", "word.wav", "alice.key", "--secret", "globe.nc", "bob.key"]
    assert (
        cli.run(["hide", "--as", "functions", "photo.png", "-o", "f.safetensors", *secrets, *QUICK])
        == 0
    )
    said = capsys.readouterr().err
    assert "SNR" in said
    assert " K, " in said
    reveal = ["reveal", "f.safetensors", "--key"]
    assert cli.run([*reveal, "alice.key", "-o", "word-again.wav"]) == 0
    assert cli.run([*reveal, "bob.key", "-o", "globe-again.nc"]) == 0
    assert signals.read(Path("word-again.wav")).values.shape == (600, 2)
    capsys.readouterr()
    assert cli.run(["compare", "globe.nc", "globe-again.nc", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rmse_kelvin"] < 8
    assert cli.run(["inspect", "f.safetensors"]) == 0
    assert "shows an image of 20x24 with 3 channels" in capsys.readouterr().out

    capsys.readouterr()
    assert cli.run([*reveal, "alice.key", "-o", "word.png"]) == 2
    assert "this is a sound" in capsys.readouterr().err
    assert not Path("word.png").exists()
    assert cli.run([*reveal, "alice.key", "-o", "short.wav", "--size", "300"]) == 2
    assert "one size" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "out", "figure"),
    [
        ("clip.mp4", "out.apng", "SSIM"),
        ("box.npy", "out.npy", "RMSE"),
        ("ball.ply", "out.obj", "IoU"),
    ],
)
def test_what_has_three_axes_is_hidden_fitted_and_shown(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, out: str, figure: str
) -> None:
    hidden = ["--secret", file, "bob.key"]
    assert (
        cli.run(["hide", "--as", "functions", "photo.png", "-o", "f.safetensors", *hidden, *QUICK])
        == 0
    )
    assert figure in capsys.readouterr().err
    assert cli.run(["reveal", "f.safetensors", "-o", out, "--key", "bob.key"]) == 0
    wanted, revealed = signals.read(Path(file)), signals.read(Path(out))
    assert signals.quality(revealed, wanted).psnr_db > 12
    assert cli.run(["fit", file, "-o", "g.safetensors", *QUICK]) == 0
    assert cli.run(["render", "g.safetensors", "-o", f"g-{out}"]) == 0
    assert signals.quality(signals.read(Path(f"g-{out}")), wanted).psnr_db > 12
    assert cli.run(["render", "g.safetensors", "-o", "still.png"]) == 0
    assert signals.read(Path("still.png")).size == wanted.size[1:]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("embed song.wav letter.txt -o s.wav --key bob.key --profile robust", "not for a sound"),
        ("embed song.wav letter.txt -o s.png --key bob.key", ".wav or .flac"),
        ("embed photo.png letter.txt -o s.wav --key bob.key", "an image is written as"),
        ("extract song.wav -o l.txt --key bob.key", "nothing can be read"),
        ("fit song.wav -o f.safetensors --field grid", "grid fields"),
        ("compare song.wav photo.png", "song.wav is a sound, and photo.png is an image"),
        ("compare song.wav word.wav", "sounds differ"),
        ("capacity wrong.wav", "not a sound"),
        (
            "hide --as functions photo.png -o f.safetensors --secret wrong.wav bob.key",
            "not a sound",
        ),
        ("render clean.safetensors -o x.wav", "this is an image"),
        (
            "attack words.safetensors --cover word.wav --secret photo.png bob.key -o a",
            "only images",
        ),
        ("detect song.wav", "this is a sound"),
        ("capacity box.npy", "carries no messages"),
        ("embed box.npy letter.txt -o b.npy --key bob.key", "carries no messages"),
        ("extract box.npy -o l.txt --key bob.key", "carries no messages"),
        ("render clean.safetensors -o x.png --size 30", "2 numbers, got 1"),
    ],
)
def test_what_does_not_go_with_sounds_is_refused_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: str, words: str
) -> None:
    Path("wrong.wav").write_bytes(b"RIFF" + bytes(100))
    once = ["--sizes", "width=16,depth=2", "--steps", "1"]
    assert cli.run(["fit", "photo.png", "-o", "clean.safetensors", *once]) == 0
    hidden = ["--secret", "photo.png", "bob.key", *once]
    assert (
        cli.run(["hide", "--as", "functions", "word.wav", "-o", "words.safetensors", *hidden]) == 0
    )
    before = sorted(folder.iterdir())
    capsys.readouterr()
    assert cli.run(arguments.split()) > 0
    error, *rest = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert words in error
    assert all(line.startswith("hint: ") for line in rest)
    assert sorted(folder.iterdir()) == before
