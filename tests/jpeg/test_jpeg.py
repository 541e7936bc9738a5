"""JPEG files come back byte for byte, and changed coefficients are what others decode."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from stegfield import jpeg, signals
from stegfield.errors import ImageError
from stegfield.jpeg import conversion, files, huffman
from stegfield.jpeg.conversion import NOTHING_LEFT
from stegfield.jpeg.files import Scan
from stegfield.jpeg.quality import luma_table
from stegfield.jpeg.sayable import open_ways


def picture(height: int, width: int, bands: int = 3, seed: int = 0) -> Image.Image:
    """Make a picture with plain and textured parts."""
    draws = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = 128 + 90 * np.sin(rows / 9 + seed)[..., None] * np.cos(columns / 7)[..., None]
    grain = draws.normal(0, 1 + 25 * (columns > width / 2), (height, width))[..., None]
    levels = (waves + grain * np.arange(1, bands + 1)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(levels.squeeze() if bands == 1 else levels, {4: "CMYK"}.get(bands))


def written(image: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)))


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def inserted(data: bytes, *parts: bytes) -> bytes:
    """Put segments behind the first marker."""
    return data[:2] + b"".join(parts) + data[2:]


def nudged(file: jpeg.JpegFile, seed: int = 0, component: int = 0) -> jpeg.JpegFile:
    """Change about a third of a component's coefficients, as far as its tables can say it."""
    planes = file.components[component].picture
    change = np.random.default_rng(seed).integers(-1, 2, planes.shape, np.int16)
    up, down = file.open_ways(component)
    change[((change > 0) & ~up) | ((change < 0) & ~down)] = 0
    new: list[NDArray[np.int16] | None] = [None] * len(file.components)
    new[component] = planes + change
    return file.with_coefficients(new)


OPTIONS = [
    {"quality": 75},
    {"quality": 100, "subsampling": 0},
    {"quality": 30, "subsampling": 1},
    {"quality": 90, "optimize": True},
    {"quality": 95, "restart_marker_blocks": 3},
    {"quality": 60, "restart_marker_rows": 1, "optimize": True},
    {"quality": 1},
]


@pytest.mark.parametrize("bands", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (17, 33), (64, 40)], ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_file_comes_back(options: dict[str, Any], size: tuple[int, int], bands: int) -> None:
    data = written(picture(*size, bands), **options)
    file = jpeg.decode(data)
    assert file.size == size
    assert len(file.components) == bands
    assert jpeg.encode(file) == data
    assert file.coding == ("optimised" if "optimize" in options else "standard")


def test_the_standard_tables_are_those_of_pillow() -> None:
    file = jpeg.decode(written(picture(16, 16)))
    scan = next(file.scans)
    found = {*file.tables(scan).dc, *file.tables(scan).ac}
    assert found == {*huffman.STANDARD.values()}


def shown(file: jpeg.JpegFile) -> NDArray[np.float64]:
    """Decode a grey picture, by the definition of the transform."""
    at = np.arange(8)
    basis = np.cos((2 * at + 1) * at[:, None] * np.pi / 16) / 2
    basis[0] /= np.sqrt(2)
    luma = file.components[0]
    steps = (luma.coefficients * luma.table).reshape(*luma.coefficients.shape[:2], 8, 8)
    blocks = np.einsum("vy,rcvu,ux->rycx", basis, steps.astype(float), basis) + 128
    whole = blocks.reshape(8 * blocks.shape[0], -1)
    levels: NDArray[np.float64] = np.rint(whole).clip(0, 255)
    return levels[: file.size[0], : file.size[1]]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_changed_coefficients_are_shown_by_another_decoder(options: dict[str, Any]) -> None:
    file = jpeg.decode(written(picture(45, 70, 1), **options))
    stego = nudged(file)
    data = jpeg.encode(stego)
    again = jpeg.decode(data)
    assert (again.components[0].coefficients == stego.components[0].coefficients).all()
    assert again.coding == file.coding
    assert np.abs(pixels(data) - shown(stego)).max() <= 1


