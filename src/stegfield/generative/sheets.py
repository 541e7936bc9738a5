"""Sheets: many generated samples in one picture."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray

from stegfield import fields, pictures, signals
from stegfield.generative.model import Model
from stegfield.generative.wasserstein import AnyBatch, as_batches
from stegfield.metrics import Samples
from stegfield.signals import Signal

ACROSS = 8
SMALL_TILE, LARGE_TILE, MAP_WIDTH = 64, 256, 360
"""Pixels along the longer side of a tile, and of a map in it."""
LATENTS, LATENTS_ACROSS = 64, 16
"""Samples that the picture of a run shows, of the same latents each time."""


def sheet(model: Model, seeds: Iterable[int], size: tuple[int, ...]) -> bytes:
    """Show the fields of some seeds side by side, as a PNG; they have the aspect of ``size``."""
    tile = signals.scaled(size, min(max(SMALL_TILE, *size), LARGE_TILE))
    shown = [_picture(fields.render(model.field(seed), tile)) for seed in seeds]
    return pictures.contact_sheet(shown, ACROSS, tile_width=shown[0].shape[1])


@torch.no_grad()
def latents_sheet(model: Model, seed: int) -> bytes:
    """Show the samples of latents that a seed decides, as a PNG."""
    draws = torch.Generator().manual_seed(seed)
    values = model.sample(torch.randn(LATENTS, model.sizes.latent, generator=draws), model.size)
    return pictures.contact_sheet(list(to_levels(values.numpy())), LATENTS_ACROSS)


def matches_sheet(
    samples: AnyBatch,
    neighbours: AnyBatch,
    rms: NDArray[np.float64],
    *,
    columns: int = 4,
    tile_width: int = 96,
) -> bytes:
    """Show samples beside their nearest training samples, as a PNG: are they copies?

    Below each pair stands its RMS distance, ``columns`` pairs in a row.
    """
    tiles = [
        tile
        for sample, neighbour, distance in zip(*as_batches(samples, neighbours), rms, strict=True)
        for tile in (
            pictures.Tile(to_levels(sample), "generated"),
            pictures.Tile(to_levels(neighbour), f"{distance:.3f} away"),
        )
    ]
    rows = [tiles[at : at + 2 * columns] for at in range(0, len(tiles), 2 * columns)]
    return pictures.sheet(rows, tile_width=tile_width)


def to_levels(values: NDArray[np.float32]) -> UInt8[np.ndarray, "*size"]:
    """Return the 8-bit levels of values in [-1, 1]; what lies outside is clipped."""
    levels: UInt8[np.ndarray, "*size"] = (
        np.clip((values + 1) * 127.5, 0, 255).round().astype(np.uint8)
    )
    return levels


def _picture(shown: Signal) -> Samples:
    if shown.medium.on_globe:
        return signals.globes.world(shown, width=MAP_WIDTH)
    return signals.to_samples(shown)
