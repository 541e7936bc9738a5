"""Hiding: several images in one image, by our method, the paper's and those of others."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from stegfield import pictures, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.experiments.hiders import HIDERS, Exchange, exchanged
from stegfield.bench.experiments.settings import HidingSettings
from stegfield.bench.results import Figure
from stegfield.errors import ConfigError
from stegfield.metrics import Quality, Samples, quality

GAIN = 10.0
"""Factor by which differences are magnified in pictures."""
TILE = 160
"""Width of an image in pictures, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Hiding(HidingSettings):
    """What is hidden, and what is measured."""

    repeats: int = 1
    """Number of runs; the one whose worst PSNR is the median is reported."""
    shown: int = 0
    """Rows and columns at which images are rendered and compared; 0 takes ``resolution``."""
    draw: bool = False
    """Draw a picture: originals, what the field shows, and differences, magnified ten times."""


def hiding(data: Datasets, settings: Hiding) -> Found:
    """Hide images and measure the cover and every secret, on 8-bit samples."""
    images = settings.images(data)
    hider = HIDERS.find(settings.method)
    runs = [hider(data, images, settings) for _ in range(settings.repeats)]
    if settings.shown:
        images = settings.images(data, settings.shown)
        runs = [_at(run, settings.shown) for run in runs]
    originals = [signals.to_samples(image) for image in images]
    judged = [(_qualities(originals, run), run) for run in runs]
    judged.sort(key=lambda each: _worst(each[0]))
    qualities, exchange = judged[len(judged) // 2]
    figures = _figures(qualities) | exchange.figures
    if settings.repeats > 1:
        figures |= {"worst_of_runs_psnr_db": _worst(judged[0][0])}
    drawn = {"images": _picture(originals, exchange)} if settings.draw else {}
    return Found(figures, drawn)


def _at(exchange: Exchange, side: int) -> Exchange:
    if exchange.result is None:
        raise ConfigError("only a field can be rendered at another size")
    return exchanged(exchange.result, side)


def _qualities(originals: Sequence[Samples], exchange: Exchange) -> list[Quality]:
    out = (exchange.stego, *exchange.recovered)
    return [quality(one, other) for one, other in zip(originals, out, strict=True)]


def _worst(qualities: Sequence[Quality]) -> float:
    return min(each.psnr_db for each in qualities)


def _figures(qualities: Sequence[Quality]) -> dict[str, Figure]:
    stego, *secrets = qualities
    figures: dict[str, Figure] = {}
    for name in ("psnr_db", "ssim", "rmse", "mae"):
        values = [getattr(secret, name) for secret in secrets]
        figures[f"stego_{name}"] = getattr(stego, name)
        figures[f"secrets_{name}"] = statistics.mean(values)
        figures |= {f"secret{at}_{name}": value for at, value in enumerate(values, 1)}
    everything = [each.psnr_db for each in qualities]
    return figures | {"worst_psnr_db": min(everything), "mean_psnr_db": statistics.mean(everything)}


def _picture(originals: list[Samples], exchange: Exchange) -> bytes:
    out = [exchange.stego, *exchange.recovered]
    differences = [pictures.difference(a, b, GAIN) for a, b in zip(originals, out, strict=True)]
    shown = [*originals, *out, *differences]
    return pictures.contact_sheet(shown, len(originals), tile_width=TILE)
