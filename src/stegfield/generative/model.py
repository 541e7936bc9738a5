"""A trained generator: fields are drawn from it by a seed, and sampled at any size."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from stegfield.config import GanConfig
from stegfield.fields import Field, Public
from stegfield.fields.fourier import Fourier, FourierSizes
from stegfield.generative.hypernet import Generator
from stegfield.keys import SALT_BYTES, Noise
from stegfield.signals import coordinates

FREQUENCIES = hashlib.sha256(b"stegfield generator frequencies").digest()
"""What the fixed frequencies of all drawn fields are drawn from."""


@dataclass(frozen=True, eq=False)
class Model:
    """A generator, and what is known about it."""

    name: str
    generator: Generator
    config: GanConfig
    medium: str
    channels: int
    size: tuple[int, ...]
    """Of the examples: rows and columns that a drawn field is shown at by itself."""
    steps: int
    """That it was trained for."""
    examples: int
    """That it learned from."""

    def latent(self, seed: int) -> Float[Tensor, " latent"]:
        """Give the random vector of a seed: the same on every machine."""
        draw = hashlib.sha256(f"stegfield latent {seed}".encode()).digest()
        return torch.from_numpy(Noise(draw).normal(self.config.latent).astype(np.float32))

    @torch.no_grad()
    def draw(self, seed: int) -> Field:
        """Draw a field: one of the library's own, to be rendered, saved or hidden in.

        Example:
            >>> from stegfield import fields, generative
            >>> model = generative.load("digits")
            >>> fields.render(model.draw(7), (64, 64)).size
            (64, 64)
        """
        salt = hashlib.sha256(f"stegfield drawn {self.name} {seed}".encode()).digest()[:SALT_BYTES]
        weights = self.generator.weights(self.latent(seed)[None])
        public = Public(size=self.size, channels=self.channels, medium=self.medium, seed=salt)
        field = _template(self.config, public, Noise(FREQUENCIES))
        own = {name: tensor[0].contiguous() for name, tensor in weights.items()}
        field.decoder.load_state_dict(own)
        return field

    @torch.no_grad()
    def sample(
        self, latents: Float[Tensor, "batch latent"], size: tuple[int, ...]
    ) -> Float[Tensor, "batch rows columns values"]:
        """Show the fields of many latents on one grid, in [-1, 1]."""
        at = coordinates(size)
        parts = [self.generator(part, at) for part in torch.split(latents, 8)]
        return torch.cat(parts).view(len(latents), *size, self.channels)


def new_generator(medium: str, channels: int, config: GanConfig) -> Generator:
    """Give an untrained generator; torch's global generator decides its weights."""
    return _generator(medium, channels, config, Noise(FREQUENCIES))


def weight_shapes(medium: str, channels: int, config: GanConfig) -> dict[str, tuple[int, ...]]:
    """Name a generator's trained tensors and tell their shapes; none of them takes any memory."""
    with torch.device("meta"):
        generator = _generator(medium, channels, config, None)
    return {n: tuple(p.shape) for n, p in generator.named_parameters() if p.requires_grad}


def _generator(medium: str, channels: int, config: GanConfig, noise: Noise | None) -> Generator:
    size = (config.size, config.size)
    public = Public(size=size, channels=channels, medium=medium, seed=bytes(SALT_BYTES))
    template = _template(config, public, noise)
    return Generator(template, latent=config.latent, hidden=config.hidden_units, rank=config.rank)


def _template(config: GanConfig, public: Public, noise: Noise | None) -> Fourier:
    sizes = FourierSizes(
        frequencies=config.frequencies, std=config.std, width=config.width, depth=config.depth
    )
    return Fourier(sizes, public, noise)
