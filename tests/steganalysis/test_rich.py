from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from stegfield.errors import ConfigError
from stegfield.metrics import Samples
from stegfield.steganalysis import rich

WAYS = {
    "straight": ((0, 1), (0, -1), (1, 0), (-1, 0)),
    "slanted": ((1, 1), (-1, -1), (1, -1), (-1, 1)),
}


def noise(rows: int, columns: int, channels: int = 1, seed: int = 0) -> Samples:
    levels: Samples = (
        np.random.default_rng(seed).normal(100, 2, (rows, columns, channels)).round()
    ).astype(np.uint8)
    return levels


def chances(plane: NDArray[np.uint8], way: tuple[int, int]) -> NDArray[np.float64]:
    """Count chains of four samples in one direction, as the definition has it."""
    counts = np.zeros((7, 7, 7))
    for row, column in product(*map(range, plane.shape)):
        places = [(row + at * way[0], column + at * way[1]) for at in range(4)]
        if all(0 <= r < plane.shape[0] and 0 <= c < plane.shape[1] for r, c in places):
            levels = [int(plane[place]) for place in places]
            steps = [levels[at] - levels[at + 1] for at in range(3)]
            counts[tuple(max(-3, min(3, step)) + 3 for step in steps)] += 1
    found: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=2, keepdims=True), 1)
    return found


@pytest.mark.parametrize("shape", [(9, 12), (4, 20)])
def test_features_are_the_chances_of_the_definition(shape: tuple[int, int]) -> None:
    image = noise(*shape)
    wanted = [
        np.mean([chances(image[..., 0], way) for way in ways], axis=0).ravel()
        for ways in WAYS.values()
    ]
    assert np.allclose(rich.spam(image), np.concatenate(wanted))


@pytest.mark.parametrize("kind", rich.FEATURES)
def test_features_of_colours_are_the_mean_of_the_channels(kind: str) -> None:
    image = noise(20, 30, 3)
    alone = [rich.features([image[..., at : at + 1]], kind) for at in range(3)]
    assert np.allclose(rich.features([image], kind), np.mean(alone, axis=0))


@pytest.mark.parametrize("kind", rich.FEATURES)
@pytest.mark.parametrize("same", [np.flipud, np.fliplr, lambda image: image.transpose(1, 0, 2)])
def test_features_do_not_change_as_an_image_is_turned(same: object, kind: str) -> None:
    image = noise(20, 30, 3)
    assert callable(same)
    assert np.allclose(rich.features([same(image).copy()], kind), rich.features([image], kind))


def test_residuals_are_those_of_the_definition() -> None:
    plane = noise(12, 14)[..., 0].astype(int)
    told = rich.features([plane[..., None].astype(np.uint8)], "srm")[0]
    assert told.shape == (2327,)
    # the first kind: steps to the right and down, in chains along their direction
    seen: dict[tuple[int, ...], int] = {}
    for lines in (plane, plane.T):
        for line in lines:
            steps = np.diff(line).clip(-2, 2)
            for at in range(len(steps) - 3):
                chain = tuple(int(step) for step in steps[at : at + 4])
                negative = tuple(-step for step in chain)
                name = min(chain, chain[::-1], negative, negative[::-1])
                seen[name] = seen.get(name, 0) + 1
    shares = sorted(count / sum(seen.values()) for count in seen.values())
    assert np.allclose(sorted(told[:169][told[:169] > 0]), shares)
    # the last kind: the least and the greatest of four cubic predictions' errors, cut off at 2
    third = {(0, 1), (0, -1), (1, 0), (-1, 0)}
    error = np.array(
        [
            [
                [
                    sum(
                        factor * plane[row + at * down, column + at * right]
                        for at, factor in zip(range(-1, 3), (1, -3, 3, -1), strict=True)
                    )
                    for column in range(2, 12)
                ]
                for row in range(2, 10)
            ]
            for down, right in third
        ]
    )
    levels = np.rint(error / 3).clip(-2, 2).astype(int)
    seen = {}
    for extreme in (levels.min(axis=0), -levels.max(axis=0)):
        for line in (*extreme, *extreme.T):
            for at in range(len(line) - 3):
                chain = tuple(int(level) for level in line[at : at + 4])
                name = min(chain, chain[::-1])
                seen[name] = seen.get(name, 0) + 1
    shares = sorted(count / sum(seen.values()) for count in seen.values())
    assert np.allclose(sorted(told[-325:][told[-325:] > 0]), shares)
    assert np.allclose(told[:1014].reshape(6, 169).sum(axis=1), 1)


def test_an_ensemble_finds_what_differs_and_nothing_else() -> None:
    pytest.importorskip("sklearn", reason="the ensembles come with stegfield[analysis]")
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 3).tolist()
    covers = random.normal(0, 1, (60, 30)) + random.normal(0, 3, (20, 30))[groups]
    stegos = covers + random.normal(0, 0.1, (60, 30))
    before, after = rich.cross_validated(covers, stegos, groups)
    assert abs(np.mean(after > before) - 0.5) < 0.3
    stegos[:, :10] += 4
    before, after = rich.cross_validated(covers, stegos, groups)
    assert np.mean(before < rich.UNDECIDED) > 0.8
    assert np.mean(after > rich.UNDECIDED) > 0.8


def test_no_image_is_scored_by_an_ensemble_that_knows_its_group() -> None:
    pytest.importorskip("sklearn", reason="the ensembles come with stegfield[analysis]")
    # each group has an axis of its own, along which its stegos lie to one side, as chance has it
    random = np.random.default_rng(0)
    names = np.repeat(np.arange(40), 4)
    sides = np.zeros((len(names), 40))
    sides[np.arange(len(names)), names] = random.choice([-1, 1], 40)[names]
    covers, stegos = (random.normal(0, 0.01, sides.shape) + sign * sides / 2 for sign in (-1, 1))
    before, after = rich.cross_validated(covers, stegos, range(len(names)))
    assert np.mean(after > before) > 0.95
    before, after = rich.cross_validated(covers, stegos, names.tolist())
    assert np.mean(after > before) == pytest.approx(0.5, abs=0.2)


def test_too_few_groups_are_refused() -> None:
    features = np.zeros((6, 4))
    with pytest.raises(ConfigError, match="2 groups"):
        rich.cross_validated(features, features, [0, 0, 0, 1, 1, 1])
