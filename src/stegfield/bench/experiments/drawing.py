"""Drawing: how near what a model draws comes to real examples."""

from __future__ import annotations

import time

import torch

from stegfield import generative
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.generative import measures

SHOWN = 32
COLUMNS = 8
"""Of the picture."""


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
        source.name, data.path(*examples.split("/")) if examples else None, max(source.size)
    )
    draws = torch.Generator().manual_seed(seed)
    held_out = real.held_out()
    held_out = held_out[torch.randperm(len(held_out), generator=draws).numpy()]
    latents = torch.randn(samples, source.sizes.latent, generator=draws)
    began = time.perf_counter()
    drawn = source.sample(latents, source.size)
    seconds = time.perf_counter() - began
    report = measures.evaluate(
        real.grids(real.training()),
        real.grids(held_out),
        drawn,
        globe=source.medium == "climate",
        seed=seed,
    )
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
        figures | {"steps": source.steps, "seconds_a_sample": seconds / samples},
        {"nearest": measures.matches_sheet(drawn[:SHOWN], real.grids(real.training()))},
    )
