"""Images as they really are: HEIC, AVIF, PPM, pages, orientation tags, transparency, damage."""

from __future__ import annotations

import io
import logging
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stegfield import fixednet, signals
from stegfield.errors import ImageError, InputError
from stegfield.keys import Key
from stegfield.signals import LARGEST_POINTS, waves
from stegfield.signals.images import opening

KEY = Key(bytes(range(32)))
PICTURE = Image.fromarray(signals.to_samples(waves(48, 64)))
STEGO = signals.to_samples(fixednet.embed(waves(48, 64), b"noon", KEY).stego)


def encode(kind: str, picture: Image.Image = PICTURE, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def heic(picture: Image.Image, **options: Any) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="HEIC takes stegfield[media]")
    stream = io.BytesIO()
    try:
        pillow_heif.from_pillow(picture).save(stream, **options)
    except RuntimeError:
        pytest.skip("this pillow-heif cannot write")
    return stream.getvalue()


@pytest.mark.parametrize("name", ["phone.heic", "phone.jpg", "phone"])
def test_heic_is_read_whatever_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(heic(PICTURE, quality=95))
    signal = signals.read(path)
    assert (signal.origin, signal.notes) == ("HEIC", ())
    wanted = np.asarray(PICTURE).astype(float)
    assert np.abs(signals.to_samples(signal) - wanted).mean() < 4


def test_heic_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(InputError, match="HEIC needs pillow-heif") as caught:
        signals.read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60))
    assert caught.value.hint == "pip install 'stegfield[media]'"


def test_a_heic_of_nothing_is_damaged() -> None:
    pytest.importorskip("pillow_heif", reason="HEIC takes stegfield[media]")
    with pytest.raises(ImageError, match=r"damaged|incomplete"):
        signals.read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60))


def test_avif_and_ppm_are_read() -> None:
    avif = signals.read(encode("AVIF", quality=95))
    assert avif.origin == "AVIF"
    assert np.abs(signals.to_samples(avif) - np.asarray(PICTURE).astype(float)).mean() < 4
    for mode in ("RGB", "L", "1"):
        picture = PICTURE.convert(mode)
        levels = signals.to_samples(signals.read(encode("PPM", picture)))
        expected = np.asarray(picture.convert("L") if mode == "1" else picture)
        assert np.array_equal(levels, expected.reshape(levels.shape))


def test_code_points_of_an_avif_are_told() -> None:
    data = encode("AVIF", quality=95)
    at = data.find(b"colrnclx")
    assert at > 0
    wide = data[: at + 8] + struct.pack(">HH", 9, 16) + data[at + 12 :]
    found = signals.read(wide).look
    assert found is not None
    assert found.colours == "the code points 9/16"


def test_what_becomes_of_other_colours_and_depths_is_noted() -> None:
    cmyk = signals.read(encode("TIFF", PICTURE.convert("CMYK")))
    assert cmyk.notes == ("is CMYK, and was converted to RGB without its profile",)
    deep = b"P6\n16 8\n65535\n" + bytes(16 * 8 * 6)
    assert signals.read(deep).notes == ("has 16 bits a sample, of which 8 are kept",)
    assert signals.read(encode("PNG")).notes == ()


def test_16_bits_of_which_few_are_used_are_told() -> None:
    twelve = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    signal = signals.read(encode("TIFF", Image.fromarray(twelve)))
    assert signal.origin == "few levels"
    assert signal.notes == ("uses 12 of its 16 bits: 17 levels are left in 8 bits",)
    assert len(np.unique(signal.values)) == 64 * 64


# pages


def pages(*kinds: int) -> bytes:
    """Make a TIFF of pages with these NewSubfileTypes, each darker than the one before."""
    pictures = []
    for index, kind in enumerate(kinds):
        picture = Image.new("L", (16, 8 + index), 200 - 50 * index)
        picture.encoderinfo = {"tiffinfo": {254: kind}}
        pictures.append(picture)
    return encode(
        "TIFF", pictures[0], save_all=True, append_images=pictures[1:], tiffinfo={254: kinds[0]}
    )


@pytest.mark.parametrize(("kinds", "level"), [((0, 1), 200), ((1, 0), 150), ((1, 4, 0, 1), 100)])
def test_of_pages_the_one_that_is_no_smaller_copy_is_taken(
    kinds: tuple[int, ...], level: int
) -> None:
    signal = signals.read(pages(*kinds))
    assert (signals.to_samples(signal) == level).all()
    assert len(signal.notes) == 1
    assert f"has {len(kinds) - 1} smaller cop" in signal.notes[0]


