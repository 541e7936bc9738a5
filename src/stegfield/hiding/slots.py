"""Slots: the weights of a field that a key takes over, and the values it puts there.

Hiding trains every weight so that the published values show the cover and each key's values show a
secret. Slots are chosen first and their values never trained, so keys swap in and out exactly.

Three rules choose positions:

- ``keyed`` (ours): each key draws its own positions and values. The cover has no slots, all
  published weights are trained, and the receiver needs the key alone.
- ``magnitude`` (the paper): the cover is fitted first, and the largest weights of each layer become
  slots, the same for every secret. The receiver must be told the positions; they go into the key
  file, Golomb-Rice coded.
- ``random`` (the paper's ablation): as ``magnitude``, without the fit, at random positions.

Two rules draw values:

- ``matched`` (ours): uniform over the range of the layer's own first draw.
- ``xavier`` (the paper, Eq. 6): variance 2 / (n_in + n_out). In a SIREN of 128 units that standard
  deviation is 12 times the bound of the other weights. Measured: training then stalls at 12 to
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
from stegfield.errors import ConfigError, UnreadableError
from stegfield.fields import Field, SlotValues
from stegfield.keys import Key, Noise

VALUE_RULES: tuple[ValueRule, ...] = ("matched", "xavier")


@dataclass(frozen=True, kw_only=True)
class SlotScheme:
    """What both sides must agree on about the slots, beside the key."""

    ratio: float
    """Share of each layer's weights that are slots, in steps of one millionth."""
    values: ValueRule = "matched"

    def __post_init__(self) -> None:
        RATIO.check(self.ratio, owner="SlotScheme", name="ratio")
        object.__setattr__(self, "ratio", self.millionths / MILLION)  # what a record can tell
        if self.values not in VALUE_RULES:
            raise ConfigError(f"there is no value rule {self.values!r}", hint="matched or xavier")

    @property
    def millionths(self) -> int:
        """The ratio as an integer, so that counts of slots are exact on every machine."""
        return round(self.ratio * MILLION)

    def count(self, weights: int) -> int:
        """Tell how many of a layer's weights are slots.

        Example:
            >>> SlotScheme(ratio=0.05).count(128 * 128)
            819
        """
        return max(1, weights * self.millionths // MILLION)


def key_slots(field: Field, key: Key, scheme: SlotScheme) -> SlotValues:
    """Give the positions and values of a key's slots in a field.

    Positions come from the key file where it carries them, else from the key's own noise.

    Raises:
        UnreadableError: The positions in the key file are not for a field of these sizes.
    """
    salt = field.public.seed
    shapes = {name: _shape(field, name) for name in field.slot_bounds()}
    if key.slots:
        counts = [math.prod(shape) for shape in shapes.values()]
        chosen = dict(zip(shapes, unpack_positions(key.slots, counts), strict=True))
    else:
        noise = key.noise("slot-positions", salt=salt)
        chosen = {
            name: np.sort(noise.choose(scheme.count(math.prod(shape)), math.prod(shape)))
            for name, shape in shapes.items()
        }
    values = key.noise("slot-values", salt=salt)
    slots = {}
    for name, positions in chosen.items():
        n_out, n_in = shapes[name]
        if scheme.values == "matched":
            drawn = values.uniform(len(positions)) * field.slot_bounds()[name]
        else:
            drawn = values.normal(len(positions)) * math.sqrt(2 / (n_in + n_out))
        slots[name] = (torch.from_numpy(positions), torch.from_numpy(drawn.astype(np.float32)))
    return slots


def largest_positions(field: Field, scheme: SlotScheme) -> list[NDArray[np.int64]]:
    """Choose the largest weights of each layer; a tie goes to the lower position."""
    chosen = []
    for name in field.slot_bounds():
        weight = field.decoder.get_parameter(name).detach().flatten().abs()
        # a stable sort, not a threshold: equal weights would all pass a threshold
        order = weight.argsort(descending=True, stable=True)
        chosen.append(np.sort(order[: scheme.count(len(weight))].numpy()))
    return chosen


def random_positions(field: Field, scheme: SlotScheme, noise: Noise) -> list[NDArray[np.int64]]:
    """Choose positions of each layer at random."""
    chosen = []
    for name in field.slot_bounds():
        count = math.prod(_shape(field, name))
        chosen.append(np.sort(noise.choose(scheme.count(count), count)))
    return chosen


def own_values(field: Field, positions: list[NDArray[np.int64]]) -> SlotValues:
    """Freeze a field's own values at these positions: the slots of its cover (the paper's W_st)."""
    slots: dict[str, tuple[Int64[Tensor, " slots"], Float[Tensor, " slots"]]] = {}
    for name, chosen in zip(field.slot_bounds(), positions, strict=True):
        at = torch.from_numpy(chosen)
        slots[name] = (at, field.decoder.get_parameter(name).detach().flatten()[at].clone())
    return slots


def pack_positions(positions: list[NDArray[np.int64]]) -> bytes:
    """Compress slot positions, layer by layer, in ascending order.

    Golomb-Rice coding of the gaps: for slots at random places it takes about 1 % more than their
    entropy, n H(ratio) bits. Each layer starts with its number of slots, in 4 bytes, and the
    parameter of its code, in 1.
    """
    packed = bytearray()
    for chosen in positions:
        gaps = np.diff(chosen, prepend=-1) - 1
        parameter = _rice_parameter(gaps)
        quotients = gaps >> parameter
        unary = np.zeros(int(quotients.sum()) + len(gaps), dtype=np.uint8)
        unary[np.cumsum(quotients + 1) - 1] = 1
        low = (gaps[:, None] >> np.arange(parameter)) & 1
        packed += len(gaps).to_bytes(4, "little") + bytes([parameter])
        packed += np.packbits(low.astype(np.uint8)).tobytes() + np.packbits(unary).tobytes()
    return bytes(packed)


def unpack_positions(packed: bytes, counts: list[int]) -> list[NDArray[np.int64]]:
    """Undo `pack_positions`; ``counts`` are the numbers of weights of the layers.

    Raises:
        UnreadableError: These are not positions in layers of these sizes.
    """
    chosen, rest = [], packed
    for count in counts:
        slots, parameter = int.from_bytes(rest[:4], "little"), int.from_bytes(rest[4:5], "little")
        low_bytes = -(-slots * parameter // 8)
        if not 0 < slots <= count or parameter > count.bit_length() or len(rest) < 5 + low_bytes:
            raise UnreadableError
        bits = np.unpackbits(np.frombuffer(rest[5 : 5 + low_bytes], np.uint8))
        low = bits[: slots * parameter].reshape(slots, parameter).astype(np.int64)
        rest = rest[5 + low_bytes :]
        # no layer's unary part is longer than its slots and all its gaps
        unary = np.unpackbits(np.frombuffer(rest[: (slots + count) // 8 + 1], np.uint8))
        ends = np.flatnonzero(unary)[:slots]
        if len(ends) < slots:
            raise UnreadableError
        quotients = np.diff(ends, prepend=-1) - 1
        gaps = (quotients << parameter) + (low << np.arange(parameter)).sum(axis=1)
        positions = np.cumsum(gaps + 1) - 1
        if positions[-1] >= count:
            raise UnreadableError
        chosen.append(positions)
        rest = rest[int(ends[-1]) // 8 + 1 :]
    if rest:
        raise UnreadableError
    return chosen


def positions_entropy_bits(positions: list[NDArray[np.int64]], counts: list[int]) -> float:
    """Give the entropy in bits of slots at random places: n H(slots / n), summed over layers."""
    total = 0.0
    for chosen, count in zip(positions, counts, strict=True):
        for share in (len(chosen) / count, 1 - len(chosen) / count):
            total -= count * share * math.log2(share) if share else 0.0
    return total


def _rice_parameter(gaps: NDArray[np.int64]) -> int:
    """Choose the number of low bits that makes this layer's code shortest."""
    lengths = [int((gaps >> p).sum()) + len(gaps) * (p + 1) for p in range(24)]
    return int(np.argmin(lengths))


def _shape(field: Field, name: str) -> tuple[int, int]:
    n_out, n_in = field.decoder.get_parameter(name).shape
    return n_out, n_in
