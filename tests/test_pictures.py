from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stegfield.metrics import Samples
from stegfield.pictures import CAPTION_HEIGHT, MARGIN, PAPER, Tile, difference, sheet


def plain(rows: int, columns: int, colour: tuple[int, ...]) -> Samples:
    """Make an image of one colour."""
    return np.full((rows, columns, len(colour)), colour, np.uint8)


def drawn(data: bytes) -> Samples:
    """Decode a sheet."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


@given(st.integers(0, 255), st.integers(0, 255), st.sampled_from([1.0, 2.0, 10.0, 0.5]))
def test_a_difference_is_the_distance_times_the_gain_up_to_white(
    level: int, other: int, gain: float
) -> None:
    found = difference(plain(3, 4, (level,)), plain(3, 4, (other,)), gain)
    assert found.shape == (3, 4, 1)
    assert found.dtype == np.uint8
    assert (found == min(255, round(abs(level - other) * gain))).all()


@given(st.integers(0, 99), st.floats(0, 300))
def test_a_difference_is_symmetric_and_black_for_equal_images(seed: int, gain: float) -> None:
    a, b = np.random.default_rng(seed).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    assert np.array_equal(difference(a, b, gain), difference(b, a, gain))
    assert not difference(a, a, gain).any()


def test_a_sheet_has_room_for_every_tile_and_its_caption() -> None:
    wide, tall = plain(10, 40, (9, 9, 9)), plain(40, 20, (9, 9, 9))
    found = drawn(sheet([[Tile(wide, "a"), Tile(tall, "b\nc")], [Tile(wide, "d")]], tile_width=80))
    tallest, second = 160, 20  # both in an aspect of their own, 80 wide
    assert found.shape == (
        MARGIN + tallest + CAPTION_HEIGHT + MARGIN + second + CAPTION_HEIGHT + MARGIN,
        MARGIN + 80 + MARGIN + 80 + MARGIN,
        3,
    )


@pytest.mark.parametrize("colour", [(200, 30, 90), (70,)])
@pytest.mark.parametrize(("rows", "columns"), [(4, 8), (300, 600), (100, 200)])
def test_a_tile_keeps_its_aspect_and_its_colour(
    colour: tuple[int, ...], rows: int, columns: int
) -> None:
    found = drawn(sheet([[Tile(plain(rows, columns, colour), "")]], tile_width=200))
    inside = found[MARGIN : MARGIN + 100, MARGIN : MARGIN + 200]
    assert (inside == colour).all()
    rest = found.copy()
    rest[MARGIN : MARGIN + 100, MARGIN : MARGIN + 200] = PAPER
    assert (rest == PAPER).all()


def test_enlarged_pixels_stay_sharp() -> None:
    checks = np.array([[[0], [255]], [[255], [0]]], np.uint8)
    found = drawn(sheet([[Tile(checks, "")]], tile_width=64))
    inside = found[MARGIN : MARGIN + 64, MARGIN : MARGIN + 64]
    assert np.array_equal(inside[..., 0], np.kron(checks[..., 0], np.ones((32, 32), np.uint8)))


def test_a_caption_is_written_below_its_tile() -> None:
    image = plain(10, 10, (200, 30, 90))
    found = drawn(sheet([[Tile(image, "psnr 30 dB")]], tile_width=100))
    silent = drawn(sheet([[Tile(image, "")]], tile_width=100))
    rows, columns = np.nonzero((found != silent).any(axis=-1))
    assert rows.min() >= MARGIN + 100
    assert rows.max() < MARGIN + 100 + CAPTION_HEIGHT
    assert columns.min() >= MARGIN


def test_a_sheet_is_the_same_every_time() -> None:
    rows = [[Tile(plain(5, 6, (1, 2, 3)), "a")]]
    assert sheet(rows) == sheet(rows)
