"""What a file says of its samples goes along into what is written, and nothing else does."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from stegfield import fixednet, signals
from stegfield.keys import Key
from stegfield.signals import IMAGE, Look, Signal, from_samples, waves
from stegfield.signals.look import profile_name

KEY = Key(bytes(range(32)))
PICTURE = Image.fromarray(signals.to_samples(waves(48, 64)))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def made_profile(*, name: str = "Wide", space: bytes = b"RGB ", red: float = 0.5151) -> bytes:
    """Make an ICC profile of three colorants, which is all that is read of it."""
    text = name.encode("utf-16-be")
    tags = {
        b"desc": b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(text), 28) + text,
        b"rXYZ": b"XYZ \0\0\0\0" + struct.pack(">3i", round(red * 65536), 15800, -69),
        b"gXYZ": b"XYZ \0\0\0\0" + struct.pack(">3i", 19136, 45357, 2746),
        b"bXYZ": b"XYZ \0\0\0\0" + struct.pack(">3i", 10293, 4378, 68852),
    }
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for tag, content in tags.items():
        table += struct.pack(">4sII", tag, start + len(body), len(content))
        body += content
    rest = struct.pack(">I", len(tags)) + table + body
    header = struct.pack(">I4sI", 128 + len(rest), b"lcms", 0x04400000) + b"mntr" + space
    header += b"XYZ " + bytes(12) + b"acsp"
    return header.ljust(128, b"\0") + rest


WIDE = made_profile()


def encode(kind: str = "PNG", picture: Image.Image = PICTURE, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def with_chunks(**chunks: bytes) -> bytes:
    """Put chunks into a PNG, behind its header."""
    data, made = encode(), b""
    for name, body in chunks.items():
        named = name.encode() + body
        made += struct.pack(">I", len(body)) + named + struct.pack(">I", zlib.crc32(named))
    return data[:33] + made + data[33:]


def look_of(data: bytes) -> Look:
    found = signals.read(data).look
    assert found is not None
    return found


def embedded(data: bytes, suffix: str = ".png", **options: Any) -> bytes:
    return fixednet.embed(signals.read(data), b"noon", KEY, suffix=suffix, **options).file


ExifIFD, GPSIFD = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo


def photo() -> bytes:
    """Make a JPEG as cameras do: maker, time, place, a thumbnail and a maker's note."""
    small = encode("JPEG", PICTURE.resize((32, 24)))
    exif = Image.Exif()
    exif[0x010F] = "Acme"
    exif[0x0132] = "2026:11:27 10:00:00"
    exif[0x0112] = 6
    exif[ExifIFD] = {0x9003: "2026:11:27 10:00:00", 0x927C: b"NOTE" * 9}
    exif[GPSIFD] = {1: "N"}
    tags = exif.tobytes()[6:]
    # a second directory, of the thumbnail, behind all
    start = len(tags)
    directory = struct.pack(">H", 3)
    for tag, kind, value in (
        (0x0103, 3, 6 << 16),
        (0x0201, 4, start + 42),
        (0x0202, 4, len(small)),
    ):
        directory += struct.pack(">HHII", tag, kind, 1, value)
    first = struct.unpack(">I", tags[4:8])[0]
    following = first + 2 + 12 * struct.unpack(">H", tags[first : first + 2])[0]
    tags = tags[:following] + struct.pack(">I", start) + tags[following + 4 :]
    data = encode("JPEG", exif=b"Exif\0\0" + tags + directory + bytes(4) + small)
    with Image.open(io.BytesIO(data)) as opened:
        assert len(opened.getexif().get_ifd(ExifIFD)) == 2
        assert opened.getexif().get_ifd(ExifTags.IFD.IFD1)[0x0202] == len(small)
    assert small in data
    return data


CHUNKS = {
    "gAMA": struct.pack(">I", 100_000),
    "cHRM": struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000),
    "cICP": bytes([9, 16, 0, 1]),
    "sRGB": b"\1",
}


