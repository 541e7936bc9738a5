from __future__ import annotations

import json

import numpy as np
import pytest
from skimage import data

from stegfield.errors import ConfigError
from stegfield.metrics import Samples
from stegfield.steganalysis import compare, simulate
from stegfield.steganalysis.compare import RICHER, SCHEMES, compare_detectors, detectors_of_images
from stegfield.steganalysis.detectors import DETECTORS

SIDE = 48


@pytest.fixture(scope="module")
def covers() -> list[Samples]:
    image = data.coffee()[:240, :576]  # type: ignore[no-untyped-call]
    return [
        image[row : row + SIDE, column : column + SIDE]
        for row in range(0, 240, SIDE)
        for column in range(0, 576, 2 * SIDE)
    ]


def test_replacement_is_found_and_matching_is_not(covers: list[Samples]) -> None:
    rows = compare_detectors(
        covers,
        3.0,
        schemes={name: SCHEMES[name] for name in ("replacement", "matching")},
        detectors={"ws": detectors_of_images()["ws"]},
    )
    replaced, matched = rows
    assert (replaced.scheme, matched.scheme) == ("replacement", "matching")
    assert replaced.result.auc > 0.99
    assert matched.result.auc < 0.9
    assert replaced.psnr_db == pytest.approx(51.1, abs=0.1)
    facts = json.loads(json.dumps(replaced.to_json()))
    assert facts["payload_bpp"] == 3
    assert facts["auc"] == replaced.curve.auc


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_embeds_with_few_changes(covers: list[Samples], name: str) -> None:
    one, two, other = (
        SCHEMES[name](covers[7], 0.6, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert 0.02 < (one != covers[7]).mean() < 0.2
    assert not np.array_equal(one, other)
    if name in simulate.SIMULATORS:  # our own messages have a salt that nothing else decides
        assert np.array_equal(one, two)


def test_detectors_that_learn_see_pairs_and_groups(covers: list[Samples]) -> None:
    pytest.importorskip("sklearn", reason="the ensembles come with stegfield[analysis]")
    groups = [at // 5 for at in range(len(covers))]
    rows = compare_detectors(
        covers,
        3.0,
        schemes={"matching": SCHEMES["matching"]},
        detectors={"spam": RICHER["spam"]},
        groups=groups,
    )
    # one photograph, and few pieces of it: better than chance is all that can be had
    assert rows[0].result.auc_interval[0] > 0.5
    assert rows[0].result.threshold == 0.5


def test_an_image_without_an_estimate_gives_no_evidence() -> None:
    plain = [np.full((16, 16, 1), 7, np.uint8)]
    scores = compare.one_by_one(plain, plain, [0], detector=DETECTORS["chi"])
    assert [score.tolist() for score in scores] == [[0.0], [0.0]]


def test_groups_must_match(covers: list[Samples]) -> None:
    with pytest.raises(ConfigError, match="1 groups"):
        compare_detectors(covers, 1.0, groups=[0])
    with pytest.raises(ConfigError, match="0 covers"):
        compare_detectors([], 1.0)
