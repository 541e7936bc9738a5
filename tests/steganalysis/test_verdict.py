from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from stegfield import bench, signals
from stegfield.errors import ConfigError, InputError
from stegfield.jobs import Entry
from stegfield.metrics import Samples
from stegfield.steganalysis import lsb, verdict
from stegfield.steganalysis.simulate import lsb_replacement
from stegfield.steganalysis.verdict import COVERS, IMAGES, SUSPECTED, judge, posterior

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
    assert "False alarms" in stego.words
    assert "not a proof" in stego.words
    for each, like in ((stego, "suspected like this"), (clean, "without a sign like this")):
        chance = posterior(each.decided_by, suspected=bool(each.suspected), prior=0.01)
        assert f"about {100 * chance:.2g} in 100 {like} would hide one" in each.words
        assert each.to_json()["posterior"]["0.01"] == chance
    assert "no sign" in clean.words
    assert "replacement, 3 bpp" in clean.words


@pytest.mark.parametrize("detector", lsb.DETECTORS)
def test_a_verdict_moves_the_chance_by_the_rule_of_bayes(detector: str) -> None:
    found, alarms = (
        (SUSPECTED[kind][detector] + 0.5) / (IMAGES + 1) for kind in (verdict.LIKELY, COVERS)
    )
    after = posterior(detector, suspected=True, prior=0.2)
    assert after / (1 - after) == pytest.approx(0.25 * found / alarms)
    assert posterior(detector, suspected=False, prior=0.2) < 0.2 < after
    chances = [posterior(detector, suspected=each, prior=0.2) for each in (True, False)]
    suspects = 0.2 * found + 0.8 * alarms
    assert suspects * chances[0] + (1 - suspects) * chances[1] == pytest.approx(0.2)


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


def scan() -> Samples:
    """Make a page of black and white."""
    page = np.zeros((256, 256, 1), np.uint8)
    page[8::20, 8:-8] = page[9::20, 8:-8] = 255
    return page


def limited() -> dict[str, Samples]:
    """Make pictures of few levels or colours that hide nothing, and look like no palette's."""
    coffee = signals.to_samples(photograph())
    grey = coffee[..., :1]
    colours = Image.fromarray(coffee).quantize(64).convert("RGB")
    drawing = np.full((200, 300, 3), 240, np.uint8)
    drawing[40:90, 30:200], drawing[100:160, 80:280] = (200, 30, 30), (20, 120, 210)
    return {
        "scan": scan(),
        "16 levels": grey // 16 * 17,
        "6 bits stretched": (grey // 4 * 255.0 / 63).round().astype(np.uint8),
        "64 colours": np.asarray(colours),
        "drawing": drawing,
    }


@pytest.mark.parametrize("name", limited())
@pytest.mark.parametrize("detector", ["all", "chi", "pairs"])
def test_pictures_of_few_levels_cannot_be_judged(name: str, detector: str) -> None:
    judged = judge(signals.from_samples(limited()[name]), detector)
    assert judged.suspected is None
    assert "too few different levels" in judged.words


@pytest.mark.parametrize("mode", ["1", "P"])
def test_files_of_few_levels_cannot_be_judged_whatever_they_show(mode: str) -> None:
    stream = io.BytesIO()
    Image.fromarray(signals.to_samples(photograph())).convert(mode).save(stream, "PNG")
    judged = judge(signals.read(stream.getvalue()))
    assert judged.words.startswith("cannot be judged: it has a palette or few levels")


def test_dark_and_pale_photographs_are_judged() -> None:
    levels = signals.to_samples(photograph())
    for few in (levels // 4 + 3, 200 + levels // 6):
        assert judge(signals.from_samples(few.astype(np.uint8))).suspected is not None


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
    for part in ("(JPEG) keeps no lowest bits", "coefficients", "steganalysis.jpegs", "quiet"):
        assert part in judge(read).words
