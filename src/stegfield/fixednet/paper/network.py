"""What a fixed network is for the gradient solver."""

from __future__ import annotations

import torch


class FixedNetwork(torch.nn.Module):
    """Reads bits from an image; nothing trains it.

    It takes an image with values in [0, 1], rows x columns x channels, and gives logits, rows x
    columns x depth: a bit is 1 where its logit is above 0. Weights are buffers, so that a copy in
    another number format reads in that.
    """

    depth: int
    """Bits per pixel."""
    channels: int
    """Of the images that it reads."""