@pytest.mark.parametrize("name", CHUNKS)
def test_a_png_keeps_its_chunks_on_colour_through_embedding(name: str) -> None:
    stego = embedded(with_chunks(**{name: CHUNKS[name]}))
    assert look_of(stego).chunks == ((name.encode(), CHUNKS[name]),)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_a_colour_profile_is_kept_to_the_byte(suffix: str) -> None:
    signal = signals.read(encode(icc_profile=WIDE))
    with Image.open(io.BytesIO(signals.encode(signal, suffix))) as written:
        assert written.info["icc_profile"] == WIDE
    assert IMAGE.lost_in(signal, suffix) == []


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".jpg"])
def test_the_resolution_is_kept(suffix: str) -> None:
    signal = signals.read(encode(dpi=(300, 200)))
    again = look_of(signals.encode(signal, suffix)).dpi
    assert again == pytest.approx((300, 200), abs=0.05)


@pytest.mark.parametrize(
    ("data", "suffix", "lost"),
    [
        (encode(icc_profile=WIDE), ".bmp", ["colour profile"]),
        (encode(dpi=(300, 300)), ".webp", ["resolution"]),
        (with_chunks(gAMA=CHUNKS["gAMA"]), ".tif", ["gamma and primaries"]),
        (with_chunks(cICP=CHUNKS["cICP"]), ".jpg", ["gamma and primaries"]),
        (with_chunks(sRGB=b"\0"), ".bmp", []),
        (photo(), ".tif", ["EXIF"]),
        (encode(), ".bmp", []),
    ],
)
def test_what_a_kind_of_file_cannot_hold_is_named(
    data: bytes, suffix: str, lost: list[str]
) -> None:
    signal = signals.read(data)
    assert IMAGE.lost_in(signal, suffix) == lost
    assert signals.read(signals.encode(signal, suffix)).size == signal.size


def test_a_grey_profile_is_not_written_into_colours() -> None:
    grey = made_profile(space=b"GRAY")
    signal = signals.read(encode(picture=PICTURE.convert("L"), icc_profile=grey))
    assert look_of(signals.encode(signal, ".png")).profile == grey
    assert IMAGE.lost_in(signal, ".webp") == ["colour profile"]
    assert look_of(signals.encode(signal, ".webp")).profile == b""


@pytest.mark.parametrize("profile", [b"odd", made_profile(space=b"CMYK"), WIDE[:100]])
def test_a_profile_that_does_not_suit_is_left_out_with_a_note(profile: bytes) -> None:
    signal = signals.read(encode(icc_profile=profile))
    assert signal.look == Look()
    assert signal.notes == ("has a colour profile that does not suit its samples and is left out",)


def test_a_turned_image_has_its_resolution_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert look_of(encode(dpi=(300, 200), exif=exif)).dpi == pytest.approx((200, 300), abs=0.05)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (encode(), encode(dpi=(300, 300)), True),
        (encode(), with_chunks(sRGB=b"\0"), True),
        (encode(), with_chunks(gAMA=struct.pack(">I", 45455)), True),
        (encode(), with_chunks(cICP=bytes([1, 13, 0, 1])), True),
        (encode(), encode(icc_profile=SRGB), True),
        (encode(), encode(icc_profile=made_profile(name="sRGB built-in")), False),
        (encode(), encode(icc_profile=WIDE), False),
        (encode(icc_profile=WIDE), encode("TIFF", icc_profile=WIDE), True),
        (encode(), with_chunks(gAMA=CHUNKS["gAMA"]), False),
        (encode(), with_chunks(cHRM=CHUNKS["cHRM"]), False),
        (with_chunks(cICP=CHUNKS["cICP"]), with_chunks(gAMA=CHUNKS["gAMA"]), False),
    ],
)
def test_looks_are_alike_if_viewers_show_the_same_colours(
    one: bytes, other: bytes, alike: bool
) -> None:
    assert look_of(one).shows_like(look_of(other)) is alike
    assert look_of(other).shows_like(look_of(one)) is alike


