"""Networks of blocks: convolutions of several sizes over one input, their outputs concatenated.

Baluja's networks and those after it are such blocks, one behind the other. Here they are plain
functions of published tensors, which are read and checked by the library's one reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from stegfield import files, signals
from stegfield.errors import InputError
from stegfield.metrics import Samples
from stegfield.signals import Signal
from stegfield.tensor_files import DistrustError, tensors_of

LARGEST_FILE = 1 << 24
WHITE = 255.0

Tensors = Mapping[str, Tensor]
Images = Float[Tensor, "images channels rows columns"]


def published(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a published network.

    Raises:
        InputError: The file is missing, or its tensors cannot be read.
    """
    try:
        held = tensors_of(files.read_bounded(path, LARGEST_FILE), np.float32)
    except DistrustError as error:
        raise InputError(f"{path} does not hold a network that can be read: {error}") from None
    return {name: torch.from_numpy(array.copy()) for name, array in held.items()}


def convolve(
    x: Float[Tensor, "images channels rows columns"], tensors: Tensors, name: str
) -> Float[Tensor, "images filters rows columns"]:
    """Apply one convolution of the same size, then ReLU.

    An even kernel is padded by one less above and left than below and right.
    """
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    padding = []
    for side in weight.shape[:1:-1]:
        padding += [(side - 1) // 2, side // 2]
    return functional.conv2d(functional.pad(x, padding), weight, bias).relu()


def through(
    x: Float[Tensor, "images channels rows columns"],
    tensors: Tensors,
    blocks: Sequence[Sequence[str]],
) -> Float[Tensor, "images filters rows columns"]:
    """Apply blocks in order; each is the names of its convolutions."""
    for names in blocks:
        x = torch.cat([convolve(x, tensors, name) for name in names], dim=1)
    return x


def to_batch(image: Signal) -> Float[Tensor, "1 channels rows columns"]:
    """Return an image with values in [0, 1], of its 8-bit samples."""
    samples = torch.from_numpy(signals.to_samples(image).copy())
    return samples.movedim(-1, 0)[None].float() / WHITE


def to_8_bits(values: Float[Tensor, "1 channels rows columns"]) -> Samples:
    """Clip and round to 8-bit samples."""
    levels = (values[0].movedim(0, -1).clamp(0, 1) * WHITE).round().to(torch.uint8)
    return levels.numpy()


def from_8_bits(samples: Samples) -> Float[Tensor, "1 channels rows columns"]:
    """Return what a receiver has: 8-bit samples as values in [0, 1]."""
    return torch.from_numpy(samples).movedim(-1, 0)[None].float() / WHITE
