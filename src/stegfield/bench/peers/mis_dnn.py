"""MIS-DNN: Baluja's networks for three secrets, each with a network that prepares and reveals it.

Source: Das, Wahi, Anand and Rana (2021), "Multi-Image Steganography Using Deep Neural Networks".
The weights are those of MultiImageSteganography (m607stars), trained on images of 64x64. No licence
is stated, so they are measured with and never shipped.
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

WEIGHTS = ("weights", "mis-dnn.safetensors")
SECRETS = 3
KERNELS = 3
"""Convolutions of a block."""


def _blocks(network: str, depth: int) -> list[list[str]]:
    starts = range(1, depth * KERNELS + 1, KERNELS)
    return [[f"{network}.conv{at}" for at in range(start, start + KERNELS)] for start in starts]


def _whole(network: str) -> list[list[str]]:
    return [*_blocks(network, 5), [f"{network}.final_layer"]]


@torch.no_grad()
def mis_dnn(data: Datasets, images: Sequence[Signal], settings: HidingSettings) -> Exchange:
    """Hide three images by the published networks.

    Raises:
        ConfigError: There are not exactly three secrets.
        InputError: The data folder has no such weights.
    """
    if len(images) != SECRETS + 1:
        raise ConfigError(f"the published networks hide three secrets, got {len(images) - 1}")
    tensors = published(data.path(*WEIGHTS))
    began = time.perf_counter()
    cover, *secrets = map(to_batch, images)
    prepared = [
        through(secret, tensors, _blocks(f"encoder.prep_network{at}", 2))
        for at, secret in enumerate(secrets, 1)
    ]
    together = torch.cat([cover, *prepared], dim=1)
    stego = to_8_bits(through(together, tensors, _whole("encoder.hiding_network")))
    received = from_8_bits(stego)
    recovered = [
        to_8_bits(through(received, tensors, _whole(f"decoder.reveal_network_{at}")))
        for at in range(1, SECRETS + 1)
    ]
    return Exchange(stego, recovered, {"seconds": time.perf_counter() - began})
