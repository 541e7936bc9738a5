"""The interface of a fixed network for the gradient solver."""

from __future__ import annotations

import torch


class FixedNetwork(torch.nn.Module):
    """A network that reads bits from an image, and is not trained.

    It takes an image with values in [0, 1], rows x columns x channels, and returns logits, rows x
    columns x depth: a bit is 1 where its logit is above 0. Weights are buffers, so that a copy in
    another number format computes in it.
    """

    depth: int
    """Bits per pixel."""
    channels: int
    """Channels of the images that it reads."""
