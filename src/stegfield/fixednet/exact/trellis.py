"""The trellis solver: the change of least cost after which a sine network reads a message.

For a network as in `stegfield.fixednet.exact.sine`, the search is a shortest path. Along the
samples in keyed order, the state is which of the next h bits (the constraint height) are right so
far: 2^h states. The Viterbi algorithm finds the cheapest path of one bit plane exactly, in one
pass, without local minima, at every rate and for any costs.

The two planes share one budget. A sample may change by up to 3 levels, and its new value modulo 4
decides both of its bits. At the least cost for a given number of bits, residue r has a probability
proportional to exp(-lambda * cost(r)). This decides how many bits each plane should carry, and what
a flip in the upper plane costs before the lower bit is chosen:

    1. lambda: where the entropy of the residues is the number of bits
    2. upper plane: a value costs -ln(sum of exp(-lambda * cost(r)) over its residues r),
       divided by lambda
    3. lower plane: the costs of the two residues that are left

Source: Filler, Judas and Fridrich (2011), "Minimizing Additive Distortion in Steganography Using
Syndrome-Trellis Codes", Sec. IV (Viterbi) and VI (layers). They use one submatrix found by a search
and three moves. Here the key draws weights for every sample, which measured as good, and there are
seven moves, so that every sample can be used. The lower cost of changes where the cover was rounded
from nearly half way is from Fridrich, Goljan and Soukal (2004), "Perturbed Quantization
Steganography".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from stegfield.carriers import Carrier
from stegfield.fixednet.exact.moves import Moves, moves
from stegfield.fixednet.exact.order import Part, lengths_of, part_of
from stegfield.fixednet.exact.search import cheapest_flips, parallel
from stegfield.fixednet.exact.sine import SineNetwork, parities, planes, stretches
from stegfield.fixednet.progress import EmbedProgress, EmbedWatch
from stegfield.keys import IMAGE_SALT, KEY_BYTES, Key, system_stream

TRIED = 1 << 12
"""Samples that a plan is computed from,"""
TRIED_SEGMENTS = 8
"""from so many segments, each of which has samples from all over the cover."""
HALVINGS = 24
LOGARITHMS = -20.0, 20.0
"""Range of the logarithm of lambda."""
LARGEST_EXPONENT = 500.0


@dataclass(frozen=True)
class Plan:
    """How a number of bits is best split between the planes."""

    bits: tuple[int, int]
    """Bits of the lower and of the upper plane."""
    lambda_: float
    """The multiplier that turns costs into probabilities of change (Filler et al., 2011)."""


def plan(carrier: Carrier, bits: int, order: Sequence[NDArray[np.int32]] | None = None) -> Plan:
    """Split bits between the planes at the least total cost.

    Args:
        carrier: The cover. With side information e, a change by d levels costs d^2 + 2 d e times
            the sample's cost, and at least d^2 / 10 times.
        bits: Number of bits, at most 2 a sample.
        order: Samples that will carry the bits, in keyed order [default: all, in their own order].
    """
    order = order or [np.arange(len(carrier.levels), dtype=np.int32)]
    count = sum(lengths_of(order))
    costs = _tried(carrier, order)
    lambda_ = _lambda(costs, bits / count)
    both, upper = _entropy(costs, lambda_), _entropy_of_upper(costs, lambda_)
    above = min(round(bits * upper / both), bits, count) if both > 0 else 0
    below = min(bits - above, count)
    return Plan((below, bits - below), lambda_)


def solve(
    network: SineNetwork,
    bits: Bool[np.ndarray, " bits"],
    carrier: Carrier,
    *,
    lambda_: float,
    watch: EmbedWatch | None = None,
) -> NDArray[np.int8]:
    """Find the change of a carrier after which the network reads the bits.

    Args:
        network: The fixed network.
        bits: The bits to read.
        carrier: The cover, including samples that the network does not read. Where its ways are
            closed (see `Carrier.ways`), a level moves only if the bits leave nothing else, so
            callers check the change.
        lambda_: The multiplier of the plan (see `plan`); of no effect where the upper plane carries
            nothing.
        watch: Called with the progress of the work.

    Returns:
        The change of each sample, from -3 to 3. The network then reads the bits exactly. The
        operating system decides between changes of equal cost, and nobody can ask it again.
    """
    lower, upper = np.split(bits, [network.bits[0]])
    starts = [np.cumsum([0, *network.shares[plane]]) for plane in (0, 1)]
    change = np.zeros(len(carrier.levels), dtype=np.int8)
    ties = Key(system_stream().bytes(KEY_BYTES))
    if network.bits[1] == 0:
        lambda_ = _lambda_of_one_plane(carrier, network)

    def one(segment: int) -> tuple[int, int, int]:
        below, above = (
            part[starts[plane][segment] : starts[plane][segment + 1]]
            for plane, part in enumerate((lower, upper))
        )
        if len(below) + len(above) == 0:
            return 0, network.lengths[segment], 0
        part = part_of(network.order, segment)
        levels, height = part.of(carrier.levels), network.constraint_height
        found = moves(carrier, part, ties.stream(f"ties/{segment}", salt=IMAGE_SALT)).times(lambda_)
        if network.bits[1] == 0:
            found, second = found.either(), np.zeros(len(part), dtype=np.bool_)
        else:
            columns = network.drawn(segment, 1)
            second = _cheapest(columns, planes(levels, 1), above, _upper_costs(found), height)
        costs = np.where(second, found.both - found.upper, found.lower)
        columns = network.drawn(segment, 0)
        first = _cheapest(columns, planes(levels, 0), below, costs, height)
        own = found.chosen(first, second)
        part.add(change, own)
        return len(below) + len(above), len(part), int(np.square(own, dtype=np.int64).sum())

    left, solved, squares = len(bits), 0, 0
    # coefficients of a JPEG, which have ways, have no PSNR of their own
    peak = 0 if carrier.ways is not None else carrier.bounds[1] - carrier.bounds[0]
    for done, figures in enumerate(parallel(one, range(len(network.order))), start=1):
        left, solved, squares = left - figures[0], solved + figures[1], squares + figures[2]
        if watch is not None:
            psnr_db = 10 * math.log10(peak**2 * solved / max(squares, 1)) if peak else math.inf
            watch(EmbedProgress(done / len(network.order), left, psnr_db))
    return change


def _cheapest(
    columns: NDArray[np.uint16],
    ones: NDArray[np.bool_],
    target: NDArray[np.bool_],
    costs: NDArray[np.float32],
    height: int,
) -> NDArray[np.bool_]:
    """Choose the samples to flip so that the parities of the ones are the target.

    Args:
        columns: Weights of the samples.
        ones: Which samples are one.
        target: The parities.
        costs: Cost of each flip, in units of 1 / lambda; may be negative.
        height: The constraint height.
    """
    flips: NDArray[np.bool_] = costs < 0
    if len(target):
        wrong = parities(columns, ones ^ flips, len(target)) ^ target
        lengths = stretches(len(columns), len(target))
        flips ^= cheapest_flips(columns, np.abs(costs), lengths, wrong, height)
    return flips


def _upper_costs(found: Moves) -> NDArray[np.float32]:
    """Return what a flip in the upper plane costs before the lower bit is chosen, in 1 / lambda."""
    least = np.minimum(found.upper, found.both)
    apart = np.abs(found.upper - found.both)
    kept, flipped = (_log1p_exp(each) for each in (found.lower, apart))
    costs: NDArray[np.float32] = least - flipped + kept
    return costs


def _log1p_exp(costs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ln(1 + exp(-cost)), of costs that are at least 0."""
    # beyond the limit it is 0 in any case, and processors are slow with numbers too small
    found: NDArray[np.float32] = np.log1p(np.exp(-np.minimum(costs, np.float32(80))))
    return found


