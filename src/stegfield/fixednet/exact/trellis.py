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
from stegfield.fixednet.exact.search import cheapest_flips, parallel
from stegfield.fixednet.exact.sine import SineNetwork, Weights, parities
from stegfield.fixednet.progress import EmbedProgress, EmbedWatch
from stegfield.keys import IMAGE_SALT, KEY_BYTES, Key, system_stream

MOVES = (0, 1, -1, 2, -2, 3, -3)
RESIDUES = 4
LEAST = np.float32(0.1)
"""Least share of its cost that a change keeps: half-way values in plain areas stay costly."""
CLOSED = np.float32(1e5)
"""How many times the mean cost a move costs where its way is closed."""
TRIED = 1 << 14  # samples that a plan is computed from


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
    count = sum(len(part) for part in order)
    some = np.concatenate([part[:: max(1, count // TRIED)] for part in order])
    costs, _ = _options(carrier, some, np.ones(len(some), dtype=bool))
    above_least = (costs - costs.min(axis=1, keepdims=True)).astype(np.float64)
    goal = bits / count
    low, high = -20.0, 20.0  # of lambda's logarithm
    for _ in range(40):
        middle = (low + high) / 2
        both, _ = _entropies(above_least, np.exp(middle))
        low, high = (middle, high) if both > goal else (low, middle)
    lambda_ = float(np.exp(low))
    both, upper = _entropies(above_least, lambda_)
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
        carrier: The cover, including samples that the network does not read.
        lambda_: The multiplier of the plan (see `plan`).
        watch: Called with the progress of the work.

    Returns:
        The change of each sample, from -3 to 3. The network then reads the bits exactly. The
        operating system decides between changes of equal cost, and nobody can ask it again.
    """
    lower, upper = np.split(bits, [network.bits[0]])
    starts = [np.cumsum([0, *network.shares[plane]]) for plane in (0, 1)]
    change = np.zeros(len(carrier.levels), dtype=np.int8)
    ties = Key(system_stream().bytes(KEY_BYTES))

    def one(segment: int) -> tuple[int, int]:
        at = network.order[segment]
        stream = ties.stream(f"ties/{segment}", salt=IMAGE_SALT)
        costs, moves = _options(carrier, at, stream.bits(len(at)))
        below, above = (
            part[starts[plane][segment] : starts[plane][segment + 1]]
            for plane, part in enumerate((lower, upper))
        )
        height = network.constraint_height
        pairs = _either_pair(costs, stream.bits(2 * len(at)).reshape(-1, 2))
        if len(above):
            pairs = _solve_upper(network.weights(segment, 1), above, costs, lambda_, height)
        residues = _solve_lower(network.weights(segment, 0), below, costs, pairs, height)
        change[at] = np.take_along_axis(moves, residues[:, None], axis=1)[:, 0]
        return len(below) + len(above), int(np.square(change[at], dtype=np.int64).sum())

    left, squares = len(bits), 0
    low, high = carrier.bounds
    for done, (solved, changed) in enumerate(parallel(one, range(len(network.order))), start=1):
        left, squares = left - solved, squares + changed
        if watch is not None:
            psnr_db = 10 * math.log10((high - low) ** 2 * len(change) / max(squares, 1))
            watch(EmbedProgress(done / len(network.order), left, psnr_db))
    return change


def _options(
    carrier: Carrier, at: NDArray[np.integer], up_first: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return the cheapest move to each residue modulo 4, and its cost, for some samples.

    Two up and two down have the same residue: each sample decides which it takes.
    """
    rows, levels, costs = np.arange(len(at)), carrier.levels[at].astype(np.int32), carrier.costs[at]
    ways = None if carrier.ways is None else tuple(way[at] for way in carrier.ways)
    above = None if carrier.side_information is None else carrier.side_information[at]
    least = np.full((len(at), RESIDUES), np.inf, dtype=np.float32)
    moves = np.zeros((len(at), RESIDUES), dtype=np.int8)
    sides = np.where(up_first, 1, -1).astype(np.int32)
    for move in MOVES:
        moved = levels + move * sides
        inside = (moved >= carrier.bounds[0]) & (moved <= carrier.bounds[1])
        residue = moved & (RESIDUES - 1)
        further: NDArray[np.float32] | int = move**2  # growth of the squared distance
        if above is not None:
            grown = move**2 + (2 * move * sides).astype(np.float32) * above
            further = np.maximum(grown, LEAST * move**2)
        cost = costs * further
        if ways is not None and move:
            cost[~np.where(move * sides > 0, *ways) | (abs(move) > 1)] += CLOSED * move**2
        better = inside & (cost < least[rows, residue])
        to = rows[better], residue[better]
        least[to], moves[to] = cost[better], (move * sides)[better]
    return least, moves


def _values(costs: NDArray[np.float32], lambda_: float) -> NDArray[np.float64]:
    """Return the cost of each value of the upper bit, before the lower bit is chosen."""
    pairs = costs.astype(np.float64).reshape(-1, 2, 2)  # residues 0, 1 | 2, 3
    least = np.minimum(pairs[..., 0], pairs[..., 1])
    rest = np.exp(-lambda_ * (np.maximum(pairs[..., 0], pairs[..., 1]) - least))
    values: NDArray[np.float64] = least - np.log1p(rest) / lambda_
    return values


def _entropies(above_least: NDArray[np.float64], lambda_: float) -> tuple[float, float]:
    """Return the entropy of the residues and of the upper bit, in bits a sample."""
    chances = np.exp(-lambda_ * above_least)
    chances /= chances.sum(axis=1, keepdims=True)
    return _entropy(chances), _entropy(chances.reshape(-1, 2, 2).sum(axis=2))


def _entropy(chances: NDArray[np.float64]) -> float:
    safe = np.where(chances > 0, chances, 1)
    return float(-(safe * np.log2(safe)).sum(axis=1).mean())


def _either_pair(
    costs: NDArray[np.float32], second_of_equals: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the cheapest residue of each lower bit, where the upper plane carries nothing.

    The next level up and the next one down cost the same. If the upper bit were kept, even samples
    would only go up and odd ones down: a histogram would show the pairs of LSB replacement.
    """
    first, second = costs[:, :2], costs[:, 2:]
    upper = (second < first) | ((second == first) & second_of_equals)
    return np.where(upper, 2, 0) + np.arange(2, dtype=np.int64)


def _solve_upper(
    weights: Weights,
    target: NDArray[np.bool_],
    costs: NDArray[np.float32],
    lambda_: float,
    height: int,
) -> NDArray[np.int64]:
    """Choose the upper bits; return the pair of residues that each stands for."""
    values = _values(costs, lambda_)
    bits = _cheapest(weights, target, values, height)
    return 2 * bits[:, None].astype(np.int64) + np.arange(2)


def _solve_lower(
    weights: Weights,
    target: NDArray[np.bool_],
    costs: NDArray[np.float32],
    pairs: NDArray[np.int64],
    height: int,
) -> NDArray[np.int64]:
    """Choose the lower bits; return the residues."""
    values = np.take_along_axis(costs, pairs, axis=1)
    bits = _cheapest(weights, target, values, height)
    return np.where(bits, pairs[:, 1], pairs[:, 0])


def _cheapest(
    weights: Weights, target: NDArray[np.bool_], values: NDArray[np.floating], height: int
) -> NDArray[np.bool_]:
    """Choose a bit for each sample so that their parities are the target, at the least cost."""
    bits = values[:, 1] < values[:, 0]
    if len(target) == 0:
        return bits
    change = parities(weights, bits, len(target)) ^ target
    costs = np.abs(values[:, 1] - values[:, 0]).astype(np.float32)
    ends = np.append(weights.stretch[1:] != weights.stretch[:-1], True)
    return bits ^ cheapest_flips(weights.columns, costs, ends, change.astype(np.uint8), height)
