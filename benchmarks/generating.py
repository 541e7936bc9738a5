"""How fast covers are drawn, messages put into them, and models trained.

    python benchmarks/generating.py --data FOLDER --output results/generating.json [--only CASE ...]

The folder is not read: everything is measured on the models that come with the library, and
training on random images, which take as long as examples.
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from measure import Case, arguments, measured, run, timed
from stegfield import channel as channels
from stegfield import fields, fixednet, generative, signals
from stegfield.channel import Levels
from stegfield.config import PRESETS, EmbedConfig
from stegfield.errors import UnreadableError
from stegfield.fields.field import keep_freed_memory
from stegfield.fixednet.robust import profile as robust
from stegfield.fixednet.robust.blocks import (
    KERNELS,
    BlockNetwork,
    block_cosines,
    block_levels,
    block_order,
)
from stegfield.generative.pointconv import (
    MOST_DISTANCES,
    NEIGHBOURS,
    SCORE_SCALE,
    SLOPE,
    Critic,
    PointConv,
    neighbourhood,
    pyramid,
)
from stegfield.generative.points import coarser_sets, even_points, even_pyramid
from stegfield.generative.processes import ALONE
from stegfield.generative.run import Run
from stegfield.keys import Key
from stegfield.metrics import luma, psnr_db
from stegfield.payload import Content
from stegfield.signals import IMAGE

KEY = Key(bytes(range(32)))
BATCH = 64
SIZES = (16, 32, 64)
STAGE = 1000  # steps at each size of the training that is timed
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
            "cover_64_seconds": timed(21, lambda: model.cover(1, (64, 64))),
            "cover_1024_seconds": timed(3, lambda: model.cover(1, (1024, 1024))),
            "cover_1024_command": measured(large),
        }


def sending(_: Path) -> dict[str, Any]:
    """GINR-Stega as a whole: draw a cover of 64x64, fill it at 1 bit a pixel, verify the file."""
    model = generative.load("faces")
    seconds, psnr = [], []
    for seed in range(21):
        began = time.perf_counter()
        cover = model.cover(seed, (64, 64))
        message = bytes(fixednet.capacity(cover)["exact"]["1 bpp"])
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
    """Examples a second at three sizes, with the settings for faces, and where the time goes.

    Whole steps of a run are timed, as many as have one penalty. Examples are random images that are
    in memory already, as those of a run are once each was read.
    """
    keep_freed_memory()
    config = replace(PRESETS["faces"], grow=f"16:{STAGE},32:{2 * STAGE}", warm_up=0)
    draws = torch.Generator().manual_seed(0)
    examples = generative.Arrays(torch.rand(1000, 64, 64, 3, generator=draws) * 2 - 1)
    figures = {}
    for stage, size in enumerate(SIZES):
        run = Run(examples, config, "faces", ALONE)
        run.step = stage * STAGE
        run.advance()
        parts = _Parts()
        parts.time(run, "advance", "generator")
        parts.time(run, "batch", "examples")
        parts.time(run, "teach", "critic")
        parts.time(run, "penalise", "penalty")
        parts.time(run, "follow", "average")
        for optimizer in run.optimizers:
            parts.time(optimizer, "step", "optimizers")
        for _step in range(config.r1_every):
            run.advance()
        whole = sum(parts.seconds.values())
        figures[f"{size}x{size}"] = {
            "examples_a_second": round(config.r1_every * config.batch / whole, 1),
            "share_of_time": {name: round(part / whole, 3) for name, part in parts.largest()},
        }
    return figures


class _Parts:
    """Seconds spent in some methods; what one calls of the others counts as theirs alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._others: list[float] = []

    def largest(self) -> list[tuple[str, float]]:
        """Give all parts, the longest first."""
        return sorted(self.seconds.items(), key=lambda part: -part[1])

    def time(self, owner: object, method: str, name: str) -> None:
        """Time a method of one object from now on."""
        call = getattr(owner, method)

        def timed_call(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            self._others.append(0.0)
            result = call(*given, **named)
            took = time.perf_counter() - began
            self.seconds[name] = self.seconds.get(name, 0.0) + took - self._others.pop()
            if self._others:
                self._others[-1] += took
            return result

        setattr(owner, method, timed_call)


def _critic(size: int) -> Critic:
    sets = even_pyramid(IMAGE, size)
    counts = [min(2**level, 4) * PRESETS["faces"].channels for level in range(4)]
    return Critic(sets, 3, counts[-len(sets) :])


def sharing(_: Path) -> dict[str, Any]:
    """A convolution of 32x32 points, its neighbours and weights shared by all samples or not."""
    torch.manual_seed(0)
    finer, coarser = even_points(IMAGE, 32), even_points(IMAGE, 16)
    near = neighbourhood(finer, coarser)
    layer, values = PointConv(near, 64, 128), torch.randn(1024, BATCH, 64)

    def apart() -> Tensor:
        each = []
        for sample in range(BATCH):
            own = neighbourhood(finer, coarser)
            each.append(layer(values[:, sample : sample + 1], own))
        return torch.cat(each, 1)

    def batched() -> Tensor:
        own = _own_neighbourhood(finer, coarser)
        return _convolved(layer, values.transpose(0, 1), own).transpose(0, 1)

    def together() -> Tensor:
        mixed: Tensor = layer(values, near)
        return mixed

    def both_ways(call: Callable[[], Tensor]) -> Callable[[], None]:
        return lambda: torch.autograd.backward([call().square().mean()])

    for call in (apart, batched):
        _check_same(call(), together())
    shared = timed(5, both_ways(together))
    ways = {"batched": timed(5, both_ways(batched)), "direct": timed(5, both_ways(apart))}
    return {
        "shared_seconds": shared,
        **{f"{name}_seconds": seconds for name, seconds in ways.items()},
        "batched_ratio": round(ways["batched"] / shared, 1),
        "ratio": round(ways["direct"] / shared, 1),
    }


def sharing_critic(_: Path) -> dict[str, Any]:
    """The critic of faces, forward and back: neighbours and weights once a batch, or a sample.

    The published PointConv finds neighbours, makes weights and estimates the density of points for
    every sample. "batched" does our arithmetic in that way, for all samples at once; "direct" does
    it for one sample after the other; "published" is batched and has the densities as well, by the
    Gaussian kernel alone, without the network that it puts behind it: a lower bound.
    """
    keep_freed_memory()
    figures = {}
    for size in SIZES:
        torch.manual_seed(0)
        points = [even_points(IMAGE, size), *coarser_sets(IMAGE, size)]
        critic = _critic(size)
        values = torch.randn(BATCH, size * size, 3)
        ways: dict[str, Callable[[], Tensor]] = {
            "shared": lambda: critic(values, pyramid(points)),  # noqa: B023 - called at once
            "batched": partial(_own_scores, critic, points, values, densities=False),
            "direct": partial(_scores_one_by_one, critic, points, values),
            "published": partial(_own_scores, critic, points, values, densities=True),
        }
        with torch.no_grad():
            for way in ways.values():
                _check_same(way(), ways["shared"]())
        seconds = {name: timed(3, partial(_judge, way)) for name, way in ways.items()}
        figures[f"{size}x{size}"] = {f"{name}_seconds": took for name, took in seconds.items()} | {
            f"{name}_ratio": round(took / seconds["shared"], 1)
            for name, took in seconds.items()
            if name != "shared"
        }
    return figures


def _judge(scores: Callable[[], Tensor]) -> None:
    torch.autograd.backward([functional.softplus(scores()).mean()])


def _check_same(one: Tensor, other: Tensor) -> None:
    if not torch.allclose(one, other, atol=1e-4):
        raise RuntimeError("all ways should give the same")


def _scores_one_by_one(critic: Critic, points: list[Tensor], values: Tensor) -> Tensor:
    return torch.cat([critic(sample, pyramid(points)) for sample in torch.split(values, 1)])


def _own_scores(critic: Critic, points: list[Tensor], values: Tensor, *, densities: bool) -> Tensor:
    """What the critic does, with points of every sample's own."""
    sets = [_own_neighbourhood(*pair) for pair in pairwise(points)]
    if densities:
        for some in points[:-1]:
            _estimate_densities(some)
    first, *entries = critic.entries
    x = _convolved(first, values, sets[0])
    for finer, near, level, entry in zip(sets[:-1], sets[1:], critic.levels, entries, strict=True):
        values = _gathered(values, finer.index).mean(2)
        mixed = _convolved(level, functional.leaky_relu(x, SLOPE), near)
        x = mixed + _convolved(entry, values, near)
    scores: Tensor = critic.score(functional.leaky_relu(x, SLOPE).flatten(1)).squeeze(1)
    return SCORE_SCALE * scores


@dataclass(frozen=True, eq=False)
class _Own:
    """Neighbourhoods of every sample: index and relative place, by sample, point and neighbour."""

    index: Tensor
    relative: Tensor


def _own_neighbourhood(finer: Tensor, coarser: Tensor) -> _Own:
    """Find each point's nearest ones for every sample, though all have the same points here."""
    count = min(NEIGHBOURS, len(finer))
    found = [
        torch.cdist(coarser.expand(some, -1, -1), finer.expand(some, -1, -1))
        .topk(count, largest=False)
        .indices
        for some in _samples_at_once(len(finer) * len(coarser))
    ]
    index = torch.cat(found)
    relative = _gathered(finer.expand(BATCH, -1, -1), index) - coarser[:, None]
    scale = relative.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-9)
    return _Own(index, relative / scale)


