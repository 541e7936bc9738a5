"""Weighing: whether the weights of fields reveal that they hide secrets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.experiments.settings import random_crops
from stegfield.bench.results import Figure
from stegfield.config import FitConfig
from stegfield.errors import StegfieldError
from stegfield.fields import Field
from stegfield.metrics import Samples
from stegfield.steganalysis import pools, weights
from stegfield.steganalysis.classify import CLASSIFIERS, table, trial


def weighing(
    data: Datasets,
    *,
    dataset: str,
    method: str,
    against: str = "clean",
    fields: int = 100,
    resolution: int = 64,
    width: int = 128,
    depth: int = 4,
    steps: int = 1000,
    secrets: int = 2,
    draw: bool = True,
) -> Found:
    """Train fields of two kinds on the same covers, and detectors to tell them apart.

    Args:
        data: Where the covers come from.
        dataset: A set of them; crops at random places. Detectors are tested on images that they did
            not learn from.
        method: One of `pools.KINDS`: how the second kind is made.
        against: The first kind.
        fields: Fields of each kind.
        resolution: Rows and columns of covers and secrets.
        width: Width of the SIREN's layers.
        depth: Layers of the SIREN.
        steps: Training steps of each field.
        secrets: Secrets in each field that has some.
        draw: Draw histograms of each layer's weights.
    """
    covers, groups = random_crops(data, dataset, resolution, fields)
    kinds = (against, method)
    folder = build_pools(
        data, dataset, covers, kinds, width=width, depth=depth, steps=steps, secrets=secrets
    )
    made = [pools.read(folder, kind) for kind in kinds]
    both = sorted(made[0].keys() & made[1].keys())
    groups = [groups[at] for at in both]
    figures: dict[str, Figure] = {"fields": len(both)}
    counts = weights.histograms([each[at] for each in made for at in both])
    figures |= _tried("histogram", counts[: len(both)], counts[len(both) :], groups)
    rows = [{at: weights.features(each[at]) for at in both} for each in made]
    for group in (*weights.GROUPS, ""):
        before, after = (
            table({at: {n: v for n, v in row[at].items() if n.startswith(group)} for at in both})
            for row in rows
        )
        figures |= _tried(group or "all", before, after, groups)
    drawn = _charts(kinds, [[each[at] for at in both] for each in made]) if draw else {}
    return Found(figures, drawn)


def _tried(name: str, clean: Any, stego: Any, groups: Sequence[int]) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    for detector in CLASSIFIERS:
        found = trial(clean, stego, detector, groups=groups)
        low, high = found.accuracy_interval
        figures[f"{name}_{detector}_accuracy_percent"] = 100 * found.accuracy
        figures[f"{name}_{detector}_accuracy_low_percent"] = 100 * low
        figures[f"{name}_{detector}_accuracy_high_percent"] = 100 * high
        figures[f"{name}_{detector}_auc"] = found.detection.auc
    return figures


def _charts(kinds: tuple[str, str], made: list[list[Field]]) -> dict[str, bytes]:
    by_kind = dict(zip(kinds, made, strict=True))
    return {f"weights-{name}": weights.chart(by_kind, name) for name in made[0][0].slot_bounds()}


def build_pools(
    data: Datasets,
    dataset: str,
    covers: Sequence[Samples],
    kinds: Sequence[str],
    *,
    width: int,
    depth: int,
    steps: int,
    secrets: int,
) -> Path:
    """Build SIRENs of every kind, in as many processes as a job has threads.

    Returns:
        Their folder, which jobs with the same covers and sizes share.

    Raises:
        StegfieldError: Some fields failed.
    """
    config = pools.PoolConfig(
        sizes={"width": width, "depth": depth},
        training=FitConfig(steps=steps, seed=0),
        secrets=secrets,
    )
    made_of = (dataset, len(covers), len(covers[0]), width, depth, steps, secrets)
    folder = data.scratch("-".join(map(str, ("pools", *made_of))))
    # the fields are the same with any number of processes
    built = pools.build(folder, covers, kinds, config, processes=torch.get_num_threads())
    if built.failed:
        name, reason = next(iter(built.failed.items()))
        raise StegfieldError(f"{len(built.failed)} fields failed; {name}: {reason}")
    return folder
