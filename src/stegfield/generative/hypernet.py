"""The generator: a network that turns a random vector into the weights of a field.

    z ~ N(0, 1) ─► two layers ─► a head for each layer of the field ─► its weights ─► values

A generated field is a function, which has values at any set of points. It is one of the library's
own fields, so that it is saved, rendered and hidden in like a fitted one.

A *full* head says every weight. A *compact* one starts from weights that all fields share and
multiplies them by a matrix of low rank, so that a checkpoint takes a few megabytes.

Sources: Dupont et al. (2022), GASP, for the method; Ha et al. (2016) for hypernetworks; Skorokhodov
et al. (2021), INR-GAN, for weights modulated by products of low rank.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap

from stegfield.fields import Dense, Field

SLOPE = 0.2
SPREAD = 0.5
"""How much weights differ between untrained fields, as a share of their size."""


def _draw(weight: Tensor, std: float) -> None:
    """Draw normal weights; where they have no memory yet, torch would import half of itself."""
    if not weight.is_meta:
        with torch.no_grad():
            weight.normal_(0, std)


class FullHead(nn.Module):
    """Says every weight and bias of one layer."""

    def __init__(self, layer: Dense, hidden: int) -> None:
        super().__init__()
        self.shape = layer.weight.shape
        n_out, n_in = self.shape
        self.linear = nn.Linear(hidden, n_out * n_in + n_out)
        std = math.sqrt(2 / n_in)
        with torch.no_grad():
            _draw(self.linear.weight, SPREAD * std / math.sqrt(hidden))
            _draw(self.linear.bias, std)
            self.linear.bias[-n_out:] = 0

    def forward(self, h: Float[Tensor, "batch hidden"]) -> tuple[Tensor, Tensor]:
        """Return a weight matrix and biases for each sample."""
        n_out, n_in = self.shape
        weight, bias = self.linear(h).split([n_out * n_in, n_out], 1)
        return weight.view(-1, n_out, n_in), bias


class CompactHead(nn.Module):
    """Multiplies shared weights of one layer by 1 + U V^T, of low rank; says the biases."""

    def __init__(self, layer: Dense, hidden: int, rank: int) -> None:
        super().__init__()
        n_out, n_in = layer.weight.shape
        self.sizes = [n_out * rank, n_in * rank, n_out]
        self.rank = rank
        self.weight = nn.Parameter(torch.empty(n_out, n_in))
        _draw(self.weight, math.sqrt(2 / n_in))
        self.linear = nn.Linear(hidden, sum(self.sizes))
        with torch.no_grad():
            _draw(self.linear.weight, math.sqrt(SPREAD) / math.sqrt(hidden))
            self.linear.bias.zero_()

    def forward(self, h: Float[Tensor, "batch hidden"]) -> tuple[Tensor, Tensor]:
        """Return a weight matrix and biases for each sample."""
        left, right, bias = self.linear(h).split(self.sizes, 1)
        left, right = (m.unflatten(1, (-1, self.rank)) for m in (left, right))
        product = left @ right.transpose(1, 2) / math.sqrt(self.rank)
        return self.weight * (1 + product), bias

    @torch.no_grad()
    def take_over(self, other: CompactHead) -> None:
        """Say what a head of the same layer and of lower rank says: the products added are 0.

        Their left factors stay random and the right ones are 0, so that training moves both.
        """
        self.weight.copy_(other.weight)
        scale = (self.rank / other.rank) ** (1 / 4)
        for own, its in zip(self._parts(), other._parts(), strict=True):
            (left, right, bias), (its_left, its_right, its_bias) = own, its
            left[:, : other.rank] = scale * its_left
            right[:, : other.rank] = scale * its_right
            right[:, other.rank :] = 0
            bias.copy_(its_bias)

    def _parts(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Return the rows of weights, then of biases, that say left factors, right ones, biases."""
        for rows in (self.linear.weight, self.linear.bias):
            left, right, bias = torch.split(rows, self.sizes)
            shape = (-1, self.rank, *rows.shape[1:])
            yield left.view(shape), right.view(shape), bias


class Generator(nn.Module):
    """Turns latent vectors into fields' weights, and those into values.

    Args:
        template: A field of the kind to generate: its encoder is shared by all, the weights of its
            decoder are replaced, and may be on the meta device.
        latent: Length of the random vector.
        hidden: Units of the layers between the vector and the heads.
        rank: Of compact heads; 0 for full ones.
    """

    def __init__(self, template: Field, *, latent: int, hidden: Sequence[int], rank: int) -> None:
        super().__init__()
        self.encoder = template.encoder
        self._decoder = [template.decoder]  # in a list: its own weights are no part of this module
        widths = [latent, *hidden]
        self.body = nn.Sequential(
            *(
                part
                for n_in, n_out in pairwise(widths)
                for part in (nn.Linear(n_in, n_out), nn.LeakyReLU(SLOPE))
            )
        )
        for part in self.body:
            if isinstance(part, nn.Linear):
                _draw(
                    part.weight,
                    nn.init.calculate_gain("leaky_relu", SLOPE) / math.sqrt(part.in_features),
                )
                nn.init.zeros_(part.bias)
        layers = {n: m for n, m in template.decoder.named_modules() if isinstance(m, Dense)}
        self.names = list(layers)
        self.heads = nn.ModuleList(
            CompactHead(layer, widths[-1], rank) if rank else FullHead(layer, widths[-1])
            for layer in layers.values()
        )

    @torch.no_grad()
    def take_over(self, other: Generator) -> None:
        """Generate what another generator does, which differs from this one only in a lower rank.

        Source: Chen et al. (2016), Net2Net, for growing networks that keep their function.
        """
        self.body.load_state_dict(other.body.state_dict())
        for own, its in zip(self.heads, other.heads, strict=True):
            if isinstance(own, CompactHead) and isinstance(its, CompactHead):
                own.take_over(its)
            else:
                own.load_state_dict(its.state_dict())

    def weights(self, latents: Float[Tensor, "batch latent"]) -> dict[str, Tensor]:
        """Return the weights of the decoders, by name, each with a first axis of samples."""
        h = self.body(latents)
        weights = {}
        for name, head in zip(self.names, self.heads, strict=True):
            weights[f"{name}.weight"], weights[f"{name}.bias"] = head(h)
        return weights

    def forward(
        self, latents: Float[Tensor, "batch latent"], at: Float[Tensor, "points axes"]
    ) -> Float[Tensor, "batch points values"]:
        """Return the values of the generated fields at points that they share."""
        decoder, features = self._decoder[0], self.encoder(at)

        def values(weights: dict[str, Tensor]) -> Tensor:
            shown: Tensor = functional_call(decoder, weights, (features,))
            return shown

        return vmap(values)(self.weights(latents))
