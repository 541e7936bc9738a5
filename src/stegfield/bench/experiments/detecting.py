"""Detecting: how well detectors tell stegos from covers, and how many pairs they need."""

from __future__ import annotations

import numpy as np

from stegfield import pictures, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.results import Figure
from stegfield.errors import ConfigError
from stegfield.metrics import Samples
from stegfield.steganalysis import compare, learning

CUT = 2
"""Crops along each axis of an image."""
LEAST_SIDE = 8
"""Least side of a crop: smaller ones are too small for networks and rich features."""
STEGOS = "stegos.npy"


def detecting(
    data: Datasets,
    *,
    dataset: str,
    method: str,
    payload: float,
    images: int = 24,
    resolution: int = 128,
    richer: bool = False,
    scattered: bool = False,
) -> Found:
    """Run every detector on one method of embedding, on crops of images.

    Args:
        data: Where the images come from.
        dataset: A set of them; four crops are taken of each.
        method: One of `compare.SCHEMES`: ours, or a simulator of another.
        payload: Bits a pixel.
        images: How many images.
        resolution: Rows and columns of a crop.
        richer: Run only detectors that learn, with the slow features too.
        scattered: Take crops at random places of a grid, not in the corners.
    """
    covers, groups = _crops(data, dataset, images, resolution, scattered=scattered)
    rows = compare.compare_detectors(
        covers,
        float(payload),
        schemes={method: _scheme(method)},
        detectors=compare.RICHER if richer else None,
        groups=groups,
    )
    figures: dict[str, Figure] = {"psnr_db": rows[0].psnr_db, "crops": len(covers)}
    for row in rows:
        figures[f"{row.detector}_auc"] = row.result.auc
        figures[f"{row.detector}_p_e"] = row.result.p_e
        figures[f"{row.detector}_p_e_low"], figures[f"{row.detector}_p_e_high"] = (
            row.result.p_e_interval
        )
        if row.result.detected is not None:
            figures[f"{row.detector}_detected_percent"] = 100 * row.result.detected
            figures[f"{row.detector}_false_alarms_percent"] = 100 * (row.result.false_alarms or 0.0)
    curves = {
        row.detector: list(
            zip(row.curve.false_alarms.tolist(), row.curve.detections.tolist(), strict=True)
        )
        for row in rows
    }
    title = f"detected of {method}, {payload:g} bpp"
    picture = pictures.curves(curves, across="false alarms", title=title)
    return Found(figures, {"roc": picture})


def learning_curve(
    data: Datasets,
    *,
    dataset: str,
    method: str,
    payload: float,
    pairs: int,
    seed: int = 0,
    network: str = "siamese",
    steps: int = 400,
    images: int = 24,
    resolution: int = 64,
) -> Found:
    """Train a network on some pairs of cover and stego, and test it on others.

    Args:
        data: Where the images come from.
        dataset: A set of them; four crops of each; half of the images are for training.
        method: One of `compare.SCHEMES`.
        payload: Bits a pixel.
        pairs: Pairs to train on.
        seed: Decides the pairs, and the network's first weights.
        network: siamese or srnet.
        steps: Training steps.
        images: How many images.
        resolution: Rows and columns of a crop.
    """
    covers, groups = _crops(data, dataset, images, resolution)
    make = _scheme(method)
    folder = data.scratch()
    stegos = compare.kept(
        folder / STEGOS,
        lambda: [
            make(cover, float(payload), np.random.default_rng([0, at]))
            for at, cover in enumerate(covers)
        ],
    )
    config = learning.TrainingConfig(network=network, steps=steps)
    (point,) = learning.learning_curve(
        np.stack(covers),
        stegos,
        groups,
        counts=[pairs],
        seeds=[seed],
        folder=folder,
        config=config,
    )
    return Found(
        {
            "accuracy_percent": 100 * point.accuracy,
            "auc": point.result.auc,
            "p_e": point.result.p_e,
        }
    )


def _scheme(method: str) -> compare.Scheme:
    if method not in compare.SCHEMES:
        raise ConfigError(
            f"there is no way to embed called {method}", hint=", ".join(compare.SCHEMES)
        )
    return compare.SCHEMES[method]


def _crops(
    data: Datasets, dataset: str, images: int, side: int, *, scattered: bool = False
) -> tuple[list[Samples], list[int]]:
    """Return four crops of each image, and the index of each crop's image."""
    if images < 1 or side < LEAST_SIDE:
        raise ConfigError(
            f"images must be at least 1 and resolution at least {LEAST_SIDE}, "
            f"got {images} and {side}"
        )
    covers, groups = [], []
    random = np.random.default_rng(1)
    for index in range(min(images, data.count(dataset))):
        samples = signals.to_samples(data.image(dataset, index))
        rows, columns = samples.shape[:2]
        if min(rows, columns) < CUT * side:
            raise ConfigError(f"images of {dataset} are too small for crops of {side}")
        places = _cells(rows, columns, side) if scattered else _corners(rows, columns, side)
        chosen = random.permutation(len(places)) if scattered else range(len(places))
        for top, left in (places[at] for at in chosen[: CUT * CUT]):
            covers.append(samples[top : top + side, left : left + side])
            groups.append(index)
    return covers, groups


def _corners(rows: int, columns: int, side: int) -> list[tuple[int, int]]:
    downs, acrosses = ((0, length - side) for length in (rows, columns))
    return [(top, left) for top in downs for left in acrosses]


def _cells(rows: int, columns: int, side: int) -> list[tuple[int, int]]:
    downs, acrosses = (range(0, length - side + 1, side) for length in (rows, columns))
    return [(top, left) for top in downs for left in acrosses]
