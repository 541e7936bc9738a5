"""What detectors find of several ways to embed, and how often they suspect the innocent.

    python benchmarks/detecting.py --data FOLDER --output results/detecting.json [--only CASE ...]

FOLDER holds ``images`` with ``kodak``, ``div2k_valid_256`` and ``usgov_photos``. Payloads are bits
a pixel, over its three samples. All crops of a photograph stay together: a detector that learned
from one of them scores none of the others.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from measure import Case, arguments, run
from stegfield import signals
from stegfield.metrics import Samples
from stegfield.steganalysis import lsb
from stegfield.steganalysis.compare import SCHEMES, compare_detectors, kept
from stegfield.steganalysis.learning import TrainingConfig, learning_curve
from stegfield.steganalysis.networks import NETWORKS

SIDE, CROPS = 128, 4
LEARNED_SIDE = 64
PAYLOADS_BPP = (0.4, 1.0)
LEARNED = ("replacement", "matching", "stegfield")
LEARNED_BPP = 3.0
PAIRS, SEEDS, STEPS = (4, 12, 48), (0, 1, 2), 200
LONGEST = 1024
"""To which the photographs that come as JPEG are reduced, at least by half: that removes what
compression did to their samples."""
REPLACED_BPP = (0.3, 0.6, 1.2, 3.0)
WORK = Path("runs") / "detecting"
"""What a run that was stopped goes on from."""
HALVES = 200
HALVES_BPP = 0.6


def photographs(data: Path) -> dict[str, list[Samples]]:
    """Read all covers: Kodak's suite, crops of DIV2K, and works of the US government, reduced."""
    folder = data / "images"
    reduced = [signals.read(path) for path in sorted((folder / "usgov_photos").glob("*.jpg"))]
    return {
        "Kodak, 768x512": _read(folder / "kodak"),
        "DIV2K, crops of 256x256": _read(folder / "div2k_valid_256"),
        f"US government, reduced to {LONGEST}": [
            signals.to_samples(signals.resize(image, min(LONGEST, max(image.size) // 2)))
            for image in reduced
        ],
    }


def crops(data: Path, side: int) -> tuple[list[Samples], list[int]]:
    """Cut pieces from all over Kodak's images; give also the number of each one's image."""
    random = np.random.default_rng(1)
    cut, groups = [], []
    for number, image in enumerate(_read(data / "images" / "kodak")):
        grid = [
            (r, c)
            for r in range(0, image.shape[0] - side + 1, side)
            for c in range(0, image.shape[1] - side + 1, side)
        ]
        for at in random.permutation(len(grid))[:CROPS]:
            row, column = grid[at]
            cut.append(image[row : row + side, column : column + side])
            groups.append(number)
    return cut, groups


def thresholds(data: Path) -> dict[str, Any]:
    """How many whole images each detector suspects: covers, and stegos of several schemes."""
    covers = [image for images in photographs(data).values() for image in images]
    schemes = [("covers", "replacement", 0.0)]
    schemes += [(f"replacement, {bpp:g} bpp", "replacement", bpp) for bpp in REPLACED_BPP]
    schemes += [(f"{name}, 1 bpp", name, 1.0) for name in ("matching", "stegfield")]
    suspected = {}
    for name, scheme, bpp in schemes:
        found = [
            lsb.rates(SCHEMES[scheme](cover, bpp, np.random.default_rng(at)) if bpp else cover)
            for at, cover in enumerate(covers)
        ]
        suspected[name] = {
            detector: sum(rates[detector] >= lsb.THRESHOLD for rates in found)
            for detector in lsb.DETECTORS
        }
        print(name, suspected[name], flush=True)
    counts = {name: len(images) for name, images in photographs(data).items()}
    return {"images": counts, "threshold": lsb.THRESHOLD, "suspected": suspected}


def choice(data: Path) -> dict[str, Any]:
    """Choose the detector that suspects the fewest of half of the covers, and try it on the rest.

    Where several do, the one among them that finds the most stegos of the same half. The means are
    over random halves: how the verdict of all detectors does on images that did not choose it.
    """
    covers = [image for images in photographs(data).values() for image in images]
    make = SCHEMES["replacement"]
    stegos = [make(c, HALVES_BPP, np.random.default_rng(at)) for at, c in enumerate(covers)]
    alarms, found = (
        np.array([list(lsb.rates(image).values()) for image in images]) >= lsb.THRESHOLD
        for images in (covers, stegos)
    )
    random, told = np.random.default_rng(0), []
    for _ in range(HALVES):
        known, unseen = np.array_split(random.permutation(len(covers)), 2)
        counts = list(zip(alarms[known].sum(axis=0), -found[known].sum(axis=0), strict=True))
        best = min(range(len(counts)), key=counts.__getitem__)
        told.append((best, alarms[unseen, best].mean(), found[unseen, best].mean()))
    chosen, suspected, detected = map(list, zip(*told, strict=True))
    return {
        "halves": HALVES,
        "chosen": {name: chosen.count(at) for at, name in enumerate(lsb.DETECTORS)},
        "covers_suspected": round(float(np.mean(suspected)), 4),
        f"replacement, {HALVES_BPP:g} bpp": round(float(np.mean(detected)), 4),
    }


def compared(data: Path, payload_bpp: float) -> dict[str, Any]:
    """Every detector against every scheme at one payload."""
    covers, groups = crops(data, SIDE)
    rows = compare_detectors(covers, payload_bpp, groups=groups)
    return {"crops": len(covers), "side": SIDE, "rows": [_rounded(row.to_json()) for row in rows]}


def learning_curves(data: Path) -> dict[str, Any]:
    """What networks learn of LSB matching and of ours from more and more pairs, three seeds each.

    An hour or two on a CPU; whoever stops it goes on where it was.
    """
    covers, groups = crops(data, LEARNED_SIDE)
    told: dict[str, Any] = {"payload_bpp": LEARNED_BPP, "side": LEARNED_SIDE, "steps": STEPS}
    for scheme in LEARNED:
        stegos = kept(
            WORK / f"{scheme}-{LEARNED_SIDE}-{LEARNED_BPP:g}bpp.npy",
            partial(_stegos, covers, scheme, LEARNED_BPP),
        )
        for network in NETWORKS:
            points = learning_curve(
                np.stack(covers),
                stegos,
                groups,
                counts=PAIRS,
                seeds=SEEDS,
                folder=WORK / f"{network}-{scheme}",
                config=TrainingConfig(network=network, steps=STEPS),
            )
            told[f"{network}, {scheme}"] = [_rounded(point.to_json()) for point in points]
    return told


def _stegos(covers: list[Samples], scheme: str, bpp: float) -> list[Samples]:
    make = SCHEMES[scheme]
    return [make(cover, bpp, np.random.default_rng(at)) for at, cover in enumerate(covers)]


def _read(folder: Path) -> list[Samples]:
    return [signals.to_samples(signals.read(path)) for path in sorted(folder.glob("*.png"))]


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(entry) for entry in value]
    return round(value, 4) if isinstance(value, float) else value


CASES: dict[str, Case] = {
    "thresholds": thresholds,
    "choice": choice,
    "learning": learning_curves,
    **{f"{bpp:g}_bpp": partial(compared, payload_bpp=bpp) for bpp in PAYLOADS_BPP},
}


if __name__ == "__main__":
    given = arguments(__doc__, CASES, Path("results/detecting.json")).parse_args()
    run(CASES, given.only, given.data, given.output)
