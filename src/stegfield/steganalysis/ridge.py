"""A linear classifier for more features than there are images: ridge regression.

Features are standardised, and labels -1 and 1 are regressed on them with a penalty on the weights,
which inner splits of the training images choose. Solved in the space of images, it takes seconds
for thousands of features.

Source: Cogranne, Sedighi, Fridrich and Pevný (2015), "Is Ensemble Classifier Needed for
Steganalysis in High-Dimensional Feature Spaces?", which finds such a classifier as good as an
ensemble of discriminants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from stegfield.errors import ConfigError
from stegfield.steganalysis.curves import Scores

FOLDS = 5
INNER = 4
PENALTIES = tuple(10.0**power for power in range(-3, 4))
"""Times the number of features."""
LEAST = 1e-9
"""Standard deviation below which a feature says nothing."""
Features = Float[np.ndarray, "items features"]


@dataclass(frozen=True, eq=False)
class Learned:
    """What a classifier learned: the mean and scale of features, and their weights."""

    mean: NDArray[np.float32] = field(repr=False)
    weights: NDArray[np.float32] = field(repr=False)
    """Of features that have no mean and are not scaled."""

    def score(self, features: Features) -> Scores:
        """Return a score for each row: -1 for what looks like a cover, 1 for a stego."""
        scores: Scores = ((features - self.mean) @ self.weights).astype(np.float64)
        return scores


def learn(covers: Features, stegos: Features, groups: Sequence[int], *, seed: int = 0) -> Learned:
    """Learn to tell stegos from covers.

    Args:
        covers: Features of covers, a row each.
        stegos: Features of the stego made of each.
        groups: What belongs together, such as crops of one photograph.
        seed: Of the inner splits.
    """
    both = np.concatenate([covers, stegos]).astype(np.float32)
    mean, scale = both.mean(axis=0), both.std(axis=0)
    inverse = np.where(scale > LEAST, 1 / np.maximum(scale, LEAST), 0).astype(np.float32)
    rows = (both - mean) * inverse
    products = (rows @ rows.T).astype(np.float64)
    labels = np.repeat([-1.0, 1.0], len(covers))
    twice = np.tile(np.asarray(groups), 2)
    penalty = _penalty(products, labels, twice, rows.shape[1], seed)
    chosen = np.linalg.solve(products + penalty * np.eye(len(rows)), labels)
    return Learned(mean, (rows.T @ chosen.astype(np.float32)) * inverse)


def cross_validated(
    covers: Features,
    stegos: Features,
    groups: Sequence[int],
    *,
    folds: int = FOLDS,
    seed: int = 0,
) -> tuple[Scores, Scores]:
    """Score every image by a classifier that has seen none of its group.

    Args:
        covers: Features of the covers, a row each.
        stegos: Features of the stego made of each.
        groups: What belongs together, such as crops of one photograph.
        folds: Parts of the groups; each is scored by a classifier that learned from the others.
        seed: Of all splits.

    Returns:
        The scores of the covers and of the stegos.

    Raises:
        ConfigError: There are fewer groups than folds, or groups do not match the images.
    """
    members = np.asarray(groups)
    if len(members) != len(covers) or len(np.unique(members)) < folds:
        raise ConfigError(
            f"{len(covers)} images of {len(np.unique(members))} groups cannot be parted into "
            f"{folds} folds"
        )
    scores = np.empty((2, len(covers)))
    for known, unseen in _splits(members, folds, seed):
        learned = learn(covers[known], stegos[known], members[known].tolist(), seed=seed)
        scores[:, unseen] = learned.score(covers[unseen]), learned.score(stegos[unseen])
    return scores[0], scores[1]


def _splits(
    groups: Int[np.ndarray, " items"], folds: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Part the groups; return for each part the items outside it and those inside."""
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    for part in np.array_split(names, folds):
        inside = np.isin(groups, part)
        yield np.flatnonzero(~inside), np.flatnonzero(inside)


def _penalty(
    products: NDArray[np.float64],
    labels: NDArray[np.float64],
    groups: NDArray[np.int64],
    features: int,
    seed: int,
) -> float:
    """Choose the penalty under which inner splits predict the labels best."""
    folds = min(INNER, len(np.unique(groups)))
    wrong = np.zeros(len(PENALTIES))
    for known, unseen in _splits(groups, folds, seed) if folds > 1 else ():
        values, vectors = np.linalg.eigh(products[np.ix_(known, known)])
        turned, across = vectors.T @ labels[known], products[np.ix_(unseen, known)] @ vectors
        for at, penalty in enumerate(PENALTIES):
            told = across @ (turned / (values.clip(0) + penalty * features))
            wrong[at] += np.count_nonzero((told > 0) != (labels[unseen] > 0))
    return PENALTIES[int(wrong.argmin())] * features
