"""How fast covers are drawn, messages put into them, and models trained.

    python benchmarks/generating.py --data FOLDER --output results/generating.json [--only CASE ...]

The folder is not read: everything is measured on the models that come with the library, and
training on random numbers, which take as long as examples.
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from measure import Case, arguments, measured, run, timed
from stegfield import channel as channels
from stegfield import fields, fixednet, generative, signals
from stegfield.channel import Levels
from stegfield.config import PRESETS, EmbedConfig
from stegfield.errors import UnreadableError
from stegfield.fields.field import keep_freed_memory
from stegfield.fixednet import robust
from stegfield.fixednet.blocks import (
    KERNELS,
    BlockNetwork,
    block_cosines,
    block_levels,
    block_order,
    luma,
)
from stegfield.generative.hypernet import Generator
from stegfield.generative.model import GeneratorSizes, new_generator
from stegfield.generative.pointconv import Critic, PointConv, Pyramid, neighbourhood, pyramid
from stegfield.generative.points import coarser_sets, even_points, even_pyramid
from stegfield.generative.training import gradient_penalty
from stegfield.keys import Key
from stegfield.metrics import psnr_db
from stegfield.payload import Content

KEY = Key(bytes(range(32)))
BATCH = 64
SIZES = (16, 32, 64)
KNOWN_CHANNELS = {
    "JPEG 90": channels.jpeg(90),
    "JPEG 70": channels.jpeg(70),
    "JPEG 50": channels.jpeg(50),
    "JPEG 30": channels.jpeg(30),
    "WebP 80": channels.webp(80),
    "noise of 8": channels.noisy(8),
    "noise of 15": channels.noisy(15),
    "scaled by 0.5": channels.scaled(0.5),
}


def drawing(_: Path) -> dict[str, Any]:
    """Loading the model of faces, and a cover of 64x64; one of 1024x1024 as a command."""
    model = generative.load("faces")
    command = [sys.executable, "-m", "stegfield", "generate", "faces", "--seed", "1"]
    with tempfile.TemporaryDirectory() as folder:
        large = [*command, "-o", f"{folder}/large.png", "--size", "1024"]
        return {
            "load_seconds": timed(9, lambda: generative.load("faces")),
            "cover_64_seconds": timed(21, lambda: fields.render(model.draw(1), (64, 64))),
            "cover_1024_seconds": timed(3, lambda: fields.render(model.draw(1), (1024, 1024))),
            "cover_1024_command": measured(large),
        }


def sending(_: Path) -> dict[str, Any]:
    """GINR-Stega as a whole: draw a cover of 64x64, fill it at 1 bit a pixel, verify the file."""
    model = generative.load("faces")
    seconds, psnr = [], []
    for seed in range(21):
        began = time.perf_counter()
        cover = fields.render(model.draw(seed), (64, 64))
        message = bytes(fixednet.capacity(cover).exact["1 bpp"])
        result = fixednet.embed(cover, message, KEY, config=EmbedConfig(bpp=1))
        seconds.append(time.perf_counter() - began)
        psnr.append(result.quality.psnr_db)
        if fixednet.extract(result.stego, KEY) != message:
            raise RuntimeError("a message came back wrong")
    return {
        "median_seconds": round(statistics.median(seconds[1:]), 3),
        "mean_psnr_db": round(statistics.mean(psnr), 2),
        "covers": len(psnr),
    }


def training(_: Path) -> dict[str, Any]:
    """Examples a second at three sizes, with the settings for faces, and where the time goes."""
    keep_freed_memory()
    config = PRESETS["faces"]
    figures = {}
    for size in SIZES:
        torch.manual_seed(0)
        generator = new_generator("image", 3, GeneratorSizes.of(config))
        sets, critic = even_pyramid("image", size), _critic(size)
        at, real = even_points("image", size), torch.randn(BATCH, size * size, 3)
        parts = {
            "generator": timed(3, partial(_draw, generator, at)),
            "critic": timed(3, partial(_judge, critic, sets, real)),
            "penalty": timed(3, partial(_penalise, critic, sets, real)) / config.r1_every,
        }
        whole = sum(parts.values())
        figures[f"{size}x{size}"] = {
            "examples_a_second": round(BATCH / whole, 1),
            "share_of_time": {name: round(part / whole, 3) for name, part in parts.items()},
        }
    return figures


def _critic(size: int) -> Critic:
    sets = even_pyramid("image", size)
    counts = [min(2**level, 4) * PRESETS["faces"].channels for level in range(4)]
    return Critic(sets, 3, counts[-len(sets) :])


def _draw(generator: Generator, at: Tensor) -> None:
    values = generator(torch.randn(BATCH, PRESETS["faces"].latent), at)
    torch.autograd.backward([values.sum()])


def _judge(critic: Critic, sets: Pyramid, real: Tensor) -> None:
    for values in (real, real.flip(0).requires_grad_()):
        torch.autograd.backward([functional.softplus(critic(values, sets)).mean()])


def _penalise(critic: Critic, sets: Pyramid, real: Tensor) -> None:
    torch.autograd.backward([gradient_penalty(critic, real.clone().requires_grad_(), sets)])


def sharing(_: Path) -> dict[str, Any]:
    """A convolution of 32x32 points, its neighbours and weights shared by all samples or not."""
    torch.manual_seed(0)
    finer, coarser = even_points("image", 32), even_points("image", 16)
    near = neighbourhood(finer, coarser)
    layer, values = PointConv(near, 64, 128), torch.randn(1024, BATCH, 64)

    def apart() -> Tensor:
        each = []
        for sample in range(BATCH):
            own = neighbourhood(finer, coarser)
            each.append(layer(values[:, sample : sample + 1], own))
        return torch.cat(each, 1)

    def together() -> Tensor:
        mixed: Tensor = layer(values, near)
        return mixed

    if not torch.allclose(apart(), together(), atol=1e-4):
        raise RuntimeError("both ways should give the same")

    def both_ways(call: Callable[[], Tensor]) -> Callable[[], None]:
        return lambda: torch.autograd.backward([call().square().mean()])

    shared, direct = timed(5, both_ways(together)), timed(5, both_ways(apart))
    return {
        "shared_seconds": shared,
        "direct_seconds": direct,
        "ratio": round(direct / shared, 1),
    }


def sharing_critic(_: Path) -> dict[str, Any]:
    """The critic of faces, forward and back: neighbours and weights once a batch, or a sample.

    The published PointConv finds neighbours, makes weights and estimates the density of points for
    every sample. "direct" does our arithmetic in that way; "published" has the densities as well,
    by the Gaussian kernel alone, without the network that it puts behind it: a lower bound.
    """
    keep_freed_memory()
    figures = {}
    for size in SIZES:
        torch.manual_seed(0)
        points = [even_points("image", size), *coarser_sets("image", size)]
        critic = _critic(size)
        values = torch.randn(BATCH, size * size, 3)
        way = {
            "shared": timed(3, partial(_judge_together, critic, points, values)),
            "direct": timed(3, partial(_judge_apart, critic, points, values, densities=False)),
            "published": timed(3, partial(_judge_apart, critic, points, values, densities=True)),
        }
        figures[f"{size}x{size}"] = {
            f"{name}_seconds": seconds for name, seconds in way.items()
        } | {
            f"{name}_ratio": round(way[name] / way["shared"], 1) for name in ("direct", "published")
        }
    return figures


def _judge_together(critic: Critic, points: list[Tensor], values: Tensor) -> None:
    scores = critic(values, pyramid(points))
    torch.autograd.backward([functional.softplus(scores).mean()])


def _judge_apart(critic: Critic, points: list[Tensor], values: Tensor, *, densities: bool) -> None:
    scores = []
    for sample in torch.split(values, 1):
        scores.append(critic(sample, pyramid(points)))
        if densities:
            for finer in points[:-1]:
                spacing = 2 / math.sqrt(len(finer))
                (torch.cdist(finer, finer) / spacing).square().mul(-1 / 2).exp().mean(1)
    torch.autograd.backward([functional.softplus(torch.cat(scores)).mean()])


def known_cover(_: Path) -> dict[str, Any]:
    """What a receiver gains who has the cover: raw bits and whole messages that channels destroy.

    Eight drawn faces of 256x256; all cosines that can carry bits, or messages of 16 bytes.
    """
    model = generative.load("faces")
    ways: dict[str, dict[str, list[float]]] = {"blind": {}, "cover known": {}}
    for seed in range(8):
        cover = signals.to_samples(fields.render(model.draw(seed), (256, 256)))
        bare, message = block_cosines(luma(cover)), bytes(range(seed, seed + 16))
        said = np.random.default_rng(seed).integers(0, 2, KERNELS * len(bare)).astype(bool)
        for way, known in (("blind", None), ("cover known", cover)):
            network = BlockNetwork(
                KEY, seed, block_order(KEY, 256, 256), said.size, None if known is None else bare
            )
            start = network.project(bare)
            move = 2 * np.rint((start - said) / 2) + said - start
            change = block_levels(network.unproject(move, len(bare)), 256, 256)[..., None]
            full = np.clip(np.rint(cover + change), 0, 255).astype(np.uint8)
            content = Content.of(message)
            stego = robust.embed(cover, content, KEY, known_cover=known is not None)[0]
            figures = {"psnr_db": psnr_db(full, cover), "message_psnr_db": psnr_db(stego, cover)}
            for name, channel in KNOWN_CHANNELS.items():
                read = network.logits(block_cosines(luma(channel(full)))) < 0
                figures[f"bits lost, %: {name}"] = 100 * float((read != said).mean())
                whole = _comes_back(channel(stego), message, known)
                figures[f"messages back, %: {name}"] = 100 * whole
            for kind, figure in figures.items():
                ways[way].setdefault(kind, []).append(figure)
    return {
        way: {name: round(statistics.mean(each), 2) for name, each in figures.items()}
        for way, figures in ways.items()
    }


def _comes_back(levels: Levels, message: bytes, cover: Levels | None) -> bool:
    try:
        return robust.extract(levels, KEY, cover) == message
    except UnreadableError:
        return False


CASES: dict[str, Case] = {
    "drawing": drawing,
    "sending": sending,
    "training": training,
    "sharing": sharing,
    "sharing_critic": sharing_critic,
    "known_cover": known_cover,
}


def main() -> None:
    """Measure the cases asked for, and write each as it is done."""
    given = arguments(__doc__, CASES, Path("results/generating.json")).parse_args()
    run(CASES, given.only, given.data, given.output)


if __name__ == "__main__":
    main()
