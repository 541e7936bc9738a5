from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from stegfield.generative.pointconv import (
    MIXTURES,
    NEIGHBOURS,
    Critic,
    Neighbourhood,
    PointConv,
    WeightNetwork,
    neighbourhood,
    pyramid,
)
from stegfield.generative.points import coarser_sets, even_points, even_pyramid
from stegfield.signals import CLIMATE, IMAGE, Medium

MEDIA = (IMAGE, CLIMATE)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(5)


def near_of(medium: Medium, size: int) -> Neighbourhood:
    """The neighbourhood of a grid, or a spiral, in one of four times as many points."""
    return neighbourhood(even_points(medium, 2 * size), even_points(medium, size))


def convolved_one_by_one(conv: PointConv, values: Tensor, near: Neighbourhood) -> Tensor:
    """What a PointConv does, in loops: weights are made anew for each sample and each point."""
    _, batch, channels = values.shape
    out = []
    for sample in range(batch):
        for point, neighbours in enumerate(near.index):
            weights = conv.weights.out(conv.weights.waves(near.relative[point]).sin())
            weights = weights / (weights.square().sum(0) + 1e-6 * len(neighbours)).sqrt()
            sums = torch.zeros(weights.shape[1], channels)
            for weight, index in zip(weights, neighbours, strict=True):
                sums += torch.outer(weight, values[index, sample])
            out.append(conv.mix.weight @ sums.flatten() + conv.mix.bias)
    return torch.stack(out).view(batch, len(near.index), -1).transpose(0, 1)


@pytest.mark.parametrize("axes", [2, 3])
def test_neighbours_are_the_nearest(axes: int) -> None:
    finer, coarser = torch.randn(60, axes), torch.randn(11, axes)
    near = neighbourhood(finer, coarser)
    for point, found in zip(coarser, near.index, strict=True):
        distances = sorted((float((finer[i] - point).norm()), i) for i in range(len(finer)))
        assert set(found.tolist()) == {i for _, i in distances[:NEIGHBOURS]}


@pytest.mark.parametrize("medium", MEDIA, ids=str)
def test_neighbours_are_found_in_parts(medium: Medium, monkeypatch: pytest.MonkeyPatch) -> None:
    finer, coarser = even_points(medium, 32), even_points(medium, 16)
    whole = neighbourhood(finer, coarser)
    counts = []
    cdist = torch.cdist

    def counted(one: Tensor, other: Tensor) -> Tensor:
        counts.append(len(one) * len(other))
        return cdist(one, other)

    monkeypatch.setattr(torch, "cdist", counted)
    monkeypatch.setattr("stegfield.generative.pointconv.MOST_DISTANCES", 50_000)
    parts = neighbourhood(finer, coarser)
    assert max(counts) <= 50_000
    assert sum(counts) == 1024 * 256
    assert torch.equal(parts.index.sort(1).values, whole.index.sort(1).values)
    assert torch.allclose(parts.relative.sort(1).values, whole.relative.sort(1).values)


def test_relative_places_reach_1_and_no_farther() -> None:
    finer, coarser = torch.randn(60, 3), torch.randn(11, 3)
    near = neighbourhood(finer, coarser)
    assert float(near.relative.abs().max()) == pytest.approx(1)
    offsets = finer[near.index] - coarser[:, None]
    assert torch.allclose(near.relative * offsets.abs().max(), offsets, atol=1e-6)


def test_few_points_are_all_neighbours() -> None:
    near = neighbourhood(torch.randn(5, 2), torch.randn(3, 2))
    assert near.index.sort().values.tolist() == [[0, 1, 2, 3, 4]] * 3


def test_a_set_in_itself_has_finite_places() -> None:
    point = torch.zeros(1, 2)
    assert neighbourhood(point, point).relative.tolist() == [[[0.0, 0.0]]]


@pytest.mark.parametrize("medium", MEDIA, ids=str)
@pytest.mark.parametrize("mixtures", [4, MIXTURES])
def test_sums_begin_uncorrelated_and_of_variance_1(medium: Medium, mixtures: int) -> None:
    near = near_of(medium, 16)
    with torch.no_grad():
        weights = WeightNetwork(near, mixtures)(near.relative).flatten(0, 1)
    moments = weights.T @ weights / len(weights)
    assert torch.allclose(moments.diagonal(), torch.ones(mixtures), atol=0.05)
    assert float((moments - moments.diagonal().diag()).abs().max()) < 0.05


