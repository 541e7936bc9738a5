"""Kinds of fields: each a way to make a field of a cover, with secrets or without.

Every kind starts from the same draw and goes by the same plan of steps, so that nothing but the
secrets tells the kinds apart.

Source: Dong et al. (2024), StegaINR4MIH, section 4.10, and the rules it compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
import torch

from stegfield.config import FitConfig, HideConfig
from stegfield.errors import ConfigError
from stegfield.fields import Field, draw, fit, substitute
from stegfield.hiding import Secret, SlotScheme, hide_functions, key_slots, room
from stegfield.keys import KEY_BYTES, Key
from stegfield.payload.law import Message
from stegfield.signals import Signal, to_samples

APART = 1 << 32
"""Between the seed of a field and that of the clean one that it is made like."""
LOW_BITS = 8
"""Of a mantissa, those that the naive stego writes to."""


@dataclass(frozen=True, kw_only=True)
class PoolConfig:
    """How the fields of a pool are made, whatever their kind."""

    architecture: str = "siren"
    """siren, fourier or grid."""

    sizes: Mapping[str, Any] = field(default_factory=dict)
    """Entries of the architecture's sizes that differ from its defaults."""

    training: FitConfig = field(default_factory=FitConfig)
    """How to train; each cover gets a seed of its own, counted from this one."""

    secrets: int = 2
    """Images that every stego field hides: other covers, see `drawn_images`."""

    def __post_init__(self) -> None:
        if self.secrets < 1:
            raise ConfigError(f"a stego field hides at least 1 secret, got {self.secrets}")


@dataclass(frozen=True)
class Order:
    """What one field of a pool is made of."""

    cover: Signal
    secrets: tuple[Signal, ...]
    decoys: tuple[Signal, ...]
    config: PoolConfig
    training: FitConfig
    label: str = "secret"

    @property
    def keys(self) -> list[Key]:
        """Keys of the secrets."""
        return keys(self.training.seed or 0, len(self.secrets), self.label)


def keys(seed: int, count: int, label: str = "secret") -> list[Key]:
    """Derive the keys of a field of a pool from its seed, so that a pool can be made again."""
    texts = (f"pool {label} {seed} {number}" for number in range(count))
    return [Key(sha256(text.encode()).digest()[:KEY_BYTES]) for text in texts]


Make = Callable[[Order], Field]


def _clean(order: Order) -> Field:
    """Fit the cover and nothing else."""
    return fit(
        order.cover,
        architecture=order.config.architecture,
        sizes=order.config.sizes,
        training=order.training,
    ).field


def _hidden(order: Order, config: HideConfig | None = None, like: Field | None = None) -> Field:
    """Hide the secrets, as `hide` publishes them."""
    own = like is None  # a clean field has its own architecture and sizes
    return hide_functions(
        order.cover,
        [Secret(image, key) for image, key in zip(order.secrets, order.keys, strict=True)],
        architecture=order.config.architecture if own else None,
        sizes=order.config.sizes if own else None,
        config=config,
        training=order.training,
        like=like,
    ).field


def _like_clean(order: Order) -> Field:
    """Fit a clean field, from a draw of its own, then hide in its likeness: twice the steps."""
    seed = (order.training.seed or 0) + APART
    return _hidden(order, like=_clean(replace(order, training=replace(order.training, seed=seed))))


def _files(order: Order) -> Field:
    """Embed a file in a clean field, which takes half of its room."""
    made = _clean(order)
    key, half = order.keys[0], room(made).longest // 2
    noise = key.stream("pool", salt=made.public.seed).bytes(half)
    draw(made, [Message(noise, key)])
    return made


def _decoys(order: Order) -> Field:
    """Hide other images under keys that nobody has: what a sender without secrets can publish."""
    return _hidden(replace(order, secrets=order.decoys, label="decoy"))


def _low_bits(order: Order) -> Field:
    """Write the first secret's samples, as they are, to the lowest mantissa bits of a clean field.

    What a hurried sender would do, and what encryption is for.
    """
    made = _clean(order)
    plain = to_samples(order.secrets[0]).flatten()
    at = 0
    with torch.no_grad():
        for _, weights in sorted(made.named_parameters()):
            part = plain[at : at + weights.numel()].astype(np.uint32)
            words = weights.numpy().reshape(-1).view(np.uint32)[: len(part)]
            words[:] = words & ~np.uint32((1 << LOW_BITS) - 1) | part
            at += len(part)
    return made


def _left_as_drawn(order: Order) -> Field:
    """Publish the slot values of the first key, drawn by the paper's rule, in a clean field."""
    made = _clean(order)
    scheme = SlotScheme(ratio=made.slot_ratio, values="xavier")
    drawn = substitute(
        dict(made.decoder.named_parameters()), key_slots(made, order.keys[0], scheme)
    )
    made.decoder.load_state_dict(drawn)
    return made


KINDS: dict[str, Make] = {
    "clean": _clean,
    "decoys": _decoys,
    "files": _files,
    "keyed": _hidden,
    "like": _like_clean,
    "magnitude": partial(_hidden, config=HideConfig(slots="magnitude")),
    "random": partial(_hidden, config=HideConfig(slots="random")),
    "xavier": partial(_hidden, config=HideConfig(slots="magnitude", values="xavier")),
    "low bits": _low_bits,
    "left as drawn": _left_as_drawn,
}
"""Two that hide nothing, ours, the paper's rules one by one, and two that must be found."""