def _tried(carrier: Carrier, order: Sequence[NDArray[np.int32]]) -> NDArray[np.float64]:
    """Return the costs of flips of some samples: the lower bit, the upper one, both."""
    chosen = range(0, len(order), -(-len(order) // TRIED_SEGMENTS))
    each = TRIED // len(chosen)
    parts = (order[segment] for segment in chosen)
    some = np.concatenate([part[:: max(1, len(part) // each)] for part in parts])
    found = moves(carrier, Part(slice(None), some))
    return np.stack([found.lower, found.upper, found.both]).astype(np.float64)


def _lambda_of_one_plane(carrier: Carrier, network: SineNetwork) -> float:
    """Return the multiplier for a lower plane alone, where either neighbour flips a bit."""
    lower, _, both = _tried(carrier, network.order)
    return _lambda(np.minimum(lower, both)[None], network.bits[0] / max(network.samples, 1))


def _lambda(costs: NDArray[np.float64], goal: float) -> float:
    """Find the multiplier at which the entropy of flips, in bits a sample, comes to a goal."""
    low, high = LOGARITHMS
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _entropy(costs, math.exp(middle)) > goal else (low, middle)
    return math.exp(low)


def _entropy(costs: NDArray[np.float64], lambda_: float) -> float:
    """Return the entropy of flips, or of none, whose probabilities go with exp(-lambda cost)."""
    # H = ln Z + lambda E(cost), where Z is the sum of all exp(-lambda cost)
    exponents = np.minimum(lambda_ * costs, LARGEST_EXPONENT)
    chances = np.exp(-exponents)
    total = 1 + chances.sum(axis=0)
    nats = np.log(total) + (exponents * chances).sum(axis=0) / total
    return float(nats.mean()) / math.log(2)


def _entropy_of_upper(costs: NDArray[np.float64], lambda_: float) -> float:
    """Return the entropy of the upper bit, in bits a sample."""
    lower, upper, both = np.exp(-np.minimum(lambda_ * costs, LARGEST_EXPONENT))
    flipped = (upper + both) / (1 + lower + upper + both)
    kept = 1 - flipped
    bits = flipped * np.log2(flipped) + kept * np.log2(kept)
    return -float(bits.mean())
