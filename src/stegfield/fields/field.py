"""A field: coordinates in, values out; its weights are named tensors.

This is all that other modules know about a network: how to evaluate it, and which of its matrices
may have slots. The entries of its file are in `stegfield.fields.header`.
"""

from __future__ import annotations

import ctypes
import math
import platform
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.func import functional_call

from stegfield.errors import ConfigError
from stegfield.fields.drawing import Grains
from stegfield.fields.header import Header, Public
from stegfield.fields.sizes import Sizes
from stegfield.keys import KeyStream
from stegfield.signals import Signal, scaled, size_text

POINTS_AT_ONCE = 1 << 12
"""Points evaluated at a time: their activations stay in a processor's cache."""
PREVIEW_POINTS = 1 << 16
"""Longest side of a picture in a notebook, in points."""

Parameters = Mapping[str, Tensor]
SlotValues = Mapping[str, tuple[Int64[Tensor, " slots"], Float[Tensor, " slots"]]]
"""For each matrix of the decoder by name: the flat positions of slots, and their values."""
NO_SLOTS: SlotValues = {}
RenderWatch = Callable[[int, int], object]
"""Called with the points done and the number of all; an exception that it raises ends the work."""


def uniform(stream: KeyStream | None, bound: float, *shape: int) -> nn.Parameter:
    """Draw a tensor uniformly in +-bound; without a stream, leave it empty, for loading."""
    if stream is None:
        return nn.Parameter(torch.empty(shape))
    values = stream.uniform(math.prod(shape)) * bound
    return nn.Parameter(torch.from_numpy(values.astype(np.float32)).view(shape))


def normal(stream: KeyStream | None, std: float, *shape: int) -> Tensor:
    """Draw a tensor of mean 0 and this standard deviation; see `uniform`."""
    if stream is None:
        return torch.empty(shape)
    values = stream.normal(math.prod(shape)) * std
    return torch.from_numpy(values.astype(np.float32)).view(shape)


class Dense(nn.Module):
    """One layer's weights and biases, drawn uniformly."""

    weight: Float[Tensor, "out in"]
    bias: Float[Tensor, " out"]

    def __init__(
        self, n_in: int, n_out: int, *, bound: float, bias_bound: float, stream: KeyStream | None
    ) -> None:
        super().__init__()
        self.bound = bound
        self.weight = uniform(stream, bound, n_out, n_in)
        self.bias = uniform(stream, bias_bound, n_out)

    def forward(self, x: Float[Tensor, "points in"]) -> Float[Tensor, "points out"]:
        """Apply the layer without an activation."""
        return nn.functional.linear(x, self.weight, self.bias)


class Field(nn.Module, ABC):
    """A signal as a function: coordinates in [-1, 1] in, that point's values, near [-1, 1], out.

    Every field has an encoder, shared by all signals that it shows, and a decoder, whose matrices
    have the slots. An architecture sets the class variables and implements `build`. Weights come
    only from a key stream, which is the same on every machine.
    """

    architecture: ClassVar[str]
    sizes_type: ClassVar[type[Sizes]]
    slot_ratio: ClassVar[float] = 0.05
    """Default share of each matrix that are slots."""
    conceals: ClassVar[bool] = True
    """No weight belongs to a place, so nobody can see outlines of secrets in the weights."""
    learning_rate: ClassVar[float]
    """First step length of most matrices that Muon trains."""
    warm_up: ClassVar[int] = 50
    """Default number of steps over which the step length rises at first."""
    draw: bytes = b""
    """What the untrained weights were drawn from; kept in checkpoints, never in files."""
    grains: Grains | None = None
    """Of the tensors, once they are drawn for the file (see `stegfield.fields.finishing`)."""

    def __init__(self, sizes: Sizes, public: Public, stream: KeyStream | None) -> None:
        super().__init__()
        self.sizes, self.public = sizes, public
        self.encoder, self.decoder = self.build(sizes, public, stream)

    @staticmethod
    @abstractmethod
    def build(sizes: Any, public: Public, stream: KeyStream | None) -> tuple[nn.Module, nn.Module]:
        """Draw the encoder and the decoder."""

    @property
    def extent(self) -> tuple[float, ...]:
        """Return half the length of each axis of the box that the field covers, in coordinates.

        The box has the public signal's aspect, and every signal fills it: a part that the cover
        does not use would reveal the secrets. The globe needs no box.
        """
        return self.public.medium.extent(self.public.size)

    def coordinates(
        self,
        size: tuple[int, ...],
        start: int = 0,
        stop: int | None = None,
        *,
        folded: bool = False,
    ) -> Float[Tensor, "points axes"]:
        """Return the points at which the field shows a signal of this size, or some of them."""
        medium = self.public.medium
        return torch.from_numpy(medium.points(size, self.extent, start, stop, folded=folded))

    @property
    def channels(self) -> int:
        """Number of values at a point: 3 for RGB."""
        return self.public.channels

    def forward(self, at: Float[Tensor, "points axes"]) -> Float[Tensor, "points channels"]:
        """Return the values at these points."""
        values: Tensor = self.decoder(self.encoder(at))
        return values

    def slot_bounds(self) -> dict[str, float]:
        """Return the decoder's matrices, which have the slots, each with its initial bound."""
        return {
            f"{name}.weight": layer.bound
            for name, layer in self.decoder.named_modules()
            if isinstance(layer, Dense)
        }

    def muon_rate(self, name: str) -> float:
        """Return the first step length of a matrix of the decoder that Muon trains."""
        return self.learning_rate

    def adam_rate(self, name: str) -> float:
        """Return the first step length of a parameter that Adam trains."""
        return 1e-3

    def weight_count(self) -> int:
        """Count all trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    def header(self) -> dict[str, Any]:
        """Return the entries of the file header that describe this field."""
        return Header(self.architecture, self.sizes, self.public, self.grains).to_json()

    def __repr__(self) -> str:
        shows = f"shows {self.public.medium.noun} of {size_text(self.public.size)}"
        return f"Field({self.architecture}, {self.weight_count():,} weights, {shows})"

    def _repr_png_(self) -> bytes:
        """Return a small picture of what everyone sees, for notebooks."""
        return self._preview()._repr_png_()

    def show(self) -> None:
        """Open a picture of what everyone sees in the system's image viewer."""
        self._preview().show()

    def _preview(self) -> Signal:
        size = self.public.size
        longest = round(PREVIEW_POINTS ** (1 / len(size)))
        return render(self, scaled(size, min(longest, max(size))))


