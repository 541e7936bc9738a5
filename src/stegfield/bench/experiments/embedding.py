"""Embedding: messages that fill a rate, by our method, the paper's and its relatives."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from stegfield import pictures, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.embedders import EMBEDDERS
from stegfield.bench.experiments.found import Found
from stegfield.bench.experiments.settings import EmbeddingSettings, random_crops
from stegfield.bench.results import Figure
from stegfield.metrics import Samples, luma, mean_psnr_db, quality

GAIN = 20.0
OURS = "ours"
BISECTIONS = 60


@dataclass(frozen=True, kw_only=True)
class Embedding(EmbeddingSettings):
    """Settings of an experiment on one cover."""

    draw: bool = False
    """Draw a picture: cover, stego and their difference, magnified twenty times."""


@dataclass(frozen=True, kw_only=True)
class Filling(EmbeddingSettings):
    """Settings of an experiment on many covers."""

    count: int = 50
    """How many covers."""
    crop: bool = False
    """Cut covers from all over the images of the set, instead of reducing the images."""
    baseline: bool = False
    """Embed by ours as well, and measure how many times longer the method takes."""


def embedding(data: Datasets, settings: Embedding) -> Found:
    """Embed random bits at a rate, and count the bits read wrong from the 8-bit image."""
    cover = settings.cover(data, settings.image)
    done = EMBEDDERS.find(settings.method)(data, cover, settings, settings.image)
    levels = signals.to_samples(cover)
    shown = (levels, done.stego, pictures.difference(levels, done.stego, GAIN))
    figures = done.figures | _likeness(levels, done.stego)
    if not settings.draw:
        return Found(figures)
    sheet = pictures.contact_sheet(shown, len(shown), tile_width=settings.resolution)
    return Found(figures, {"images": sheet})


def filling(data: Datasets, settings: Filling) -> Found:
    """Embed in many covers; seconds include generating them, if a model does."""
    runs = _embedded(data, settings)
    values: dict[str, list[float]] = {}
    for name, value in (item for run in runs for item in run.items()):
        if isinstance(value, int | float):
            values.setdefault(name, []).append(value)
    figures: dict[str, Figure] = {name: statistics.mean(each) for name, each in values.items()}
    figures |= {
        "covers": len(runs),
        "wrong_messages": sum(wrong > 0 for wrong in values["wrong_percent"]),
        "worst_psnr_db": min(values["psnr_db"]),
        "seconds": statistics.median(values["seconds"]),
        "slowest_seconds": max(values["seconds"]),
    }
    if settings.rate:
        figures["limit_psnr_db"] = limit_psnr_db(settings.rate)
    if settings.baseline:
        own = [_seconds(run) for run in _embedded(data, replace(settings, method=OURS))]
        figures["times_ours"] = statistics.median(values["seconds"]) / statistics.median(own)
    return Found(figures)


def _embedded(data: Datasets, settings: Filling) -> list[Mapping[str, Figure]]:
    cut: list[Samples] = []
    if settings.crop:
        cut, _ = random_crops(data, settings.dataset, settings.resolution, settings.count)
    runs: list[Mapping[str, Figure]] = []
    method = EMBEDDERS.find(settings.method)
    for index in range(settings.count):
        began = time.perf_counter()
        cover = signals.from_samples(cut[index]) if cut else settings.cover(data, index)
        spent = time.perf_counter() - began if settings.model else 0.0
        done = method(data, cover, settings, index)
        seconds = {"seconds": _seconds(done.figures) + spent}
        runs.append(done.figures | _likeness(signals.to_samples(cover), done.stego) | seconds)
    return runs


def limit_psnr_db(rate_bpp: int | float) -> float:
    """Return the PSNR at which changes by one level of RGB samples have the entropy of a rate."""
    low, high = 0.0, 2 / 3  # of the share of samples that change, up or down alike
    for _ in range(BISECTIONS):
        share = (low + high) / 2
        entropy = -share * math.log2(share / 2) - (1 - share) * math.log2(1 - share)
        low, high = (share, high) if entropy < rate_bpp / 3 else (low, share)
    return 10 * math.log10(255**2 / low)


def _seconds(figures: Mapping[str, Figure]) -> float:
    seconds = figures["seconds"]
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def _likeness(levels: Samples, stego: Samples) -> dict[str, Figure]:
    found = quality(levels, stego)
    return {
        "psnr_db": found.psnr_db,
        "luma_psnr_db": mean_psnr_db(luma(stego), luma(levels)),
        "ssim": found.ssim,
    }