def test_the_largest_picture_is_that_of_signals() -> None:
    assert jpeg.LARGEST_POINTS == signals.LARGEST_POINTS


def test_coefficients_are_those_of_an_independent_decoder(tmp_path: Path) -> None:
    jpeglib = pytest.importorskip("jpeglib")
    for number, options in enumerate(OPTIONS):
        data = written(picture(45, 70), **options)
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(jpeg.encode(nudged(jpeg.decode(data), component=1)))
        other, ours = jpeglib.read_dct(str(path)), jpeg.decode(path.read_bytes())
        for plane, component in zip((other.Y, other.Cb, other.Cr), ours.components, strict=True):
            # jpeglib has a block's rows as columns of frequencies across
            flat = plane.reshape(*plane.shape[:2], 64)
            assert (flat == component.picture).all()


@given(
    st.binary(max_size=20),
    st.integers(0, 3),
    st.binary(max_size=30).filter(lambda stray: b"\xff" not in stray),
    st.sampled_from(OPTIONS),
)
def test_bytes_that_no_decoder_heeds_stay(
    trailer: bytes, fill: int, stray: bytes, options: dict[str, Any]
) -> None:
    plain = written(picture(24, 40), **options)
    data = plain[:2] + stray + b"\xff" * fill + plain[2:-2] + b"\xff" * fill + plain[-2:] + trailer
    file = jpeg.decode(data)
    assert jpeg.encode(file) == data
    stego = jpeg.encode(nudged(file))
    assert stego.startswith(data[: 22 + len(stray) + fill])
    assert stego.endswith(b"\xff" * fill + plain[-2:] + trailer)


def test_padding_stray_and_fill_bytes_within_the_data_stay() -> None:
    plain = written(picture(40, 64), restart_marker_blocks=2)
    file = jpeg.decode(plain)
    for number in range(5):
        marker = bytes([0xFF, 0xD0 + number])
        data = plain.replace(marker, b"stray"[:number] + b"\xff" * (number % 3) + marker)
        assert jpeg.encode(jpeg.decode(data)) == data
    again = 0
    for found in re.finditer(rb"\xff[\xd0-\xd7]", plain):
        other = bytearray(plain)
        other[found.start() - 1] ^= 1  # the last bit is mostly padding, which is all ones
        try:
            odd = jpeg.decode(bytes(other))
        except ImageError:
            continue
        pairs = zip(file.components, odd.components, strict=True)
        again += all((ours.coefficients == theirs.coefficients).all() for ours, theirs in pairs)
        assert jpeg.encode(odd) == other
    assert again > 3


def test_several_scans_come_back_and_are_changed() -> None:
    data = in_scans(jpeg.decode(written(picture(40, 56), quality=85, subsampling=2)))
    file = jpeg.decode(data)
    assert jpeg.encode(file) == data
    assert len([*file.scans]) == 3
    stego = nudged(file, component=2)
    again = jpeg.decode(jpeg.encode(stego))
    assert (again.components[2].coefficients == stego.components[2].coefficients).all()
    assert Image.open(io.BytesIO(jpeg.encode(stego))).size == (56, 40)


def in_scans(file: jpeg.JpegFile) -> bytes:
    """Write each component as a scan of its own, as grey files of one component would be coded."""
    stream = b""
    for part in file.parts:
        if isinstance(part, Scan):
            for member in range(3):
                name, table = file.components[member].plane.identifier, 0x11 * (member > 0)
                own = Scan((member,), (part.dc[member],), (part.ac[member],), 0, NOTHING_LEFT)
                stream += segment(0xDA, bytes([1, name, table, 0, 63, 0])) + file._scan(
                    own, files._joined(file.components)
                )
        elif part.marker != 0xDA:
            stream += part.raw
    return stream


EXIF = Image.Exif()
EXIF[0x0112], EXIF[0x010F] = 6, "A camera"


