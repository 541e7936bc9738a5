"""Commands on images as cameras, phones and scanners write them: what is said, and what is kept."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from stegfield import cli, signals
from stegfield.signals import waves

PICTURE = Image.fromarray(signals.to_samples(waves(72, 96)))
GAMMA = b"gAMA" + struct.pack(">I", 100_000)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
PROFILE = PROFILE[:16] + b"RGB " + PROFILE[20:]


def save(name: str, picture: Image.Image = PICTURE, **options: Any) -> None:
    picture.save(name, **options)


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112], made[0x010F] = orientation, "Acme"
    return made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_text("Dear Bob")
    assert cli.run(["keygen", "bob.key"]) == 0
    return tmp_path


def embed(cover: str, output: str = "stego.png", *more: str) -> int:
    return cli.run(["embed", cover, "letter.txt", "-o", output, "--key", "bob.key", *more])


def extract(stego: str) -> int:
    return cli.run(["extract", stego, "-o", "again.txt", "--key", "bob.key", "--force"])


def test_profile_gamma_and_resolution_reach_the_stego(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.BytesIO()
    PICTURE.save(stream, "PNG", icc_profile=PROFILE, dpi=(300, 300))
    data = stream.getvalue()
    chunk = struct.pack(">I", 4) + GAMMA + struct.pack(">I", zlib.crc32(GAMMA))
    Path("cover.png").write_bytes(data[:33] + chunk + data[33:])
    capsys.readouterr()
    assert embed("cover.png") == 0
    said = capsys.readouterr().err
    assert "note:" not in said
    assert "warning:" not in said
    with Image.open("stego.png") as stego:
        assert stego.info["icc_profile"] == PROFILE
        assert stego.info["gamma"] == 1.0
        assert stego.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    assert cli.run(["compare", "cover.png", "stego.png"]) == 0
    assert "viewers" not in capsys.readouterr().err
    assert embed("cover.png", "stego.bmp") == 0
    said = capsys.readouterr().err
    assert "warning: .bmp files cannot hold the colour profile of cover.png" in said
    assert "hint: write a .png file" in said


def test_compare_says_that_viewers_show_other_colours(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save("plain.png")
    save("wide.png", icc_profile=PROFILE)
    capsys.readouterr()
    assert cli.run(["compare", "plain.png", "wide.png"]) == 0
    captured = capsys.readouterr()
    assert "PSNR inf dB" in captured.out
    assert "warning: viewers show the samples of plain.png by sRGB, those of wide.png by the" in (
        captured.err
    )


def test_exif_is_left_out_with_a_note_or_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save("photo.png", exif=exif(1))
    capsys.readouterr()
    assert embed("photo.png") == 0
    note = "note: the EXIF data of photo.png is left out"
    assert f"{note}; --keep-metadata keeps EXIF" in capsys.readouterr().err
    assert b"Acme" not in Path("stego.png").read_bytes()
    assert embed("photo.png", "kept.png", "--keep-metadata") == 0
    assert "EXIF" not in capsys.readouterr().err
    assert b"Acme" in Path("kept.png").read_bytes()
    assert embed("photo.png", "kept.bmp", "--keep-metadata") == 0
    said = capsys.readouterr().err
    assert note in said
    assert "--keep-metadata keeps" not in said


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (PICTURE.convert("CMYK"), "note: cover.tif is CMYK, and was converted to RGB"),
        (
            Image.fromarray(np.arange(96 * 72, dtype=np.uint16).reshape(72, 96) * 9),
            "note: cover.tif has 16 bits a sample; the output has 8",
        ),
        (
            Image.fromarray(np.arange(96 * 72, dtype=np.uint16).reshape(72, 96) % 4096),
            "warning: cover.tif has few levels of grey",
        ),
        (PICTURE.convert("1"), "warning: cover.tif has few levels of grey"),
        (PICTURE.convert("P"), "warning: cover.tif has a palette"),
    ],
)
def test_what_is_lost_is_said(
    picture: Image.Image, words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save("cover.tif", picture)
    assert embed("cover.tif") == 0
    assert words in capsys.readouterr().err
    assert extract("stego.png") == 0
    assert Path("again.txt").read_text() == "Dear Bob"


def test_a_stego_with_alpha_and_one_that_a_viewer_turned_are_extracted(folder: Path) -> None:
    save("cover.png")
    assert embed("cover.png") == 0
    with Image.open("stego.png") as stego:
        turned = stego.copy()
    turned.save("turned.png", exif=exif(6))
    turned.putalpha(Image.linear_gradient("L").resize(turned.size))
    turned.save("alpha.png")
    for name in ("turned.png", "alpha.png"):
        Path("again.txt").unlink(missing_ok=True)
        assert extract(name) == 0
        assert Path("again.txt").read_text() == "Dear Bob"


def test_a_known_cover_may_have_been_transparent(folder: Path) -> None:
    clear = waves(256, 256)
    alpha = np.full((256, 256, 1), 255, np.uint8)
    alpha[:9] = 0
    levels = np.concatenate([signals.to_samples(clear), alpha], axis=2)
    save("cover.png", Image.fromarray(levels))
    more = ["--flatten", "--profile", "robust", "--known-cover"]
    assert embed("cover.png", "stego.png", *more) == 0
    command = ["extract", "stego.png", "-o", "again.txt", "--key", "bob.key"]
    assert cli.run([*command, "--cover", "cover.png"]) == 0
    assert Path("again.txt").read_text() == "Dear Bob"


def test_no_hint_of_extract_names_an_option_that_it_lacks(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clear = PICTURE.copy()
    clear.putalpha(0)
    save("clear.png", clear)
    capsys.readouterr()
    assert extract("clear.png") == 1
    said = capsys.readouterr().err
    assert "nothing can be read with this key" in said
    assert "flatten" not in said


def test_an_incomplete_file_is_told_and_an_animation(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.BytesIO()
    PICTURE.save(stream, "JPEG")
    Path("cut.jpg").write_bytes(stream.getvalue()[:900])
    save("moving.png", save_all=True, append_images=[PICTURE.rotate(180)])
    capsys.readouterr()
    assert embed("cut.jpg") == 1
    assert "error: cut.jpg is incomplete\nhint: get the file again" in capsys.readouterr().err
    assert cli.run(["fit", "moving.png", "-o", "f.safetensors"]) == 1
    assert "hint: name it .apng" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["1", "P"])
def test_detect_does_not_judge_few_levels_and_palettes(
    mode: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save("scan.png", PICTURE.convert(mode))
    assert cli.run(["detect", "scan.png"]) == 0
    assert "cannot be judged: it has a palette or few levels" in capsys.readouterr().out
