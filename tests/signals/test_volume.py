from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield import signals
from stegfield.errors import ConfigError, VolumeError
from stegfield.metrics import VolumeQuality

PATH = Path("x.npy")


def made(numbers: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, numbers)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", ">i2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_integers_survive_the_file(kind: str, order: Any) -> None:
    numbers = np.random.default_rng(1).integers(0, 128, (4, 5, 6)).astype(kind)
    if np.dtype(kind).kind == "i":
        numbers -= np.array(70, kind)
    read = signals.decode(made(np.asarray(numbers, order=order)), PATH)
    assert np.array_equal(signals.to_levels(read)[..., 0], numbers)
    again = signals.decode(signals.encode(read, ".npy"), PATH)
    assert np.array_equal(signals.to_levels(again), signals.to_levels(read))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not an array"),
        (b"\x93NUMPY\x01\x00\x05\x00{1:2}", "not an array"),
        (made(np.zeros((4, 4), np.int16)), "shape 4x4"),
        (made(np.zeros((4, 4, 3), np.int16)), "shape 4x4x3"),
        (made(np.array(3, np.int16)), "shape"),
        (made(np.zeros((4, 4, 4), np.float32)), "float32"),
        (made(np.full((4, 4, 4), 40_000, np.uint16)), "40000"),
        (made(np.zeros((4, 4, 4), np.int16))[:-1], "cut off"),
        (made(np.zeros((4, 4, 4), np.int16)) + b"x", "longer"),
        (
            made(np.zeros((4, 4, 4), np.int16)).replace(b"(4, 4, 4)", b"(999,9,4)"),
            "shape 999x9x4|cut off",
        ),
    ],
)
def test_what_is_no_volume_is_refused_in_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(VolumeError, match=words) as caught:
        signals.decode(data, PATH)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_pickles_are_not_loaded() -> None:
    with pytest.raises(VolumeError, match="object"):
        signals.decode(made(np.array([[[print] * 4] * 4] * 4, dtype=object)), PATH)


@given(st.data())
def test_damaged_volumes_are_read_or_refused(data: st.DataObject) -> None:
    file = bytearray(made(np.arange(64, dtype=np.int16).reshape(4, 4, 4)))
    for at in data.draw(st.lists(st.integers(0, 140), max_size=6)):
        file[at] = data.draw(st.integers(0, 255))
    try:
        read = signals.decode(bytes(file), PATH)
    except VolumeError:
        return
    assert read.size[0] * read.size[1] * read.size[2] <= len(file)


def test_quality_is_in_units_of_the_file() -> None:
    wanted = signals.decode(made(np.arange(64, dtype=np.int16).reshape(4, 4, 4) * 10), PATH)
    assert signals.quality(wanted, wanted).psnr_db == math.inf
    shown = signals.with_levels(wanted, signals.to_levels(wanted) + 2)
    quality = signals.quality(shown, wanted)
    assert isinstance(quality, VolumeQuality)
    assert quality.rmse == quality.largest == 2
    assert quality.psnr_db == pytest.approx(20 * math.log10(630 / 2))
    other = signals.decode(made(np.zeros((4, 4, 5), np.int16)), PATH)
    with pytest.raises(ConfigError, match="5x4x4"):
        signals.quality(other, wanted)
    with pytest.raises(ConfigError, match=r"suffix \.txt"):
        signals.encode(wanted, ".txt")
