from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from skimage import data

from stegfield import signals
from stegfield.errors import InputError
from stegfield.steganalysis import lsb, verdict
from stegfield.steganalysis.simulate import lsb_replacement
from stegfield.steganalysis.verdict import COVERS, IMAGES, SUSPECTED, judge

RESULTS = Path(__file__).parents[2] / "results" / "detecting.json"


def photograph(rate: float = 0.0) -> signals.Signal:
    levels = data.coffee()[72:328, 172:428]  # type: ignore[no-untyped-call]
    return signals.from_samples(lsb_replacement(levels, rate, np.random.default_rng(0)))


@pytest.mark.parametrize("detector", ["all", *lsb.DETECTORS])
def test_replacement_is_suspected_and_a_cover_is_not(
    detector: verdict.Name | Literal["all"],
) -> None:
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


def test_a_verdict_becomes_json() -> None:
    facts = json.loads(json.dumps(judge(photograph(0.9), "primary").to_json(), allow_nan=False))
    assert facts["suspected"] is True
    assert facts["measured"]["suspected"][COVERS] == SUSPECTED[COVERS]["primary"]
    assert facts["threshold"] == lsb.THRESHOLD


def test_the_errors_told_are_those_measured() -> None:
    if not RESULTS.exists():
        pytest.skip("the results of the benchmarks are not beside these tests")
    measured = json.loads(RESULTS.read_text())["thresholds"]
    assert measured["suspected"] == SUSPECTED
    assert sum(measured["images"].values()) == IMAGES
    assert measured["threshold"] == lsb.THRESHOLD


def test_what_the_choice_of_a_detector_flatters_is_told() -> None:
    if not RESULTS.exists():
        pytest.skip("the results of the benchmarks are not beside these tests")
    measured = json.loads(RESULTS.read_text())["choice"]
    assert max(measured["chosen"], key=measured["chosen"].get) == verdict.DECIDES
    assert f"suspects {measured['covers_suspected']:.1%}".replace("%", " %") in " ".join(
        (verdict.__doc__ or "").split()
    ).replace("whichever won suspects", "suspects")


def test_the_detector_that_decides_suspects_the_fewest_covers() -> None:
    assert SUSPECTED[COVERS][verdict.DECIDES] == min(SUSPECTED[COVERS].values())


def test_photographs_as_jpeg_files_are_not_judged() -> None:
    stream = io.BytesIO(signals.encode(photograph(), ".jpg"))
    read = signals.decode(stream.getvalue(), Path("photo.jpg"))
    assert judge(read).suspected is None
