"""JPEG files come back byte for byte, and changed coefficients are what others decode."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from stegfield import jpeg, signals
from stegfield.errors import ImageError
from stegfield.jpeg import huffman


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
    draws = np.random.default_rng(1)
    change = draws.integers(-1, 2, file.components[0].picture.shape, np.int16)
    up, down = file.open_ways(0)
    change[(change > 0) & ~up | (change < 0) & ~down] = 0
    stego = file.with_coefficients([file.components[0].picture + change])
    data = jpeg.encode(stego)
    again = jpeg.decode(data)
    assert (again.components[0].coefficients == stego.components[0].coefficients).all()
    assert again.coding == file.coding
    assert np.abs(pixels(data) - shown(stego)).max() <= 1


def test_the_largest_picture_is_that_of_signals() -> None:
    assert jpeg.LARGEST_POINTS == signals.LARGEST_POINTS


@given(st.binary(max_size=200))
def test_bytes_are_refused_with_one_error(data: bytes) -> None:
    for each in (data, b"\xff\xd8" + data):
        with pytest.raises(ImageError):
            jpeg.decode(each)
