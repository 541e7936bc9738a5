"""Baluja's networks: one prepares the secret, one hides it in the cover, one reveals it.

Source: Baluja (2017), "Hiding Images in Plain Sight: Deep Steganography". The weights are those of
deep-steg (Muzio, MIT licence), trained on images of 64x64; ReLU stands behind the last layers too.
Differs from both in that the stego image is an 8-bit one before it is read.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.hiders import Exchange
from stegfield.bench.experiments.settings import HidingSettings
from stegfield.bench.peers.blocks import from_8_bits, published, through, to_8_bits, to_batch
from stegfield.errors import ConfigError
from stegfield.signals import Signal

WEIGHTS = ("weights", "baluja-deep-steg.safetensors")
KERNELS = ("3x3", "4x4", "5x5")
DEPTH = 5


def _blocks(part: str, depth: int) -> list[list[str]]:
    return [[f"{part}{block}_{kernel}" for kernel in KERNELS] for block in range(depth)]


def _five_blocks(part: str) -> list[list[str]]:
    """Name five blocks; the largest kernel of the last one is called a block further."""
    *first, last = _blocks(part, DEPTH)
    return [*first, [*last[:2], f"{part}{DEPTH}_5x5"]]


PREPARE = _blocks("encoder.conv_prep", 2)
HIDE = _five_blocks("encoder.conv_hid")
REVEAL = _five_blocks("decoder.conv_rev")


@torch.no_grad()
def baluja(data: Datasets, images: Sequence[Signal], settings: HidingSettings) -> Exchange:
    """Hide one image by the published networks.

    Raises:
        ConfigError: There is not exactly one secret.
        InputError: The data folder has no such weights.
    """
    if len(images) != 2:
        raise ConfigError(f"the published networks hide one secret, got {len(images) - 1}")
    tensors = published(data.path(*WEIGHTS))
    began = time.perf_counter()
    cover, secret = map(to_batch, images)
    both = torch.cat([cover, through(secret, tensors, PREPARE)], dim=1)
    stego = to_8_bits(through(both, tensors, [*HIDE, ["encoder.output_C"]]))
    shown = through(from_8_bits(stego), tensors, [*REVEAL, ["decoder.output_S"]])
    return Exchange(stego, [to_8_bits(shown)], {"seconds": time.perf_counter() - began})