@pytest.mark.parametrize("medium", MEDIA, ids=str)
def test_weights_made_once_equal_those_made_for_each_sample(medium: Medium) -> None:
    near = near_of(medium, 4)
    conv, values = PointConv(near, 3, 5), torch.randn(64, 2, 3)
    assert torch.allclose(conv(values, near), convolved_one_by_one(conv, values, near), atol=1e-5)


def test_the_order_of_finer_points_changes_nothing() -> None:
    finer, coarser = torch.randn(50, 2), torch.randn(9, 2)
    near, values, order = neighbourhood(finer, coarser), torch.randn(50, 2, 3), torch.randperm(50)
    conv = PointConv(near, 3, 4)
    shuffled = conv(values[order], neighbourhood(finer[order], coarser))
    assert torch.allclose(shuffled, conv(values, near), atol=1e-5)


def test_the_order_of_coarser_points_is_that_of_the_result() -> None:
    finer, coarser = torch.randn(50, 2), torch.randn(9, 2)
    near, values, order = neighbourhood(finer, coarser), torch.randn(50, 2, 3), torch.randperm(9)
    conv = PointConv(near, 3, 4)
    shuffled = conv(values, neighbourhood(finer, coarser[order]))
    assert torch.allclose(shuffled, conv(values, near)[order], atol=1e-5)


def test_samples_of_a_batch_do_not_meet() -> None:
    near = near_of(IMAGE, 4)
    conv, values = PointConv(near, 3, 4), torch.randn(64, 3, 3)
    alone = torch.cat([conv(values[:, i : i + 1], near) for i in range(3)], 1)
    assert torch.allclose(conv(values, near), alone, atol=1e-6)


def test_inside_a_grid_it_is_a_convolution_of_stride_2() -> None:
    near = near_of(IMAGE, 8)
    conv, picture = PointConv(near, 3, 4), torch.randn(2, 3, 16, 16)
    given = conv(picture.flatten(2).permute(2, 0, 1), near).view(8, 8, 2, 4).permute(2, 3, 0, 1)
    # the kernel is what comes of an impulse at each of the 4x4 pixels around an inner point
    kernel = torch.zeros(4, 3, 4, 4)
    bias = conv.mix.bias
    for channel in range(3):
        for row in range(4):
            for column in range(4):
                impulse = torch.zeros(16, 16, 1, 3)
                impulse[5 + row, 5 + column, 0, channel] = 1
                shown = conv(impulse.flatten(0, 1), near).view(8, 8, 4)[3, 3]
                kernel[:, channel, row, column] = shown - bias
    wanted = functional.conv2d(picture, kernel, bias, stride=2, padding=1)
    assert torch.allclose(given[..., 1:-1, 1:-1], wanted[..., 1:-1, 1:-1], atol=1e-4)


@pytest.mark.parametrize("medium", MEDIA, ids=str)
@pytest.mark.parametrize("size", [8, 16])
def test_a_critic_takes_pyramids_of_fewer_levels(medium: Medium, size: int) -> None:
    critic = Critic(even_pyramid(medium, 16), 1, [4, 6])
    values = torch.randn(3, size * size, 1)
    sets = even_pyramid(medium, size)
    scores = critic(values, sets)
    assert scores.shape == (3,)
    scores.sum().backward()
    used = sum(p.grad is not None for p in critic.entries.parameters())
    assert used == len(sets) * len(list(critic.entries[0].parameters()))


@pytest.mark.parametrize("medium", MEDIA, ids=str)
def test_a_critic_judges_points_drawn_at_random_in_any_order(medium: Medium) -> None:
    critic = Critic(even_pyramid(medium, 16), 3, [4, 6])
    finest, below = even_points(medium, 16), coarser_sets(medium, 16)
    finest = finest + torch.randn_like(finest) / 1000  # no two neighbours are equally far
    some = torch.randperm(256)[:100]
    again = some[torch.randperm(100)]
    values = torch.randn(2, 256, 3)
    scores = critic(values[:, some], pyramid([finest[some], *below]))
    shuffled = critic(values[:, again], pyramid([finest[again], *below]))
    assert scores.isfinite().all()
    assert torch.allclose(scores, shuffled, atol=1e-6)


def test_scores_of_a_new_critic_are_small_and_see_every_point() -> None:
    critic = Critic(even_pyramid(IMAGE, 16), 3, [4, 6])
    values = torch.randn(8, 256, 3, requires_grad=True)
    scores = critic(values, even_pyramid(IMAGE, 16))
    assert float(scores.detach().abs().max()) < 1
    (gradient,) = torch.autograd.grad(scores.sum(), values)
    assert (gradient.abs().sum((0, 2)) > 0).all()
    assert math.isfinite(float(gradient.square().sum()))
