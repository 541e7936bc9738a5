"""A method to compare: an extractor of sines on wide, keyed kernels, and the paper's solver."""

import time

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from stegfield import signals
from stegfield.bench import Datasets
from stegfield.bench.experiments.embedders import Embedded
from stegfield.bench.experiments.settings import EmbeddingSettings
from stegfield.config import DescentConfig
from stegfield.fixednet.paper.gradient import descend
from stegfield.fixednet.paper.network import FixedNetwork
from stegfield.keys import IMAGE_SALT, Key
from stegfield.signals import Signal

KEY = Key(bytes(range(32)))


class Sines(FixedNetwork):
    """sin of a keyed 5x5 convolution, one bit a pixel."""

    depth = 1

    def __init__(self, key: Key, channels: int = 3) -> None:
        super().__init__()
        self.channels = channels
        drawn = key.stream("sines", salt=IMAGE_SALT).normal(channels * 25)
        kernel = torch.from_numpy(drawn.astype(np.float32)).view(1, channels, 5, 5)
        self.register_buffer("kernel", 20 * kernel)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits, rows x columns x 1, of an image in [0, 1]."""
        planes = image.movedim(-1, 0)[None]
        return 4 * torch.sin(conv2d(planes, self.get_buffer("kernel"), padding=2))[0].movedim(0, -1)


def sines(data: Datasets, cover: Signal, settings: EmbeddingSettings, seed: int) -> Embedded:
    """Change an image until the network reads random bits, one a pixel."""
    levels, began = signals.to_samples(cover), time.perf_counter()
    bits = np.random.default_rng(seed).random(cover.points) < 1 / 2
    config = DescentConfig(restarts=settings.restarts, repair=0)
    found = descend(Sines(KEY, cover.channels), bits, levels, config=config)
    wrong = 100 * found.errors / len(bits)
    return Embedded(found.levels, {"seconds": time.perf_counter() - began, "wrong_percent": wrong})
