from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stegfield import signals
from stegfield.errors import ConfigError, InputError
from stegfield.signals import LARGEST_POINTS, Signal, coordinates, extent, parse_size
from stegfield.signals.grids import LARGEST_SIDE

sizes = st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple)
images = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(images)
@example((1, 1))
@example((1, 40))
@example((40, 1))
def test_coordinates_are_pixel_centres_row_by_row(size: tuple[int, int]) -> None:
    rows, columns = size
    longest = max(size)
    expected = [
        [(2 * row + 1 - rows) / longest, (2 * column + 1 - columns) / longest]
        for row in range(rows)
        for column in range(columns)
    ]
    assert np.array_equal(coordinates(size), np.array(expected).astype(np.float32))


@given(sizes)
def test_the_longest_axis_spans_minus_1_to_1_from_edge_to_edge(size: tuple[int, ...]) -> None:
    at = coordinates(size).astype(np.float64)
    half_pixel = 1 / max(size)
    for axis, count in enumerate(size):
        edge = at[:, axis].max().item() + half_pixel
        assert edge == pytest.approx(count / max(size), abs=1e-7)


@given(sizes)
def test_coordinates_lie_inside_the_square_and_are_symmetric(size: tuple[int, ...]) -> None:
    at = coordinates(size)
    assert at.shape == (math.prod(size), len(size))
    assert np.abs(at).max() < 1
    assert np.array_equal(at, -at[::-1])


@given(sizes, st.integers(2, 40))
def test_neighbours_are_equally_far_apart_along_every_axis(size: tuple[int, ...], n: int) -> None:
    size = (*size, n)
    grid = coordinates(size).astype(np.float64).reshape(*size, len(size))
    step = 2 / max(size)
    for axis in range(len(size)):
        steps = np.diff(grid, axis=axis)[..., axis]
        assert np.allclose(steps, step, rtol=0, atol=2e-7)


@given(images)
def test_transposing_the_grid_swaps_rows_and_columns(size: tuple[int, int]) -> None:
    rows, columns = size
    here = coordinates((rows, columns)).reshape(rows, columns, 2)
    there = coordinates((columns, rows)).reshape(columns, rows, 2)
    assert np.array_equal(here, there.swapaxes(0, 1)[..., ::-1])


def test_the_first_axis_counts_rows_and_the_last_runs_fastest() -> None:
    at = coordinates((2, 4))
    assert at[0].tolist() == [-0.25, -0.75]  # top left
    assert at[1].tolist() == [-0.25, -0.25]  # one column on
    assert at[4].tolist() == [0.25, -0.75]  # one row on


@given(sizes, st.integers(1, 50))
def test_chunks_equal_the_whole(size: tuple[int, ...], chunk: int) -> None:
    points = math.prod(size)
    parts = [
        coordinates(size, None, start, min(start + chunk, points))
        for start in range(0, points, chunk)
    ]
    assert np.array_equal(np.concatenate(parts), coordinates(size))
    assert np.array_equal(coordinates(size, None, points // 2), coordinates(size)[points // 2 :])


@given(images)
def test_the_middle_of_four_pixels_of_a_grid_twice_as_fine_is_the_pixel(
    size: tuple[int, int],
) -> None:
    rows, columns = size
    fine = coordinates((2 * rows, 2 * columns)).astype(np.float64)
    blocks = fine.reshape(rows, 2, columns, 2, 2).mean(axis=(1, 3)).reshape(-1, 2)
    assert np.allclose(blocks, coordinates(size), rtol=0, atol=1e-7)


def test_far_points_of_a_large_grid_are_as_exact_as_the_first() -> None:
    side = LARGEST_SIDE
    last = coordinates((side, side), None, side * side - 1)
    assert np.array_equal(last, -coordinates((side, side), None, 0, 1))


@given(images, st.sampled_from([1, 3]))
def test_a_signal_knows_its_size(size: tuple[int, int], channels: int) -> None:
    signal = Signal(np.zeros((*size, channels)))
    assert signal.size == size
    assert signal.channels == channels
    assert signal.points == math.prod(size)


@given(images, images)
def test_points_fill_the_box_that_they_are_given(
    size: tuple[int, int], public: tuple[int, int]
) -> None:
    """The first and the last point are half a point's spacing from the edges, on each axis."""
    box = extent(public)
    at = coordinates(size, box)
    edges = np.array([half * (1 - 1 / points) for half, points in zip(box, size, strict=True)])
    assert np.allclose(at[-1], edges, atol=1e-6)
    assert np.allclose(at[0], -edges, atol=1e-6)
    assert max(box) == 1.0
    assert np.array_equal(coordinates(size, extent(size)), coordinates(size))


@given(st.integers(1, LARGEST_SIDE), st.integers(1, LARGEST_SIDE))
@example(1, LARGEST_SIDE)
@example(LARGEST_SIDE, 1)
def test_parse_size_reads_columns_by_rows(columns: int, rows: int) -> None:
    if columns * rows <= LARGEST_POINTS:
        assert parse_size(f"{columns}x{rows}") == (rows, columns)
    else:
        with pytest.raises(ConfigError, match="megapixels"):
            parse_size(f"{columns}x{rows}")


@pytest.mark.parametrize(
    "text",
    [
        *["", "x", "512", "512x", "x512", "512x384x3", "512 x 384", " 512x384", "512x384\n"],
        *["0x8", "8x0", "-8x8", "+8x8", "8.0x8", "1e2x8", "0x10x8", "65537x8", "8x65537"],
        *["100000x8", "8x99999", "512X384", "512*384", "512\u00d7384", "\u0665x\u0665"],
        "9" * 5000 + "x8",
    ],
)
def test_what_is_not_a_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="512x384") as caught:
        parse_size(text)
    assert caught.value.hint is not None
    assert "65,536" in caught.value.hint


@given(st.text(st.sampled_from("0123456789x-+ .\n"), max_size=14))
def test_parse_size_reads_or_refuses_any_text(text: str) -> None:
    try:
        rows, columns = parse_size(text)
    except ConfigError:
        return
    assert [int(part) for part in text.split("x")] == [columns, rows]
    assert max(rows, columns) <= LARGEST_SIDE
    assert min(rows, columns) >= 1


@pytest.mark.parametrize("name", ["x.png", "x.wav", "x.flac", "x.nc", "x.apng", "x.mp4", "x.npy"])
def test_what_has_more_points_than_are_allowed_is_refused(name: str) -> None:
    pytest.importorskip("av", reason="other media take stegfield[media]")
    made = {
        "image": signals.waves(24, 16),
        "sound": signals.chords(400),
        "climate": signals.globe(24, 16),
        "video": signals.clip(4, 16, 16),
        "volume": signals.blob(8),
    }
    path = Path(name)
    signal = made[signals.medium_of(path).name]
    data = signals.encode(signal, path.suffix)
    assert signals.decode(data, path, largest=signal.points).size == signal.size
    with pytest.raises(InputError, match=name):
        signals.decode(data, path, largest=signal.points - 1)
