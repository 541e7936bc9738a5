"""Classify: how well detectors that learn tell clean from stego fields of a pool.

Each detector is trained on four fifths of the covers and tried on the rest, so that no cover is in
both, nor two that belong together, such as crops of one photograph. Five such splits give every
field a score by a detector that never saw its cover, and all of it is repeated with other splits.

Source: Dong et al. (2024), StegaINR4MIH, Table 3: support vector machines on the histogram of all
weights in 100 bins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from stegfield.errors import ConfigError
from stegfield.steganalysis.curves import Detection, Interval, detection, share_interval

FOLDS = 5
REPEATS = 10
Table = Float[np.ndarray, "_fields _features"]


@dataclass(frozen=True)
class Trial:
    """How well a detector that learns did."""

    accuracy: float
    """Share of fields that it classified correctly, over all splits; 0.5 is chance."""
    accuracy_interval: Interval
    """95 %, of two fields for each group: repeats are no new fields, nor are those of one group."""
    detection: Detection
    """By every field's mean score."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def trial(
    clean: Table,
    stego: Table,
    detector: str,
    *,
    groups: Sequence[int] | None = None,
    repeats: int = REPEATS,
    seed: int = 0,
) -> Trial:
    """Train and try a detector on the fields of a pool.

    Args:
        clean: Features of clean fields, a row each.
        stego: Features of stego fields; a row is of the same cover as that of the clean one.
        detector: One of `CLASSIFIERS`.
        groups: Which covers belong together [default: each stands alone].
        repeats: Times that the covers are split anew.
        seed: Of the splits.

    Raises:
        ConfigError: the detector is unknown, there are fewer groups than splits, tables or groups
            do not match, or scikit-learn is not installed.
    """
    if detector not in CLASSIFIERS:
        raise ConfigError(
            f"there is no detector {detector!r}", hint=f"try {', '.join(CLASSIFIERS)}"
        )
    members = np.arange(len(clean)) if groups is None else np.asarray(groups)
    names = np.unique(members)
    if clean.shape != stego.shape or len(members) != len(clean) or len(names) < FOLDS:
        raise ConfigError(
            f"{len(clean)} clean and {len(stego)} stego fields of {len(names)} groups of covers "
            "cannot be split",
            hint=f"make at least {FOLDS} of each kind, of the same covers",
        )
    _check_library()
    random, count = np.random.default_rng(seed), len(clean)
    scores, right = np.zeros((2, count)), np.zeros((2, count))
    for _ in range(repeats):
        for fold in np.array_split(random.permutation(names), FOLDS):
            part = np.flatnonzero(np.isin(members, fold))
            rest = np.setdiff1d(np.arange(count), part)
            learned = CLASSIFIERS[detector]()
            kinds = np.repeat([0, 1], len(rest))
            learned.fit(np.concatenate([clean[rest], stego[rest]]), kinds)
            for kind, table in enumerate((clean, stego)):
                found = learned.decision_function(table[part])
                scores[kind, part] += found / repeats
                right[kind, part] += ((found > 0) == bool(kind)) / repeats
    accuracy = float(right.mean())
    return Trial(
        accuracy=accuracy,
        accuracy_interval=share_interval(round(accuracy * 2 * len(names)), 2 * len(names)),
        detection=detection(scores[0], scores[1], groups=members.tolist()),
    )


def table(rows: Mapping[int, Mapping[str, float]]) -> Table:
    """Put the features of fields into a table, a row for each cover in order.

    Raises:
        ConfigError: the fields do not have the same features.
    """
    ordered = [rows[index] for index in sorted(rows)]
    names = ordered[0].keys()
    if any(row.keys() != names for row in ordered):
        raise ConfigError("the fields differ in their architecture or sizes")
    return np.array([[row[name] for name in names] for row in ordered], dtype=np.float64)


def _machine(kernel: str) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC(kernel=kernel))


def _discriminant() -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # shrinkage, by the rule of Ledoit and Wolf: there are more features than fields
    return make_pipeline(
        StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    )


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "svm-poly": lambda: _machine("poly"),
    "svm-rbf": lambda: _machine("rbf"),
    "discriminant": _discriminant,
    "logistic": _logistic,
}
"""The paper's two, and two for more features than there are fields."""


def _check_library() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise ConfigError(
            "detectors that learn need scikit-learn", hint="pip install 'stegfield[analysis]'"
        ) from None
