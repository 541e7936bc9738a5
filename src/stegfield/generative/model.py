"""A trained generator: it makes a field of every seed, which is sampled at any size."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from stegfield.config import GanConfig
from stegfield.fields import Field, Public
from stegfield.fields.field import normal
from stegfield.fields.fourier import Fourier, FourierFeatures
from stegfield.fields.sizes import FourierSizes
from stegfield.generative.hypernet import Generator
from stegfield.generative.likely import DRAWS, SHOWN, Likely
from stegfield.keys import SALT_BYTES, KeyStream
from stegfield.signals import Medium

FREQUENCIES = hashlib.sha256(b"stegfield generator frequencies").digest()
"""What the fixed frequencies of all generated fields are drawn from."""


@dataclass(frozen=True, kw_only=True)
class GeneratorSizes:
    """What a generator is made of; these stand in a model's file."""

    latent: int
    hidden: tuple[int, ...]
    rank: int
    width: int
    depth: int
    frequencies: int
    std: float

    @classmethod
    def of(cls, config: GanConfig) -> GeneratorSizes:
        """Take them from the settings of a training."""
        return cls(
            latent=config.latent,
            hidden=tuple(config.hidden_units),
            rank=config.rank,
            width=config.width,
            depth=config.depth,
            frequencies=config.frequencies,
            std=config.std,
        )

    def hold(self, other: GeneratorSizes) -> bool:
        """Tell whether these are another's but for a higher rank: then all its fields fit in."""
        low = 0 < other.rank < self.rank
        return other == (replace(self, rank=other.rank) if low else self)

    @property
    def settings(self) -> dict[str, Any]:
        """Return them by the names, and in the form, that a training's settings have."""
        return asdict(self) | {"hidden": ",".join(map(str, self.hidden))}

    @property
    def template(self) -> str:
        """Name them for a `Wording`, as settings of a training."""
        return " ".join(f"{{{name}:{value}}}" for name, value in self.settings.items())


@dataclass(frozen=True, eq=False)
class Model:
    """A generator, and what is known about it."""

    name: str
    generator: Generator
    sizes: GeneratorSizes
    medium: Medium
    channels: int
    size: tuple[int, ...]
    """Of the examples: rows and columns that a generated field is shown at by default."""
    steps: int
    """That it was trained for."""
    examples: int
    """That it learned from."""
    likely: Likely | None = None
    """Tells torn samples, which are drawn again."""

    def latent(self, seed: int, *, first: bool = False) -> Float[Tensor, " latent"]:
        """Return the random vector of a seed: the first that does not show a torn sample.

        Args:
            seed: Decides all draws, alike on every machine.
            first: Take the first draw. What is accepted depends on a rendered sample, so in rare
                cases on the machine; the first draw never does.
        """
        stream = KeyStream(hashlib.sha256(f"stegfield latent {seed}".encode()).digest())
        for _ in range(DRAWS):
            drawn = stream.normal(self.sizes.latent).astype(np.float32)
            latent: Tensor = torch.from_numpy(drawn)
            if first or self.accepts(latent):
                break
        return latent

    def accepts(self, latent: Float[Tensor, " latent"]) -> bool:
        """Return whether a sample is not torn, as far as the model can tell."""
        return self.likely is None or self.likely.accepts(self.sample(latent[None], SHOWN))

    def latents(self, count: int, draws: torch.Generator) -> Float[Tensor, "count latent"]:
        """Draw random vectors that show no torn samples, by a generator of torch's."""
        found = torch.empty(0, self.sizes.latent)
        while len(found) < count:
            drawn = torch.randn(count - len(found), self.sizes.latent, generator=draws)
            kept = [self.accepts(latent) for latent in drawn]
            found = torch.cat([found, drawn[torch.tensor(kept)]])
        return found

    @torch.no_grad()
    def field(self, seed: int, *, first: bool = False) -> Field:
        """Generate the field of a seed: one of the library's, to be rendered, saved or hidden in.

        Args:
            seed: Decides the field, with `latent`.
            first: Take the first draw, torn or not.

        Example:
            >>> from stegfield import fields, generative
            >>> model = generative.load("digits")
            >>> fields.render(model.field(7), (64, 64)).size
            (64, 64)
        """
        salt = hashlib.sha256(f"stegfield drawn {self.name} {seed}".encode()).digest()[:SALT_BYTES]
        weights = self.generator.weights(self.latent(seed, first=first)[None])
        field = _template(self.sizes, self.medium, self.channels, self.size, salt)
        own = {name: tensor[0].contiguous() for name, tensor in weights.items()}
        field.decoder.load_state_dict(own, assign=True)
        return field

    @torch.no_grad()
    def sample(
        self, latents: Float[Tensor, "batch latent"], size: tuple[int, ...]
    ) -> Float[Tensor, "batch rows columns values"]:
        """Show the fields of many latents on one grid, in [-1, 1]."""
        at = torch.from_numpy(self.medium.points(size))
        parts = [self.generator(part, at) for part in torch.split(latents, 8)]
        return torch.cat(parts).view(len(latents), *size, self.channels)


def new_generator(medium: Medium, channels: int, sizes: GeneratorSizes) -> Generator:
    """Return an untrained generator; torch's global generator decides its weights."""
    template = _template(sizes, medium, channels, (1, 1), bytes(SALT_BYTES))
    return Generator(template, latent=sizes.latent, hidden=sizes.hidden, rank=sizes.rank)


def _template(
    sizes: GeneratorSizes, medium: Medium, channels: int, size: tuple[int, ...], salt: bytes
) -> Fourier:
    """Build a field with the frequencies of all generated ones, and without weights."""
    own = FourierSizes(
        frequencies=sizes.frequencies, std=sizes.std, width=sizes.width, depth=sizes.depth
    )
    public = Public(size=size, channels=channels, medium=medium, seed=salt)
    with torch.device("meta"):
        field = Fourier(own, public, None)
    shape = field.encoder.get_buffer("frequencies").shape
    field.encoder = FourierFeatures(normal(KeyStream(FREQUENCIES), sizes.std, *shape))
    return field
