"""Prices: how much a change of each sample shows.

A change is hardest to see and to detect where its surroundings cannot be predicted. HILL looks for
such places with three filters: a high pass finds what is not smooth, a small mean keeps it where it
is, and a large mean of the inverse spreads high prices over their neighbourhood. Along a sound the
same is done in one dimension, with the second difference as high pass and means over 3 and 255
samples: where a sample is the line through its neighbours, and so in silence, changes are dearest.

Source: Li, Wang, Huang and Li (2014), "A New Cost Function for Spatial Image Steganography", with
their filters: Ker and Böhme's 3x3 high pass, 3x3 and 15x15 means.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as nn
from jaxtyping import Float32, Integer

from stegfield.signals import Medium

HIGH_PASS = ((-1.0, 2.0, -1.0), (2.0, -4.0, 2.0), (-1.0, 2.0, -1.0))
HIGH_PASS_SIDE, NEAR, WIDE = 3, 3, 15
WIDE_IN_TIME = 255
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


def along(
    levels: Integer[np.ndarray, "samples channels"],
) -> Float32[np.ndarray, "samples channels"]:
    """Price a change by one level at every sample of a sound; 1 on average."""
    lines = torch.tensor(levels.T, dtype=torch.float32)[:, None]
    kernel = torch.tensor([[[1.0, -2.0, 1.0]]])
    bent = nn.conv1d(nn.pad(lines, (1, 1), mode="replicate"), kernel).abs()
    prices = _line_mean(1 / _line_mean(bent, NEAR).clamp_min(FLATTEST), WIDE_IN_TIME)[:, 0].numpy()
    return np.ascontiguousarray((prices / prices.mean()).T)


def of(
    medium: Medium, levels: Integer[np.ndarray, "*size channels"]
) -> Float32[np.ndarray, "*size channels"]:
    """Price the samples of a signal as suits its medium."""
    if medium.axes == 1:
        return along(levels)
    return hill(levels, around=medium.on_globe)


def flat(
    levels: Integer[np.ndarray, "*size channels"],
) -> Float32[np.ndarray, "*size channels"]:
    """Price every change alike, which gives the highest PSNR."""
    return np.ones(levels.shape, dtype=np.float32)


def _line_mean(lines: torch.Tensor, size: int) -> torch.Tensor:
    margin = (size // 2, size // 2)
    return nn.avg_pool1d(nn.pad(lines, margin, mode="replicate"), size, stride=1)


def _mean(plane: torch.Tensor, size: int) -> torch.Tensor:
    padded = _mirrored(plane, size // 2)
    return nn.avg_pool2d(nn.avg_pool2d(padded, (size, 1), stride=1), (1, size), stride=1)


def _mirrored(plane: torch.Tensor, margin: int) -> torch.Tensor:
    # images may be narrower than a filter: replication, unlike reflection, takes any margin
    return nn.pad(plane, (margin, margin, margin, margin), mode="replicate")
