"""Knowing the model: what a generated cover's function reveals about a message in it.

An adversary with the model can search for the function that an image shows. Here they have found
it exactly, and measure the distance of each sample from it. The detector is the likelihood
ratio of these distances, learned from other covers and stegos of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from stegfield import carriers, fields, fixednet, generative, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.config import EmbedConfig
from stegfield.errors import ConfigError
from stegfield.fixednet import EmbedResult
from stegfield.generative import Model
from stegfield.keys import Key
from stegfield.signals import Signal
from stegfield.steganalysis import curves, learning

COVERS = ("drawn", "with noise", "function alone")
METHODS = ("ours", "ours, flat")
EDGES = np.linspace(-40, 40, 401)
"""Edges of the histogram of distances, in levels."""
INSIDE = 0.9
"""Values beyond are left out: a clipped sample has no distance."""


def knowing(
    data: Datasets,
    *,
    message_bytes: int,
    cover: str = "drawn",
    method: str = "ours",
    model: str = "faces",
    images: int = 60,
    resolution: int = 64,
) -> Found:
    """Detect stegos by the distances of their samples from the function of the cover.

    Args:
        data: Not used.
        message_bytes: Length of the random messages.
        cover: As `generate` draws it, with messages in the grain; or the same changed afterwards,
            by the exact profile; or the function alone, rounded and changed likewise.
        method: ours, or ours with all changes at the same cost (flat).
        model: Generates the covers.
        images: How many images; the detector learns from half of them.
        resolution: Points along the longer side.
    """
    if method not in METHODS:
        raise ConfigError(f"there is no method {method!r}", hint=f"try {', '.join(METHODS)}")
    config = EmbedConfig(flat=method == "ours, flat")
    seen, psnr, changed = [], [], []
    pairs = _pairs(
        generative.load(model),
        cover,
        config,
        images=images,
        resolution=resolution,
        message_bytes=message_bytes,
    )
    for pair in pairs:
        seen.append([_distances(each, pair.function) for each in (pair.sent, pair.result.stego)])
        psnr.append(pair.result.quality.psnr_db)
        changed.append(100 * pair.result.changed)
    scores = _likelihood_ratios(np.array(seen))
    return Found(
        {
            "auc": curves.roc(scores[:, 0], scores[:, 1]).auc,
            "psnr_db": float(np.mean(psnr)),
            "changed_percent": float(np.mean(changed)),
        }
    )


def learning_generated(
    data: Datasets,
    *,
    network: str,
    pairs: int,
    cover: str = "drawn",
    message_bytes: int = 1300,
    model: str = "faces",
    images: int = 600,
    resolution: int = 64,
    steps: int = 400,
) -> Found:
    """Train a network on pairs of generated covers without a message and with one.

    Args:
        data: Where the state of the training is kept.
        network: siamese or srnet.
        pairs: Pairs to train on; the network is judged by the other half of the images.
        cover: As for `knowing`.
        message_bytes: Length of the random messages.
        model: Generates the covers.
        images: How many covers, and as many stegos.
        resolution: Points along the longer side.
        steps: Training steps.
    """
    made = list(
        _pairs(
            generative.load(model),
            cover,
            EmbedConfig(),
            images=images,
            resolution=resolution,
            message_bytes=message_bytes,
        )
    )
    before, after = (
        np.stack([signals.to_samples(each) for each in side])
        for side in zip(*((pair.sent, pair.result.stego) for pair in made), strict=True)
    )
    (point,) = learning.learning_curve(
        before,
        after,
        range(images),
        counts=[pairs],
        seeds=[0],
        folder=data.scratch(),
        config=learning.TrainingConfig(network=network, steps=steps),
    )
    low, high = point.result.auc_interval
    return Found(
        {
            "accuracy_percent": 100 * point.accuracy,
            "auc": point.result.auc,
            "auc_low": low,
            "auc_high": high,
        }
    )


@dataclass(frozen=True)
class _Pair:
    """A function, what is sent of it without a message, and with one."""

    function: Signal
    sent: Signal
    result: EmbedResult


def _pairs(
    source: Model,
    cover: str,
    config: EmbedConfig,
    *,
    images: int,
    resolution: int,
    message_bytes: int,
) -> Iterator[_Pair]:
    if cover not in COVERS:
        raise ConfigError(f"there are no covers {cover!r}", hint=f"try {', '.join(COVERS)}")
    size = signals.scaled(source.size, resolution)
    rng = np.random.default_rng(0)
    for seed in range(images):
        function = fields.render(source.field(seed), size)
        alone = cover == "function alone"
        sent = function if alone else generative.generate(source, size=size, seed=seed)
        message, key = rng.bytes(message_bytes), Key(rng.bytes(32))
        if cover == "drawn":
            result = generative.generate_stego(source, message, key, size=size, seed=seed)
        else:
            result = fixednet.embed(sent, message, key, config=config)
        yield _Pair(function, sent, result)


def _distances(shown: Signal, function: Signal) -> Int64[np.ndarray, " bins"]:
    """Return the histogram of distances between a file's samples and the function's values."""
    inside = np.abs(function.values) < INSIDE
    held = signals.with_levels(shown, signals.to_levels(shown)).values
    distances = ((held - function.values) / carriers.step(shown))[inside]
    return np.histogram(distances.clip(EDGES[0], EDGES[-1]), EDGES)[0]


def _likelihood_ratios(
    counts: Int64[np.ndarray, "images 2 bins"],
) -> Float64[np.ndarray, "images 2"]:
    """Score covers and stegos of each half by the histograms of the other half."""
    scores = np.empty(counts.shape[:2])
    half = len(counts) // 2
    for judged, learned in ((slice(half), slice(half, None)), (slice(half, None), slice(half))):
        chances = counts[learned].sum(axis=0) + 1.0
        chances /= chances.sum(axis=1, keepdims=True)
        scores[judged] = counts[judged] @ (np.log(chances[1]) - np.log(chances[0]))
    return scores
