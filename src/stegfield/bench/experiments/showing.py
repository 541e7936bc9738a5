"""Showing: whether what a field shows reveals that it hides secrets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stegfield import pictures, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.experiments.settings import random_crops
from stegfield.bench.experiments.weighing import build_pools
from stegfield.bench.results import Figure
from stegfield.errors import ConfigError
from stegfield.fields import render
from stegfield.metrics import Samples
from stegfield.steganalysis import compare, learning, pools
from stegfield.steganalysis.curves import Roc, detection, roc


def showing(
    data: Datasets,
    *,
    dataset: str,
    method: str = "files",
    against: str = "cover",
    fields: int = 24,
    resolution: int = 64,
    width: int = 96,
    depth: int = 4,
    steps: int = 600,
    secrets: int = 2,
    learning_steps: int = 400,
) -> Found:
    """Run detectors of images on what fields with secrets show.

    Args:
        data: Where the covers come from.
        dataset: A set of them; crops at random places.
        method: One of `pools.KINDS`: how the fields are made.
        against: The other class: ``cover``, the images themselves; or ``clean``, what fields
            without secrets show of them.
        fields: How many fields, of one cover each.
        resolution: Rows and columns of covers and secrets.
        width: Width of the SIREN's layers.
        depth: Layers of the SIREN.
        steps: Training steps of each field.
        secrets: Secrets in each field, where they are images.
        learning_steps: Training steps of the siamese network, on half of the covers.
    """
    if against not in ("cover", "clean"):
        raise ConfigError(f"against is cover or clean, got {against}")
    covers, groups = random_crops(data, dataset, resolution, fields)
    kinds = (method, "clean") if against == "clean" else (method,)
    folder = build_pools(
        data, dataset, covers, kinds, width=width, depth=depth, steps=steps, secrets=secrets
    )
    shown = {kind: _shown(folder, kind) for kind in kinds}
    innocent, stego = shown.get("clean", covers), shown[method]
    figures: dict[str, Figure] = {"fields": len(stego)}
    curves: dict[str, Roc] = {}
    for name, (judge, threshold) in compare.detectors_of_images().items():
        before, after = judge(innocent, stego, groups)
        found = detection(before, after, threshold=threshold, groups=groups)
        figures[f"{name}_auc"], figures[f"{name}_p_e"] = found.auc, found.p_e
        curves[name] = roc(before, after)
    (point,) = learning.learning_curve(
        np.stack(innocent),
        np.stack(stego),
        groups,
        counts=[fields // 2],
        seeds=[0],
        folder=data.scratch(),
        config=learning.TrainingConfig(steps=learning_steps),
    )
    figures |= {"siamese_accuracy_percent": 100 * point.accuracy, "siamese_auc": point.result.auc}
    drawn = {
        name: list(zip(each.false_alarms.tolist(), each.detections.tolist(), strict=True))
        for name, each in curves.items()
    }
    picture = pictures.curves(drawn, across="false alarms", title=f"detected, against {against}")
    return Found(figures, {"roc": picture})


def _shown(folder: Path, kind: str) -> list[Samples]:
    made = pools.read(folder, kind)
    return [signals.to_samples(render(made[at])) for at in sorted(made)]
