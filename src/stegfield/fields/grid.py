"""Feature grids and a small sine decoder: the field that fits fastest.

Each grid covers the box of the public image and is read by bilinear interpolation; coarse grids
carry shapes, fine grids detail. Most of the weights are in the grids, where a step costs little, so
the decoder can be small. Slots are in the decoder alone, so a key takes a larger share of it.

The cover and all secrets share the grids, and each cell has its place in the picture. So an
adversary who reads the grids with any decoder sees the outlines of every secret (the demo's picture
of a wrong key shows them). A grid field hides the colours of secrets, but not that there are
secrets. SIREN and Fourier fields have no weights that belong to a place.

Source: Müller et al. (2022) for learned grids at several resolutions, here dense and not hashed.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from stegfield.errors import ConfigError
from stegfield.fields.field import Field, normal
from stegfield.fields.header import Public
from stegfield.fields.siren import SineLayers
from stegfield.fields.sizes import GridSizes
from stegfield.keys import KeyStream
from stegfield.signals import extent


class Grid(Field):
    """Bilinear features from grids of several resolutions, then a sine decoder; images only."""

    architecture = "grid"
    sizes_type = GridSizes
    slot_ratio = 0.3
    conceals = False
    learning_rate = 4e-3

    @staticmethod
    def build(
        sizes: GridSizes, public: Public, stream: KeyStream | None
    ) -> tuple[nn.Module, nn.Module]:
        """Draw the encoder and the decoder."""
        if public.axes != 2:
            raise ConfigError(
                f"grid fields show images, not {public.medium.noun}", hint="take siren or fourier"
            )
        encoder = FeatureGrids(sizes.grids(), extent(public.size), stream)
        widths = [encoder.features, *[sizes.width] * sizes.depth, public.channels]
        gains = [*[6.0] * sizes.depth, 3.0]
        bounds = [math.sqrt(g / n_in) for g, n_in in zip(gains, widths[:-1], strict=True)]
        decoder = SineLayers(widths, bounds, w0=1.0, stream=stream)
        return encoder, decoder

    def adam_rate(self, name: str) -> float:
        """Return the first step length: longer for grids than for biases."""
        return 6e-2 if name.startswith("encoder.") else 1e-3


class FeatureGrids(nn.Module):
    """Grids over a box, read by bilinear interpolation; the coordinates are features too.

    Args:
        grids: Points along the longer axis and channels of each grid.
        within: Half the length of each axis of the box; the shorter one gets fewer points.
        stream: The key stream that features are drawn from.
    """

    def __init__(
        self, grids: list[tuple[int, int]], within: tuple[float, ...], stream: KeyStream | None
    ) -> None:
        super().__init__()
        self.within = within
        self.grids = nn.ParameterList(
            nn.Parameter(
                normal(stream, 0.1, 1, channels, *(max(1, round(side * w)) for w in within))
            )
            for side, channels in grids
        )
        self.features = sum(channels for _, channels in grids) + 2

    def forward(self, at: Float[Tensor, "points 2"]) -> Float[Tensor, "points features"]:
        """Return the features of these points."""
        inside = at / torch.tensor(self.within, device=at.device)
        across_down = inside.flip(1).view(1, 1, -1, 2)  # grid_sample wants (column, row)
        read = [
            grid_sample(grid, across_down, padding_mode="border", align_corners=False)[0, :, 0]
            for grid in self.grids
        ]
        return torch.cat([*read, at.T]).T