@pytest.mark.parametrize("kinds", [(0, 0), (1, 1), (0, 1, 0)])
def test_pages_of_which_none_or_several_are_full_are_refused(kinds: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="several frames"):
        signals.read(pages(*kinds))


# as stored


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_samples_as_stored_come_first_and_then_as_shown(kind: str, orientation: int) -> None:
    lossless = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    data = encode(kind, Image.fromarray(STEGO), exif=oriented(orientation), **lossless)
    stored, shown = signals.stored(data)
    assert np.array_equal(signals.to_samples(stored), STEGO)
    assert np.array_equal(shown.values, signals.read(data).values)
    assert fixednet.extract(data, KEY) == b"noon"


def test_samples_beneath_transparency_are_read_as_stored() -> None:
    alpha = np.random.default_rng(0).integers(0, 256, (48, 64, 1), dtype=np.uint8)
    data = encode("PNG", Image.fromarray(np.concatenate([STEGO, alpha], axis=2)))
    with pytest.raises(ImageError, match="transparent"):
        signals.read(data)
    [stored] = signals.stored(data)
    assert np.array_equal(signals.to_samples(stored), STEGO)
    assert fixednet.extract(data, KEY) == b"noon"


def test_a_stego_that_was_widened_to_16_bits_is_read_as_stored() -> None:
    levels = STEGO[..., :1]
    for wide in (levels.astype(np.uint16) * 257, levels.astype(np.uint16) << 8):
        [stored] = signals.stored(encode("PNG", Image.fromarray(wide[..., 0])))
        assert np.array_equal(signals.to_samples(stored), levels)


# damage


def test_rle4_is_refused() -> None:
    rows = b"".join(b"\x08\x12\0\0" for _ in range(8)) + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, 9, 8, 1, 4, opening.RLE4, len(rows), 0, 0, 16, 0)
    palette = bytes(range(64))
    data = b"BM" + struct.pack("<IHHI", 54 + 64 + len(rows), 0, 0, 118) + header + palette + rows
    with pytest.raises(ImageError, match="RLE4") as caught:
        signals.read(data)
    assert caught.value.hint == "save it as PNG"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "PPM"])
def test_a_file_that_is_cut_off_is_incomplete(kind: str) -> None:
    data = encode(kind)
    with pytest.raises(ImageError, match="incomplete") as caught:
        signals.read(data[: len(data) * 2 // 3])
    assert caught.value.hint == "get the file again"


def test_nothing_is_written_to_stderr_about_a_damaged_tiff() -> None:
    """Without logging set up, Python prints what Pillow logs."""
    script = """
import sys
from stegfield import signals
from stegfield.errors import InputError
for line in sys.stdin:
    try:
        signals.read(bytes.fromhex(line))
    except InputError:
        pass
print("done")
"""
    good = [encode("TIFF"), encode("TIFF", compression="tiff_lzw")]
    damaged = []
    for data in good:
        tags = struct.unpack("<I", data[4:8])[0]
        for entry in range(12):
            at = tags + 2 + 12 * entry
            values = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\7\0\0\0")
            damaged += [data[: at + 8] + value + data[at + 12 :] for value in values]
            damaged.append(data[: at + 2] + b"\xff\xff" + data[at + 4 :])
    lines = "\n".join(data.hex() for data in damaged)
    done = subprocess.run(
        [sys.executable, "-c", script], input=lines, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("done\n", "")
    assert logging.getLogger("PIL").level == logging.NOTSET  # who wants to hear Pillow still can


# size

MEMORY = """
import sys
from pathlib import Path
from stegfield import fixednet, signals
from stegfield.errors import UnreadableError
from stegfield.keys import Key
for stored in signals.stored(Path(sys.argv[1])):
    try:
        fixednet.extract(stored, Key(bytes(32)))
    except UnreadableError:
        pass
[peak] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(stored.points, peak.split()[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells how much memory was used")
def test_extraction_of_80_megapixels_takes_less_than_a_gigabyte(tmp_path: Path) -> None:
    columns = np.arange(10_000) // 40
    row = np.stack([columns, columns[::-1], columns // 2], axis=-1).astype(np.uint8)
    path = tmp_path / "large.png"
    large = np.broadcast_to(row, (LARGEST_POINTS // 10_000, 10_000, 3))
    with Image.fromarray(np.ascontiguousarray(large)) as image:
        image.save(path, compress_level=1)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True
    )
    points, kilobytes = map(int, done.stdout.split())
    assert points == LARGEST_POINTS
    assert kilobytes < 1_000_000
