"""How well fields that hide secrets are told from fields that hide nothing.

    python benchmarks/fields_detecting.py --data FOLDER --pool FOLDER [--count 100] [--side 64]
        [--width 128] [--depth 4] [--steps 1000] [--processes 2] [--charts FOLDER] [--only CASE ...]

FOLDER of ``--data`` holds ``images/kodak``, whose crops are the covers. Fields go to ``--pool``,
one file for each, so that a run that was cut off goes on where it was: with the settings above, 100
fields of each kind take about a night on two cores. Each case trains detectors on features
of two kinds of fields, by cross-validation over covers, and replaces its own entry of the output.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from measure import Case, arguments, run
from stegfield import files, hiding, signals
from stegfield.config import FitConfig
from stegfield.fields import Field, render
from stegfield.metrics import Samples, psnr_db
from stegfield.signals import to_samples
from stegfield.steganalysis import pools
from stegfield.steganalysis.classify import DETECTORS, table, trial
from stegfield.steganalysis.pools import KINDS, PoolConfig
from stegfield.steganalysis.weights import GROUPS, chart, features, histograms

REDUCED = 384
"""Pixels of the longer side of a photograph before it is cropped."""
MOST_DB = 100.0
"""Stands for the PSNR of equal pictures in means."""
PAPERS = FitConfig(optimizer="adam", batch=0, decay=0.0, warm_up=0, loss="l1", seed=0)
HIDING = {"keyed": "secret", "like": "secret", "decoys": "decoy"}
"""Kinds with images in them, and the label of their keys."""


def crops(data: Path, side: int, count: int) -> list[Samples]:
    """Cut square crops from photographs, one after the other, at places drawn at random."""
    paths = sorted((data / "images" / "kodak").glob("*.png"))
    photographs = [to_samples(signals.resize(signals.read(path), REDUCED)) for path in paths]
    random = np.random.default_rng(0)
    cut = []
    for number in range(count):
        samples = photographs[number % len(photographs)]
        top, left = (random.integers(0, length - side + 1) for length in samples.shape[:2])
        cut.append(samples[top : top + side, left : left + side])
    return cut


class Pool:
    """A folder of fields by kind, made when they are asked for, and their features."""

    def __init__(
        self, folder: Path, covers: list[Samples], config: PoolConfig, processes: int
    ) -> None:
        self.folder, self.covers, self.config = folder, covers, config
        self.processes = processes
        self._features: dict[str, dict[int, dict[str, float]]] = {}

    def fields(self, kind: str) -> dict[int, Field]:
        """Give the fields of a kind by cover, and make those that are missing."""
        told = partial(print, f"  {kind}:", flush=True)
        built = pools.build(
            self.folder, self.covers, [kind], self.config, processes=self.processes, told=told
        )
        for name, reason in built.failed.items():
            print(f"  {name}: {reason}", flush=True)
        return pools.read(self.folder, kind)

    def features(self, kind: str) -> dict[int, dict[str, float]]:
        """Give the features of a kind's fields by cover."""
        if kind not in self._features:
            found = self.fields(kind)
            self._features[kind] = {at: features(field) for at, field in found.items()}
        return self._features[kind]

    def quality(self, kind: str) -> dict[str, float]:
        """Give the mean PSNR of the covers, and of the images that the keys reveal."""
        shown: dict[str, list[float]] = {"cover_psnr_db": [], "secrets_psnr_db": []}
        count, first = self.config.secrets, self.config.training.seed or 0
        for at, field in self.fields(kind).items():
            shown["cover_psnr_db"].append(psnr_db(to_samples(render(field)), self.covers[at]))
            if (label := HIDING.get(kind)) is None:
                continue
            images = pools.drawn_images(at, len(self.covers), count)[label == "decoy"]
            for place, key in zip(images, pools.keys(first + at, count, label), strict=True):
                image = to_samples(hiding.reveal(field, key).signal)
                shown["secrets_psnr_db"].append(psnr_db(image, self.covers[place]))
        return {
            name: round(statistics.mean(min(value, MOST_DB) for value in values), 2)
            for name, values in shown.items()
            if values
        }


