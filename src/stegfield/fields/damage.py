"""Damage to weights: pruning, noise and rounding of a tensor, and training under them.

Adversaries damage whole fields; robust training damages the weights of every step. Rounding to
8-bit integers is like noise of 1 % of a layer's standard deviation.

Benchmark at 128x128, cover and two secrets, 385,483 weights: least PSNR in dB of the three images,
before and after 30 % of the weights are pruned.

| share pruned in each step | steps | before | after |
|---|---|---|---|
| 30 % | 800 | 38.5 | 38.5 |
| 15 % | 800 | 42.5 | 25.7 |
| uniform up to 30 % | 800 | 40.0 | 34.1 |
| square of a uniform one, as here (suite ``robust-1-damage``) | 2,000 | 44.4 | 33.5 |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

PRUNED = 0.3
"""Largest share of each matrix, its smallest weights, that robust training prunes in a step."""
NOISE = 0.0125
"""Noise in robust training, as a share of each tensor's standard deviation."""
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
    # many times faster than a sort, and robust training does it in every step
    return magnitudes <= magnitudes.flatten().kthvalue(count).values


def pruned(weight: Tensor, share: float) -> Tensor:
    """Zero a share of the weights, those of least magnitude (L1 unstructured)."""
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


def wear(
    parameters: Mapping[str, Tensor], generators: Sequence[torch.Generator]
) -> list[dict[str, Tensor]]:
    """Return the weights of one step of robust training: pruned, and with each generator's noise.

    Each step prunes another share, more often a small one (the square of a uniform one): so the
    whole field shows its targets best, and a pruned one nearly as well. Gradients ignore the
    damage (a straight-through estimate), so that a pruned weight can come back.
    """
    share = PRUNED * float(torch.rand((), generator=generators[0])) ** 2
    left = {name: _pruned_matrix(weight.detach(), share) for name, weight in parameters.items()}
    return [
        {
            name: weight + (noisy(left[name], NOISE, generator) - weight.detach())
            for name, weight in parameters.items()
        }
        for generator in generators
    ]


def _pruned_matrix(weight: Tensor, share: float) -> Tensor:
    """Prune matrices and grids, but not biases."""
    return pruned(weight, share) if weight.ndim > 1 else weight
