"""Damage to weights: what pruning, noise and rounding leave of a tensor.

Attackers do this to whole fields; robust training does it to the weights of every step. Pruning
takes each matrix by itself, as `torch.nn.utils.prune` does: a share of all weights at once would
empty the layers whose weights are small by nature, and say more about scales than about fields.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

PRUNED, NOISE, KEPT = 0.3, 0.02, 0.05
INT8 = 127
"""The largest 8-bit integer of a scale that is the same on both sides of zero."""


def smallest(weight: Tensor, share: float) -> Tensor:
    """Mark the ``round(share * n)`` weights of least magnitude, and those that tie with the last.

    Example:
        >>> smallest(torch.tensor([0.3, -0.1, 0.2, -0.4]), 0.5)
        tensor([False,  True,  True, False])
    """
    magnitudes, count = weight.detach().abs(), round(share * weight.numel())
    if count == 0:
        return torch.zeros_like(magnitudes, dtype=torch.bool)
    # many times quicker than a sort, for a training that does it in every step
    return magnitudes <= magnitudes.flatten().kthvalue(count).values


def pruned(weight: Tensor, share: float) -> Tensor:
    """Put zero for a share of the weights, those of least magnitude (L1 unstructured)."""
    return weight.masked_fill(smallest(weight, share), 0.0)


def noisy(weight: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise whose standard deviation is a share of the tensor's own.

    The noise is drawn on the CPU: a seed gives the same on every device.
    """
    noise = torch.randn(weight.shape, generator=generator).to(weight.device)
    return weight + noise * (share * weight.std(correction=0))


def rounded(weight: Tensor) -> Tensor:
    """Round to 8-bit integers with one scale for the tensor: its largest magnitude is 127."""
    step = weight.abs().max() / INT8
    return weight if step == 0 else (weight / step).round() * step


def wear(parameters: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Give the parameters of one step of robust training: matrices pruned, all with noise.

    Gradients pass as if nothing had happened, so that a pruned weight can come back.
    """
    worn = {}
    for name, weight in parameters.items():
        before = weight.detach()
        after = pruned(before, PRUNED) if before.ndim > 1 else before
        worn[name] = weight + (noisy(after, NOISE, generator) - before)
    return worn


@torch.no_grad()
def settle(parameters: Mapping[str, Tensor]) -> None:
    """Shrink, in place, the weights that robust training has learnt to do without.

    They keep a small part of their values: zeros would be counted in a moment.
    """
    for weight in parameters.values():
        if weight.ndim > 1:
            weight[smallest(weight, PRUNED)] *= KEPT
