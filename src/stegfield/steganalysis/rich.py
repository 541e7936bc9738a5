"""Detectors that learn: rich features of an image, and an ensemble of discriminants on them.

Embedding changes samples without regard to the noise of their neighbours, so the features describe
how differences of neighbours follow one another. Classifiers learn from covers and their stegos,
and are judged on photographs that they have not seen.

Sources: Pevný, Bas and Fridrich (2010), "Steganalysis by Subtractive Pixel Adjacency Matrix", for
the 686 features, of differences up to 3 and chains of second order, which are chances of the third
difference after two others, as it defines them (the published package sealwatch gives the shares of
all three together instead); `residuals` for those of a richer model; Kodovský, Fridrich and Holub
(2012) for ensembles of Fisher discriminants on random subspaces. Ours shrink each discriminant's
covariance (Ledoit and Wolf, 2004), for they learn from hundreds of images, not from thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from stegfield.errors import ConfigError, InputError
from stegfield.metrics import Samples
from stegfield.steganalysis.residuals import residual_features

if TYPE_CHECKING:
    from stegfield.steganalysis.curves import Scores

LARGEST = 3  # difference of neighbours that is told from larger ones
STEPS = 2 * LARGEST + 1
LEARNERS = 51
SUBSPACE = 0.3  # share of the features that a discriminant sees
FOLDS = 5
UNDECIDED = 0.5
"""An image whose mean probability over all discriminants is higher is called a stego."""
Features = Float[np.ndarray, "items features"]


def spam(samples: Samples) -> Float[np.ndarray, " 686"]:
    """Return the 686 SPAM features, mean of the channels.

    How probable each difference of neighbours is after the two before it: along rows and columns,
    then along diagonals, each in both directions.
    """
    planes = np.moveaxis(samples, 2, 0).astype(np.int16)
    told: NDArray[np.float64] = np.mean([_spam(plane) for plane in planes], axis=0)
    return told


FEATURES: dict[str, Callable[[Samples], NDArray[np.float64]]] = {
    "spam": spam,
    "srm": residual_features,
}
"""What classifiers learn from."""


def features(images: Sequence[Samples], kind: str = "spam") -> NDArray[np.float64]:
    """Return the features of several images, one row each; ``kind`` is one of `FEATURES`."""
    return np.stack([FEATURES[kind](image) for image in images])


def cross_validated(
    covers: Features,
    stegos: Features,
    groups: Sequence[int],
    *,
    folds: int = FOLDS,
    seed: int = 0,
) -> tuple[Scores, Scores]:
    """Score every image by an ensemble that has seen none of its group.

    Args:
        covers: Features of the covers.
        stegos: Those of the stego made of each.
        groups: What belongs together, such as the crops of one photograph.
        folds: Parts of the groups; each is scored by an ensemble that learned from the others.
        seed: Of the ensembles.

    Returns:
        Probability of being a stego, by the covers and by the stegos; `UNDECIDED` parts them.

    Raises:
        ConfigError: there are fewer groups than folds.
        InputError: scikit-learn is not installed.
    """
    if len(set(groups)) < folds:
        raise ConfigError(f"{len(set(groups))} groups cannot be parted into {folds} folds")
    sklearn = _sklearn()
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    scores = np.empty((2, len(covers)))
    parts = sklearn.model_selection.GroupKFold(folds).split(covers, groups=groups)
    # many small matrices: threads would only wait for each other
    with threadpool_limits(1):
        for known, unseen in parts:
            learned = _ensemble(seed).fit(
                np.concatenate([covers[known], stegos[known]]), np.repeat([0, 1], len(known))
            )
            for at, images in enumerate((covers, stegos)):
                scores[at, unseen] = learned.predict_proba(images[unseen])[:, 1]
    return scores[0], scores[1]


def _spam(plane: NDArray[np.int16]) -> NDArray[np.float64]:
    straight = _transitions(plane), _transitions(plane.T)
    slanted = _transitions(plane, slope=1), _transitions(plane[::-1], slope=1)
    return np.concatenate([np.mean(straight, axis=0), np.mean(slanted, axis=0)])


def _transitions(plane: NDArray[np.int16], slope: int = 0) -> NDArray[np.float64]:
    """Return chances of a difference after two others along rows or diagonals, both ways."""
    rows, columns = plane.shape
    chain = [plane[slope * at : rows - slope * (3 - at), at : columns - 3 + at] for at in range(4)]
    steps = [np.clip(a - b, -LARGEST, LARGEST) + LARGEST for a, b in pairwise(chain)]
    codes = (steps[0] * STEPS + steps[1]) * STEPS + steps[2]
    forth = np.bincount(codes.ravel(), minlength=STEPS**3).reshape((STEPS,) * 3).astype(np.float64)
    # the other way differences have the other sign, and come in the other order
    back = forth[::-1, ::-1, ::-1].transpose(2, 1, 0)
    ways = [way / np.maximum(way.sum(axis=2, keepdims=True), 1) for way in (forth, back)]
    chances: NDArray[np.float64] = np.mean(ways, axis=0).ravel()
    return chances


def _ensemble(seed: int) -> Any:
    sklearn = _sklearn()
    fisher = sklearn.discriminant_analysis.LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto"
    )
    bagging = sklearn.ensemble.BaggingClassifier(
        fisher, LEARNERS, max_features=SUBSPACE, random_state=seed
    )
    return sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), bagging)


def _sklearn() -> Any:
    try:
        import sklearn
        import sklearn.discriminant_analysis
        import sklearn.ensemble
        import sklearn.model_selection
        import sklearn.pipeline
        import sklearn.preprocessing
    except ImportError:
        raise InputError(
            "detectors that learn need scikit-learn, which is not installed",
            hint="pip install 'stegfield[analysis]'",
        ) from None
    return sklearn