def _estimate_densities(points: Tensor) -> None:
    spacing = 2 / math.sqrt(len(points))
    for some in _samples_at_once(len(points) ** 2):
        each = points.expand(some, -1, -1)
        (torch.cdist(each, each) / spacing).square().mul(-1 / 2).exp().mean(2)


def _samples_at_once(distances: int) -> list[int]:
    """Split a batch into numbers of samples whose distances fit into memory."""
    some = min(BATCH, max(1, MOST_DISTANCES // distances))
    return [min(some, BATCH - start) for start in range(0, BATCH, some)]


def _gathered(values: Tensor, index: Tensor) -> Tensor:
    chosen = index.flatten(1)[..., None].expand(-1, -1, values.shape[2])
    return values.gather(1, chosen).view(*index.shape, -1)


def _convolved(layer: nn.Module, values: Tensor, near: _Own) -> Tensor:
    """What a convolution does, with weights made for every sample."""
    assert isinstance(layer, PointConv)
    weights = layer.weights(near.relative)
    size = (weights.square().mean(2, keepdim=True) + 1e-6).sqrt()
    weights = weights / (size * math.sqrt(near.index.shape[2]))
    sums = weights.transpose(2, 3) @ _gathered(values, near.index)
    mixed: Tensor = layer.mix(sums.flatten(2))
    return mixed


def known_cover(_: Path) -> dict[str, Any]:
    """What a receiver gains who has the cover: raw bits and whole messages that channels destroy.

    Eight drawn faces of 256x256; all cosines that can carry bits, or messages of 16 bytes.
    """
    model = generative.load("faces")
    ways: dict[str, dict[str, list[float]]] = {"blind": {}, "cover known": {}}
    for seed in range(8):
        cover = signals.to_samples(fields.render(model.field(seed), (256, 256)))
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
