"""Prices: how much a change of each sample of an image or a climate field shows.

A change is hardest to see and to detect where its surroundings cannot be predicted. HILL looks for
such places with three filters: a high pass finds what is not smooth, a small mean keeps it where it
is, and a large mean of the inverse spreads high prices over their neighbourhood.

Source: Li, Wang, Huang and Li (2014), "A New Cost Function for Spatial Image Steganography", with
their filters: Ker and Böhme's 3x3 high pass, 3x3 and 15x15 means.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as nn
from jaxtyping import Float32, Integer

HIGH_PASS = ((-1.0, 2.0, -1.0), (2.0, -4.0, 2.0), (-1.0, 2.0, -1.0))
HIGH_PASS_SIDE, NEAR, WIDE = 3, 3, 15
MARGIN = HIGH_PASS_SIDE // 2 + NEAR // 2 + WIDE // 2  # how far a price looks
FLATTEST = 1 / 16
"""Least response that counts, in levels: plain areas have a high price, not an infinite one."""


def hill(
    levels: Integer[np.ndarray, "rows columns channels"], *, around: bool = False
) -> Float32[np.ndarray, "rows columns channels"]:
    """Price a change by one level at every sample; each channel by itself, 1 on average.

    Args:
        levels: The samples.
        around: The last column lies beside the first, as on the globe.
    """
    if around:
        margin = np.arange(-MARGIN, levels.shape[1] + MARGIN) % levels.shape[1]
        inner = hill(levels[:, margin])[:, MARGIN:-MARGIN]
        inner /= inner.mean()
        return inner
    prices = np.empty(levels.shape, dtype=np.float32)
    for channel in range(levels.shape[2]):
        plane = torch.tensor(levels[..., channel], dtype=torch.float32)[None, None]
        kernel = torch.tensor(HIGH_PASS)[None, None]
        detail = _mean(nn.conv2d(_mirrored(plane, 1), kernel).abs(), NEAR)
        prices[..., channel] = _mean(1 / detail.clamp_min(FLATTEST), WIDE)[0, 0].numpy()
    prices /= prices.mean()
    return prices


def flat(
    levels: Integer[np.ndarray, "rows columns channels"],
) -> Float32[np.ndarray, "rows columns channels"]:
    """Price every change alike, which gives the highest PSNR."""
    return np.ones(levels.shape, dtype=np.float32)


def _mean(plane: torch.Tensor, size: int) -> torch.Tensor:
    padded = _mirrored(plane, size // 2)
    return nn.avg_pool2d(nn.avg_pool2d(padded, (size, 1), stride=1), (1, size), stride=1)


def _mirrored(plane: torch.Tensor, margin: int) -> torch.Tensor:
    # images may be narrower than a filter: replication, unlike reflection, takes any margin
    return nn.pad(plane, (margin, margin, margin, margin), mode="replicate")
