"""Networks that tell stegos from covers: a siamese one, and a small SRNet.

What hiding leaves is weaker than any edge. The siamese network starts from residuals, what filters
do not predict of a sample, and compares the statistics of an image's two halves, which are alike in
covers. SRNet finds its filters itself, for which it has layers that keep every sample, and needs
many more examples.

Sources: You, Zhang and Zhao (2021), "A Siamese CNN for Image Steganalysis" (SiaStegNet); Boroumand,
Chen and Fridrich (2019), "Deep Residual Network for Steganalysis of Digital Images" (SRNet); the
filters are of the spatial rich model, Fridrich and Kodovský (2012). Both networks are a fraction of
the published size, for crops of 64 to 128 pixels and a CPU; ours are also for colour.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

FILTERS: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((0, 0, 0), (0, -1, 1), (0, 0, 0)),
    ((0, 0, 0), (0, -1, 0), (0, 1, 0)),
    ((0, 0, 0), (1, -2, 1), (0, 0, 0)),
    ((0, 1, 0), (0, -2, 0), (0, 1, 0)),
    ((-1, 2, -1), (2, -4, 2), (0, 0, 0)),
    ((-1, 2, 0), (2, -4, 0), (-1, 2, 0)),
    ((-1, 2, -1), (2, -4, 2), (-1, 2, -1)),
    ((0, 0, 0), (0, -1, 0), (0, 0, 1)),
)
LARGEST_RESIDUAL = 3.0  # in levels; what lies beyond is content
Images = Float[Tensor, "images channels rows columns"]


class Siamese(nn.Module):
    """Two halves of an image through one network; then their features, compared."""

    def __init__(self, channels: int, width: int = 16) -> None:
        super().__init__()
        filters = torch.tensor(FILTERS, dtype=torch.float32)
        filters = filters / filters.abs().amax(dim=(1, 2), keepdim=True)
        self.channels = channels
        self.residuals = nn.Parameter(filters[:, None].repeat(channels, 1, 1, 1))
        self.layers = nn.Sequential(
            *_layer(channels * len(FILTERS), width),
            _Residual(width),
            *_layer(width, 2 * width),
            nn.AvgPool2d(2),
            *_layer(2 * width, 4 * width),
            nn.AvgPool2d(2),
            *_layer(4 * width, 4 * width),
        )
        self.judge = nn.Linear(4 * 4 * width, 1)

    def forward(self, images: Images) -> tuple[Float[Tensor, " images"], Float[Tensor, " images"]]:
        """Return logits, and how far apart the halves' features are."""
        found = functional.conv2d(images, self.residuals, padding=1, groups=self.channels)
        found = found.clamp(-LARGEST_RESIDUAL, LARGEST_RESIDUAL)
        left, right = (self.layers(half).mean(dim=(2, 3)) for half in found.chunk(2, dim=3))
        both = torch.stack([left, right])
        fused = torch.cat([both.mean(0), both.amax(0), both.amin(0), (left - right) ** 2], dim=1)
        return self.judge(fused)[:, 0], functional.pairwise_distance(left, right)


class SmallSRNet(nn.Module):
    """Residual layers without pooling, then with it, then a mean over the whole image."""

    def __init__(self, channels: int, width: int = 16) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_layer(channels, 2 * width),
            *_layer(2 * width, width),
            *(_Residual(width) for _ in range(3)),
            _Shrinking(width, width),
            _Shrinking(width, 2 * width),
            _Shrinking(2 * width, 4 * width),
            *_layer(4 * width, 8 * width),
        )
        self.judge = nn.Linear(8 * width, 1)

    def forward(self, images: Images) -> tuple[Float[Tensor, " images"], Float[Tensor, " images"]]:
        """Return logits, and no penalty."""
        logits = self.judge(self.layers(images / 255 - 0.5).mean(dim=(2, 3)))[:, 0]
        return logits, torch.zeros_like(logits)


NETWORKS: dict[str, Callable[[int], nn.Module]] = {"siamese": Siamese, "srnet": SmallSRNet}
"""Made for a number of channels. Images in 8-bit levels in; a logit each, high for stegos, and what
the training penalises, out."""


class _Residual(nn.Module):
    """Two layers whose output is added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_layer(width, width), *_layer(width, width)[:2])

    def forward(self, features: Images) -> Images:
        """Keep the size."""
        found: Tensor = features + self.layers(features)
        return found


class _Shrinking(nn.Module):
    """The same at half the size, beside a shortcut that halves it as well."""

    def __init__(self, width: int, wider: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_layer(width, wider), *_layer(wider, wider)[:2], nn.AvgPool2d(3, 2, 1)
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(width, wider, 1, stride=2, bias=False), nn.BatchNorm2d(wider)
        )

    def forward(
        self, features: Images
    ) -> Float[Tensor, "images wider_channels half_rows half_columns"]:
        """Halve rows and columns."""
        found: Tensor = self.layers(features) + self.shortcut(features)
        return found


def _layer(width: int, wider: int) -> list[nn.Module]:
    return [
        nn.Conv2d(width, wider, 3, padding=1, bias=False),
        nn.BatchNorm2d(wider),
        nn.ReLU(),
    ]