def test_metadata_stays_unless_it_is_left_out() -> None:
    plain = written(
        picture(40, 56),
        exif=EXIF,
        icc_profile=b"profile",
        comment=b"a secret comment",
        dpi=(72, 72),
    )
    data = inserted(plain, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>")) + b"trailer"
    file = jpeg.decode(data)
    kept = jpeg.encode(nudged(file))
    for part in (b"A camera", b"xap", b"a secret comment", b"profile", b"trailer"):
        assert part in kept
    bare = jpeg.without_metadata(file)
    left = jpeg.encode(bare)
    for part in (b"A camera", b"xap", b"a secret comment", b"trailer"):
        assert part not in left
    shown_first, shown_then = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(left))
    assert shown_then.getexif() == {0x0112: 6}
    assert shown_then.info["icc_profile"] == b"profile"
    assert shown_then.info["dpi"] == shown_first.info["dpi"]
    assert (np.asarray(shown_first) == np.asarray(shown_then)).all()
    assert jpeg.encode(jpeg.without_metadata(jpeg.decode(left))) == left
    assert jpeg.decode(jpeg.encode(nudged(bare))).coding == file.coding


@pytest.mark.parametrize("optimize", [False, True])
def test_pictures_behind_the_first_are_found_after_a_change(optimize: bool) -> None:
    second = picture(24, 24, seed=3)
    stream = io.BytesIO()
    picture(64, 64).save(
        stream, "MPO", save_all=True, append_images=[second, second], optimize=optimize
    )
    data = stream.getvalue()
    file = jpeg.decode(data)
    assert jpeg.encode(file) == data
    stego = jpeg.encode(nudged(file))
    assert len(stego) != len(data)
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(stego))
    assert after.format == "MPO"
    for number in (1, 2):
        before.seek(number)
        after.seek(number)
        assert (np.asarray(before) == np.asarray(after)).all()
    entries = after.mpinfo[0xB002]  # type: ignore[attr-defined]
    assert entries[0]["Size"] == jpeg.decode(stego).length


@given(st.binary(max_size=80))
def test_a_crafted_index_of_pictures_stays_as_it_is(index: bytes) -> None:
    data = inserted(written(picture(16, 16)), segment(0xE2, b"MPF\0" + index)) + b"more"
    stego = jpeg.encode(nudged(jpeg.decode(data)))
    assert len(index) == len(stego[stego.index(b"MPF\0") + 4 :][: len(index)])


def test_content_credentials_are_not_broken() -> None:
    manifest = segment(0xEB, b"JP\0\x01\0\0\0\x01\0\0\0\x20jumb....c2pa")
    file = jpeg.decode(inserted(written(picture(24, 24)), manifest), "signed.jpg")
    with pytest.raises(ImageError, match=r"signed\.jpg has content credentials") as caught:
        nudged(file)
    assert caught.value.hint == "leave them out with strip_metadata=True, or take another photo"
    assert b"c2pa" not in jpeg.encode(nudged(jpeg.without_metadata(file)))


def test_coefficients_that_no_picture_has_are_refused_before_they_are_changed() -> None:
    file = jpeg.decode(written(picture(24, 24)), "odd.jpg")
    wild = file.components[0].coefficients.copy()
    wild[0, 0, 5] = 5586
    odd = replace(file, components=(replace(file.components[0], coefficients=wild),))
    with pytest.raises(ImageError, match=r"odd\.jpg has coefficients that are too large"):
        odd.check_changeable()
    with pytest.raises(ImageError):
        nudged(odd)


def test_tables_of_others_stay_and_what_they_cannot_say_is_told() -> None:
    """Tables that are optimal for another picture lack symbols that this one may need."""
    broad = jpeg.decode(written(picture(64, 64, 1, seed=5), quality=60, optimize=True))
    blank = broad.components[0].coefficients.copy()
    blank[:, 4:] = 0
    own = replace(broad, components=(replace(broad.components[0], coefficients=blank),))
    data = jpeg.encode(own)
    file = jpeg.decode(data)
    assert file.coding == "own"
    up, down = file.open_ways(0)
    assert not up[..., 1:].all()
    assert up[..., 1:].any()
    zero = file.components[0].picture == 0
    assert (up == down)[zero].all()
    (caution,) = file.cautions()
    assert caution.text.startswith("the Huffman tables of the file lack codes for ")
    assert broad.cautions() == ()
    for seed in range(20):
        stego = nudged(file, seed)
        again = jpeg.decode(jpeg.encode(stego))
        assert (again.components[0].coefficients == stego.components[0].coefficients).all()
        before, after = next(file.scans), next(again.scans)
        assert file.tables(before) == again.tables(after)


