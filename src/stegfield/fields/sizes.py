"""Sizes of the architectures, as they are in a file's header; they need no network.

An architecture of another package names its sizes in its class, as ``sizes_type``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import ClassVar

from stegfield.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of an architecture; each is in a file's header and has a range."""

    RANGES: ClassVar[dict[str, tuple[float, float]]]
    FIXED: ClassVar[tuple[str, ...]] = ()
    """Names of tensors that are stored, but never trained."""

    @classmethod
    def suited_to(
        cls, size: tuple[int, ...], *, robust: bool = False, shared: bool = False
    ) -> dict[str, int | float]:
        """Return the sizes whose defaults depend on the size of the signal, if any.

        Args:
            size: Points along each axis of the signal.
            robust: The field will be trained under damage, to show an image.
            shared: The field will show other signals too, however many.
        """
        return {}

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, (low, high) = getattr(self, entry.name), self.RANGES[entry.name]
            kind = float if entry.type in ("float", float) else int
            if isinstance(value, bool) or not isinstance(value, int | kind):
                what = "a number" if kind is float else "a whole number"
                raise ConfigError(f"{entry.name} must be {what}, got {value!r}")
            if not low <= value <= high:
                raise ConfigError(f"{entry.name} must be from {low:g} to {high:g}, got {value!r}")


@dataclass(frozen=True, kw_only=True)
class SirenSizes(Sizes):
    """Hidden layers, their width, and the factor on the argument of every sine."""

    width: int = 128
    depth: int = 8
    w0: float = 30.0

    RANGES: ClassVar = {"width": (4, 2048), "depth": (1, 32), "w0": (0.1, 1000.0)}


@dataclass(frozen=True, kw_only=True)
class FourierSizes(Sizes):
    """Random frequencies and their standard deviation, layers and their width."""

    frequencies: int = 128
    std: float = 2.0
    width: int = 256
    depth: int = 6

    RANGES: ClassVar = {
        "frequencies": (2, 2048),
        "std": (0.01, 1000.0),
        "width": (4, 2048),
        "depth": (1, 32),
    }
    FIXED: ClassVar = ("encoder.frequencies",)

    @classmethod
    def suited_to(
        cls, size: tuple[int, ...], *, robust: bool = False, shared: bool = False
    ) -> dict[str, int | float]:
        """Return sizes of robust fields: more and higher frequencies, and fewer layers.

        The standard deviation is a quarter of the image's highest frequency.

        Benchmark at 128x128, cover and two secrets, about 390,000 weights, 400 steps of robust
        training on 1,024 points: PSNR of the worst image in dB.

        | standard deviation | 2 | 4 | 8 | 12 |
        |---|---|---|---|---|
        | PSNR | 24 | 28 | 33 | one fails to train |

        | frequencies, and as many layers as fit | 256 | 512 | 768 | 1,024 |
        |---|---|---|---|---|
        | PSNR | 33 | 35 | 36 | 35 |
        """
        if not robust:
            return {}
        return {"frequencies": 768, "std": max(size) / 16, "width": 184, "depth": 4}


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
        "finest": (2, 8192),
        "levels": (1, 16),
        "features": (1, 64),
        "finest_features": (1, 64),
        "width": (4, 2048),
        "depth": (1, 32),
    }

    @classmethod
    def suited_to(
        cls, size: tuple[int, ...], *, robust: bool = False, shared: bool = False
    ) -> dict[str, int | float]:
        """Return a finest grid of a cell for each pixel, and the decoder that trains fastest.

        The centres of cells are those of pixels, so that a pixel reads one cell of the finest grid.

        Benchmark on a photograph of 256x256, 8 s of two cores, in steps of an eighth of the pixels:

        | finest grid: cells a side, channels | others: channels | decoder | weights | PSNR in dB |
        |---|---|---|---:|---:|
        | 256, 4 | 4 | 32 units | 350,403 | 67.1 |
        | 256, 3 | 4 | 32 units | 284,835 | 55.1 |
        | 256, 4 | 4 | 2 layers of 64 | 355,523 | 55.7 |
        | 256, 4 | 8 | 2 layers of 64 | 444,099 | 53.2 |
        | 128, 8 | 4 | 32 units | 153,795 | 34.4 |
        | 128, 16 | 8 | 32 units | 288,139 | 31.9 |

        A field that shows several signals needs more channels: for a cover and two secrets of
        300x200, 15 s, 4 channels reach 39 dB and 12 reach 47 dB.
        """
        finest = min(max(*size, 16), cls.RANGES["finest"][1])
        return {
            "finest": finest,
            "levels": 1 + round(math.log2(finest / cls.coarsest)),
            "features": 4,
            "finest_features": 12 if shared else 4,
            "width": 64 if shared else 32,
            "depth": 1,
        }

    def grids(self) -> list[tuple[int, int]]:
        """Return the points a side and the channels of each grid, the coarsest first."""
        growth = (self.finest / self.coarsest) ** (1 / max(1, self.levels - 1))
        sides = [round(self.coarsest * growth**level) for level in range(self.levels - 1)]
        return [*((side, self.features) for side in sides), (self.finest, self.finest_features)]


SIZES: Mapping[str, type[Sizes]] = MappingProxyType(
    {"siren": SirenSizes, "fourier": FourierSizes, "grid": GridSizes}
)
