"""Methods of embedding bits in an image: ours, the paper's and its relatives."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool

from stegfield import fixednet, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.settings import EmbeddingSettings
from stegfield.bench.results import Figure
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import UnreadableError
from stegfield.fixednet.paper.gradient import Descent, descend, embed_bits, noise_around, read_bits
from stegfield.fixednet.paper.published import PublishedNetwork
from stegfield.keys import Key
from stegfield.metrics import Samples
from stegfield.registry import Registry
from stegfield.signals import Signal

KEY = Key(bytes(range(32)))
WEIGHTS = ("weights", "steganogan-basic.safetensors")
NOISE = 2 / 255
WARM = 64
"""Rows and columns of a cover that is embedded in once before anything is timed."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """An 8-bit stego image, and figures about its bits."""

    stego: Samples = field(repr=False)
    figures: dict[str, Figure]


Embedder = Callable[[Datasets, Signal, EmbeddingSettings, int], Embedded]
"""A method: takes data, a cover, settings, and a seed for the bits."""


def ours(
    data: Datasets, cover: Signal, settings: EmbeddingSettings, seed: int, *, flat: bool = False
) -> Embedded:
    """Embed a random message, write and read the file, and count the wrong bits."""
    _warm_up()
    rate = settings.rate
    length = settings.message_bytes or fixednet.capacity(cover)["exact"][f"{rate} bpp"]
    message = np.random.default_rng(seed).bytes(length)
    config = EmbedConfig(bpp=float(rate), flat=flat) if rate else EmbedConfig(flat=flat)
    result = fixednet.embed(cover, message, KEY, config=config)
    began = time.perf_counter()
    wrong = _wrong_share(message, result.file)
    return Embedded(
        signals.to_samples(result.stego),
        {
            "seconds": result.seconds,
            "extract_seconds": time.perf_counter() - began,
            "wrong_percent": wrong * 100,
            "message_bytes": length,
            "rate_bpp": result.rate_bpp,
            "changed_percent": 100 * result.changed,
        },
    )


@lru_cache(maxsize=1)
def _warm_up() -> None:
    """Embed once, so that what is compiled or loaded on first use is not timed."""
    levels = np.random.default_rng(0).integers(0, 256, (WARM, WARM, 3), dtype=np.uint8)
    fixednet.embed(signals.from_samples(levels), b"", KEY)


def _wrong_share(message: bytes, file: bytes) -> float:
    """Return the share of a message's bits that are wrong when extracted from its file."""
    try:
        again = fixednet.extract(signals.decode(file, Path("stego.png")), KEY)
    except UnreadableError:
        return 0.5
    if len(again) != len(message):
        return 0.5
    sent, got = (np.unpackbits(np.frombuffer(each, np.uint8)) for each in (message, again))
    return float((sent != got).mean())


def paper(data: Datasets, cover: Signal, settings: EmbeddingSettings, seed: int) -> Embedded:
    """Embed raw bits by the paper's network and solver."""
    levels, bits = _raw(cover, settings, seed)
    began = time.perf_counter()
    done = embed_bits(KEY, bits, levels, settings.rate, config=_descent(settings), until_read=False)
    return _found(done.descent, bits, began, networks=done.seed_index + 1)


def published(
    data: Datasets, cover: Signal, settings: EmbeddingSettings, seed: int, *, from_noise: bool
) -> Embedded:
    """Embed raw bits for SteganoGAN's released decoder, from noise or from its encoder's image."""
    levels, bits = _raw(cover, settings, seed)
    began = time.perf_counter()
    network = PublishedNetwork(data.path(*WEIGHTS), depth=settings.rate)
    if from_noise:
        start = noise_around(levels, NOISE, torch.Generator().manual_seed(seed))
    else:
        start = network.encode(torch.from_numpy(levels / 255).float(), bits)
    found = descend(network, bits, levels, config=_descent(settings), start=start)
    return _found(found, bits, began, networks=1)


def encoder(data: Datasets, cover: Signal, settings: EmbeddingSettings, seed: int) -> Embedded:
    """Embed raw bits by SteganoGAN's released encoder alone."""
    levels, bits = _raw(cover, settings, seed)
    began = time.perf_counter()
    network = PublishedNetwork(data.path(*WEIGHTS), depth=settings.rate)
    image = network.encode(torch.from_numpy(levels / 255).float(), bits)
    stego = (image * 255).round().to(torch.uint8).numpy()
    wrong = float((read_bits(network, stego) != bits).mean())
    return Embedded(stego, {"seconds": time.perf_counter() - began, "wrong_percent": wrong * 100})


def _raw(
    cover: Signal, settings: EmbeddingSettings, seed: int
) -> tuple[Samples, Bool[np.ndarray, " bits"]]:
    levels = signals.to_samples(cover)
    bits = np.random.default_rng(seed).random(settings.rate * levels[..., 0].size) < 1 / 2
    return levels, bits


def _descent(settings: EmbeddingSettings) -> DescentConfig:
    return DescentConfig(
        repair=0,
        learning_rate=settings.learning_rate,
        restarts=settings.restarts,
        networks=settings.networks,
    )


def _found(
    found: Descent, bits: Bool[np.ndarray, " bits"], began: float, *, networks: int
) -> Embedded:
    return Embedded(
        found.levels,
        {
            "seconds": time.perf_counter() - began,
            "wrong_percent": found.errors / len(bits) * 100,
            "float_wrong_percent": found.float_errors / len(bits) * 100,
            "restarts": found.restarts,
            "networks": networks,
        },
    )


EMBEDDERS: Registry[Embedder] = Registry(
    "stegfield.embedders",
    "method of embedding",
    {
        "ours": ours,
        "ours, flat": partial(ours, flat=True),
        "paper": paper,
        "FNNS-D": partial(published, from_noise=True),
        "FNNS-DE": partial(published, from_noise=False),
        "SteganoGAN": encoder,
    },
)
"""Methods by name: a column each in the tables of suites."""
