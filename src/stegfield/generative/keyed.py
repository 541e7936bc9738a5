"""Covers that a key decides: its holder generates them again, and sees what a message changed.

A key has 256 covers, so that a second message need not go into the same one; the receiver takes the
one that looks most like the image that they have. Torn ones are among them: which draw is accepted
could depend on the machine, and the receiver's may be another.
"""

from __future__ import annotations

import secrets

import torch
from torch.nn import functional

from stegfield import fields
from stegfield.fields import Field
from stegfield.generative.model import Model
from stegfield.keys import IMAGE_SALT, KeySource, unlock
from stegfield.signals import Signal

COVERS = 256
SMALL = (16, 16)
"""Rows and columns at which covers are compared."""


def generate_keyed(model: Model, key: KeySource, index: int | None = None) -> Field:
    """Generate one of a key's covers, as a field.

    Args:
        model: Generates them.
        key: Decides them, for this model.
        index: Which of them, below 256 [default: one at random].
    """
    index = secrets.randbelow(COVERS) if index is None else index
    return model.field(_seeds(model, key)[index], first=True)


@torch.no_grad()
def cover_of(model: Model, key: KeySource, shown: Signal) -> Signal:
    """Return the one of a key's covers that is most like an image, at the image's size."""
    seeds = _seeds(model, key)
    covers = model.sample(torch.stack([model.latent(seed, first=True) for seed in seeds]), SMALL)
    channels_first = torch.from_numpy(shown.values).movedim(-1, 0)[None]
    seen = functional.adaptive_avg_pool2d(channels_first, SMALL)[0].movedim(0, -1)
    errors = (covers - seen).square().flatten(1).mean(1)
    return fields.render(model.field(seeds[int(errors.argmin())], first=True), shown.size)


def _seeds(model: Model, key: KeySource) -> list[int]:
    stream = unlock(key, IMAGE_SALT).stream(f"covers/{model.name}", salt=IMAGE_SALT)
    return [int(seed) >> 1 for seed in stream.integers(COVERS)]