def test_colours_are_named() -> None:
    assert look_of(encode()).colours == "sRGB"
    assert look_of(encode(icc_profile=WIDE)).colours == "the profile Wide"
    assert look_of(with_chunks(gAMA=CHUNKS["gAMA"])).colours == "a gamma of 1"
    assert look_of(with_chunks(cICP=CHUNKS["cICP"])).colours == "the code points 9/16"


@given(st.binary(max_size=400), st.integers(0, 300), st.binary(max_size=12))
@settings(max_examples=200)
def test_no_profile_breaks_reading(made_up: bytes, at: int, edit: bytes) -> None:
    for profile in (made_up, WIDE[:at] + edit + WIDE[at + len(edit) :]):
        assert isinstance(profile_name(profile), str)
        assert isinstance(Look(profile=profile).colours, str)


# EXIF


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_exif_is_kept_only_if_asked_for_and_without_previews(suffix: str) -> None:
    data = photo()
    small = encode("JPEG", PICTURE.resize((32, 24)))
    kept, dropped = (embedded(data, suffix, keep_metadata=keep) for keep in (True, False))
    assert b"Acme" in kept
    assert b"Acme" not in dropped
    assert b"10:00:00" not in dropped
    for stego in (kept, dropped):
        assert small not in stego
        assert small[20:200] not in stego
        assert b"NOTENOTE" not in stego
    with Image.open(io.BytesIO(kept)) as opened:
        exif = opened.getexif()
        assert exif[0x010F] == "Acme"
        assert 0x0112 not in exif
        assert exif.get_ifd(ExifIFD)[0x9003] == "2026:11:27 10:00:00"
        assert exif.get_ifd(GPSIFD)[1] == "N"
        assert opened.size == (48, 64)  # turned as the tag said, once
    assert fixednet.extract(signals.read(kept), KEY) == b"noon"


def test_metadata_is_named() -> None:
    assert look_of(photo()).metadata == ("EXIF",)
    assert look_of(encode()).metadata == ()
    assert look_of(encode("JPEG", xmp=b"<x:xmpmeta/>", comment=b"hello")).metadata == (
        "XMP",
        "comments",
    )


# signals and looks


def test_a_look_stays_with_other_samples_and_enters_no_field(tmp_path: Path) -> None:
    from stegfield import fields
    from stegfield.config import FitConfig

    signal = signals.read(photo())
    look = replace(look_of(photo()), profile=WIDE)
    signal = replace(signal, values=signal.held, look=look)
    assert signals.with_levels(signal, signals.to_levels(signal)).look == signal.look
    plain = replace(signal, values=signal.held, look=None)
    sizes, config = {"width": 8, "depth": 2}, FitConfig(steps=2, seed=1)
    paths = []
    for index, each in enumerate((signal, plain)):
        path = tmp_path / f"{index}.safetensors"
        fields.save(path, fields.fit(each, sizes=sizes, training=config, draw=False).field)
        paths.append(path.read_bytes())
    assert paths[0] == paths[1]


def test_signals_of_8_bit_samples_make_values_when_asked() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(8, 32, 1)
    signal = from_samples(levels)
    assert signals.to_samples(signal) is signal.samples
    assert not signal.samples.flags.writeable
    expected = levels.astype(np.float32) / np.float32(127.5) - 1
    assert np.array_equal(signal.values, expected)
    assert signal.values is signal.values
    assert signal.values.flags.writeable
    assert np.array_equal(signals.to_samples(Signal(expected)), levels)
    changed = replace(signal, values=signal.held, origin="JPEG")
    assert "made" not in vars(changed)
    assert np.array_equal(replace(signal, values=-signal.values).values, -expected)
