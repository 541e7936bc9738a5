"""Messages in JPEG files: they come back, the file stays what it was, and loud ones are refused."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageFilter

from stegfield import fixednet, jpeg, signals
from stegfield.carriers import blocks
from stegfield.carriers import jpeg as coefficients
from stegfield.config import EmbedConfig
from stegfield.errors import CapacityError, ConfigError, InputError, UnreadableError
from stegfield.fixednet.exact.coefficients import LOUD, loudness
from stegfield.keys import Key
from stegfield.signals import Signal

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
KINDS: dict[str, dict[str, Any]] = {
    "standard tables": {"quality": 85},
    "optimised tables": {"quality": 85, "optimize": True},
    "colours in full": {"quality": 90, "subsampling": "4:4:4"},
    "restarts": {"quality": 75, "restart_marker_blocks": 5},
    "high quality": {"quality": 97},
}
MESSAGE = b"meet me at noon"


def photograph(columns: int, rows: int, *, grey: bool = False, seed: int = 0) -> Image.Image:
    """Make a picture with plain and with rough places."""
    levels = signals.to_samples(signals.waves(rows, columns)).astype(np.int16)
    noise = np.random.default_rng(seed).normal(0, 1, levels.shape)
    rough = np.linspace(0, 25, columns)[:, None]
    image = Image.fromarray((levels + noise * rough).clip(0, 255).astype(np.uint8))
    return image.convert("L") if grey else image


def file_of(image: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def embedded(file: bytes, message: bytes = MESSAGE, **settings: Any) -> bytes:
    return fixednet.embed(file, message, KEY, suffix=".jpg", config=EmbedConfig(**settings)).file


@pytest.mark.parametrize("options", KINDS.values(), ids=list(KINDS))
def test_a_message_comes_back_and_the_file_stays_what_it_was(options: dict[str, Any]) -> None:
    size = (197, 203) if "optimize" in options else (232, 176)
    cover = file_of(photograph(*size), comment=b"by the sea", **options)
    stego = embedded(cover)
    assert fixednet.extract(stego, KEY) == MESSAGE
    for file, key in ((stego, OTHER), (cover, KEY)):
        with pytest.raises(UnreadableError):
            fixednet.extract(file, key, profile="exact")
    before, after = jpeg.decode(cover), jpeg.decode(stego)
    assert before.coding == after.coding
    assert abs(len(stego) - len(cover)) < 0.01 * len(cover)
    with Image.open(io.BytesIO(stego)) as shown:
        assert shown.size == size
        assert shown.info["comment"] == b"by the sea"
    change = after.components[0].coefficients.astype(int) - before.components[0].coefficients
    assert np.abs(change).max() == 1
    changed_modes = set(np.flatnonzero(change.reshape(-1, 64).any(axis=0)))
    assert changed_modes <= set(blocks.ZIGZAG[1 : 1 + coefficients.QUIETEST])
    beyond = np.ones(change.shape[:2], np.bool_)
    beyond[: before.components[0].rows, : before.components[0].columns] = False
    assert not change[beyond].any()
    for one, other in zip(before.components[1:], after.components[1:], strict=True):
        assert np.array_equal(one.coefficients, other.coefficients)


def test_plain_blocks_stay_plain() -> None:
    picture = np.asarray(photograph(320, 240)).copy()
    picture[:, :160] = (90, 120, 200)
    stego = jpeg.decode(embedded(file_of(Image.fromarray(picture), quality=90)))
    assert not stego.components[0].picture[:, :18, 1:].any()


def test_grey_files_and_files_with_tables_of_their_own_carry_messages() -> None:
    grey = file_of(photograph(256, 192, grey=True), quality=85)
    assert fixednet.extract(embedded(grey), KEY) == MESSAGE
    rough = photograph(256, 192)
    smooth = rough.filter(ImageFilter.GaussianBlur(1))
    first, other = (
        jpeg.decode(file_of(each, quality=90, optimize=True)) for each in (rough, smooth)
    )
    cover = jpeg.encode(replace(first, components=other.components))
    assert jpeg.decode(cover).coding == "own"
    assert fixednet.extract(embedded(cover), KEY) == MESSAGE


@given(
    columns=st.integers(150, 260),
    rows=st.integers(150, 260),
    quality=st.integers(60, 97),
    length=st.integers(0, 90),
    seed=st.integers(0, 99),
)
@settings(max_examples=6)
def test_any_message_that_fits_comes_back(
    *, columns: int, rows: int, quality: int, length: int, seed: int
) -> None:
    cover = file_of(photograph(columns, rows, seed=seed), quality=quality)
    message = np.random.default_rng(seed).bytes(length)
    try:
        stego = embedded(cover, message)
    except CapacityError:
        assert length > fixednet.capacity(cover)["exact"][f"{LOUD:g} bpnzAC, loud"]
        return
    assert fixednet.extract(stego, KEY) == message


def test_capacity_is_what_can_be_embedded() -> None:
    cover = file_of(photograph(320, 240), quality=85)
    rooms = fixednet.capacity(cover)["exact"]
    assert list(rooms) == [
        "0.05 bpnzAC, quiet",
        "0.1 bpnzAC, noticeable",
        "0.2 bpnzAC, loud",
        "at most",
    ]
    *_, loud, most = rooms.values()
    assert sorted(rooms.values()) == list(rooms.values())
    random = np.random.default_rng(0)
    for length, asked in ((loud, False), (most, True)):
        message = random.bytes(length)
        assert fixednet.extract(embedded(cover, message, loud=asked), KEY) == message
    with pytest.raises(CapacityError, match="room for") as refused:
        embedded(cover, random.bytes(loud + 1))
    assert "loud=True" in str(refused.value.hint)
    with pytest.raises(CapacityError) as refused:
        embedded(cover, random.bytes(most + 1), loud=True)
    assert "loud" not in str(refused.value.hint)


def test_a_result_tells_the_rate_and_warns_of_a_loud_message() -> None:
    cover = file_of(photograph(320, 240), quality=90)
    count = coefficients.nonzero(jpeg.decode(cover).components[0].picture)
    quiet = fixednet.embed(cover, b"noon", KEY, suffix=".jpg")
    assert quiet.rate_bpnzac == pytest.approx(quiet.bits / count)
    assert quiet.cautions == ()
    assert quiet.quality.psnr_db > 45
    words = np.random.default_rng(1).bytes(int(0.15 * count / 8))
    loud = fixednet.embed(cover, words, KEY, suffix=".jpg")
    assert loud.rate_bpnzac is not None
    assert loud.rate_bpnzac > 0.1
    assert [each.text[:19] for each in loud.cautions] == ["the message is loud"]
    assert loud.to_json()["cautions"][0]["hint"].startswith("take a larger photo")
    assert [loudness(rate) for rate in (0.05, 0.1, 0.11)] == ["quiet", "noticeable", "loud"]


def test_other_costs_serve_too_and_settings_of_jpegs_are_for_jpegs() -> None:
    cover = file_of(photograph(256, 192), quality=85)
    assert fixednet.extract(embedded(cover, costs="j-uniward"), KEY) == MESSAGE
    with pytest.raises(ConfigError, match=r"no meaning for \.png files"):
        fixednet.embed(cover, MESSAGE, KEY, suffix=".png", config=EmbedConfig(loud=True))
    with pytest.raises(ConfigError, match="JPEG already"):
        embedded(cover, quality=80)


def test_another_picture_becomes_a_jpeg_first() -> None:
    picture = Signal(signals.read(photograph(256, 192)).values)
    sent = fixednet.embed(picture, MESSAGE, KEY, suffix=".jpg", config=EmbedConfig(quality=80))
    assert fixednet.extract(sent.file, KEY) == MESSAGE
    assert jpeg.decode(sent.file).components[0].table[0] == 6
    assert sent.quality.psnr_db > 40  # of what the JPEG shows


def test_a_reduced_jpeg_has_the_tables_and_the_colours_of_the_first_one() -> None:
    cover = file_of(photograph(512, 384), quality=83, subsampling="4:4:4")
    small = signals.reduced(signals.read(cover), 256)
    sent = fixednet.embed(small, MESSAGE, KEY, suffix=".jpg")
    assert fixednet.extract(sent.file, KEY) == MESSAGE
    before, after = jpeg.decode(cover), jpeg.decode(sent.file)
    assert after.size == (192, 256)
    for one, other in zip(before.components, after.components, strict=True):
        assert np.array_equal(one.table, other.table)
    assert after.components[1].picture.shape == after.components[0].picture.shape
    again = fixednet.embed(small, MESSAGE, KEY, suffix=".jpg", config=EmbedConfig(quality=75))
    assert jpeg.estimated_quality(jpeg.decode(again.file)) == 75
    assert signals.reduced(small, 256) is small


@pytest.mark.parametrize("grey", [False, True])
def test_a_jpeg_of_unrounded_values_changes_where_it_nearly_rounded_the_other_way(
    grey: bool,
) -> None:
    shown = signals.read(photograph(500, 372, grey=grey))
    small = signals.reduced(shown, 249)
    key = Key.generate()
    sent = fixednet.embed(small, MESSAGE, key, suffix=".jpg", config=EmbedConfig(quality=85))
    assert fixednet.extract(sent.file, key) == MESSAGE
    stego = jpeg.decode(sent.file).components[0]
    exact = coefficients.unrounded(small, stego.table, stego.picture.shape[:2])
    assert exact is not None
    change = stego.picture - np.rint(exact)
    assert 20 < np.count_nonzero(change) < 400
    assert np.abs(change).max() == 1
    towards = (change * (exact - np.rint(exact)))[change != 0]
    assert np.count_nonzero(towards > 0) > 0.9 * len(towards)  # half of them by chance
    rounded = signals.with_levels(small, signals.to_levels(small))
    assert coefficients.unrounded(rounded, stego.table, stego.picture.shape[:2]) is None


def test_progressive_files_are_refused_or_encoded_anew() -> None:
    cover = file_of(photograph(256, 192), quality=85, progressive=True)
    with pytest.raises(InputError, match="progressive") as refused:
        embedded(cover)
    assert "allow_recompress=True" in str(refused.value.hint)
    stego = embedded(cover, allow_recompress=True)
    assert fixednet.extract(stego, KEY) == MESSAGE
    shown, before = (Image.open(io.BytesIO(file)) for file in (stego, cover))
    assert vars(shown)["quantization"] == vars(before)["quantization"]
    with pytest.raises(UnreadableError):
        fixednet.extract(cover, KEY, profile="exact")
    assert "at most" in fixednet.capacity(cover)["exact"]


def test_metadata_stay_or_go_but_for_the_orientation() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, "Acme"
    cover = file_of(photograph(256, 192), quality=85, exif=exif, comment=b"secret place")
    kept, stripped = embedded(cover), embedded(cover, strip_metadata=True)
    for file in (kept, stripped):
        assert fixednet.extract(file, KEY) == MESSAGE
        with Image.open(io.BytesIO(file)) as shown:
            assert shown.getexif()[ExifTags.Base.Orientation] == 6
    assert b"Acme" in kept
    assert b"Acme" not in stripped
    assert b"secret place" not in stripped


def test_a_jpeg_stays_one_unless_another_kind_is_asked_for() -> None:
    cover = file_of(photograph(256, 192), quality=85)
    sent = fixednet.embed(cover, MESSAGE, KEY)
    assert (sent.suffix, sent.file[:2]) == (".jpg", b"\xff\xd8")
    assert fixednet.extract(sent.file, KEY) == MESSAGE
    assert fixednet.embed(signals.waves(64, 64), MESSAGE, KEY).suffix == ".png"
    changed = signals.with_levels(signals.read(cover), signals.to_levels(signals.read(cover)))
    assert fixednet.embed(changed, MESSAGE, KEY).suffix == ".png"
    flat = fixednet.embed(cover, MESSAGE, KEY, config=EmbedConfig(flat=True))
    assert flat.suffix == ".png"


def test_samples_of_a_jpeg_still_carry_messages_in_a_png() -> None:
    cover = file_of(photograph(256, 192), quality=85)
    sent = fixednet.embed(cover, MESSAGE, KEY, suffix=".png")
    assert sent.rate_bpnzac is None
    assert fixednet.extract(sent.file, KEY) == MESSAGE


def test_a_signal_forgets_its_file_when_its_samples_change() -> None:
    cover = signals.read(file_of(photograph(64, 48), quality=85))
    assert cover.jpeg is not None
    assert signals.with_levels(cover, signals.to_levels(cover)).jpeg is None
    assert signals.read(photograph(64, 48)).jpeg is None
