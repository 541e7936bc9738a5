"""Models: how fast they are trained, and what a receiver gains from generating the cover."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from stegfield import channel as channels
from stegfield import fields, generative, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.channel import Levels
from stegfield.config import PRESETS
from stegfield.errors import UnreadableError
from stegfield.fields.field import keep_freed_memory
from stegfield.fixednet.robust import long as robust
from stegfield.fixednet.robust.blocks import (
    KERNELS,
    BlockNetwork,
    block_cosines,
    block_levels,
    block_order,
)
from stegfield.generative.processes import ALONE
from stegfield.generative.run import Run
from stegfield.keys import Key
from stegfield.metrics import Samples, luma, psnr_db
from stegfield.payload import Content

KEY = Key(bytes(range(32)))
STAGES = (16, 32, 64)
STAGE_STEPS = 1000
MESSAGE_BYTES = 16
CHANNELS = {
    "JPEG 90": channels.jpeg(90),
    "JPEG 70": channels.jpeg(70),
    "JPEG 50": channels.jpeg(50),
    "JPEG 30": channels.jpeg(30),
    "WebP 80": channels.webp(80),
    "noise of 8": channels.noisy(8.0),
    "noise of 15": channels.noisy(15.0),
    "scaled by 0.5": channels.scaled(0.5),
}


def training_models(data: Datasets, *, model: str = "faces", size: int = 64) -> Found:
    """Time whole training steps from one penalty to the next, and the share of each part.

    Examples are random images in memory, where those of a run are after the first epoch.

    Args:
        data: Not used.
        model: A model, for its settings; its stages have 16, 32 and 64 points a side.
        size: The stage to time.
    """
    keep_freed_memory()
    plan = f"16:{STAGE_STEPS},32:{2 * STAGE_STEPS}"
    config = replace(PRESETS[model], grow=plan, warm_up=0)
    draws = torch.Generator().manual_seed(0)
    side = max(STAGES)
    examples = generative.Arrays(torch.rand(1000, side, side, 3, generator=draws) * 2 - 1)
    run = Run(examples, config, model, ALONE)
    run.step = STAGES.index(size) * STAGE_STEPS
    run.advance()
    parts = _Parts()
    parts.time(run, "advance", "generator")
    parts.time(run, "batch", "examples")
    parts.time(run, "teach", "critic")
    parts.time(run, "penalise", "penalty")
    parts.time(run, "follow", "average")
    for optimizer in run.optimizers:
        parts.time(optimizer, "step", "optimizers")
    for _ in range(config.r1_every):
        run.advance()
    whole = sum(parts.seconds.values())
    shares = {f"{name}_percent": 100 * part / whole for name, part in parts.seconds.items()}
    return Found({"images_a_second": config.r1_every * config.batch / whole, **shares})


class _Parts:
    """Seconds spent in some methods; a call from one to another counts for the other alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._others: list[float] = []

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


def knowing_covers(
    data: Datasets, *, method: str, model: str = "faces", images: int = 8, resolution: int = 256
) -> Found:
    """Send bits and messages to a receiver with the cover, or to one without it.

    In one stego image, all cosines of a generated cover that can carry bits carry one each; in
    another, the cover carries a message of 16 bytes. Both go through several channels.

    Args:
        data: Not used.
        method: ``cover known``, or ``blind``.
        model: Generates the covers.
        images: How many covers.
        resolution: Points along each side.
    """
    source = generative.load(model)
    found: dict[str, list[float]] = {}
    for seed in range(images):
        size = (resolution, resolution)
        cover = signals.to_samples(fields.render(source.field(seed), size))
        for name, value in _sent(cover, seed, known=method == "cover known").items():
            found.setdefault(name, []).append(value)
    return Found({name: statistics.mean(values) for name, values in found.items()})


def _sent(cover: Samples, seed: int, *, known: bool) -> dict[str, float]:
    rows, columns = cover.shape[:2]
    bare, message = block_cosines(luma(cover)), bytes(range(seed, seed + MESSAGE_BYTES))
    bits = np.random.default_rng(seed).integers(0, 2, KERNELS * len(bare)).astype(bool)
    order = block_order(KEY, rows, columns)
    network = BlockNetwork(KEY, seed, order, bits.size, bare if known else None)
    start = network.project(bare)
    move = 2 * np.rint((start - bits) / 2) + bits - start
    change = block_levels(network.unproject(move, len(bare)), rows, columns)[..., None]
    full = np.clip(np.rint(cover + change), 0, 255).astype(np.uint8)
    stego = robust.embed(cover, Content.of(message), KEY, known_cover=known)[0]
    figures = {"psnr_db": psnr_db(full, cover), "message_psnr_db": psnr_db(stego, cover)}
    for name, channel in CHANNELS.items():
        read = network.logits(block_cosines(luma(channel(full)))) < 0
        figures[f"bits lost, {name}"] = 100 * float((read != bits).mean())
        back = _comes_back(channel(stego), message, cover if known else None)
        figures[f"messages back, {name}"] = 100.0 * back
    return figures


def _comes_back(levels: Levels, message: bytes, cover: Levels | None) -> bool:
    try:
        return robust.extract(levels, KEY, cover) == message
    except UnreadableError:
        return False
