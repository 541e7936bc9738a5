from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from stegfield.errors import ConfigError
from stegfield.steganalysis.curves import chart, detection, roc, share_interval

levels = st.lists(st.integers(-3, 3), min_size=1, max_size=12)


def normal(count: int, mean: float, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(mean, 1, count)


@given(levels, levels)
def test_auc_counts_the_pairs_in_the_right_order(covers: list[int], stegos: list[int]) -> None:
    pairs = [(s > c) + (s == c) / 2 for c in covers for s in stegos]
    assert roc(np.array(covers, float), np.array(stegos, float)).auc == pytest.approx(
        np.mean(pairs)
    )


@given(levels, levels)
def test_p_e_is_the_least_error_of_any_threshold(covers: list[int], stegos: list[int]) -> None:
    a, b = np.array(covers, float), np.array(stegos, float)
    tried = [((a >= t).mean() + (b < t).mean()) / 2 for t in np.arange(-4, 5)]
    assert roc(a, b).p_e == pytest.approx(min(tried))


def test_the_curve_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    covers, stegos = normal(80, 0, 0).round(1), normal(60, 0.7, 1).round(1)
    truth = np.repeat([0, 1], [80, 60])
    scores = np.concatenate([covers, stegos])
    curve = roc(covers, stegos)
    assert curve.auc == pytest.approx(metrics.roc_auc_score(truth, scores))
    far, detected, thresholds = metrics.roc_curve(truth, scores, drop_intermediate=False)
    assert np.allclose(curve.false_alarms, far)
    assert np.allclose(curve.detections, detected)
    assert np.allclose(curve.thresholds, thresholds)
    assert curve.detected(0.05) == max(detected[far <= 0.05])


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    # of two normal distributions a standard deviation apart
    auc, p_e, tries = 0.7602, 0.3085, 60
    told = [
        detection(normal(60, 0, 2 * seed), normal(60, 1, 2 * seed + 1)) for seed in range(tries)
    ]
    assert sum(d.auc_interval[0] <= auc <= d.auc_interval[1] for d in told) >= 0.88 * tries
    assert sum(d.p_e_interval[0] <= p_e <= d.p_e_interval[1] for d in told) >= 0.80 * tries


def test_intervals_of_groups_are_wider_where_members_are_alike() -> None:
    groups = np.repeat(np.arange(20), 10)
    shared = normal(20, 0, 3)[groups]
    covers, stegos = shared + 0.1 * normal(200, 0, 4), shared + 0.1 * normal(200, 3, 5)
    alone = detection(covers, stegos, groups=list(range(200)))
    together = detection(covers, stegos, groups=groups.tolist())
    assert alone.auc == together.auc
    width = [told.auc_interval[1] - told.auc_interval[0] for told in (alone, together)]
    assert width[1] > 1.5 * width[0]


def test_intervals_of_the_least_error_hold_the_estimate() -> None:
    # of pairs that hardly differ, every resample has a smaller error
    covers = normal(20, 0, 0)
    stegos = covers + 0.001 * normal(20, 0, 1)
    told = detection(covers, stegos, groups=range(20))
    assert told.p_e_interval[0] <= told.p_e <= told.p_e_interval[1]


def test_perfect_detection_is_not_taken_for_certain() -> None:
    told = detection(np.arange(10.0), np.arange(20.0, 30.0), threshold=15.0)
    assert (told.auc, told.p_e, told.error) == (1, 0, 0)
    assert told.p_e_interval == (0, 3 / 20)


def test_a_detection_becomes_json() -> None:
    told = detection(np.arange(4.0), np.arange(2.0, 6.0), threshold=2.0).to_json()
    assert json.loads(json.dumps(told))["error"] == pytest.approx(0.25)
    assert told["false_alarms"] == 0.5
    assert told["detected"] == 1


def test_what_cannot_be_judged_is_refused() -> None:
    scores = np.arange(3.0)
    with pytest.raises(ConfigError, match="0 stegos"):
        detection(scores, scores[:0])
    with pytest.raises(ConfigError, match="finite"):
        roc(scores, np.array([np.nan]))
    with pytest.raises(ConfigError, match="2 groups"):
        detection(scores, scores, groups=[0, 1])
    with pytest.raises(ConfigError, match="no share"):
        share_interval(1, 0)


@given(st.integers(1, 500), st.data())
def test_intervals_of_shares_lie_around_them(total: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total))
    low, high = share_interval(count, total)
    assert 0 <= low <= count / total <= high <= 1
    assert low < high


def test_a_chart_is_drawn() -> None:
    curve = roc(normal(30, 0, 0), normal(30, 1, 1))
    with Image.open(io.BytesIO(chart({"pairs": curve}))) as picture:
        assert len(picture.getcolors(1 << 16) or []) > 10
