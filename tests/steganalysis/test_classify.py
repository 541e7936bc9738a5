from __future__ import annotations

import sys

import numpy as np
import pytest

from stegfield.errors import ConfigError
from stegfield.steganalysis.classify import CLASSIFIERS, Table, table, trial


def drawn(seed: int, shift: float = 0.0, fields: int = 20, features: int = 30) -> Table:
    """Draw features of independent fields; the first of them is moved."""
    rows = np.random.default_rng(seed).normal(size=(fields, features))
    rows[:, 0] += shift
    return rows


@pytest.mark.parametrize("detector", CLASSIFIERS)
def test_kinds_of_one_distribution_are_not_told_apart(detector: str) -> None:
    trials = [trial(drawn(2 * at), drawn(2 * at + 1), detector, repeats=1) for at in range(4)]
    assert np.mean([told.accuracy for told in trials]) == pytest.approx(0.5, abs=0.15)
    assert np.mean([told.detection.auc for told in trials]) == pytest.approx(0.5, abs=0.15)
    assert all(low < t.accuracy < high for t in trials for low, high in [t.accuracy_interval])


@pytest.mark.parametrize("detector", set(CLASSIFIERS) - {"svm-poly"})
def test_kinds_far_apart_are_told_apart(detector: str) -> None:
    told = trial(drawn(1, features=4), drawn(2, 12.0, features=4), detector, repeats=2)
    assert told.accuracy > 0.95
    assert told.detection.auc == 1
    assert told.detection.p_e == 0


def test_the_polynomial_kernel_finds_odd_differences() -> None:
    told = trial(drawn(1, -3.0, features=2), drawn(2, 3.0, features=2), "svm-poly", repeats=2)
    assert told.accuracy > 0.9


def test_covers_do_not_help_to_tell_their_fields_apart() -> None:
    covers = 100 * drawn(3)
    told = trial(covers + 0.01 * drawn(1), covers + 0.01 * drawn(2), "discriminant", repeats=2)
    assert told.accuracy == pytest.approx(0.5, abs=0.15)


def test_groups_do_not_help_either() -> None:
    # what tells the kinds apart in a group says nothing in the others
    groups = np.repeat(np.arange(10), 4)
    signs = np.random.default_rng(0).choice([-1, 1], 10)
    turned = 3 * np.eye(10)[groups] * signs[groups][:, None]
    clean, stego = turned + 0.1 * drawn(1, 0, 40, 10), -turned + 0.1 * drawn(2, 0, 40, 10)
    knowing = trial(clean, stego, "discriminant", repeats=2)
    fair = trial(clean, stego, "discriminant", groups=groups.tolist(), repeats=2)
    assert knowing.accuracy > 0.95
    assert fair.accuracy < 0.8
    assert fair.accuracy_interval[1] - fair.accuracy_interval[0] > 0.3  # ten groups say little


def test_a_trial_is_repeatable() -> None:
    first, second = (trial(drawn(1), drawn(2, 1.0), "logistic", seed=4) for _ in range(2))
    assert first == second


def test_rows_come_in_the_order_of_covers() -> None:
    rows = {7: {"a": 1.0, "b": 2.0}, 3: {"b": 4.0, "a": 3.0}}
    with pytest.raises(ConfigError, match="differ"):
        table({**rows, 9: {"a": 1.0}})
    assert table(rows).tolist() in ([[3.0, 4.0], [1.0, 2.0]], [[4.0, 3.0], [2.0, 1.0]])


def test_what_cannot_be_tried_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no detector 'odd'"):
        trial(drawn(1), drawn(2), "odd")
    with pytest.raises(ConfigError, match="4 clean and 4 stego"):
        trial(drawn(1, fields=4), drawn(2, fields=4), "logistic")
    with pytest.raises(ConfigError, match="cannot be split"):
        trial(drawn(1), drawn(2, fields=19), "logistic")
    with pytest.raises(ConfigError, match="of 4 groups"):
        trial(drawn(1), drawn(2), "logistic", groups=[0, 1, 2, 3] * 5)
    with pytest.raises(ConfigError, match="cannot be split"):
        trial(drawn(1), drawn(2), "logistic", groups=range(19))
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ConfigError, match="scikit-learn"):
        trial(drawn(1), drawn(2), "logistic")
