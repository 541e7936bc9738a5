"""Drawing: what a field's file holds is drawn around what was trained, by one law for all fields.

    k = 2^b floor(theta / Q + 1/2) + U - 2^(b-1),    weight = k q,    Q = 2^b q

``theta`` is a trained weight, q a power of two, and U uniform in [0, 2^b). So U = (k + 2^(b-1)) mod
2^b, whatever theta is, and to draw a drawn weight again replaces its U and nothing else. Messages
are bits of U that are uniform to everyone without their key: a field with messages has the law of a
field without any. `stegfield.payload.law` composes the plane of all U.

Each tensor has its own q and b, its *grain*, from theta before the draw. The header of every field
tells them. All |k| stay below 2^24, so that float32 holds every weight exactly. The noise of a draw
is a share of the tensor's spread, which was measured beforehand and depends on the number of its
weights alone: small tensors carry little, and the first layer of a SIREN, which is small, is the
one that noise harms most.

Half precision, pruning and another step of training destroy U, and with it every message.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64
from numpy.typing import NDArray

LEAST_WEIGHTS = 8
"""Smaller tensors stay as they were trained."""
MOST_BITS = 10
"""Of U, in what this program writes."""
HELD_BITS = 16
"""Most bits of U that a header may tell."""
MANTISSA = 24
"""Bits of an integer that float32 holds exactly."""
LOWEST, HIGHEST = -126, 103
"""Exponents of q that a header may tell: from the smallest normal number on, and so that 2^24 q is
finite."""
NOISE, NOISE_WEIGHTS = 2.0**-11, 1 << 14
"""Standard deviation of the noise as a share of the tensor's own, in tensors of so many weights and
more; in smaller ones the share falls with the root of their number.

Benchmark: SIREN 8x128 fitted to six pictures of 128x128 (two faces, three crops of DIV2K, one of
Kodak), 1,000 steps. Fits of 53.3 to 65.3 dB, 60.1 on average; what a draw costs in dB, and bytes:

| noise | 2^-10.5 | 2^-11 | 2^-11.5 | 2^-12 |
|---|---|---|---|---|
| lost on average | 0.48 | 0.25 | 0.12 | 0.07 |
| lost at most | 0.84 | 0.51 | 0.21 | 0.13 |
| bytes of U | 145,400 | 145,300 | 145,200 | 145,100 |

With one share for all tensors, 2^-11 costs 3.8 to 7.9 dB: nearly all of it in the first layer.
"""
CELL_NOISE = 1 / math.sqrt(6)
"""Noise of a draw in units of Q: of rounding, Q^2/12, and of U, as much again."""

Tensors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Grain:
    """The lattice of a tensor: all its weights are integers times ``2**exponent``."""

    exponent: int
    bits: int
    """Of each weight's U."""

    @classmethod
    def suited_to(cls, theta: Float[np.ndarray, "*shape"]) -> Grain | None:
        """Choose the grain of a trained tensor; None where it has no room for a bit.

        Tensors of zeros or other constants, and of fewer than `LEAST_WEIGHTS` weights, have none.

        Example:
            >>> Grain.suited_to(np.linspace(-0.1, 0.1, 16384))
            Grain(exponent=-24, bits=10)
        """
        values = theta.astype(np.float64)
        spread = float(values.std())
        if values.size < LEAST_WEIGHTS or not spread > 0:
            return None
        noise = NOISE * math.sqrt(min(1.0, values.size / NOISE_WEIGHTS))
        cell = round(math.log2(noise * spread / CELL_NOISE))
        # cells from zero to the farthest weight, the last one included
        cells = math.floor(float(np.abs(values).max()) * 2.0**-cell) + 2
        bits = min(MOST_BITS, MANTISSA - math.ceil(math.log2(cells)))
        exponent = cell - bits
        if bits < 1 or not LOWEST <= exponent <= HIGHEST:
            return None
        return cls(exponent, bits)

    def draw(
        self, theta: Float32[np.ndarray, "*shape"], low: Int64[np.ndarray, " weights"]
    ) -> Float32[np.ndarray, "*shape"]:
        """Draw weights around theta, or around weights drawn before, given each one's U."""
        cells = np.floor(np.ldexp(theta.astype(np.float64), -self.exponent - self.bits) + 0.5)
        half = 1 << (self.bits - 1)
        integers = cells.reshape(-1).astype(np.int64) * (1 << self.bits) + low - half
        weights: NDArray[np.float32] = np.ldexp(integers.astype(np.float32), self.exponent)
        return weights.reshape(theta.shape)

    def low(self, weights: Float32[np.ndarray, "*shape"]) -> Int64[np.ndarray, " weights"] | None:
        """Return the U of each weight; None if one of them is not on the lattice."""
        places = np.ldexp(weights.reshape(-1).astype(np.float64), -self.exponent)
        if not np.array_equal(places, np.rint(places)) or np.abs(places).max() > 1 << MANTISSA:
            return None
        shifted = places.astype(np.int64) + (1 << (self.bits - 1))
        far = 1 << MANTISSA
        if shifted.max() >= far or shifted.min() < (1 << self.bits) - far:  # beyond every draw
            return None
        return shifted % (1 << self.bits)

    def nearest_low(self, weights: Float32[np.ndarray, "*shape"]) -> Int64[np.ndarray, " weights"]:
        """Return the U of the lattice's points that are nearest to the weights."""
        places = np.ldexp(weights.reshape(-1).astype(np.float64), -self.exponent)
        far = float(1 << MANTISSA)
        nearest = np.rint(places.clip(-far, far)).astype(np.int64)
        low: NDArray[np.int64] = (nearest + (1 << (self.bits - 1))) % (1 << self.bits)
        return low


