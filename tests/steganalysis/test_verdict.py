from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from stegfield import bench, signals
from stegfield.errors import ConfigError, InputError
from stegfield.jobs import Entry
from stegfield.steganalysis import lsb, verdict
from stegfield.steganalysis.simulate import lsb_replacement
from stegfield.steganalysis.verdict import COVERS, IMAGES, SUSPECTED, judge

RESULTS = Path(__file__).parents[2] / "results" / "experiments"


def photograph(rate: float = 0.0) -> signals.Signal:
    levels = data.coffee()[72:328, 172:428]  # type: ignore[no-untyped-call]
    return signals.from_samples(lsb_replacement(levels, rate, np.random.default_rng(0)))


@pytest.mark.parametrize("detector", ["all", *lsb.DETECTORS])
def test_replacement_is_suspected_and_a_cover_is_not(detector: str) -> None:
    clean, stego = judge(photograph(), detector), judge(photograph(0.9), detector)
    assert (clean.suspected, stego.suspected) == (False, True)
    names = lsb.DETECTORS if detector == "all" else (detector,)
    assert tuple(clean.rates) == tuple(names)
    assert f"{SUSPECTED[COVERS][stego.decided_by]} of {IMAGES} innocent" in stego.words
    assert "no sign" in clean.words
    assert "replacement, 3 bpp" in clean.words


def test_what_cannot_be_judged_is_said() -> None:
    for origin in ("JPEG", "WebP"):
        out_of_lossy = judge(replace(photograph(0.9), origin=origin))
        assert out_of_lossy.suspected is None
        assert set(out_of_lossy.rates.values()) == {None}
        assert origin in out_of_lossy.words
    plain = judge(signals.from_samples(np.full((64, 64, 1), 7, np.uint8)), "chi")
    assert plain.suspected is None
    assert "levels" in plain.words
    with pytest.raises(InputError, match="climate"):
        judge(signals.globe(18, 36))
    with pytest.raises(ConfigError, match="no detector 'magic'"):
        judge(photograph(), "magic")


def test_a_verdict_becomes_json() -> None:
    facts = json.loads(json.dumps(judge(photograph(0.9), "primary").to_json(), allow_nan=False))
    assert facts["suspected"] is True
    assert facts["measured"]["suspected"][COVERS] == SUSPECTED[COVERS]["primary"]
    assert facts["threshold"] == lsb.THRESHOLD


def records(experiment: str) -> list[Entry[bench.Findings]]:
    """Find what became of an experiment whose errors are told."""
    name = {"suspecting": "detecting-1-thresholds", "choosing": "detecting-2-choice"}[experiment]
    results = bench.Results(RESULTS)
    found = [results.of(job) for job in bench.load(name).jobs()]
    if not any(found):
        pytest.skip("the results of the benchmarks are not beside these tests")
    return [record for record in found if record is not None]


def test_the_errors_told_are_those_measured() -> None:
    measured = {}
    for record in records("suspecting"):
        method, payload = record.settings["method"], record.settings["payload"]
        name = COVERS if method == COVERS else f"{method}, {payload:g} bpp"
        counts = (record.facts.figures[f"{each}_suspected"] for each in lsb.DETECTORS)
        measured[name] = dict(zip(lsb.DETECTORS, counts, strict=True))
        assert record.facts.figures["images"] == IMAGES
        assert record.facts.figures["threshold"] == lsb.THRESHOLD
    assert measured == SUSPECTED


def test_what_the_choice_of_a_detector_flatters_is_told() -> None:
    (record,) = records("choosing")
    chosen = {name: float(record.facts.figures[f"{name}_chosen"] or 0) for name in lsb.DETECTORS}
    assert max(chosen, key=chosen.__getitem__) == verdict.DECIDES
    suspected = float(record.facts.figures["covers_suspected_percent"] or 0)
    assert f"whichever won suspects {suspected:.1f} %" in " ".join((verdict.__doc__ or "").split())


def test_the_detector_that_decides_suspects_the_fewest_covers() -> None:
    assert SUSPECTED[COVERS][verdict.DECIDES] == min(SUSPECTED[COVERS].values())


def test_photographs_as_jpeg_files_are_not_judged() -> None:
    stream = io.BytesIO(signals.encode(photograph(), ".jpg"))
    read = signals.decode(stream.getvalue(), Path("photo.jpg"))
    assert judge(read).suspected is None
