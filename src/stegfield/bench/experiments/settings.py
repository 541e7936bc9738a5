"""Settings that several experiments share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stegfield import generative, signals
from stegfield.bench.datasets import Datasets
from stegfield.config import FitConfig, SlotRule, ValueRule
from stegfield.errors import ConfigError
from stegfield.metrics import Samples
from stegfield.signals import Signal

PAPERS_SHARE = 7 / 5
"""Seconds of the paper's whole procedure for each second of joint training."""


@dataclass(frozen=True, kw_only=True)
class HidingSettings:
    """How images are hidden in a field; zeros and empty names take the default."""

    dataset: str
    """A set of images; cover and secrets are ``secrets + 1`` of them in a row."""
    method: str = "ours"
    """One of `hiders.HIDERS`."""
    field: str = ""
    """Architecture of our field."""
    width: int = 0
    """Units of its layers."""
    depth: int = 0
    """Number of layers."""
    w0: int | float = 0.0
    """Factor on the argument of every sine."""
    features: int = 0
    """Features of each cell of a grid."""
    finest_features: int = 0
    """Features of each cell of the finest grid."""
    resolution: int = 128
    """Rows and columns."""
    secrets: int = 2
    """How many."""
    image: int = 0
    """Which group of images."""
    stride: int = 1
    """Step through the set: 2 takes every second image."""
    seconds: int | float = 0.0
    """Seconds to train for; 0 leaves it to ``steps``."""
    steps: int = 0
    """Steps to train for; 0 leaves it to ``seconds``."""
    peer_steps: int = 3000
    """Steps to train for, in methods of others."""
    batch: int = 0
    """Points of a step, in our method."""
    seed: int = -1
    """Seed of the training; -1 takes the number of the group."""
    ratio: int | float = 0.0
    """Share of the weights that are slots."""
    slots: SlotRule = "keyed"
    """Where slots are."""
    values: ValueRule = "matched"
    """How slot values are drawn."""

    def images(self, data: Datasets, size: int = 0) -> list[Signal]:
        """Read the cover, then the secrets."""
        first = self.image * (self.secrets + 1)
        return [
            data.image(self.dataset, index * self.stride, size or self.resolution)
            for index in range(first, first + self.secrets + 1)
        ]

    def sizes(self) -> dict[str, int | float]:
        """Return the sizes of the field that are given."""
        names = ("width", "depth", "w0", "features", "finest_features")
        return {name: size for name in names if (size := getattr(self, name))}

    def training(self, **more: Any) -> FitConfig:
        """Return how our field is trained.

        Raises:
            ConfigError: Neither steps nor seconds are given.
        """
        if not self.seconds and not self.steps:
            raise ConfigError("an experiment needs steps or seconds")
        plan: dict[str, Any] = {"max_seconds": float(self.seconds) or None}
        plan |= {"batch": self.batch} if self.batch else {}
        seed = self.image if self.seed < 0 else self.seed
        return FitConfig(**{**plan, "steps": self.steps or None, "seed": seed, **more})

    def papers_training(self) -> FitConfig:
        """Return how the paper's field is trained: Adam on the absolute error of all points."""
        return self.training(
            max_seconds=self.seconds * PAPERS_SHARE or None,
            optimizer="adam",
            learning_rate=1e-3,
            batch=0,
            decay=0.0,
            warm_up=0,
            loss="l1",
        )


@dataclass(frozen=True, kw_only=True)
class EmbeddingSettings:
    """How bits are embedded in an image."""

    dataset: str
    """A set of covers."""
    method: str = "ours"
    """One of `embedders.EMBEDDERS`."""
    rate: int = 1
    """Bits a pixel that random bits fill; 0 leaves the rate to ``message_bytes``."""
    message_bytes: int = 0
    """Length of the random message; 0 fills the rate."""
    resolution: int = 64
    """Rows and columns; 0 leaves images as they are."""
    image: int = 0
    """Which cover, and which message."""
    stride: int = 1
    """Step through the set: 2 takes every second image."""
    learning_rate: int | float = 0.1
    """Of the paper's solver."""
    restarts: int = 100
    """Of the paper's solver."""
    networks: int = 10
    """Networks of the paper, tried in order while the PSNR is below 20 dB."""
    model: str = ""
    """Model that generates the covers, with the number of the image as seed."""

    def cover(self, data: Datasets, index: int) -> Signal:
        """Read a cover, or generate it."""
        if self.model:
            return generative.generate(self.model, size=(self.resolution,) * 2, seed=index)
        return data.image(self.dataset, index * self.stride, self.resolution or None)


def random_crops(
    data: Datasets, dataset: str, side: int, count: int
) -> tuple[list[Samples], list[int]]:
    """Return square crops at random places, and the index of each crop's image."""
    random = np.random.default_rng(0)
    cut, groups = [], []
    for number in range(count):
        samples = signals.to_samples(data.image(dataset, number, None))
        top, left = (int(random.integers(0, length - side + 1)) for length in samples.shape[:2])
        cut.append(samples[top : top + side, left : left + side])
        groups.append(number % data.count(dataset))
    return cut, groups
