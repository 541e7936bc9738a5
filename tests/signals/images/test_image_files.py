from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from stegfield.errors import ConfigError, ImageError, InputError, OutputError
from stegfield.metrics import Samples
from stegfield.signals import (
    IMAGE,
    LARGEST_POINTS,
    Signal,
    from_samples,
    read,
    resize,
    to_png,
    to_samples,
)
from stegfield.signals import decode as read_bytes
from stegfield.signals import encode as encode_signal
from stegfield.signals.images.medium import WRITTEN
from stegfield.signals.images.opening import FORMAT_HINT, _canvas, distrusting

FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "TIFF"]
NOT_LOSSY: dict[str, dict[str, Any]] = {
    "PNG": {},
    "BMP": {},
    "TIFF": {},
    "WEBP": {"lossless": True, "exact": True},
}
sides = st.integers(8, 40)


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Write an image as Pillow does."""
    stream = io.BytesIO()
    image.save(stream, kind, **{**NOT_LOSSY.get(kind, {}), **options})
    return stream.getvalue()


def decode(data: bytes, mode: str) -> Samples:
    """Read an image as Pillow does."""
    with Image.open(io.BytesIO(data)) as image:
        levels = np.asarray(image.convert(mode))
    return levels if levels.ndim == 3 else levels[..., None]


def put(folder: Path, data: bytes, name: str = "image") -> Path:
    """Write a file; what it holds decides, not its name."""
    path = folder / name
    path.write_bytes(data)
    return path


def samples(folder: Path, data: bytes, *, flatten: bool = False) -> Samples:
    """Read an image file as `stegfield.signals.read` does."""
    signal = read(put(folder, data), flatten=flatten)
    assert signal.medium is IMAGE
    assert signal.values.dtype == np.float32
    return to_samples(signal)


def chunk(name: bytes, body: bytes) -> bytes:
    """Make a PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    size: tuple[int, int], depth: int, colour: int, rows: bytes, *extra: bytes, interlaced: int = 0
) -> bytes:
    """Make a PNG by hand; ``colour`` is 0 for grey, 2 for RGB, 3 for palette, +4 for alpha."""
    header = struct.pack(">IIBBBBB", size[1], size[0], depth, colour, 0, 0, interlaced)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            *extra,
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )


def bmp(rows: int, columns: int) -> bytes:
    """Make the header of a grey BMP."""
    sizes = struct.pack("<IiiHHIIiiII", 40, columns, rows, 1, 8, 0, 0, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1 << 20, 0, 0, 1078) + sizes + bytes(1024)


