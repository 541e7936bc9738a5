"""Outlasting: short messages of the robust profile after encoders, noise and resizing."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image

from stegfield import channel, fixednet, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.results import Figure
from stegfield.channel import Channel
from stegfield.config import EmbedConfig
from stegfield.errors import UnreadableError
from stegfield.keys import Key
from stegfield.metrics import luma
from stegfield.signals import Signal
from stegfield.steganalysis.curves import share_interval

SIDE = 768
"""Pixels of the longer side of images that are not reduced."""
TILE = 16
"""Pixels of the side of the squares of which the worst is told."""


class Case(NamedTuple):
    """A message in an image, and what happens to it."""

    size: int | None
    """Rows and columns; None leaves images as they are."""
    message_bytes: int
    channels: dict[str, Channel]


def _resizes() -> dict[str, Channel]:
    kinds: dict[str, Callable[[float], Channel]] = {
        "Lanczos": channel.resized,
        "bicubic": partial(channel.resized, resampling=Image.Resampling.BICUBIC),
        "area": _averaged,
        "box": partial(channel.resized, resampling=Image.Resampling.BOX),
    }
    return {
        f"{name} {share:g}": channel.chain(resize(share), channel.jpeg(60))
        for name, resize in kinds.items()
        for share in (0.4, 0.55, 0.8, 1.25, 1.5)
    }


def _averaged(share: float) -> Channel:
    return channel.averaged(round(share * SIDE))


CASES = {
    "16 bytes in 128x128": Case(128, 16, {"JPEG 75": channel.jpeg(75)}),
    "16 bytes in 256x256": Case(
        256,
        16,
        {"JPEG 50": channel.jpeg(50), "WebP 75": channel.webp(75), "noise 5": channel.noisy(5.0)},
    ),
    "64 bytes": Case(None, 64, _resizes()),
    "512 bytes": Case(
        None,
        512,
        {**{f"JPEG {q}": channel.jpeg(q) for q in (50, 70, 95)}, "WebP 80": channel.webp(80)},
    ),
}
"""What is measured, by name."""


def outlasting(data: Datasets, *, dataset: str, case: str, count: int = 24) -> Found:
    """Embed a random message in each image, and read it after each channel, knowing only the key.

    Args:
        data: Where the images come from.
        dataset: A set of them; whole ones have 768 pixels along the longer side.
        case: One of `CASES`.
        count: Images.
    """
    size, length, channels = CASES[case]
    psnr, seen, worst, seconds = [], [], [], []
    back = dict.fromkeys(channels, 0)
    for index in range(count):
        cover = data.image(dataset, index, size)
        key, message = Key.generate(), np.random.default_rng(index).bytes(length)
        result = fixednet.embed(cover, message, key, config=EmbedConfig(profile="robust"))
        psnr.append(result.quality.psnr_db)
        seen.append(getattr(result.quality, "ssim", 0.0))
        worst.append(worst_tile_db(cover, result.stego))
        seconds.append(result.seconds)
        for name, sent in channels.items():
            back[name] += _reads(sent(signals.to_samples(result.stego)), key) == message
    figures: dict[str, Figure] = {
        "psnr_db": statistics.mean(psnr),
        "worst_psnr_db": min(psnr),
        "worst_tile_db": min(worst),
        "ssim": min(seen),
        "seconds": statistics.median(seconds),
        "images": count,
    }
    for name, times in back.items():
        low, high = share_interval(times, count)
        figures |= {name: 100 * times / count, f"{name} low": 100 * low, f"{name} high": 100 * high}
    return Found(figures)


def worst_tile_db(cover: Signal, stego: Signal) -> float:
    """Return the PSNR of the luma in the square that changed most."""
    changed = luma(signals.to_samples(stego)) - luma(signals.to_samples(cover))
    down, across = (max(1, side // TILE) for side in changed.shape)
    whole = np.square(changed[: down * TILE, : across * TILE])
    tiles = whole.reshape(down, -1, across, whole.shape[1] // across).mean(axis=(1, 3))
    return float(10 * np.log10(255**2 / max(float(tiles.max()), 1e-9)))


def _reads(levels: np.ndarray, key: Key) -> bytes | None:
    try:
        return fixednet.extract(signals.from_samples(levels), key, profile="robust")
    except UnreadableError:
        return None
