from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from stegfield.generative.points import coarser_sets, even_points, even_pyramid, spiral, turned
from stegfield.signals import CLIMATE, IMAGE, Medium, coordinates


@pytest.mark.parametrize("count", [16, 64, 1024, 4096])
def test_a_spiral_spreads_points_evenly_over_the_unit_sphere(count: int) -> None:
    points = spiral(count)
    assert torch.allclose(points.norm(dim=1), torch.ones(count), atol=1e-6)
    distances = (points[:, None] - points).norm(dim=2) + 9 * torch.eye(count)
    nearest = distances.min(1).values
    # as far apart as on a grid of squares with the area that each has for itself, or nearly so
    side = math.sqrt(4 * math.pi / count)
    assert float(nearest.min()) > 0.7 * side
    assert float(nearest.max()) < 1.1 * side


@pytest.mark.parametrize("count", [64, 4096])
def test_means_over_a_spiral_are_means_over_the_sphere(count: int) -> None:
    points = spiral(count).double()
    assert points.mean(0).abs().max() < 2 / count
    moments = points.T @ points / count
    assert torch.allclose(moments, torch.eye(3, dtype=torch.float64) / 3, atol=2 / count)


def test_points_of_an_image_are_its_pixels_row_by_row() -> None:
    assert np.array_equal(even_points(IMAGE, 8), coordinates((8, 8)))


@pytest.mark.parametrize("medium", [IMAGE, CLIMATE], ids=str)
@pytest.mark.parametrize("size", [8, 16, 64])
def test_every_set_has_a_quarter_of_the_points_of_the_one_before(medium: Medium, size: int) -> None:
    counts = [len(points) for points in coarser_sets(medium, size)]
    assert counts == [4**level for level in range(size.bit_length() - 2, 1, -1)]
    sets = even_pyramid(medium, size)
    assert [len(near.index) for near in sets] == counts
    finer = [size * size, *counts]
    for near, count in zip(sets, finer, strict=False):
        assert set(near.index.flatten().tolist()) == set(range(count))  # no point is overlooked


def test_points_are_turned_a_little_and_otherwise_stay_as_they_lie() -> None:
    points = spiral(256)
    moves = []
    for seed in range(20):
        moved = turned(points, torch.Generator().manual_seed(seed))
        assert torch.allclose(torch.cdist(moved, moved), torch.cdist(points, points), atol=1e-3)
        moves.append(float((moved - points).norm(dim=1).max()))
    apart = float(torch.cdist(points, points).topk(2, largest=False).values[:, 1].median())
    assert min(moves) > 0
    assert apart / 8 < sum(moves) / 20 < 2 * apart
