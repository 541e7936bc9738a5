"""SIREN: a multilayer perceptron with sine activations, the field of StegaINR4MIH.

Sources: Sitzmann et al. (2020), first layer uniform in +-1/n and the others in +-sqrt(6/n)/w0;
Dong et al. (2024), 8 hidden layers of 128 units for 128x128 images.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from stegfield.fields.field import Dense, Field
from stegfield.fields.header import Public
from stegfield.fields.sizes import SirenSizes
from stegfield.keys import KeyStream


class Siren(Field):
    """Coordinates through ``depth`` layers of sin(w0 (W x + b)), then a linear layer."""

    architecture = "siren"
    sizes_type = SirenSizes
    learning_rate = 2e-3

    @staticmethod
    def build(
        sizes: SirenSizes, public: Public, stream: KeyStream | None
    ) -> tuple[nn.Module, nn.Module]:
        """Draw the encoder and the decoder."""
        widths = [public.axes, *[sizes.width] * sizes.depth, public.channels]
        bounds = [1 / widths[0], *(math.sqrt(6 / n_in) / sizes.w0 for n_in in widths[1:-1])]
        decoder = SineLayers(widths, bounds, w0=sizes.w0, stream=stream)
        return nn.Identity(), decoder

    def muon_rate(self, name: str) -> float:
        """Return the first step length: longer for the last layer, which is outside all sines.

        Benchmark on faces: the worst of three images gains 0.4 dB.
        """
        return self.learning_rate * (6.0 if name == list(self.slot_bounds())[-1] else 1.0)


class SineLayers(nn.Module):
    """Layers of sin(w0 (W x + b)), the last one linear.

    Args:
        widths: Inputs of the first layer, then outputs of each.
        bounds: Each layer's weights are drawn uniformly in +-bound; biases in +-1/sqrt(inputs).
        w0: Factor on the argument of every sine.
        stream: The key stream that weights are drawn from.
    """

    def __init__(
        self,
        widths: list[int],
        bounds: list[float],
        *,
        w0: float,
        stream: KeyStream | None,
    ) -> None:
        super().__init__()
        self.w0 = w0
        self.layers = nn.ModuleList(
            Dense(n_in, n_out, bound=bound, bias_bound=1 / math.sqrt(n_in), stream=stream)
            for n_in, n_out, bound in zip(widths[:-1], widths[1:], bounds, strict=True)
        )

    def forward(self, x: Float[Tensor, "points in"]) -> Float[Tensor, "points out"]:
        """Apply all layers."""
        *hidden, last = cast("list[Dense]", list(self.layers))
        for layer in hidden:
            x = sine_layer(x, layer.weight * self.w0, layer.bias * self.w0)
        y: Tensor = last(x)
        return y


def sine_layer(
    x: Float[Tensor, "points in"], weight: Float[Tensor, "out in"], bias: Float[Tensor, " out"]
) -> Float[Tensor, "points out"]:
    """Return sin(W x + b) with fewer memory accesses than separate operations.

    Besides the matrix products, activations limit the speed. So the forward pass keeps the cosine
    for the backward pass in the memory of the sine's argument.
    """
    if torch.is_grad_enabled():
        y: Tensor = _SineLayer.apply(x, weight, bias)  # type: ignore[no-untyped-call]
        return y
    return torch.addmm(bias, x, weight.T).sin_()


class _SineLayer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        z = torch.addmm(bias, x, weight.T)
        y = torch.sin(z)
        ctx.save_for_backward(x, weight, z.cos_())
        return y

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight, cosine = ctx.saved_tensors
        gradient = upstream[0] * cosine
        to_x = gradient @ weight if ctx.needs_input_grad[0] else None
        return to_x, gradient.T @ x, gradient.sum(0)
