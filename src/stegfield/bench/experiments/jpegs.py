"""Detecting messages in JPEG coefficients: crops of photographs, and detectors that learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stegfield import signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.results import Figure
from stegfield.errors import ConfigError
from stegfield.metrics import Samples
from stegfield.steganalysis import jpegs

COMPRESSED = ("usgov", "coco")
"""Sets of JPEG files, reduced so that traces of their compression go."""
REDUCED = 0.6
REDUCED_UNROUNDED = 0.75


def detecting_jpegs(
    data: Datasets,
    *,
    datasets: str,
    method: str,
    payload: float,
    quality: int,
    resolution: int = 144,
    images: int = 0,
    features: str = "dctr",
    unrounded: bool = False,
) -> Found:
    """Run detectors that learn on one way to embed in JPEG coefficients.

    Args:
        data: Where the images come from.
        datasets: Sets of them, with commas between; all crops are taken that fit side by side.
        method: One of `jpegs.SCHEMES`: ours, or a simulator of another.
        payload: Bits per non-zero AC coefficient.
        quality: Of the JPEG.
        resolution: Rows and columns of a crop, a multiple of 8.
        images: Images of each set; 0 takes all.
        features: What detectors learn from, with commas between.
        unrounded: Reduce all images by `signals.reduced`, and round none of their samples: then
            ours may use side information.
    """
    if resolution < 16 or resolution % 8:
        raise ConfigError(f"resolution must be a multiple of 8 from 16 on, got {resolution}")
    crops, groups = _crops(data, datasets, resolution, images, unrounded=unrounded)
    exact = [jpegs.unrounded(crop, quality) for crop in crops] if unrounded else None
    if exact is None:
        covers = [jpegs.quantised(crop, quality) for crop in crops]
    else:
        covers = [np.rint(each).astype(np.int16) for each in exact]
    names = [name.strip() for name in features.split(",")]
    outcomes = jpegs.detect(
        covers, quality, float(payload), scheme=method, features=names, groups=groups, exact=exact
    )
    figures: dict[str, Figure] = {"crops": len(covers), "photographs": len(set(groups))}
    for name, outcome in outcomes.items():
        figures["changed_percent"] = 100 * outcome.changed
        figures[f"{name}_p_e"] = outcome.result.p_e
        figures[f"{name}_p_e_low"], figures[f"{name}_p_e_high"] = outcome.result.p_e_interval
        figures[f"{name}_auc"] = outcome.result.auc
    return Found(figures)


def _crops(
    data: Datasets, datasets: str, side: int, images: int, *, unrounded: bool
) -> tuple[list[NDArray[Any]], list[int]]:
    """Return crops of all images, and the index of each crop's image."""
    crops: list[NDArray[Any]] = []
    groups: list[int] = []
    for name in (part.strip() for part in datasets.split(",")):
        for index in range(min(images or data.count(name), data.count(name))):
            image = data.image(name, index)
            samples: NDArray[Any] = signals.to_samples(image)
            if unrounded:
                longest = round(REDUCED_UNROUNDED * max(image.size))
                samples = 127.5 * (signals.reduced(image, longest).values + 1)
            elif name in COMPRESSED:
                samples = _reduced(samples)
            rows, columns = (length // side for length in samples.shape[:2])
            group = len(set(groups))
            for at in range(rows * columns):
                top, left = side * (at // columns), side * (at % columns)
                crops.append(samples[top : top + side, left : left + side])
                groups.append(group)
    if not crops:
        raise ConfigError(f"images of {datasets} are too small for crops of {side}")
    return crops, groups


def _reduced(samples: Samples) -> Samples:
    size = [round(REDUCED * length) for length in samples.shape[1::-1]]
    reduced = Image.fromarray(samples).resize((size[0], size[1]), Image.Resampling.LANCZOS)
    return np.asarray(reduced)
