"""Embedding: messages that fill a rate, by our procedure, the paper's and its relatives."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import UInt8

from stegfield import fixednet, generative, pictures, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import UnreadableError
from stegfield.fixednet.paper.gradient import descend, embed_bits, noise_around, read_bits
from stegfield.fixednet.paper.published import PublishedNetwork
from stegfield.keys import Key
from stegfield.metrics import luma, mean_psnr_db, quality
from stegfield.signals import Signal

Method = Literal["ours", "ours, flat", "paper", "FNNS-D", "FNNS-DE", "SteganoGAN"]
KEY = Key(bytes(range(32)))
WEIGHTS = ("weights", "steganogan-basic.safetensors")
NOISE = 2 / 255
GAIN = 20.0


def embedding(
    data: Datasets,
    *,
    dataset: str,
    method: Method = "ours",
    rate: int = 1,
    resolution: int = 64,
    image: int = 0,
    learning_rate: float = 0.1,
    restarts: int = 100,
    networks: int = 10,
    model: str = "",
    draw: bool = False,
) -> Found:
    """Embed random bits at a rate, and count what comes back wrong from the 8-bit image.

    Args:
        data: Where covers come from.
        dataset: A set of them.
        method: ours, or ours with all changes at the same cost (flat); the paper's network and
            solver; FNNS with the released decoder of SteganoGAN from noise (FNNS-D) or from the
            image of its encoder (FNNS-DE); or that encoder alone (SteganoGAN).
        rate: Bits a pixel.
        resolution: Rows and columns.
        image: Which cover, and which message.
        learning_rate: Of the paper's solver.
        restarts: Of the paper's solver.
        networks: Of the paper, tried in order while the PSNR is below 20 dB.
        model: Draw the cover by this model, with the number of the image as seed.
        draw: Give a picture: cover, stego and their difference, twenty times.
    """
    size = (resolution, resolution)
    if model:
        cover = generative.load(model).cover(image, size)
    else:
        cover = data.image(dataset, image, resolution)
    if method in {"ours", "ours, flat"}:
        length = fixednet.capacity(cover)["exact"][f"{rate} bpp"]
        message = np.random.default_rng(image).bytes(length)
        fixednet.embed(cover, b"", KEY)  # what is compiled once is no part of the seconds
        result = fixednet.embed(
            cover, message, KEY, config=EmbedConfig(bpp=float(rate), flat=method == "ours, flat")
        )
        began = time.perf_counter()
        wrong = _wrong_share(message, result.file)
        stego = signals.to_samples(result.stego)
        told = {"seconds": result.seconds, "extract_seconds": time.perf_counter() - began}
        figures = told | {"wrong_percent": wrong * 100, "message_bytes": length}
    else:
        config = DescentConfig(
            repair=0, learning_rate=learning_rate, restarts=restarts, networks=networks
        )
        stego, figures = _descended(data, cover, method, rate=rate, seed=image, config=config)
    levels = signals.to_samples(cover)
    found = quality(levels, stego)
    shown = (levels, stego, pictures.difference(levels, stego, GAIN))
    return Found(
        {
            **figures,
            "psnr_db": found.psnr_db,
            "luma_psnr_db": mean_psnr_db(luma(stego), luma(levels)),
            "ssim": found.ssim,
        },
        {"images": pictures.contact_sheet(shown, len(shown), tile_width=resolution)}
        if draw
        else {},
    )


def _wrong_share(message: bytes, file: bytes) -> float:
    """Give the share of a message's bits that its file gives back wrong."""
    try:
        again = fixednet.extract(signals.decode(file, Path("stego.png")), KEY)
    except UnreadableError:
        return 0.5
    if len(again) != len(message):
        return 0.5
    sent, got = (np.unpackbits(np.frombuffer(each, np.uint8)) for each in (message, again))
    return float((sent != got).mean())


def _descended(
    data: Datasets,
    cover: Signal,
    method: Method,
    *,
    rate: int,
    seed: int,
    config: DescentConfig,
) -> tuple[UInt8[np.ndarray, "rows columns channels"], dict[str, float]]:
    """Give an 8-bit image by the paper's solver, or by SteganoGAN's encoder alone."""
    levels = signals.to_samples(cover)
    bits = np.random.default_rng(seed).random(rate * levels[..., 0].size) < 1 / 2
    began = time.perf_counter()
    tried = 1
    if method == "paper":
        done = embed_bits(KEY, bits, levels, rate, config=config, until_read=False)
        found, tried = done.descent, done.seed_index + 1
    else:
        network = PublishedNetwork(data.path(*WEIGHTS), depth=rate)
        start = network.encode(torch.from_numpy(levels / 255).float(), bits)
        if method == "SteganoGAN":
            stego = (start * 255).round().to(torch.uint8).numpy()
            wrong = float((read_bits(network, stego) != bits).mean())
            return stego, {
                "seconds": time.perf_counter() - began,
                "wrong_percent": wrong * 100,
            }
        if method == "FNNS-D":
            start = noise_around(levels, NOISE, torch.Generator().manual_seed(seed))
        found = descend(network, bits, levels, config=config, start=start)
    return found.levels, {
        "seconds": time.perf_counter() - began,
        "wrong_percent": found.errors / len(bits) * 100,
        "float_wrong_percent": found.float_errors / len(bits) * 100,
        "restarts": found.restarts,
        "networks": tried,
    }