Grains = Mapping[str, Grain]
"""The grains of a field's tensors, in the order of its header; tensors without any are missing."""


def grains_of(tensors: Tensors) -> dict[str, Grain]:
    """Choose the grain of each tensor, from theta and nothing else."""
    suited = {name: Grain.suited_to(theta) for name, theta in tensors.items()}
    return {name: grain for name, grain in suited.items() if grain is not None}


def plane_bits(tensors: Tensors, grains: Grains) -> int:
    """Return the number of bits of all U."""
    return sum(grain.bits * tensors[name].size for name, grain in grains.items())


def draw(
    tensors: Tensors, grains: Grains, plane: Bool[np.ndarray, " bits"]
) -> dict[str, NDArray[np.float32]]:
    """Draw all tensors, given the plane of their U; those without a grain stay as they are.

    Args:
        tensors: What was trained, or was drawn before with the same grains.
        grains: Of each tensor.
        plane: Bits of U, tensor by tensor, weight by weight, the highest bit of each first.
    """
    drawn, at = dict(tensors), 0
    for name, grain in grains.items():
        theta = tensors[name]
        end = at + theta.size * grain.bits
        drawn[name] = grain.draw(theta, _packed(plane[at:end].reshape(theta.size, grain.bits)))
        at = end
    return drawn


def plane_of(tensors: Tensors, grains: Grains) -> Bool[np.ndarray, " bits"] | None:
    """Read the plane of all U; None where weights were changed since they were drawn."""
    plane = np.empty(plane_bits(tensors, grains), np.bool_)
    at = 0
    for name, grain in grains.items():
        low = grain.low(tensors[name])
        if low is None:
            return None
        end = at + len(low) * grain.bits
        plane[at:end] = _unpacked(low, grain.bits).reshape(-1)
        at = end
    return plane


def _packed(bits: Bool[np.ndarray, "weights bits"]) -> Int64[np.ndarray, " weights"]:
    low = np.zeros(len(bits), np.int64)
    for column in bits.T:
        low = low << 1 | column
    return low


def _unpacked(low: Int64[np.ndarray, " weights"], bits: int) -> Bool[np.ndarray, "weights bits"]:
    pairs = low.astype(">u2").view(np.uint8).reshape(-1, 2)
    return np.unpackbits(pairs, axis=1)[:, HELD_BITS - bits :].astype(np.bool_)
