"""Likeness: a field that hides secrets keeps the statistics of a field that hides nothing.

In free training, slots grow to twice the size of other weights, and spectra become flatter: an
adversary with a few clean fields detects that at once. So the joint training starts at a clean
field of the cover. Every few steps, each tensor is moved back to that field's singular values, then
to the norms of every unit's weights, then to its sorted values. At the end the sorted values are
equal to the last bit, before both fields are drawn anew, and the others nearly.

Benchmark on 16 small fields: tests of distributions, spectra and units are then near chance; tests
of pruning and moments classify 60 to 70 % correctly.
"""

from __future__ import annotations

import torch

from stegfield.errors import ConfigError
from stegfield.fields.field import Field
from stegfield.signals import Signal

EVERY = 5
"""Steps between two moves."""
TINY = 1e-12
LAST = 0.9
"""Share of the plan after which a move follows every step, so that none undoes much."""


class Likeness:
    """Statistics of a clean field's tensors, and the field that starts equal and keeps them."""

    def __init__(self, clean: Field, field: Field) -> None:
        field.load_state_dict(clean.state_dict())
        self._field = field
        self.grains = clean.grains
        """Of the clean field, which the new one is drawn with; None if it was not drawn."""
        tensors = {name: weight.detach() for name, weight in clean.named_parameters()}
        self._values = {name: tensor.flatten().sort().values for name, tensor in tensors.items()}
        matrices = {name: tensor for name, tensor in tensors.items() if tensor.ndim == 2}
        self._spectra = {name: torch.linalg.svdvals(each) for name, each in matrices.items()}
        self._norms = {
            name: [each.norm(dim=side, keepdim=True) for side in (0, 1)]
            for name, each in matrices.items()
        }

    @torch.no_grad()
    def keep(self) -> None:
        """Move every tensor of the field, in place."""
        for name, weight in self._field.named_parameters():
            if name in self._spectra:
                left, _, right = torch.linalg.svd(weight, full_matrices=False)
                weight.copy_(left * self._spectra[name] @ right)
                for side, norms in enumerate(self._norms[name]):
                    weight.mul_(norms / weight.norm(dim=side, keepdim=True).clamp(min=TINY))
            flat = weight.view(-1)
            flat[flat.argsort(stable=True)] = self._values[name]

    def after_step(self, step: int, fraction: float) -> None:
        """Move the tensors at some steps of the training: an `AfterStep`."""
        if step % EVERY == 0 or fraction > LAST:
            self.keep()


def check_alike(clean: Field, cover: Signal) -> None:
    """Refuse a clean field that shows another kind of signal than the cover.

    Raises:
        ConfigError: The field shows another size, other channels or another medium than the cover.
    """
    public = clean.public
    if (public.size, public.channels, public.medium) != (cover.size, cover.channels, cover.medium):
        raise ConfigError(
            "the clean field shows another size or other channels than the cover",
            hint="fit a field to the same cover",
        )
