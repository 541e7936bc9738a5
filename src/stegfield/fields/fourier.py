"""Fourier features and a residual multilayer perceptron: the field in the code of StegaINR4MIH.

It survives more pruning and noise than SIREN, and is slower to fit. The random frequencies are
never trained; they are stored like weights.

Sources: Tancik et al. (2020) for the features; the authors' code (Dong et al., 2024) for 128
frequencies of standard deviation 2 and 6 layers of 256 units with LeakyReLU, residual additions and
a final tanh. Differs in the coordinates, which are ours: the longer axis spans [-1, 1].
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from stegfield.fields.field import Dense, Field, normal
from stegfield.fields.header import Public
from stegfield.fields.sizes import FourierSizes
from stegfield.keys import KeyStream


class Fourier(Field):
    """sin and cos of random frequencies, then LeakyReLU layers with residual additions, tanh."""

    architecture = "fourier"
    sizes_type = FourierSizes
    learning_rate = 6e-2
    warm_up = 200

    @staticmethod
    def build(
        sizes: FourierSizes, public: Public, stream: KeyStream | None
    ) -> tuple[nn.Module, nn.Module]:
        """Draw the encoder and the decoder."""
        frequencies = normal(stream, sizes.std, sizes.frequencies, public.axes)
        widths = [2 * sizes.frequencies, *[sizes.width] * sizes.depth, public.channels]
        decoder = ResidualLayers(widths, stream)
        return FourierFeatures(frequencies), decoder

    def muon_rate(self, name: str) -> float:
        """Return the first step length: far shorter for the last layer, right before tanh.

        If steps are long before the mean colours are found, whole regions of an image end up where
        tanh is flat, and stay there. Short steps and the long warm-up avoid this.
        """
        return self.learning_rate * (0.02 if name == list(self.slot_bounds())[-1] else 1.0)


class FourierFeatures(nn.Module):
    """sin(2 pi B x) and cos(2 pi B x) for fixed frequencies B."""

    frequencies: Float[Tensor, "frequencies axes"]

    def __init__(self, frequencies: Float[Tensor, "frequencies axes"]) -> None:
        super().__init__()
        self.register_buffer("frequencies", frequencies)

    def forward(self, at: Float[Tensor, "points axes"]) -> Float[Tensor, "points features"]:
        """Return the features of these points."""
        phase = 2 * math.pi * (at @ self.frequencies.T)
        return torch.cat([phase.sin(), phase.cos()], dim=1)


class ResidualLayers(nn.Module):
    """LeakyReLU layers, each added to its input where the widths agree, then a linear one, tanh."""

    def __init__(self, widths: list[int], stream: KeyStream | None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            Dense(
                n_in,
                n_out,
                bound=1 / math.sqrt(n_in),
                bias_bound=1 / math.sqrt(n_in),
                stream=stream,
            )
            for n_in, n_out in pairwise(widths)
        )

    def forward(self, x: Float[Tensor, "points in"]) -> Float[Tensor, "points out"]:
        """Apply all layers."""
        *hidden, last = self.layers
        for layer in hidden:
            y = nn.functional.leaky_relu(layer(x))
            x = x + y if x.shape == y.shape else y
        return torch.tanh(last(x))
