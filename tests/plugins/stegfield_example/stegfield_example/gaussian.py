"""A field with Gaussian bumps for activations (Ramasinghe and Lucey, 2022)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from stegfield.fields import Dense, Field, Public, Sizes
from stegfield.keys import KeyStream


@dataclass(frozen=True, kw_only=True)
class GaussianSizes(Sizes):
    """Layers, their width, and that of the bumps."""

    width: int = 64
    depth: int = 3
    spread: float = 0.1

    RANGES: ClassVar = {"width": (4, 2048), "depth": (1, 32), "spread": (0.001, 10.0)}


class Bumps(nn.Module):
    """Layers of exp(-y^2 / (2 spread^2)), the last one linear."""

    def __init__(self, widths: list[int], spread: float, stream: KeyStream | None) -> None:
        super().__init__()
        self.spread = spread
        self.layers = nn.ModuleList(
            Dense(n_in, n_out, bound=n_in**-0.5, bias_bound=1.0, stream=stream)
            for n_in, n_out in pairwise(widths)
        )

    def forward(self, x: Tensor) -> Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            x = torch.exp(-(layer(x) ** 2) / (2 * self.spread**2))
        shown: Tensor = last(x)
        return shown


class Gaussian(Field):
    """A multilayer perceptron with Gaussian activations."""

    architecture = "gaussian"
    sizes_type = GaussianSizes
    learning_rate = 2e-3

    @staticmethod
    def build(
        sizes: GaussianSizes, public: Public, stream: KeyStream | None
    ) -> tuple[nn.Module, nn.Module]:
        """Draw the encoder and the decoder."""
        widths = [public.axes, *[sizes.width] * sizes.depth, public.channels]
        return nn.Identity(), Bumps(widths, sizes.spread, stream)
