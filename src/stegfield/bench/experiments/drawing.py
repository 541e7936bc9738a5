"""Drawing: how near what a model draws comes to real examples."""

from __future__ import annotations

import time

import torch

from stegfield import generative
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.generative.judging import judge

SHOWN = 32
TIMED = 64
"""Samples that are drawn to tell how long one takes."""


def drawing(
    data: Datasets,
    *,
    model: str,
    examples: str = "",
    samples: int = 500,
    seed: int = 0,
) -> Found:
    """Measure samples of a model beside other real examples, the same blurred, and noise.

    Args:
        data: Where the real examples are.
        model: One that ships with the package, or a file.
        examples: Folder, zip or file of the data folder that it learned from; the digits need none.
        samples: How many to draw.
        seed: Decides which.
    """
    source = generative.load(model)
    real = generative.read_examples(
        source.name,
        data.path(*examples.split("/")) if examples else None,
        max(source.size),
        medium=source.medium,
    )
    latents = torch.randn(TIMED, source.sizes.latent, generator=torch.Generator().manual_seed(seed))
    began = time.perf_counter()
    source.sample(latents, source.size)
    seconds = time.perf_counter() - began
    judged = judge(source, real, count=samples, shown=SHOWN, seed=seed)
    report = judged.report
    figures = {
        f"{who}_{name}": value
        for who in ("drawn", "real", "blurred", "noise")
        for name, value in {
            "swd": getattr(report, who).swd.mean,
            "diversity": getattr(report, who).diversity,
            "psnr2_db": getattr(report, who).psnr2_db,
            "nearest_ratio": getattr(report, who).nearest_ratio,
            "copied": getattr(report, who).copied,
        }.items()
    }
    return Found(
        figures | {"steps": source.steps, "seconds_a_sample": seconds / TIMED},
        {"nearest": judged.picture},
    )