@given(st.integers(0, 1000), st.sets(st.integers(1, 255), min_size=1, max_size=80))
def test_every_set_of_open_changes_can_be_said(seed: int, symbols: set[int]) -> None:
    draws = np.random.default_rng(seed)
    needed = {size for size in symbols if size & 15 <= 10}
    table = huffman.optimal(
        np.array(
            [int(symbol in needed or symbol in {0, 0xF0, *full(seed)}) for symbol in range(256)]
        )
    )
    scale = draws.choice([1, 2, 6])
    planes = np.rint(draws.laplace(0, scale, (40, 1, 64)) * draws.random((40, 1, 64))).astype(
        np.int16
    )
    said = [can_say(block, table) for block in planes[:, 0]]
    up, down = open_ways(planes, table)
    change = draws.integers(-1, 2, planes.shape, np.int16)
    change[((change > 0) & ~up) | ((change < 0) & ~down)] = 0
    for before, block in zip(said, (planes + change)[:, 0], strict=True):
        assert not before or can_say(block, table)


def full(seed: int) -> set[int]:
    """Return the symbols of some sizes after every run."""
    return {run << 4 | size for run in range(16) for size in range(1, 1 + seed % 4)}


def can_say(block: NDArray[np.int16], table: huffman.Huffman) -> bool:
    """Tell whether a table has all that a block needs for AC."""
    run = 0
    ordered = block[jpeg.ZIGZAG][1:].tolist()
    for value in ordered:
        if value == 0:
            run += 1
            continue
        needed = {0xF0} if run > 15 else set()
        if not needed | {(run & 15) << 4 | abs(value).bit_length()} <= set(table.symbols):
            return False
        run = 0
    return run == 0 or 0 in table.symbols


PROGRESSIVE = [
    {"quality": 75},
    {"quality": 97, "subsampling": 0},
    {"quality": 40, "subsampling": 1, "restart_marker_rows": 1},
]


@pytest.mark.parametrize("bands", [1, 3, 4])
@pytest.mark.parametrize("options", PROGRESSIVE, ids=str)
def test_progressive_files_become_baseline_ones_without_loss(
    options: dict[str, Any], bands: int
) -> None:
    image = picture(45, 70, bands)
    data = written(image, progressive=True, exif=EXIF, **options) + b"trailer"
    with pytest.raises(ImageError, match=r"photo\.jpg is a progressive JPEG") as caught:
        jpeg.decode(data, "photo.jpg")
    assert str(caught.value.hint).startswith("allow_recompress=True writes a baseline JPEG of it")
    file = jpeg.decode(data, allow_recompress=True)
    assert file.coding == "optimised"
    baseline = jpeg.decode(written(image, **options))
    for ours, others in zip(file.components, baseline.components, strict=True):
        assert (ours.picture == others.picture).all()
        assert (ours.table == others.table).all()
    assert (pixels(jpeg.encode(file)) == pixels(data)).all()
    assert b"A camera" in jpeg.encode(file)
    assert jpeg.encode(file).endswith(b"trailer")


