"""Reading from what users have: paths, bytes, images of Pillow's, arrays."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stegfield import signals
from stegfield.errors import ConfigError, ImageError, InputError
from stegfield.signals import CLIMATE, IMAGE, SOUND, VOLUME, Signal

GREY = (np.arange(96).reshape(8, 12) * 2).astype(np.uint8)
RGB = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)
PICTURE = Image.fromarray(RGB)


def encoded(kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    PICTURE.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_bytes_are_told_by_what_they_are(kind: str) -> None:
    data = encoded(kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
    assert np.array_equal(signals.to_samples(signals.read(data)), RGB)


def test_a_jpeg_of_bytes_or_of_pillows_is_known_as_one() -> None:
    data = encoded("JPEG")
    with Image.open(io.BytesIO(data)) as opened:
        one, two = signals.read(data), signals.read(opened)
    assert one.origin == two.origin == "JPEG"
    assert np.array_equal(one.values, two.values)
    assert signals.read(PICTURE).origin is None


def test_other_media_are_told_by_their_first_bytes() -> None:
    sound = signals.chords(200)
    assert signals.read(signals.encode(sound, ".wav")).medium is SOUND
    assert signals.read(signals.encode(signals.blob(6), ".npy")).medium is VOLUME
    pytest.importorskip("h5netcdf", reason="climate files take stegfield[media]")
    assert signals.read(signals.encode(signals.globe(6, 8), ".nc")).medium is CLIMATE


def test_a_path_may_be_text(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(encoded("PNG"))
    for source in (path, str(path)):
        assert np.array_equal(signals.to_samples(signals.read(source)), RGB)
    with pytest.raises(InputError, match=r"missing\.png"):
        signals.read(str(tmp_path / "missing.png"))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("RGB", RGB), ("L", np.asarray(PICTURE.convert("L"))[..., None]), ("RGBA", RGB)],
)
def test_an_image_of_pillows_keeps_its_samples(mode: str, expected: Any) -> None:
    image = PICTURE.convert(mode)
    assert np.array_equal(signals.to_samples(signals.read(image)), expected)
    image.load()  # it is still open


def test_a_transparent_image_of_pillows_is_refused_or_put_onto_white() -> None:
    clear = Image.new("RGBA", (9, 8), (0, 0, 0, 0))
    with pytest.raises(ImageError, match="transparent"):
        signals.read(clear)
    assert (signals.to_samples(signals.read(clear, flatten=True)) == 255).all()


@pytest.mark.parametrize("samples", [GREY, GREY[..., None], RGB], ids=["grey", "one", "three"])
def test_arrays_of_8_bits_and_of_0_to_1_are_the_same_image(samples: Any) -> None:
    expected = samples.reshape(8, 12, -1)
    for array in (samples, samples / 255, (samples / 255).astype(np.float32)):
        read = signals.read(array)
        assert read.medium is IMAGE
        assert np.array_equal(signals.to_samples(read), expected)
    black, white = signals.read(np.zeros((8, 8))), signals.read(np.ones((8, 8)))
    assert (float(black.values.max()), float(white.values.min())) == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((8, 8, 4), np.uint8), r"\(8, 8, 4\) is not an image"),
        (np.zeros(64, np.uint8), r"\(64,\) is not an image"),
        (np.zeros((8, 8, 8, 3), np.uint8), "is not an image"),
        (np.zeros((7, 8), np.uint8), "8x7 pixels"),
        (np.zeros((8, 8), np.int64), "type int64"),
        (np.zeros((8, 8), np.bool_), "type bool"),
        (np.full((8, 8), 1.01), "outside 0 to 1"),
        (np.full((8, 8), -0.01), "outside 0 to 1"),
        (np.full((8, 8), np.nan), "outside 0 to 1"),
    ],
)
def test_an_array_that_is_no_image_is_refused_with_a_hint(array: Any, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        signals.read(array)
    assert caught.value.hint is not None


def test_bytes_of_nothing_known_are_no_image() -> None:
    with pytest.raises(ImageError, match="the data is not an image"):
        signals.read(b"nothing that anyone knows")


# signals


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        (signals.waves(384, 512), "Signal(image, 512x384, 3 channels)"),
        (signals.chords(400), "Signal(sound, 400, 1 channel, 8000 a second)"),
        (signals.clip(4, 8, 12), "Signal(video, 12x8x4, 3 channels, 25 a second)"),
    ],
    ids=["image", "sound", "video"],
)
def test_a_signal_says_what_it_is_in_a_line(signal: Signal, words: str) -> None:
    assert repr(signal) == words


def test_values_become_float32_in_c_order() -> None:
    values = np.linspace(-1, 1, 2 * 3 * 3).reshape(2, 3, 3)
    for given in (values, np.asfortranarray(values), values.astype(np.float16)):
        held = Signal(given).values
        assert held.dtype == np.float32
        assert held.flags.c_contiguous
        assert np.array_equal(held, given.astype(np.float32))
    single = values.astype(np.float32)
    assert Signal(single).values is single


def test_values_that_cannot_be_a_signal_are_refused() -> None:
    with pytest.raises(ConfigError, match="got uint8") as caught:
        Signal(RGB)
    assert caught.value.hint == "signals.read(array) takes 8-bit samples"
    with pytest.raises(ConfigError, match=r"an image have 3 axes.*\(8, 8\)"):
        Signal(np.zeros((8, 8)))
    with pytest.raises(ConfigError, match="a sound have 2 axes"):
        Signal(np.zeros((8, 8, 1)), SOUND)