def substitute(parameters: Parameters, slots: SlotValues) -> dict[str, Tensor]:
    """Return copies of the parameters with a key's values in its slots, as constants.

    Example:
        >>> weights = {"w": torch.zeros(2, 2)}
        >>> substitute(weights, {"w": (torch.tensor([3]), torch.tensor([1.0]))})["w"]
        tensor([[0., 0.],
                [0., 1.]])
    """
    changed = dict(parameters)
    for name, (positions, values) in slots.items():
        weight = parameters[name]
        at, put = positions.to(weight.device), values.to(weight.device)
        changed[name] = weight.flatten().scatter(0, at, put).view_as(weight)
    return changed


@torch.no_grad()
def render(
    field: Field,
    size: tuple[int, ...] | None = None,
    slots: SlotValues = NO_SLOTS,
    *,
    folded: bool = False,
    watch: RenderWatch | None = None,
) -> Signal:
    """Sample a field on a grid, in batches of points: memory grows only with the output.

    Args:
        field: The field; its own weights stay as they are.
        size: Points along each axis [default: the size of the fitted signal].
        slots: A key's values, to show what the key reveals.
        folded: Whether the secret of the key is folded (see `stegfield.signals.folding`).
        watch: Called before the work begins, then after each batch.

    Raises:
        ConfigError: The size has more or fewer axes than the signal of the field.
    """
    keep_freed_memory()
    size = field.public.size if size is None else size
    if len(size) != len(field.public.size):
        raise ConfigError(
            f"sizes of this field are of {len(field.public.size)} numbers, got {len(size)}",
            hint="give columns x rows of an image, or the number of samples of a sound",
        )
    parameters = substitute(dict(field.decoder.named_parameters()), slots)
    device = next(iter(parameters.values())).device
    count = math.prod(size)
    if watch is not None:
        watch(0, count)
    values = torch.empty(count, field.channels)
    for start in range(0, count, POINTS_AT_ONCE):
        stop = min(start + POINTS_AT_ONCE, count)
        features = field.encoder(field.coordinates(size, start, stop, folded=folded).to(device))
        values[start:stop] = functional_call(field.decoder, parameters, (features,))
        if watch is not None:
            watch(stop, count)
    public, shown = field.public, values.view(*size, field.channels).numpy()
    if folded:
        return Signal(shown, public.medium, folded=True)
    return Signal(shown, public.medium, rate=public.rate_at(size), range=public.range)


@cache
def keep_freed_memory() -> None:
    """Stop glibc from returning freed activations to the system.

    Otherwise each training step faults them in again, page by page, for up to half of its time.
    """
    if platform.libc_ver()[0] == "glibc":
        m_trim_threshold, m_mmap_threshold = -1, -3
        libc = ctypes.CDLL(None)
        libc.mallopt(m_mmap_threshold, 1 << 30)
        libc.mallopt(m_trim_threshold, (1 << 31) - 1)
