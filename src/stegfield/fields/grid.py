"""Feature grids and a small sine decoder: the field that fits fastest.

Each grid covers the box of the public image and is read by bilinear interpolation; coarse grids
carry shapes, fine grids detail. Most of the numbers lie in the grids, where a step costs little, so
the decoder can be small. Slots are in the decoder alone, which is why a key takes a larger share of
it.

All that the field shows shares the grids, each cell at its own place in the picture. So whoever
reads them with any decoder sees the outlines of every secret (the demo's picture of a wrong key
shows it): a grid field carries secrets without their colours being readable, but does not conceal
that there are some. SIREN and Fourier fields have no weights that belong to a place.

Source: Müller et al. (2022) for learned grids at several resolutions, here dense and not hashed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from stegfield.errors import ConfigError
from stegfield.fields.field import Field, Public, Sizes, normal
from stegfield.fields.siren import SineLayers
from stegfield.keys import Noise
from stegfield.signals import extent


@dataclass(frozen=True, kw_only=True)
class GridSizes(Sizes):
    """Points a side of the coarsest and the finest grid, and the sizes of the decoder.

    The ``levels`` grids grow by equal factors; all but the finest have ``features`` channels.
    """

    coarsest: int = 8
    finest: int = 128
    levels: int = 5
    features: int = 8
    finest_features: int = 4
    width: int = 64
    depth: int = 2

    RANGES: ClassVar = {
        "coarsest": (2, 2048),
        "finest": (2, 2048),
        "levels": (1, 16),
        "features": (1, 64),
        "finest_features": (1, 64),
        "width": (4, 2048),
        "depth": (1, 32),
    }

    @classmethod
    def suited_to(cls, size: tuple[int, ...], *, robust: bool = False) -> dict[str, int | float]:
        """Give the finest grid a point for every pixel of the longer side, and double up to it."""
        finest = min(max(*size, 16), 1024)
        return {"finest": finest, "levels": 1 + round(math.log2(finest / cls.coarsest))}

    def grids(self) -> list[tuple[int, int]]:
        """Give the points a side and the channels of each grid, the coarsest first."""
        growth = (self.finest / self.coarsest) ** (1 / max(1, self.levels - 1))
        sides = [round(self.coarsest * growth**level) for level in range(self.levels - 1)]
        return [*((side, self.features) for side in sides), (self.finest, self.finest_features)]


class Grid(Field):
    """Bilinear features from grids of several resolutions, then a sine decoder; images only."""

    architecture = "grid"
    sizes_type = GridSizes
    slot_ratio = 0.3
    learning_rate = 4e-3

    @staticmethod
    def build(sizes: GridSizes, public: Public, noise: Noise | None) -> tuple[nn.Module, nn.Module]:
        """Draw the encoder and the decoder."""
        if public.axes != 2:
            raise ConfigError(
                f"grid fields show images, not {public.medium.noun}", hint="take siren or fourier"
            )
        encoder = FeatureGrids(sizes.grids(), extent(public.size), noise)
        widths = [encoder.features, *[sizes.width] * sizes.depth, public.channels]
        gains = [*[6.0] * sizes.depth, 3.0]
        bounds = [math.sqrt(g / n_in) for g, n_in in zip(gains, widths[:-1], strict=True)]
        decoder = SineLayers(widths, bounds, w0=1.0, noise=noise)
        return encoder, decoder

    def adam_rate(self, name: str) -> float:
        """Give the first step length: grids move further than biases."""
        return 6e-2 if name.startswith("encoder.") else 1e-3


class FeatureGrids(nn.Module):
    """Grids over a box, read by bilinear interpolation; the coordinates are features too.

    Args:
        grids: Points along the longer axis and channels of each grid.
        within: Half the length of each axis of the box; the shorter one gets fewer points.
        noise: Where the features are drawn from.
    """

    def __init__(
        self, grids: list[tuple[int, int]], within: tuple[float, ...], noise: Noise | None
    ) -> None:
        super().__init__()
        self.within = within
        self.grids = nn.ParameterList(
            nn.Parameter(
                normal(noise, 0.1, 1, channels, *(max(1, round(side * w)) for w in within))
            )
            for side, channels in grids
        )
        self.features = sum(channels for _, channels in grids) + 2

    def forward(self, at: Float[Tensor, "points 2"]) -> Float[Tensor, "points features"]:
        """Give the features of these points."""
        inside = at / torch.tensor(self.within, device=at.device)
        across_down = inside.flip(1).view(1, 1, -1, 2)  # grid_sample wants (column, row)
        read = [
            grid_sample(grid, across_down, padding_mode="border", align_corners=False)[0, :, 0]
            for grid in self.grids
        ]
        return torch.cat([*read, at.T]).T
