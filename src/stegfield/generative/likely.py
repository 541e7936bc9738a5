"""Torn samples: a small density of real examples finds them unlikely, and they are drawn again.

The density is a probabilistic principal component analysis of examples reduced to 24x24. What the
axes of most variance do not explain, the residual, tells torn samples from whole ones: they have
edges where no example has them. Pictures of much contrast have larger residuals, so a residual is
compared with those of examples that are as far from the mean within the axes. Rare poses and
colours stay, and so does nearly all of the diversity.

Source: Tipping and Bishop (1999), "Probabilistic Principal Component Analysis"; rejection by a
density is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from stegfield.generative.examples import reduced

SIDE = 24
SHOWN = (2 * SIDE, 2 * SIDE)
"""Size at which samples are shown to be judged, before they are reduced."""
KEPT = 100
"""Axes of most variance."""
ACCEPTED = 0.8
"""Share of a model's draws that are accepted."""
DRAWS = 64
"""Most draws for one seed; the last is taken as it is."""
JUDGED = 500
"""Draws of a model that its limit is found by."""
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Likely:
    """What examples look like, and how far from it a sample may be."""

    mean: Float[Tensor, " values"] = field(repr=False)
    """Of the reduced examples: rows, columns, then channels."""
    axes: Float[Tensor, "kept values"] = field(repr=False)
    """Orthonormal."""
    slope: float
    """Growth of an example's log residual with the log of its energy within the axes."""
    limit: float
    """The largest excess that is accepted."""

    @classmethod
    def of(
        cls,
        examples: Float[Tensor, "count rows cols channels"],
        draw: Callable[[int], Float[Tensor, "batch rows cols channels"]],
        *,
        accepted: float = ACCEPTED,
    ) -> Likely:
        """Learn what examples look like; images and their mirror images count alike.

        Args:
            examples: In [-1, 1].
            draw: Draws so many samples of the model.
            accepted: Share of the samples to accept.
        """
        small = reduced(examples, SIDE)
        both = torch.cat([small, small.flip(2)]).flatten(1)
        mean = both.mean(0)
        centred = both - mean
        kept = min(KEPT, *centred.shape)
        axes = torch.linalg.eigh(centred.T @ centred / len(both)).eigenvectors.flip(1)[:, :kept].T
        found = cls(mean.half().float(), axes.half().float(), 0.0, 0.0)  # as they will be stored
        within, residuals = found._energies(small)
        spread = within - within.mean()
        slope = float((spread * residuals).sum() / spread.square().sum())
        found = replace(found, slope=slope)
        return replace(found, limit=float(found.excess(draw(JUDGED)).quantile(accepted)))

    def excess(self, samples: Float[Tensor, "batch rows cols channels"]) -> Float[Tensor, " batch"]:
        """Return the log residual of samples, less what examples of their energy have more."""
        within, residuals = self._energies(samples.clamp(-1, 1))
        return residuals - self.slope * within

    def _energies(
        self, images: Float[Tensor, "batch rows cols channels"]
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Return the logarithms of the energy within the axes, and of the residual."""
        centred = reduced(images, SIDE).flatten(1) - self.mean
        within = (centred @ self.axes.T).square().sum(1)
        residual = centred.square().sum(1) - within
        return within.clamp(min=TINY).log(), residual.clamp(min=TINY).log()

    def accepts(self, sample: Float[Tensor, "1 rows cols channels"]) -> bool:
        """Return whether a sample is likely enough."""
        return float(self.excess(sample)) <= self.limit