def test_a_baseline_file_is_not_converted() -> None:
    data = written(picture(24, 24))
    assert jpeg.encode(jpeg.decode(data, allow_recompress=True)) == data


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        (0xC3, "a lossless"),
        (0xC5, "a hierarchical"),
        (0xC9, "an arithmetic-coded"),
        (0xDE, "a hierarchical"),
    ],
)
def test_other_kinds_are_refused_by_name(marker: int, words: str) -> None:
    data = written(picture(24, 24))
    with pytest.raises(ImageError, match=f"the file is {words} JPEG"):
        jpeg.decode(data.replace(b"\xff\xc0", bytes([0xFF, marker])))
    with pytest.raises(ImageError, match="12 bits a sample"):
        jpeg.decode(data.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c"))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_cut_file_is_incomplete(progressive: bool) -> None:
    data = written(picture(24, 40), progressive=progressive)
    for end in range(2, len(data), 11):
        with pytest.raises(ImageError, match=r"is incomplete|is a damaged JPEG"):
            jpeg.decode(data[:end], allow_recompress=True)


def test_sizes_are_refused_before_memory_is_taken() -> None:
    data = bytearray(written(picture(24, 24, 1)))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(ImageError, match="65535x65535 pixels"):
        jpeg.decode(bytes(data))
    data[at : at + 4] = b"\x20\0\x20\0"  # 67 megapixels, of which the file has none
    with pytest.raises(ImageError, match="incomplete"):
        jpeg.decode(bytes(data))


def test_progressive_files_of_many_scans_or_intervals_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = written(picture(40, 64), progressive=True, restart_marker_blocks=1)
    for name, words in (("MOST_SCANS", "scans"), ("MOST_INTERVALS", "restart intervals")):
        with monkeypatch.context() as there:
            there.setattr(conversion, name, 3)
            with pytest.raises(ImageError, match=f"too many {words}"):
                jpeg.decode(data, allow_recompress=True)


def test_wrong_coefficients_are_an_error_of_the_caller() -> None:
    file = jpeg.decode(written(picture(24, 24, 1)))
    plane = file.components[0].picture
    with pytest.raises(ValueError, match="do not fit"):
        file.with_coefficients([plane[:1]])
    with pytest.raises(ValueError, match="too large"):
        file.with_coefficients([plane + np.int16(5000)])


@given(st.binary(max_size=200))
def test_bytes_are_refused_with_one_error(data: bytes) -> None:
    for each in (data, b"\xff\xd8" + data):
        with pytest.raises(ImageError):
            jpeg.decode(each)


def test_the_quality_is_that_of_the_encoder() -> None:
    for quality in range(1, 101):
        file = jpeg.decode(written(picture(8, 8), quality=quality))
        assert jpeg.estimated_quality(file) == quality
        assert (luma_table(quality) == file.components[0].table).all()


PLAIN = """
import sys
sys.modules["numba"] = None
from pathlib import Path
from stegfield import jpeg
from stegfield.jpeg import loops
assert not loops.COMPILES
for path in map(Path, sys.argv[1:]):
    file = jpeg.decode(path.read_bytes(), allow_recompress=True)
    path.with_suffix(".out").write_bytes(jpeg.encode(file))
    print(file.coding)
"""


def test_plain_python_writes_the_same_bytes(tmp_path: Path) -> None:
    every: list[dict[str, Any]] = [*OPTIONS, {"progressive": True}]
    for number, options in enumerate(every):
        (tmp_path / f"{number}.jpg").write_bytes(written(picture(40, 56), **options))
    paths = sorted(tmp_path.glob("*.jpg"))
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for path, coding in zip(paths, done.stdout.split(), strict=True):
        file = jpeg.decode(path.read_bytes(), allow_recompress=True)
        assert path.with_suffix(".out").read_bytes() == jpeg.encode(file)
        assert coding == file.coding


def test_numba_is_imported_when_a_file_is_decoded() -> None:
    code = "import sys, stegfield.jpeg; sys.exit(not {'numba', 'torch'}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


DATA = os.environ.get("STEGFIELD_DATA")


@pytest.mark.skipif(not DATA, reason="STEGFIELD_DATA names no folder of real files")
def test_real_files_come_back() -> None:
    read = 0
    for path in sorted(Path(str(DATA)).rglob("*.jp*g")):
        data = path.read_bytes()
        try:
            file = jpeg.decode(data)
        except ImageError:
            continue
        assert jpeg.encode(file) == data, path
        read += 1
    assert read > 40
