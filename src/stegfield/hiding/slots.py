"""Slots: the weights of a field that a key takes over, and the values it puts there.

Hiding trains every weight so that the published values show the cover and each key's values show a
secret. Slots are chosen first and their values never trained, so keys swap in and out exactly.

The rules in `stegfield.hiding.slot_rules` decide where slots are. Two rules draw their values:

- ``matched`` (ours): uniform over the range of the layer's own first draw.
- ``xavier`` (the paper, Eq. 6): variance 2 / (n_in + n_out). In a SIREN of 128 units that standard
  deviation is 12 times the bound of the other weights. Training then stalls at 12 to
  15 dB, which is why it is not the default.

Source: Dong et al. (2024), StegaINR4MIH. Differs from the authors' code in taking
``floor(ratio * n)`` slots of each layer, at least 1, by a stable order; they take one less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import Tensor

from stegfield.config import MILLION, RATIO, ValueRule
from stegfield.errors import ConfigError
from stegfield.fields.field import Field, SlotValues
from stegfield.hiding.positions import unpack_positions
from stegfield.keys import Key, KeyFile, KeyStream, unlock_file

VALUE_RULES: tuple[ValueRule, ...] = ("matched", "xavier")


@dataclass(frozen=True, kw_only=True)
class SlotScheme:
    """What sender and receiver must agree on about slots, besides the key."""

    ratio: float
    """Share of each layer's weights that are slots, in steps of one millionth."""
    values: ValueRule = "matched"

    def __post_init__(self) -> None:
        RATIO.check(self.ratio, owner="SlotScheme", name="ratio")
        object.__setattr__(self, "ratio", self.millionths / MILLION)  # as a record holds it
        if self.values not in VALUE_RULES:
            raise ConfigError(f"there is no value rule {self.values!r}", hint="matched or xavier")

    @property
    def millionths(self) -> int:
        """The ratio as an integer, so that counts of slots are exact on every machine."""
        return round(self.ratio * MILLION)

    def count(self, weights: int) -> int:
        """Return how many of a layer's weights are slots.

        Example:
            >>> SlotScheme(ratio=0.05).count(128 * 128)
            819
        """
        return max(1, weights * self.millionths // MILLION)


def key_slots(field: Field, key: Key | KeyFile, scheme: SlotScheme) -> SlotValues:
    """Return the positions and values of a key's slots in a field.

    Positions come from the key file where it carries them, else from the key's own stream.

    Raises:
        UnreadableError: The positions in the key file are not for a field of these sizes.
    """
    salt = field.public.seed
    opened = unlock_file(key, salt)
    if opened.slots:
        chosen = unpack_positions(opened.slots, slot_counts(field))
    else:
        chosen = random_positions(field, scheme, opened.key.stream("slot-positions", salt=salt))
    stream = opened.key.stream("slot-values", salt=salt)
    slots = {}
    for (name, bound), positions in zip(field.slot_bounds().items(), chosen, strict=True):
        n_out, n_in = _shape(field, name)
        if scheme.values == "matched":
            drawn = stream.uniform(len(positions)) * bound
        else:
            drawn = stream.normal(len(positions)) * math.sqrt(2 / (n_in + n_out))
        slots[name] = (torch.from_numpy(positions), torch.from_numpy(drawn.astype(np.float32)))
    return slots


def slot_counts(field: Field) -> list[int]:
    """Count the weights of each layer that may have slots."""
    return [math.prod(_shape(field, name)) for name in field.slot_bounds()]


def largest_positions(field: Field, scheme: SlotScheme) -> list[NDArray[np.int64]]:
    """Choose the largest weights of each layer; a tie goes to the lower position."""
    chosen = []
    for name in field.slot_bounds():
        weight = field.decoder.get_parameter(name).detach().flatten().abs()
        # a stable sort, not a threshold: equal weights would all pass a threshold
        order = weight.argsort(descending=True, stable=True)
        chosen.append(np.sort(order[: scheme.count(len(weight))].numpy()))
    return chosen


def random_positions(
    field: Field, scheme: SlotScheme, stream: KeyStream
) -> list[NDArray[np.int64]]:
    """Draw random positions in each layer."""
    return [np.sort(stream.choose(scheme.count(count), count)) for count in slot_counts(field)]


def own_values(field: Field, positions: list[NDArray[np.int64]]) -> SlotValues:
    """Return a field's own values at these positions: the slots of its cover (the paper's W_st)."""
    if not positions:
        return {}
    slots: dict[str, tuple[Int64[Tensor, " slots"], Float[Tensor, " slots"]]] = {}
    for name, chosen in zip(field.slot_bounds(), positions, strict=True):
        at = torch.from_numpy(chosen)
        slots[name] = (at, field.decoder.get_parameter(name).detach().flatten()[at].clone())
    return slots


def _shape(field: Field, name: str) -> tuple[int, int]:
    n_out, n_in = field.decoder.get_parameter(name).shape
    return n_out, n_in
