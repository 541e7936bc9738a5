"""Photos as phones have them, at the command line: JPEG in, JPEG out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from stegfield import cli, signals
from stegfield.signals import waves

WITH_KEY = ["--key", "alice.key"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hold a photo as a phone writes it, turned, with a preview and EXIF data; and a letter."""
    monkeypatch.chdir(tmp_path)
    levels = signals.to_samples(waves(256, 352)).astype(np.int16)
    noise = np.random.default_rng(0).normal(0, 8, levels.shape)
    photo = Image.fromarray((levels + noise).clip(0, 255).astype(np.uint8))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, "Acme"
    photo.save("photo.jpg", quality=92, exif=exif)
    photo.save("progressive.jpg", quality=92, progressive=True)
    photo.save("photo.png")
    Path("letter.txt").write_text("Dear Bob")
    assert cli.run(["keygen", "alice.key"]) == 0
    return tmp_path


def test_a_photo_stays_a_photo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert cli.run(["embed", "photo.jpg", "letter.txt", "-o", "stego.jpg", *WITH_KEY]) == 0
    said = capsys.readouterr().err
    assert "warning" not in said
    assert "note" not in said
    line = r"stego\.jpg: 8 bytes in \d+ bits, 0\.0\d+ a non-zero coefficient: quiet; read back"
    assert re.search(line, said)
    before, after = Path("photo.jpg").read_bytes(), Path("stego.jpg").read_bytes()
    assert abs(len(after) - len(before)) < 0.003 * len(before)
    assert b"Acme" in after
    assert cli.run(["extract", "stego.jpg", "-o", "again.txt", *WITH_KEY]) == 0
    assert Path("again.txt").read_text() == "Dear Bob"
    assert cli.run(["detect", "stego.jpg"]) == 0
    assert "cannot be judged: a lossy file (JPEG)" in capsys.readouterr().out
    assert cli.run(["compare", "photo.jpg", "stego.jpg"]) == 0
    assert "PSNR" in capsys.readouterr().out


def test_capacity_has_words_for_rates(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert cli.run(["capacity", "photo.jpg"]) == 0
    said = capsys.readouterr().out
    for rate in ("0.05 bpnzAC, quiet", "0.1 bpnzAC, noticeable", "0.2 bpnzAC, loud"):
        assert rate in said
    assert cli.run(["capacity", "photo.jpg", "--json"]) == 0
    rooms = json.loads(capsys.readouterr().out)["exact"]
    assert rooms["0.1 bpnzAC, noticeable"] < rooms["0.2 bpnzAC, loud"] < rooms["at most"]


def test_a_loud_message_is_refused_until_it_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    Path("long.bin").write_bytes(np.random.default_rng(0).bytes(2000))
    command = ["embed", "photo.jpg", "long.bin", "-o", "stego.jpg", *WITH_KEY]
    assert cli.run(command) == 1
    said = capsys.readouterr().err
    assert "error: 2,000 bytes are needed, but the cover has room for" in said
    assert ", unless the message may be loud\n" in said
    assert "--loud embeds what detectors find" in said
    assert not Path("stego.jpg").exists()
    assert cli.run([*command, "--loud"]) == 0
    assert "warning: the message is loud" in capsys.readouterr().err


def test_progressive_photos_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    command = ["embed", "progressive.jpg", "letter.txt", "-o", "stego.jpg", *WITH_KEY]
    assert cli.run(command) == 1
    said = capsys.readouterr().err
    assert "is a progressive JPEG" in said
    assert "--allow-recompress" in said
    assert cli.run([*command, "--allow-recompress"]) == 0
    assert cli.run(["extract", "stego.jpg", "-o", "again.txt", *WITH_KEY]) == 0
    assert Path("again.txt").read_text() == "Dear Bob"


def test_a_photo_is_reduced_and_stays_a_jpeg(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["embed", "photo.jpg", "letter.txt", "-o", "small.jpg", *WITH_KEY, "--size", "200"]
    capsys.readouterr()
    assert cli.run(command) == 0
    said = capsys.readouterr().err
    assert "note: the EXIF data of photo.jpg is left out; --keep-metadata keeps EXIF" in said
    with Image.open("photo.jpg") as before, Image.open("small.jpg") as after:
        assert after.size == (145, 200)  # upright
        assert vars(after)["quantization"] == vars(before)["quantization"]
        assert ExifTags.Base.Orientation not in after.getexif()
    assert cli.run(["extract", "small.jpg", "-o", "again.txt", *WITH_KEY]) == 0
    assert Path("again.txt").read_text() == "Dear Bob"


def test_a_png_becomes_a_jpeg_and_a_jpeg_a_png(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ["embed", "photo.png", "letter.txt", "-o", "made.jpg", "--quality", "85", *WITH_KEY]
    assert cli.run(made) == 0
    assert cli.run(["extract", "made.jpg", "-o", "one.txt", *WITH_KEY]) == 0
    capsys.readouterr()
    assert cli.run(["embed", "photo.jpg", "letter.txt", "-o", "stego.png", *WITH_KEY]) == 0
    said = capsys.readouterr().err
    assert "warning: photo.jpg is a JPEG, and changes of its samples stand out" in said
    assert "hint: write a .jpg file" in said
    assert cli.run(["embed", "photo.png", "letter.txt", "-o", "x.png", "--loud", *WITH_KEY]) == 2
    assert "--loud has no meaning for .png files" in capsys.readouterr().err
