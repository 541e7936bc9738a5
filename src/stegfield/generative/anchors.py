"""Anchors: real samples, the same blurred, and noise, to set figures of generated ones beside."""

from __future__ import annotations

import math

import numpy as np

from stegfield.generative.wasserstein import (
    AnyBatch,
    Batch,
    SlicedWasserstein,
    as_batches,
    filtered,
    sliced_wassersteins,
)

BLUR = 1 / 64
"""Standard deviation of the blurred anchor's Gaussian, as a share of the shorter side."""
LEAST_BLUR = 0.7
"""The least that it is, in pixels: less leaves small images as they are."""


def anchors(
    real_a: AnyBatch, real_b: AnyBatch, *, seed: int = 0, globe: bool = False
) -> dict[str, SlicedWasserstein]:
    """Return the sliced Wasserstein distance of ``real_a`` from real, blurred and random samples.

    Returns:
        The distance from "real" (``real_b``, what a perfect generator would reach), "blurred" (the
        same, slightly blurred) and "noise" (noise with the mean and covariance of each pixel).
    """
    sets = anchor_sets(real_b, seed=seed, globe=globe)
    found = sliced_wassersteins(real_a, list(sets.values()), seed=seed, globe=globe)
    return dict(zip(sets, found, strict=True))


def anchor_sets(real: AnyBatch, *, seed: int = 0, globe: bool = False) -> dict[str, Batch]:
    """Return "real" samples, the same "blurred", and as much "noise" as there are samples.

    The blur is Gaussian, with a standard deviation of one pixel at 64 pixels, and of 0.7 pixels at
    least. Noise is normal and independent from pixel to pixel; each pixel has the mean and the
    covariance of channels that it has in the real samples.
    """
    (batch,) = as_batches(real)
    sigma = max(LEAST_BLUR, BLUR * min(batch.shape[1:3]))
    at = np.arange(-math.ceil(4 * sigma), math.ceil(4 * sigma) + 1)
    window = np.exp(-0.5 * np.square(at / sigma))
    blurred = filtered(batch, (window / window.sum()).astype(np.float32), globe=globe)
    mean = batch.mean(axis=0)
    covariance = np.einsum("nrci,nrcj->rcij", batch - mean, batch - mean) / len(batch)
    variances, axes = np.linalg.eigh(covariance)
    roots = axes * np.sqrt(np.maximum(variances, 0))[..., None, :]
    normal = np.random.default_rng(seed).standard_normal(batch.shape, np.float32)
    return {
        "real": batch,
        "blurred": blurred,
        "noise": mean + np.einsum("rcij,nrcj->nrci", roots, normal),
    }
