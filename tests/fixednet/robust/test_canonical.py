from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield import channel
from stegfield.fixednet.robust.canonical import (
    BLOCK,
    PLANE,
    Frame,
    Grid,
    block_cosines,
    plane_of,
    plane_size,
    resampler,
    resized,
)
from stegfield.metrics import luma
from stegfield.signals import to_samples, waves


def smooth(rows: int, columns: int) -> NDArray[np.uint8]:
    """Return an image whose details are coarse enough for every size in use here."""
    return to_samples(waves(rows, columns))


def test_the_plane_is_the_luma_and_large_ones_are_reduced() -> None:
    levels = smooth(90, 130)
    assert np.allclose(plane_of(levels), luma(levels), atol=1e-3)
    assert np.array_equal(plane_of(levels[..., :1]), levels[..., 0].astype(np.float32))
    assert plane_of(smooth(30, 2 * PLANE)).shape == plane_size(30, 2 * PLANE) == (15, PLANE)


@settings(max_examples=20)
@given(st.integers(20, 300), st.integers(100, 300), st.sampled_from([32, 48, 64]))
def test_blocks_fill_the_longer_side_and_are_counted_from_the_middle(
    rows: int, columns: int, blocks: int
) -> None:
    grid = Grid(rows, columns, blocks, Frame.whole(rows, columns))
    longer, shorter = (grid.down, grid.across) if rows >= columns else (grid.across, grid.down)
    assert (longer.start, longer.stop) == (0, blocks)
    assert shorter.start == blocks - shorter.stop  # as many at either end are missing
    assert grid.count == (grid.down.stop - grid.down.start) * (grid.across.stop - grid.across.start)


@pytest.mark.parametrize("factor", [0.4, 0.73, 1.5])
@pytest.mark.parametrize("size", [(512, 768), (700, 500), (400, 401)])
def test_a_resized_image_has_nearly_the_same_cosines(factor: float, size: tuple[int, int]) -> None:
    levels = smooth(*size)
    before, after = (plane_of(each) for each in (levels, channel.resized(factor)(levels)))
    first, second = (Grid.of(each, 48) for each in (before, after))
    shared = (slice(1, -1), slice(1, -1))  # a size that was rounded can hide the outermost blocks
    a, b = (each.cosines(plane) for each, plane in ((first, before), (second, after)))
    rows = slice(max(first.down.start, second.down.start), min(first.down.stop, second.down.stop))
    columns = slice(
        max(first.across.start, second.across.start), min(first.across.stop, second.across.stop)
    )
    a, b = (
        each[rows.start - grid.down.start :][: rows.stop - rows.start][
            :, columns.start - grid.across.start :
        ][:, : columns.stop - columns.start][shared]
        for each, grid in ((a, first), (b, second))
    )
    ac = np.abs(a - b)[..., 1:, 1:]
    assert ac.mean() < 0.1 * np.abs(a[..., 1:, 1:]).mean() + 1.0


@pytest.mark.parametrize(("rows", "columns", "blocks"), [(256, 256, 32), (384, 512, 64)])
def test_back_undoes_cosines_where_the_step_is_whole(rows: int, columns: int, blocks: int) -> None:
    grid = Grid(rows, columns, blocks, Frame.whole(rows, columns))
    rng = np.random.default_rng(0)
    change = np.zeros((rows * blocks // max(rows, columns), blocks, BLOCK, BLOCK), np.float32)
    change[..., 0, 1] = rng.normal(0, 10, change.shape[:2])
    plane = grid.back(change)
    missing = change - grid.cosines(plane)
    for _ in range(4):
        plane = plane + grid.back(missing)
        missing = change - grid.cosines(plane)
    assert np.abs(missing[..., 0, 1]).mean() < 0.5


def test_cosines_keep_the_norm_of_their_samples() -> None:
    samples = np.random.default_rng(0).normal(0, 1, (8, 12)).astype(np.float32)
    assert np.square(block_cosines(samples)).sum() == pytest.approx(4 * np.square(samples).sum())


@given(st.integers(10, 200), st.floats(0.5, 3.0))
def test_a_constant_row_stays_constant(samples: int, step: float) -> None:
    count = max(1, int(samples / step))
    matrix = resampler(samples, count, step, 0.0)
    assert np.allclose(matrix @ np.full(samples, 7, np.float32), 7, atol=1e-3)


def test_a_whole_step_samples_between_neighbours() -> None:
    matrix = resampler(8, 8, 1.0, 0.0)
    assert np.allclose(matrix, np.eye(8), atol=1e-6)
    assert resized(np.ones((4, 6), np.float32), (8, 12)).shape == (8, 12)
