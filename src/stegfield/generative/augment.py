"""Augmentation: changes made to real and generated samples alike before a critic sees them.

A critic memorises a small set of examples. Where both kinds are shifted and recoloured at random,
it can judge only what these changes leave, and the generator need not learn the changes.
Temperatures are recoloured as images are: warmer or colder by up to 40 K all over the globe, and
with more or less contrast. The preset for climate does not augment.

Source: Zhao et al. (2020), differentiable augmentation.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from stegfield.generative.processes import ALONE, Processes

SHIFTS = 1 / 8
"""Longest shift, as a share of a side."""


def augmented(
    values: Float[Tensor, "batch points values"],
    side: int | None,
    share: float,
    draws: torch.Generator,
    processes: Processes = ALONE,
) -> Float[Tensor, "batch points values"]:
    """Recolour a share of the samples, and shift a share of them where they are square images.

    Args:
        values: Samples at points.
        side: Of the square that the points fill, row by row; None where they do not.
        share: Share of the samples that each change is made to.
        draws: Decides everything, for the whole batch.
        processes: Among whom the batch is shared: ``values`` are one's part.
    """
    batch = len(values) * processes.count
    drawn = processes.share(torch.rand(batch, 4, generator=draws))
    values = _recoloured(values, share, drawn)
    if side is None:
        return values
    farthest = int(side * SHIFTS)
    moves = torch.randint(-farthest, farthest + 1, (batch, 2), generator=draws)
    moves *= torch.rand(batch, 1, generator=draws) < share
    moves = processes.share(moves)
    place = torch.arange(side)
    rows, columns = ((place + moves[:, axis, None]).clamp(0, side - 1) for axis in (0, 1))
    index = (rows[:, :, None] * side + columns[:, None, :]).flatten(1).to(values.device)
    return values.gather(1, index[..., None].expand_as(values))


def _recoloured(values: Tensor, share: float, drawn: Float[Tensor, "batch 4"]) -> Tensor:
    """Change brightness, saturation and contrast."""
    columns = drawn.T[..., None, None]
    chosen = (columns[3] < share).to(values)
    brightness, saturation, contrast = ((2 * d - 1).to(values) * chosen for d in columns[:3])
    values = values + brightness / 2
    grey = values.mean(2, keepdim=True)
    values = grey + (values - grey) * (1 + saturation)
    mean = values.mean((1, 2), keepdim=True)
    recoloured: Tensor = mean + (values - mean) * (1 + contrast / 2)
    return recoloured