def compared(pool: Pool, clean: str, stego: str, charts: Path | None) -> dict[str, Any]:
    """Try every detector on the paper's histograms, on each group of features, and on all."""
    first, second = pool.fields(clean), pool.fields(stego)
    both = sorted(first.keys() & second.keys())
    if charts is not None:
        kinds = {clean: [first[at] for at in both], stego: [second[at] for at in both]}
        for name in first[both[0]].slot_bounds():
            path = charts / f"{clean} {stego} {name}.png".replace(" ", "-")
            files.write_new(path, chart(kinds, name), force=True)
    counts = histograms([first[at] for at in both] + [second[at] for at in both])
    results: dict[str, Any] = {
        "fields_of_each": len(both),
        "quality": {kind: pool.quality(kind) for kind in (clean, stego)},
        "histogram": tried(counts[: len(both)], counts[len(both) :]),
    }
    rows = [pool.features(kind) for kind in (clean, stego)]
    for group in GROUPS:
        results[group] = tried(*(table(chosen(each, both, group)) for each in rows))
    results["all features"] = tried(*(table(chosen(each, both, "")) for each in rows))
    return results


def chosen(
    rows: Mapping[int, Mapping[str, float]], covers: list[int], group: str
) -> dict[int, dict[str, float]]:
    """Give some covers' features of one group, or of all."""
    return {
        at: {name: value for name, value in rows[at].items() if name.startswith(group)}
        for at in covers
    }


def tried(clean: Any, stego: Any) -> dict[str, Any]:
    """Try every detector on two tables of features."""
    results: dict[str, Any] = {}
    for detector in DETECTORS:
        told = trial(clean, stego, detector)
        found = told.detection
        results[detector] = {
            "accuracy": round(told.accuracy, 3),
            "accuracy_interval": [round(end, 3) for end in told.accuracy_interval],
            "auc": round(found.auc, 3),
            "auc_interval": [round(end, 3) for end in found.auc_interval],
            "p_e": round(found.p_e, 3),
            "p_e_interval": [round(end, 3) for end in found.p_e_interval],
        }
    return results


def cases(given: argparse.Namespace) -> dict[str, Case]:
    """Give the cases: ours beside clean fields and decoys, the paper's rules, and naive ones."""
    known: dict[bool, Pool] = {}

    def case(clean: str, stego: str, papers: bool, data: Path) -> dict[str, Any]:
        if given.charts is not None:
            files.make_folder(given.charts)
        config = PoolConfig(
            architecture="fourier" if papers else "siren",
            sizes={"width": given.width, "depth": given.depth},
            training=replace(PAPERS if papers else FitConfig(seed=0), steps=given.steps),
        )
        if papers not in known:
            covers = crops(data, given.side, given.count)
            folder = given.pool / ("papers" if papers else "ours")
            files.make_folder(folder)
            known[papers] = Pool(folder, covers, config, given.processes)
        settings = {"side": given.side, "steps": given.steps, "sizes": dict(config.sizes)}
        return settings | compared(known[papers], clean, stego, given.charts)

    pairs = [("clean", stego) for stego in KINDS if stego not in ("clean", "decoys")]
    named: dict[str, Case] = {
        f"{clean} against {stego}": partial(case, clean, stego, False)
        for clean, stego in [*pairs, ("decoys", "keyed")]
    }
    return named | {"the paper's procedure": partial(case, "clean", "xavier", True)}


def main() -> None:
    """Measure the cases asked for, and write each as it is done."""
    torch.set_num_threads(1)  # the matrices are small
    names = cases(argparse.Namespace())
    parser = arguments(__doc__, names, Path("results/fields_detecting.json"))
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--charts", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    run(cases(given), given.only, given.data, given.output)


if __name__ == "__main__":
    main()