def tiff(rows: int, columns: int) -> bytes:
    """Make the header of a grey TIFF whose samples would begin behind it."""
    tags = [(256, columns), (257, rows), (258, 8), (259, 1), (262, 1)]
    tags += [(273, 200), (277, 1), (278, rows), (279, rows * columns % 2**32)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(200)


def jpeg(rows: int, columns: int) -> bytes:
    """Make a JPEG that claims another size than its own."""
    data = encode(Image.new("L", (16, 16)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", rows, columns) + data[at + 4 :]


def noise(rows: int, columns: int, channels: int, seed: int = 0) -> Samples:
    """Draw independent samples."""
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (rows, columns, channels), dtype=np.uint8)


def smooth(rows: int, columns: int) -> Image.Image:
    """Draw an RGB image that JPEG keeps well."""
    row, column = np.indices((rows, columns))
    bands = [row * 200 // rows, column * 200 // columns, (row + column) * 200 // (rows + columns)]
    return Image.fromarray(np.stack(bands, axis=-1).astype(np.uint8))


def plain(levels: Samples) -> Image.Image:
    """Make an L, LA, RGB or RGBA image."""
    return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)


# what becomes of a file's samples


@pytest.mark.parametrize("kind", NOT_LOSSY)
@given(levels=arrays.arrays(np.uint8, st.tuples(sides, sides, st.just(3))))
@settings(max_examples=8)
def test_rgb_is_taken_as_it_is(kind: str, levels: Samples, tmp_path: Path) -> None:
    assert np.array_equal(samples(tmp_path, encode(plain(levels), kind)), levels)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
@given(levels=arrays.arrays(np.uint8, st.tuples(sides, sides, st.just(1))))
@settings(max_examples=8)
def test_grey_stays_one_channel_as_it_is(kind: str, levels: Samples, tmp_path: Path) -> None:
    assert np.array_equal(samples(tmp_path, encode(plain(levels), kind)), levels)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_two_values_become_black_and_white(kind: str, tmp_path: Path) -> None:
    bits = noise(13, 9, 1) > 99
    data = encode(Image.fromarray(bits[..., 0]), kind)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "1"
    assert np.array_equal(samples(tmp_path, data), np.where(bits, 255, 0))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("grey", [True, False])
def test_a_palette_becomes_its_colours(kind: str, grey: bool, tmp_path: Path) -> None:
    at = noise(11, 14, 1)[..., 0]
    palette = np.repeat(noise(256, 1, 1, seed=1), 3, axis=2) if grey else noise(256, 1, 3, seed=1)
    image = Image.fromarray(at)
    image.putpalette(palette.tobytes())
    data = encode(image, kind)
    with Image.open(io.BytesIO(data)) as written:
        assert written.mode == "P"
    assert np.array_equal(samples(tmp_path, data), palette[:, 0][at])


SIXTEEN = np.arange(1 << 16).reshape(1 << 7, 1 << 9)


@pytest.mark.parametrize(("kind", "order"), [("PNG", "<u2"), ("TIFF", "<u2"), ("TIFF", ">u2")])
def test_16_bit_grey_v_becomes_v_by_257_rounded(kind: str, order: str, tmp_path: Path) -> None:
    data = encode(Image.fromarray(SIXTEEN.astype(order)), kind)
    found = samples(tmp_path, data)[..., 0]
    assert np.array_equal(found, np.floor(SIXTEEN / 257 + 0.5))
    assert (found[0, 0], found[-1, -1]) == (0, 255)


def test_8_bit_grey_widened_to_16_bits_comes_back(tmp_path: Path) -> None:
    levels = noise(20, 17, 1)
    wide = Image.fromarray(levels[..., 0].astype(np.uint16) * 257)
    assert np.array_equal(samples(tmp_path, encode(wide)), levels)


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 1), (6, 3)])
def test_16_bit_rgb_and_16_bits_with_alpha_keep_all_bits_as_values(
    colour: int, channels: int, tmp_path: Path
) -> None:
    wide = noise(9, 12, 2 * channels)
    opaque = np.full((9, 12, 2 if colour > 2 else 0), 255, np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in np.concatenate([wide, opaque], axis=2))
    signal = read(put(tmp_path, png((9, 12), 16, colour, rows)))
    exact = wide[..., ::2] * 256.0 + wide[..., 1::2]
    assert np.abs(signal.values - (exact / 32767.5 - 1)).max() < 1e-6
    assert np.array_equal(to_samples(signal), np.floor(exact / 257 + 0.5))


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_16_bit_rgb_keeps_all_bits_as_values(
    order: str, options: dict[str, str], tmp_path: Path
) -> None:
    tifffile = pytest.importorskip("tifffile", reason="Pillow writes no RGB of 16 bits")
    wide = np.random.default_rng(0).integers(0, 1 << 16, (9, 12, 3), dtype=np.uint16)
    path = tmp_path / "wide.tif"
    tifffile.imwrite(path, wide, photometric="rgb", byteorder=order, **options)
    assert np.abs(read(path).values - (wide / 32767.5 - 1)).max() < 1e-6


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 30}])
def test_a_jpeg_is_what_pillow_decodes(mode: str, options: dict[str, Any], tmp_path: Path) -> None:
    data = encode(smooth(19, 42).convert(mode), "JPEG", **options)
    assert np.array_equal(samples(tmp_path, data), decode(data, mode))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "CMYK"), ("TIFF", "CMYK"), ("TIFF", "YCbCr"), ("TIFF", "LAB"), ("TIFF", "PA")],
)
def test_other_colours_become_rgb_as_pillow_converts_them(
    kind: str, mode: str, tmp_path: Path
) -> None:
    data = encode(smooth(19, 42).convert(mode), kind)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode in (mode, "RGB")  # some releases of Pillow convert YCbCr as they decode
    try:
        wanted = decode(data, "RGB")
    except OSError:
        pytest.skip("this release of Pillow cannot read what it wrote")
    assert np.array_equal(samples(tmp_path, data), wanted)


def test_cmyk_without_black_is_the_complement_of_rgb(tmp_path: Path) -> None:
    inks = noise(10, 12, 4)
    inks[..., 3] = 0
    data = encode(Image.frombytes("CMYK", (12, 10), inks.tobytes()), "TIFF")
    assert np.array_equal(samples(tmp_path, data), 255 - inks[..., :3])


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_compressed_tiff_is_read_like_a_plain_one(compression: str, tmp_path: Path) -> None:
    levels = noise(21, 33, 3)
    data = encode(plain(levels), "TIFF", compression=compression)
    assert np.array_equal(samples(tmp_path, data), levels)


