"""The ReLU network: the paper's fixed network, grown from a key, that reads bits from an image.

    image ─► 3 x [conv 3x3, 128 units ─► leaky ReLU ─► normalise] ─► conv 3x3 ─► logits

The image has values in [0, 1], as in the paper's Eq. 2; convolutions pad with zeros. Bit d of a
pixel is 1 where its logit d is above 0. The key draws all weights from a normal distribution, and
the scales of the normalisation too; there are no biases. Nothing is trained: the sender searches
for an image from which this network reads the message (`stegfield.fixednet.paper.gradient`).

Two machines may round a logit close to 0 to different sides, so the sender keeps logits at a
distance from 0.

Source: Zhong et al. (GINR-Stega), Sec. 3.3 and 3.4, after Kishore et al. (2022), FNNS.
Differs from the authors' code, which leaves batch normalisation in training mode: what is read from
an image then depends on the others in its batch. Here each channel of each image is normalised by
its own mean and variance. The authors draw weights with torch's generator from a seed; here the key
has ten networks, and `seed_index` is one of them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as nn
from jaxtyping import Float
from torch import Tensor

from stegfield.config import LARGEST_NETWORKS
from stegfield.errors import ConfigError
from stegfield.fixednet.paper.network import FixedNetwork
from stegfield.keys import IMAGE_SALT, Key

UNITS = 128
HIDDEN = 3
DEEPEST = 4
"""Most bits a pixel."""
SLOPE = 0.01
EPSILON = 1e-5


class ReluNetwork(FixedNetwork):
    """A fixed network with random weights, one logit per bit.

    Args:
        key: Decides all weights.
        seed_index: Which of the key's networks, from 0 to 9.
        depth: Bits per pixel, from 1 to 4. A network reads the first bits of a deeper one.
        channels: Channels of the image, 1 or 3.

    Raises:
        ConfigError: The seed index, the depth or the channels are out of range.
    """

    def __init__(self, key: Key, *, seed_index: int = 0, depth: int = 1, channels: int = 3) -> None:
        super().__init__()
        if not 0 <= seed_index < LARGEST_NETWORKS:
            raise ConfigError(
                f"the seed index must be from 0 to {LARGEST_NETWORKS - 1}, got {seed_index}"
            )
        if not 1 <= depth <= DEEPEST:
            raise ConfigError(f"the depth must be from 1 to {DEEPEST} bits a pixel, got {depth}")
        if channels not in (1, 3):
            raise ConfigError(f"the image must have 1 or 3 channels, got {channels}")
        self.depth = depth
        self.channels = channels
        inputs = channels
        for layer in range(HIDDEN + 1):
            outputs = UNITS if layer < HIDDEN else DEEPEST
            label = f"relu/{channels}/{seed_index}/{layer}"
            weight = _grow(key, f"{label}/weight", outputs, inputs, 3, 3)
            if layer < HIDDEN:
                self.register_buffer(f"scale{layer}", _grow(key, f"{label}/scale", outputs))
            else:
                weight = weight[:depth].clone()
            self.register_buffer(f"weight{layer}", weight)
            inputs = outputs

    def forward(
        self, image: Float[Tensor, "rows columns channels"]
    ) -> Float[Tensor, "rows columns depth"]:
        """Return the logits of an image with values in [0, 1]."""
        features = image.movedim(-1, 0)[None]
        for layer in range(HIDDEN):
            features = nn.conv2d(features, self.get_buffer(f"weight{layer}"), padding=1)
            features = normalise(nn.leaky_relu(features, SLOPE))
            features = features * self.get_buffer(f"scale{layer}")[:, None, None]
        logits = nn.conv2d(features, self.get_buffer(f"weight{HIDDEN}"), padding=1)
        return logits[0].movedim(0, -1)


def normalise(
    features: Float[Tensor, "images units rows columns"],
) -> Float[Tensor, "images units rows columns"]:
    """Return features with mean 0 and variance 1 in every channel of every image."""
    centred = features - features.mean(dim=(2, 3), keepdim=True)
    variance = centred.square().mean(dim=(2, 3), keepdim=True)
    return centred * (variance + EPSILON).rsqrt()


def _grow(key: Key, label: str, *shape: int) -> Tensor:
    noise = key.stream(label, salt=IMAGE_SALT)
    values = noise.normal(torch.Size(shape).numel())
    # float64 values on a lattice of 2^-16 below 6: float32 holds them exactly
    return torch.tensor(values, dtype=torch.float32).reshape(shape)
