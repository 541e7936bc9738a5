"""Generating: how close a model's samples are to real examples, and how long one takes."""

from __future__ import annotations

import time

import torch

from stegfield import generative
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.results import Figure
from stegfield.generative.judging import judge
from stegfield.generative.measures import Figures
from stegfield.signals.packing import HALF_RANGE_KELVIN

SHOWN = 32
TIMED = 64
"""Samples that are drawn to time one."""


def generating(
    data: Datasets,
    *,
    model: str,
    examples: str = "",
    samples: int = 500,
    seed: int = 0,
) -> Found:
    """Compare samples of a model, other real examples, the same blurred, and noise.

    Args:
        data: Where the real examples come from.
        model: A model that ships with the package, or a file.
        examples: Folder, zip or file of the data folder that it learned from; the digits need none.
        samples: How many samples to draw.
        seed: Decides the samples.
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
    sets = {
        "generated": report.generated,
        "real": report.real,
        "blurred": report.blurred,
        "noise": report.noise,
    }
    figures: dict[str, Figure] = {
        "steps": source.steps,
        "samples": report.samples,
        "seconds_a_sample": seconds / TIMED,
    }
    for who, measured in sets.items():
        figures |= {f"{who}_{name}": value for name, value in _figures(measured).items()}
    return Found(figures, {"nearest": judged.picture})


def _figures(measured: Figures) -> dict[str, Figure]:
    figures: dict[str, Figure] = {
        "swd": measured.swd.mean,
        "diversity": measured.diversity,
        "psnr2_db": measured.psnr2_db,
        "nearest_ratio": measured.nearest_ratio,
    }
    if measured.copied is not None:
        figures["copied_percent"] = 100 * measured.copied
    if (zonal := measured.zonal) is not None:
        figures |= {
            "zonal_mean_k": HALF_RANGE_KELVIN * zonal.mean_rms,
            "zonal_std_k": HALF_RANGE_KELVIN * zonal.std_rms,
            "zonal_spectrum_db": zonal.spectrum_rms_db,
        }
    return figures
