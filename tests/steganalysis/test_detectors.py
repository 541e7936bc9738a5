"""Detectors by name: ours, and how those of other packages are found."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from skimage import data

from stegfield import fields, signals
from stegfield.signals import Signal
from stegfield.steganalysis import lsb
from stegfield.steganalysis.compare import compare_detectors, detectors_of_images
from stegfield.steganalysis.detectors import DETECTORS, Detector, others
from stegfield.steganalysis.simulate import lsb_replacement

PHOTO = signals.from_samples(data.coffee()[72:200, 172:300])  # type: ignore[no-untyped-call]
STEGO = signals.from_samples(
    lsb_replacement(signals.to_samples(PHOTO), 0.9, np.random.default_rng(0))
)


def mean(signal: Signal) -> float:
    return float(signal.values.mean())


MEAN = Detector(mean, 0.5, "of brightness")
LOUD = Detector(mean, 0.5, "of loudness", judges="sound")


@pytest.fixture
def _brought(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"loud": f"{__name__}:LOUD", "mean": f"{__name__}:MEAN", "broken": "no_such_package:x"}
    brought = {name: EntryPoint(name, at, "stegfield.detectors") for name, at in places.items()}
    monkeypatch.setattr(DETECTORS, "plugins", brought)


@pytest.mark.parametrize("name", lsb.DETECTORS)
def test_ours_of_images_suspect_a_stego_and_say_so(name: str) -> None:
    verdict = DETECTORS[name].judge(name, STEGO)
    assert verdict.suspected
    assert verdict.words.startswith(f"suspected by {name}: ")
    assert verdict.words.endswith("bits a sample, with a threshold of 0.2")
    assert json.loads(json.dumps(verdict.to_json(), allow_nan=False))["score"] == verdict.score


def test_mantissas_of_a_clean_field_are_not_suspected() -> None:
    field = fields.new_field(PHOTO, sizes={"width": 64, "depth": 3}, seed=0)
    verdict = DETECTORS["mantissas"].judge("mantissas", field)
    assert verdict.suspected is False
    assert verdict.score is not None
    assert 0 <= verdict.score < 3


def test_where_there_is_nothing_to_judge_by_none_is_suspected() -> None:
    plain = signals.from_samples(np.full((64, 64, 1), 7, np.uint8))
    verdict = DETECTORS["chi"].judge("chi", plain)
    assert (verdict.score, verdict.suspected) == (None, None)
    assert verdict.words == "cannot be judged by chi"


@pytest.mark.usefixtures("_brought")
def test_those_of_other_packages_judge_beside_ours_and_a_broken_one_is_passed_over() -> None:
    assert dict(others("image")) == {"mean": MEAN}
    assert dict(others("sound")) == {"loud": LOUD}
    assert list(others("field")) == []
    assert list(detectors_of_images()) == [*lsb.DETECTORS, "mean", "spam"]
    covers = [signals.to_samples(PHOTO)] * 2
    tried = {"mean": detectors_of_images()["mean"]}
    rows = compare_detectors(
        covers, 0.4, schemes={"none": lambda cover, *_: cover}, detectors=tried
    )
    assert [(row.detector, row.result.auc) for row in rows] == [("mean", 0.5)]
