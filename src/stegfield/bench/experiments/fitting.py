"""Fitting: what a field of some architecture reaches in so many steps, and the seconds it takes.

`stegfield.fields.choosing` chooses by these figures.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from stegfield import fields, hiding, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.config import FitConfig
from stegfield.hiding import Secret
from stegfield.keys import Key
from stegfield.signals import Signal

LARGEST_TILE = 512
"""Side of the largest square that every image of the sets has; larger pictures are mosaics."""
CORES = 2


def fitting(
    data: Datasets,
    *,
    dataset: str,
    resolution: int,
    field: str,
    steps: int,
    image: int = 0,
    secrets: int = 0,
) -> Found:
    """Fit a picture, or hide others in its field, and measure the worst of them.

    Args:
        data: Where the pictures come from.
        dataset: A set of images.
        resolution: Rows and columns; above `LARGEST_TILE`, a mosaic of unreduced squares.
        field: The architecture, with its own sizes, batch and step length.
        steps: Training steps.
        image: Which picture; secrets are those after it.
        secrets: How many are hidden as functions.
    """
    pictures = [mosaic(data, dataset, image + at, resolution) for at in range(1 + secrets)]
    training, began = FitConfig(steps=steps, seed=1), time.process_time()
    reached, weights = _reached(pictures, field, training)
    spent = time.process_time() - began
    return Found(
        {
            "psnr_db": reached,
            "weights": weights,
            "two_core_seconds": spent / CORES,  # of work: other programs may run beside it
        }
    )


def _reached(pictures: Sequence[Signal], field: str, training: FitConfig) -> tuple[float, int]:
    cover, *others = pictures
    if not others:
        fitted = fields.fit(cover, architecture=field, training=training)
        return fitted.quality.psnr_db, fitted.field.weight_count()
    secrets = [Secret(each, Key(bytes([at]) * 32)) for at, each in enumerate(others, 1)]
    hidden = hiding.hide_functions(cover, secrets, architecture=field, training=training)
    shown = [hidden.cover, *(each.quality for each in hidden.secrets)]
    return min(each.psnr_db for each in shown), hidden.field.weight_count()


def mosaic(data: Datasets, dataset: str, index: int, resolution: int) -> Signal:
    """Read a square picture, or put several together so that none is enlarged."""
    across = -(-resolution // LARGEST_TILE)
    side = resolution // across
    tiles = [
        signals.to_samples(data.image(dataset, index + at, side)) for at in range(across * across)
    ]
    rows = [np.concatenate(tiles[at : at + across], 1) for at in range(0, len(tiles), across)]
    return signals.from_samples(np.concatenate(rows))