def test_profiles_and_notes_change_nothing(tmp_path: Path) -> None:
    image = plain(noise(9, 12, 3))
    data = encode(image, icc_profile=b"not a profile", dpi=(300, 300))
    assert data != encode(image)
    assert np.array_equal(samples(tmp_path, data), noise(9, 12, 3))


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        (np.linspace(0, 1, 120, dtype=np.float32), "floating-point"),
        (np.arange(120, dtype=np.int32) * 1000, "32-bit"),
        (np.arange(120, dtype=np.int32) - 1, "32-bit"),
    ],
)
def test_samples_without_a_scale_are_refused(
    levels: NDArray[Any], why: str, tmp_path: Path
) -> None:
    data = encode(Image.fromarray(levels.reshape(10, 12)), "TIFF")
    with pytest.raises(ImageError, match=why) as caught:
        samples(tmp_path, data)
    assert caught.value.hint == "save it with 8 or 16 bits"


# orientation

TURNS: dict[int, Callable[[Samples], Samples]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}


def oriented(orientation: int) -> Image.Exif:
    """Make EXIF data that says how the camera was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(kind: str, orientation: int, tmp_path: Path) -> None:
    image = smooth(9, 21)
    expected = TURNS[orientation](decode(encode(image, kind), "RGB"))
    found = samples(tmp_path, encode(image, kind, exif=oriented(orientation)))
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_orientation_is_applied_to_grey_and_to_transparent_images(
    channels: int, orientation: int, tmp_path: Path
) -> None:
    levels = noise(9, 12, channels)
    upright, turned = (
        samples(tmp_path, encode(plain(levels), exif=exif), flatten=True)
        for exif in (None, oriented(orientation))
    )
    assert np.array_equal(turned, TURNS[orientation](upright))


@pytest.mark.parametrize("orientation", TURNS)
def test_orientation_is_applied_to_16_bit_grey(orientation: int, tmp_path: Path) -> None:
    data = encode(Image.fromarray(SIXTEEN.astype(np.uint16)), exif=oriented(orientation))
    expected = TURNS[orientation](np.floor(SIXTEEN / 257 + 0.5))
    assert np.array_equal(samples(tmp_path, data)[..., 0], expected)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_changes_nothing(
    orientation: int, tmp_path: Path
) -> None:
    data = encode(plain(noise(9, 12, 3)), exif=oriented(orientation))
    assert np.array_equal(samples(tmp_path, data), noise(9, 12, 3))


ODD_EXIF = {
    # an XResolution that is a letter, which cannot be written again as a number
    6: struct.pack("<HHHI2sHHHI4s", 2, 0x0112, 3, 1, b"\6\0", 0, 0x011A, 2, 2, b"x\0\0\0"),
    # nothing that could be read
    1: b"\xff" * 40,
}


@pytest.mark.parametrize("orientation", ODD_EXIF)
def test_odd_exif_is_no_reason_to_refuse_an_image(orientation: int, tmp_path: Path) -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0" + ODD_EXIF[orientation] + bytes(4)
    image = smooth(9, 21)
    found = samples(tmp_path, encode(image, "JPEG", exif=exif))
    expected = TURNS[orientation](decode(encode(image, "JPEG"), "RGB"))
    assert np.array_equal(found, expected)


# transparency


def palette_image(alphas: bytes) -> bytes:
    """Make a PNG of 4 colours, as transparent as ``alphas`` says."""
    image = Image.fromarray(noise(9, 12, 1)[..., 0] % 4)
    image.putpalette(noise(4, 1, 3).tobytes())
    return encode(image, transparency=alphas)


def keyed(depth: int, colour: int, *, used: bool) -> tuple[bytes, Samples]:
    """Make a PNG with one transparent colour; give its samples with white in that place.

    The colour is that of the pixel at (2, 3), or one that is nowhere in the image.
    """
    channels = 3 if colour == 2 else 1
    step = 1 << max(0, depth - 8)  # what two samples that differ in 8 bits differ by at least
    wide = noise(16, 16, channels).astype(np.int64) * step % (1 << depth)
    unused = (1 << depth) - 1
    wide[wide == unused] = 0
    wide[2, 3] = unused - step
    key = wide[2, 3] if used else np.full(channels, unused)
    bits = (wide[..., None] >> np.arange(depth)[::-1]) & 1
    packed = np.packbits(bits.reshape(16, -1).astype(np.uint8), axis=1)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    clear = (wide == key).all(axis=-1, keepdims=True)
    high = depth * channels == 48 and used
    levels = wide >> 8 if high else np.floor(wide * 255 / unused + 0.5)
    transparent = chunk(b"tRNS", key.astype(">u2").tobytes())
    return png((16, 16), depth, colour, rows, transparent), np.where(clear, 255, levels)


DEPTHS = [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2)]
TRANSPARENT = {
    "LA in PNG": encode(plain(noise(9, 12, 2))),
    "LA in TIFF": encode(plain(noise(9, 12, 2)), "TIFF"),
    "RGBA in PNG": encode(plain(noise(9, 12, 4))),
    "RGBA in TIFF": encode(plain(noise(9, 12, 4)), "TIFF"),
    "RGBA in WebP": encode(plain(noise(9, 12, 4)), "WEBP"),
    "RGBA in lossy WebP": encode(plain(noise(9, 12, 4)), "WEBP", lossless=False),
    "a palette in PNG": palette_image(bytes([255, 0, 128, 255])),
    **{f"a colour of {d} bits, type {c}": keyed(d, c, used=True)[0] for d, c in DEPTHS},
}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_transparency_is_refused_with_a_way_out(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is transparent") as caught:
        samples(tmp_path, TRANSPARENT[name])
    assert caught.value.hint is not None
    assert "flatten=True" in caught.value.hint
    assert samples(tmp_path, TRANSPARENT[name], flatten=True).shape[2] in (1, 3)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("channels", [2, 4])
def test_flattening_mixes_with_white_by_alpha(kind: str, channels: int, tmp_path: Path) -> None:
    levels = noise(20, 23, channels)
    data = encode(plain(levels), kind)
    colours, alpha = levels[..., :-1].astype(float), levels[..., -1:] / 255
    found = samples(tmp_path, data, flatten=True)
    assert np.abs(found - (colours * alpha + 255 * (1 - alpha))).max() <= 1


@pytest.mark.parametrize("channels", [2, 4])
def test_what_is_wholly_transparent_becomes_white(channels: int, tmp_path: Path) -> None:
    levels = noise(9, 12, channels)
    levels[..., -1] = 0
    found = samples(tmp_path, encode(plain(levels)), flatten=True)
    assert found.shape == (9, 12, channels - 1)
    assert (found == 255).all()


@pytest.mark.parametrize(("depth", "colour"), DEPTHS)
def test_flattening_makes_the_transparent_colour_white(
    depth: int, colour: int, tmp_path: Path
) -> None:
    data, expected = keyed(depth, colour, used=True)
    assert np.array_equal(samples(tmp_path, data, flatten=True), expected)


@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize(("depth", "colour"), DEPTHS)
def test_a_transparent_colour_without_pixels_changes_nothing(
    depth: int, colour: int, flatten: bool, tmp_path: Path
) -> None:
    data, expected = keyed(depth, colour, used=False)
    assert np.array_equal(samples(tmp_path, data, flatten=flatten), expected)


@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("channels", [2, 4])
def test_an_opaque_image_with_alpha_is_read_as_without(
    channels: int, kind: str, flatten: bool, tmp_path: Path
) -> None:
    levels = noise(20, 23, channels)
    levels[..., -1] = 255
    found = samples(tmp_path, encode(plain(levels), kind), flatten=flatten)
    assert np.array_equal(found[..., : channels - 1], levels[..., :-1])


def test_an_opaque_palette_is_read_as_without(tmp_path: Path) -> None:
    opaque = samples(tmp_path, palette_image(bytes([255] * 4)))
    assert np.array_equal(opaque, noise(4, 1, 3)[:, 0][noise(9, 12, 1)[..., 0] % 4])


# what is refused


def several(kind: str) -> bytes:
    """Write two different frames into one file."""
    frames = [plain(noise(9, 12, 3, seed)) for seed in (1, 2)]
    return encode(frames[0], kind, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "AVIF"])
def test_several_frames_are_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="several frames") as caught:
        samples(tmp_path, several(kind))
    assert caught.value.hint is not None


def test_an_animated_png_that_is_named_as_a_still_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="not an image but a video") as caught:
        read(put(tmp_path, several("PNG"), "photo.png"))
    assert caught.value.hint == "name it .apng"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("size", [(7, 8), (8, 7), (1, 1), (100, 3)])
def test_a_side_of_fewer_than_8_pixels_is_refused(
    kind: str, size: tuple[int, int], tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match=f"{size[1]}x{size[0]} pixels") as caught:
        samples(tmp_path, encode(plain(noise(*size, 3)), kind))
    assert caught.value.hint == "each side needs 8 at least"


HEADERS = {
    "PNG": lambda rows, columns: png((rows, columns), 8, 0, b""),
    "BMP": bmp,
    "TIFF": tiff,
    "JPEG": jpeg,
}
HUGE = [(30_000, 30_000), (9_000, 10_000), (10_000, LARGEST_POINTS // 10_000 + 1), (65_000, 2_000)]


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("size", HUGE)
def test_an_image_of_more_than_80_megapixels_is_refused_unread(
    kind: str, size: tuple[int, int], tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match=r"too large|pixels") as caught:
        samples(tmp_path, HEADERS[kind](*size))
    assert caught.value.hint == "reduce it to 80 megapixels or less"


@pytest.mark.parametrize("kind", HEADERS)
def test_the_bound_holds_where_pillow_has_none(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    for size in HUGE:
        with pytest.raises(ImageError, match=f"{size[1]}x{size[0]} pixels"):
            samples(tmp_path, HEADERS[kind](*size))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_header_without_pixels_is_a_damaged_image_where_it_is_not_too_large(
    kind: str, tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match=r"damaged|incomplete"):
        samples(tmp_path, HEADERS[kind](400, 300))


def test_80_megapixels_are_not_too_large(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="incomplete"):  # and not: too large
        samples(tmp_path, HEADERS["PNG"](10_000, LARGEST_POINTS // 10_000))


@pytest.mark.parametrize("kind", ["VP8X", "VP8 ", "VP8L"])
def test_a_webp_of_few_bytes_does_not_take_a_gigabyte(kind: str, tmp_path: Path) -> None:
    """Pillow takes memory for all pixels twice before it tells their number."""
    columns, rows = 8000, 5001
    body = {
        "VP8X": bytes(4) + struct.pack("<I", columns - 1)[:3] + struct.pack("<I", rows - 1)[:3],
        "VP8 ": b"\x10\0\0\x9d\x01*" + struct.pack("<HH", columns, rows),
        "VP8L": b"/" + struct.pack("<I", (columns - 1) | (rows - 1) << 14),
    }[kind]
    body += bytes(len(body) % 2)
    chunks = b"WEBP" + kind.encode() + struct.pack("<I", len(body)) + body
    with pytest.raises(ImageError, match=r"has 8000x5001 pixels") as raised:
        samples(tmp_path, b"RIFF" + struct.pack("<I", len(chunks)) + chunks)
    assert raised.value.hint == "reduce it to 40 megapixels or less"


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [False, True])
def test_the_size_of_a_webp_is_known_before_it_is_opened(mode: str, lossless: bool) -> None:
    stream = io.BytesIO()
    Image.effect_noise((213, 57), 50).convert(mode).save(stream, "WEBP", lossless=lossless)
    assert _canvas(stream.getvalue()) == (213, 57)
    assert _canvas(stream.getvalue()[:20]) <= (213, 57)


def test_what_a_decoder_says_becomes_one_line() -> None:
    with pytest.raises(ImageError) as raised, distrusting(Path("x.heic")):
        raise SyntaxError("too large\nso\n" + "long\n" * 99)
    told = str(raised.value)
    assert told.startswith("x.heic is a damaged image: too large so long long")
    assert "\n" not in told
    assert len(told) < 200


def test_a_jpeg_of_scans_without_end_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("L", (64, 64), 90).save(stream, "JPEG", progressive=True)
    whole = stream.getvalue()
    scans, last = whole.count(b"\xff\xda"), whole[whole.rfind(b"\xff\xda") : -2]
    samples(tmp_path, whole[:-2] + last * (64 - scans) + whole[-2:])
    # what follows the picture is not of it, nor what an application adds
    added = b"\xff\xef" + struct.pack(">H", 2 + 400) + b"\xff\xda" * 200
    samples(tmp_path, whole[:2] + added + whole[2:] + b"\xff\xda\0\2" * 100)
    with pytest.raises(ImageError, match="more than 64 scans"):
        samples(tmp_path, whole[:-2] + last * (65 - scans) + whole[-2:])


def test_a_text_that_swells_is_refused_or_ignored(tmp_path: Path) -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << 26), 9))
    try:
        found = samples(tmp_path, png((8, 8), 8, 0, bytes(72), bomb))
    except ImageError:
        return
    assert not found.any()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"hello, world\n" * 40,
        b"\x89PNG\r\n\x1a\n",
        bytes(5000),
        *[encode(smooth(9, 12), kind) for kind in ("TGA", "PCX")],
    ],
    ids=lambda data: repr(data[:8]),
)
def test_what_is_not_an_image_is_refused_with_what_would_do(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="image") as caught:
        samples(tmp_path, data)
    assert caught.value.hint == FORMAT_HINT
    assert str(tmp_path / "image") in str(caught.value)


def test_the_name_does_not_decide(tmp_path: Path) -> None:
    path = put(tmp_path, encode(plain(noise(9, 12, 3))), "photo.jpg")
    assert np.array_equal(to_samples(read(path)), noise(9, 12, 3))


@pytest.mark.parametrize("name", ["photo.gif", "photo.png", "photo"])
def test_a_gif_of_one_frame_is_an_image(name: str, tmp_path: Path) -> None:
    palette = smooth(9, 12).convert("P")
    signal = read(put(tmp_path, encode(palette, "GIF"), name))
    assert signal.medium is IMAGE
    assert signal.origin == "palette"
    assert np.array_equal(to_samples(signal), decode(encode(palette), "RGB"))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "missing.png")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)


# damage

REAL: list[bytes] = [
    *[encode(smooth(9, 14), kind) for kind in FORMATS],
    *TRANSPARENT.values(),
    *[several(kind) for kind in ("PNG", "WEBP", "TIFF", "MPO")],
    *[encode(smooth(9, 14), kind, exif=oriented(6)) for kind in ("PNG", "JPEG", "WEBP", "TIFF")],
    *[encode(smooth(9, 14).convert("CMYK"), kind) for kind in ("JPEG", "TIFF")],
    encode(smooth(9, 14), "JPEG", progressive=True),
    encode(smooth(9, 14), "TIFF", compression="tiff_lzw"),
    encode(smooth(9, 14), "TIFF", compression="jpeg"),
    encode(smooth(9, 14).convert("LAB"), "TIFF"),
    encode(Image.fromarray(SIXTEEN[:9, :14].astype(np.uint16))),
    encode(Image.fromarray(SIXTEEN[:9, :14].astype(">u2")), "TIFF"),
    encode(smooth(9, 14).convert("P"), "BMP"),
    encode(smooth(9, 14).convert("1"), "TIFF", compression="group4"),
]
places = st.integers(0, 1 << 16)
edits = st.one_of(
    st.tuples(places, st.just(1), st.binary(min_size=1, max_size=1)),  # other bytes
    st.tuples(places, st.integers(0, 8), st.binary(max_size=8)),  # more or fewer bytes
    st.tuples(places, st.integers(0, 400), st.just(b"")),  # a gap
)


def read_or_refused(folder: Path, data: bytes) -> Signal | None:
    """Read a file; anything but a sound signal and an `InputError` fails the test."""
    path = put(folder, data)
    for flatten in (False, True):
        try:
            signal = read(path, flatten=flatten)
        except InputError:
            continue
        assert min(signal.size) >= 8
        assert signal.channels in (1, 3)
        assert np.abs(signal.values).max() <= 1
        return signal
    return None


@pytest.mark.parametrize("kind", FORMATS)
def test_a_truncated_image_is_refused_unless_only_its_end_mark_is_lost(
    kind: str, tmp_path: Path
) -> None:
    data = encode(plain(noise(9, 14, 3)), kind)
    whole = samples(tmp_path, data)
    for length in (*range(0, len(data), 9), *range(len(data) - 40, len(data))):
        signal = read_or_refused(tmp_path, data[:length])
        if signal is not None:
            assert len(data) - length <= 20
            assert np.array_equal(to_samples(signal), whole)


def test_libtiff_says_nothing_beside_the_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encode(plain(noise(64, 64, 3)), "TIFF", compression="tiff_lzw")
    with pytest.raises(ImageError, match="is a damaged image"):
        read(put(tmp_path, data[:200] + b"\xff" * 200 + data[400:]))
    assert capfd.readouterr() == ("", "")


@given(st.sampled_from(REAL), st.lists(edits, min_size=1, max_size=5))
@settings(max_examples=300)
def test_a_damaged_image_is_read_or_refused(
    tmp_path: Path, data: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for place, length, other in edits:
        at = place % len(data) if data else 0
        data = data[:at] + other + data[at + length :]
    read_or_refused(tmp_path, data)


MAGIC = [data[:length] for data in REAL[: len(FORMATS)] for length in (4, 16, 60)]


@given(st.sampled_from([b"", *MAGIC]), st.binary(max_size=300))
@settings(max_examples=100)
def test_random_bytes_are_refused(tmp_path: Path, start: bytes, data: bytes) -> None:
    read_or_refused(tmp_path, start + data)


FILTERED = [(bytes([kind]) + bytes(range(200))) * 40 for kind in range(5)]
pngs = st.builds(
    lambda size, depth, colour, rows, chunks, interlaced: png(
        size, depth, colour, rows, *chunks, interlaced=interlaced
    ),
    st.tuples(st.integers(0, 20), st.integers(0, 20)),
    st.sampled_from([1, 2, 4, 8, 16, 3]),
    st.sampled_from([0, 2, 3, 4, 6, 1]),
    st.sampled_from(FILTERED),
    st.lists(
        st.builds(
            chunk,
            st.sampled_from([b"tRNS", b"PLTE", b"eXIf", b"gAMA", b"iCCP", b"sBIT", b"acTL"]),
            st.one_of(st.binary(max_size=12), st.just(oriented(6).tobytes())),
        ),
        max_size=4,
    ),
    st.integers(0, 1),
)


@given(pngs)
@settings(max_examples=200)
@example(png((9, 12), 16, 0, FILTERED[0], chunk(b"tRNS", b"\0")))
@example(png((9, 12), 4, 0, FILTERED[0], chunk(b"tRNS", b"\xff\xff")))
@example(png((9, 12), 16, 2, FILTERED[0], chunk(b"tRNS", b"\xff" * 6), interlaced=1))
@example(png((9, 12), 16, 6, FILTERED[0], chunk(b"tRNS", b"\xff" * 6), interlaced=1))
@example(png((9, 12), 4, 3, FILTERED[0], chunk(b"PLTE", bytes(9)), chunk(b"tRNS", bytes(6))))
def test_any_png_of_sound_chunks_is_read_or_refused(tmp_path: Path, data: bytes) -> None:
    read_or_refused(tmp_path, data)


# back to files


@given(
    arrays.arrays(np.uint8, st.tuples(sides, sides, st.sampled_from([1, 3]))),
)
@example(np.arange(256, dtype=np.uint8).reshape(8, 32, 1))
def test_png_keeps_8_bit_samples_exactly(tmp_path: Path, levels: Samples) -> None:
    signal = Signal(levels.astype(np.float32) / 127.5 - 1)
    assert np.array_equal(to_samples(signal), levels)
    again = read(put(tmp_path, to_png(signal)))
    assert np.array_equal(again.values, signal.values)


@given(st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=30))
def test_to_samples_clips_and_rounds_to_the_nearest_level(values: list[float]) -> None:
    found = to_samples(Signal(np.array(values).reshape(1, -1, 1)))[0, :, 0]
    exact = (np.clip(np.array(values), -1, 1) + 1) * 127.5
    assert np.abs(found - exact).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_is_8_bits_deep_grey_or_rgb(channels: int) -> None:
    data = to_png(Signal(np.zeros((9, 12, channels))))
    assert data[24:26] == bytes([8, 0 if channels == 1 else 2])
    assert data[16:24] == struct.pack(">II", 12, 9)


@pytest.mark.parametrize("kind", FORMATS)
@given(size=st.tuples(st.integers(8, 90), st.integers(8, 90)))
@settings(max_examples=10)
@example(size=(8, 8))
@example(size=(8, 500))
@example(size=(500, 8))
def test_any_size_and_aspect_from_8_by_8_up_is_read(
    kind: str, size: tuple[int, int], tmp_path: Path
) -> None:
    assert read(put(tmp_path, encode(smooth(*size), kind))).size == size


# sizes


@given(st.tuples(sides, sides), st.integers(8, 80), st.sampled_from([1, 3]))
@example((8, 40), 8, 3)
def test_resize_keeps_the_aspect_to_half_a_pixel(
    size: tuple[int, int], longest: int, channels: int
) -> None:
    found = resize(Signal(np.zeros((*size, channels))), longest)
    assert max(found.size) == longest
    assert found.channels == channels
    for side, before in zip(found.size, size, strict=True):
        assert abs(side - before * longest / max(size)) <= 0.5


@given(st.tuples(sides, sides), st.integers(8, 80), st.integers(0, 255), st.sampled_from([1, 3]))
def test_resize_keeps_a_plain_colour(
    size: tuple[int, int], longest: int, level: int, channels: int
) -> None:
    found = resize(Signal(np.full((*size, channels), level / 127.5 - 1)), longest)
    assert (to_samples(found) == level).all()


@given(arrays.arrays(np.uint8, st.tuples(sides, sides, st.sampled_from([1, 3]))))
def test_resize_to_its_own_size_changes_nothing(levels: Samples) -> None:
    signal = Signal(levels.astype(np.float32) / 127.5 - 1)
    assert np.array_equal(resize(signal, max(signal.size)).values, signal.values)


def test_resize_gives_even_the_shortest_side_a_pixel() -> None:
    assert resize(Signal(np.zeros((8, 500, 3))), 16).size == (1, 16)


def test_resize_commutes_with_turning() -> None:
    signal = from_samples(np.array(smooth(30, 44)))
    turned = Signal(signal.values.swapaxes(0, 1))
    here, there = resize(signal, 22).values, resize(turned, 22).values
    assert np.allclose(here.swapaxes(0, 1), there, rtol=0, atol=2 / 127.5 + 1e-6)


def test_the_first_picture_of_a_cameras_mpo_is_read(tmp_path: Path) -> None:
    photo, preview = (Image.new("RGB", (16, 12), colour) for colour in ("teal", "red"))
    stream = io.BytesIO()
    photo.save(stream, "MPO", save_all=True, append_images=[preview])
    shown = read(put(tmp_path, stream.getvalue()))
    assert shown.size == (12, 16)
    assert np.abs(to_samples(shown)[0, 0].astype(int) - [0, 128, 128]).max() < 6


# signals to files of every kind


@pytest.mark.parametrize("suffix", IMAGE.lossless)
@given(levels=arrays.arrays(np.uint8, st.tuples(sides, sides, st.sampled_from([1, 3]))))
@settings(max_examples=8)
@example(levels=np.arange(256, dtype=np.uint8).reshape(8, 32, 1))
def test_files_that_keep_samples_do(suffix: str, levels: Samples) -> None:
    signal = from_samples(levels)
    again = to_samples(read_bytes(encode_signal(signal, suffix), Path("image")))
    assert np.array_equal(again, np.broadcast_to(levels, again.shape))
    assert again.shape[2] == (3 if suffix == ".webp" else levels.shape[2])  # WebP knows no grey


@given(arrays.arrays(np.uint8, st.tuples(sides, sides, st.sampled_from([1, 3]))))
def test_to_samples_undoes_from_samples(levels: Samples) -> None:
    signal = from_samples(levels)
    assert np.array_equal(to_samples(signal), levels)
    assert np.abs(signal.values).max() <= 1


@pytest.mark.parametrize("suffix", IMAGE.written)
def test_a_suffix_decides_the_kind_of_file_in_any_case_of_its_letters(suffix: str) -> None:
    signal = from_samples(np.array(smooth(16, 24)))
    kinds = []
    for name in (suffix, suffix.upper()):
        with Image.open(io.BytesIO(encode_signal(signal, name))) as image:
            kinds.append((image.format, image.size, image.mode))
            # a TIFF's tags, which tell its size, are Exif data to Pillow
            assert image.format == "TIFF" or not image.getexif()
    assert kinds == [(WRITTEN[suffix][0], (24, 16), "RGB")] * 2


@pytest.mark.parametrize("suffix", ["", ".gif", "png", ".pn", ".svg"])
def test_other_suffixes_are_refused(suffix: str) -> None:
    with pytest.raises(ConfigError, match="suffix") as caught:
        encode_signal(from_samples(noise(8, 8, 3)), suffix)
    assert caught.value.hint is not None
    assert ".png" in caught.value.hint


@pytest.mark.parametrize("suffix", [".webp", ".jpg"])
def test_an_image_too_long_for_its_format_is_refused(suffix: str) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        encode_signal(from_samples(np.zeros((8, 65_600, 1), np.uint8)), suffix)


def test_decoding_bytes_names_the_file_in_errors() -> None:
    for data in (b"", b"no image", encode(smooth(9, 9))[:60]):
        with pytest.raises(ImageError, match="that one"):
            read_bytes(data, Path("that one"))


@pytest.mark.parametrize(
    ("kind", "mode", "options", "origin"),
    [
        ("PNG", "RGB", {}, None),
        ("PNG", "L", {}, None),
        ("PNG", "P", {}, "palette"),
        ("BMP", "P", {}, "palette"),
        ("TIFF", "P", {}, "palette"),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}, None),
        ("TIFF", "RGB", {"compression": "jpeg"}, "JPEG"),
        ("JPEG", "L", {}, "JPEG"),
        ("JPEG", "RGB", {}, "JPEG"),
        ("WEBP", "RGB", {}, None),
        ("WEBP", "RGB", {"lossless": False, "quality": 100}, "WebP"),
        ("WEBP", "RGB", {"lossless": False, "icc_profile": b"odd", "exif": b"Exif\0\0"}, "WebP"),
        ("WEBP", "RGB", {"icc_profile": b"odd"}, None),
        ("PNG", "1", {}, "few levels"),
        ("BMP", "1", {}, "few levels"),
        ("PNG", "I;16", {}, "few levels"),
        ("TIFF", "I;16", {}, "few levels"),
        ("GIF", "P", {}, "palette"),
        ("PPM", "RGB", {}, None),
        ("AVIF", "RGB", {}, "AVIF"),
    ],
)
def test_a_signal_tells_what_its_file_left_in_the_samples(
    kind: str, mode: str, options: dict[str, Any], origin: str | None
) -> None:
    picture = Image.effect_noise((16, 16), 50).convert("RGB").convert(mode)
    assert read_bytes(encode(picture, kind, **options), Path("image")).origin == origin


@pytest.mark.parametrize(
    ("depth", "colour", "origin"),
    [(2, 0, "few levels"), (4, 0, "few levels"), (8, 0, None)]
    + [(16, colour, "16 bits") for colour in (0, 2, 4, 6)],
)
def test_a_png_tells_how_many_bits_its_samples_had(
    depth: int, colour: int, origin: str | None
) -> None:
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    row = b"\0" + b"\xff" * (8 * channels * depth // 8)
    assert read_bytes(png((8, 8), depth, colour, row * 8), Path("image")).origin == origin


def test_lack_of_memory_is_not_taken_for_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("stegfield.signals.images.reading._levels", greedy)
    with pytest.raises(MemoryError):
        read_bytes(to_png(from_samples(np.zeros((8, 8, 1), np.uint8))), Path("image"))
