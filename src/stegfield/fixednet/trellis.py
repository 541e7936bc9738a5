"""The lattice solver: the cheapest change of samples that lets a sine network say a message.

A network of the shape of `stegfield.fixednet.sine` makes the search a shortest path: going through
the samples in keyed order, all that matters of the past is which of the next ``span`` bits are
right so far, 2^span states. The Viterbi algorithm finds the cheapest path for one bit plane
exactly, in one pass, without local minima, at every rate and for any prices.

The two planes share one budget. A sample may move by up to 3 levels; what it becomes modulo 4
decides both of its bits. At the least cost for a given number of bits, residue r has a probability
proportional to exp(-strictness * cost(r)). This gives how many bits each plane should carry, and
what a flip in the upper plane costs while the lower one is still open:

    1. strictness: where the entropy of the residues is the number of bits
    2. upper plane: a value costs -ln(sum of exp(-strictness * cost(r)) over its residues r),
       divided by strictness
    3. lower plane: the costs of the two residues that are left

Source: Filler, Judas and Fridrich (2011), "Minimizing Additive Distortion in Steganography Using
Syndrome-Trellis Codes", Sec. IV (Viterbi) and VI (layers). Theirs are one submatrix found by a
search and three moves; ours are weights drawn anew from the key for every sample, which measured as
good, and seven moves, so that no sample is ever unusable. That a change costs less where the cover
was rounded from nearly half way is from Fridrich, Goljan and Soukal (2004), "Perturbed Quantization
Steganography".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Integer
from numpy.typing import NDArray

from stegfield.fixednet.progress import Progress, Watch
from stegfield.fixednet.search import cheapest_flips, parallel
from stegfield.fixednet.sine import SineNetwork, Weights, parities

MOVES = (0, 1, -1, 2, -2, 3, -3)
RESIDUES = 4
LEAST = np.float32(0.1)
"""Of its price, what a change costs at least: plain areas that lie half way stay dear."""
TRIED = 1 << 14  # samples that stand for all of them in a plan


@dataclass(frozen=True)
class Plan:
    """How a number of bits is best split between the planes."""

    bits: tuple[int, int]
    """Bits of the lower and of the upper plane."""
    strictness: float
    """How strongly the solver prefers cheap changes; the multiplier of the paper's sources."""


def plan(
    samples: Integer[np.ndarray, " samples"],
    prices: Float32[np.ndarray, " samples"],
    bits: int,
    bounds: tuple[int, int],
    order: Sequence[NDArray[np.int32]] | None = None,
    *,
    rounding: Float32[np.ndarray, " samples"] | None = None,
) -> Plan:
    """Split bits between the planes so that they cost the least.

    Args:
        samples: Levels of the cover.
        prices: What a change by one level costs at each; a change by d levels costs d^2 times that.
        bits: How many they carry, at most 2 a sample.
        bounds: Least and largest level.
        order: Which samples will carry the bits, in an order without regard to their place
            [default: all, as they stand].
        rounding: By how much each sample is above what the cover was before it was rounded: a
            change by d levels costs d^2 + 2 d rounding times the price, d^2 / 10 at least
            [default: 0].
    """
    order = order or [np.arange(len(samples), dtype=np.int32)]
    count = sum(len(part) for part in order)
    some = np.concatenate([part[:: max(1, count // TRIED)] for part in order])
    up_first = np.ones(len(some), dtype=bool)
    costs, _ = _options(samples[some], prices[some], bounds, up_first, _at(rounding, some))
    goal = bits / count
    low, high = -20.0, 20.0  # of the strictness' logarithm
    for _ in range(40):
        middle = (low + high) / 2
        both, _ = _entropies(costs, np.exp(middle))
        low, high = (middle, high) if both > goal else (low, middle)
    strictness = float(np.exp(low))
    both, upper = _entropies(costs, strictness)
    above = min(round(bits * upper / both), bits, count) if both > 0 else 0
    below = min(bits - above, count)
    return Plan((below, bits - below), strictness)


def solve(
    network: SineNetwork,
    bits: Bool[np.ndarray, " bits"],
    samples: Integer[np.ndarray, " samples"],
    prices: Float32[np.ndarray, " samples"],
    *,
    strictness: float,
    bounds: tuple[int, int],
    salt: bytes,
    rounding: Float32[np.ndarray, " samples"] | None = None,
    watch: Watch | None = None,
) -> NDArray[np.int8]:
    """Find the change of the samples after which the network reads the bits.

    Args:
        network: The fixed network.
        bits: What it shall read.
        samples: Levels of the cover; also those that the network does not read.
        prices: What a change by one level costs at each sample.
        strictness: As planned (see `plan`).
        bounds: Least and largest level.
        salt: With the network's key, decides between changes of equal cost.
        rounding: By how much each sample is above what the cover was (see `plan`).
        watch: Told how far the work has come.

    Returns:
        What to add to each sample, from -3 to 3. The network reads the bits exactly.
    """
    lower, upper = np.split(bits, [network.bits[0]])
    starts = [np.cumsum([0, *network.shares[plane]]) for plane in (0, 1)]
    change = np.zeros(len(samples), dtype=np.int8)

    def one(segment: int) -> tuple[int, int]:
        at = network.order[segment]
        noise = network.key.stream(f"ties/{network.label}/{segment}", salt=salt)
        up_first = noise.bits(len(at))
        costs, moves = _options(samples[at], prices[at], bounds, up_first, _at(rounding, at))
        below, above = (
            part[starts[plane][segment] : starts[plane][segment + 1]]
            for plane, part in enumerate((lower, upper))
        )
        pairs = _either_pair(costs, noise.bits(2 * len(at)).reshape(-1, 2))
        if len(above):
            weights = network.weights(segment, 1)
            pairs = _solve_upper(weights, above, costs, strictness, network.span)
        residues = _solve_lower(network.weights(segment, 0), below, costs, pairs, network.span)
        change[at] = np.take_along_axis(moves, residues[:, None], axis=1)[:, 0]
        return len(below) + len(above), int(np.square(change[at], dtype=np.int64).sum())

    left, squares = len(bits), 0
    for done, (solved, changed) in enumerate(parallel(one, range(len(network.order))), start=1):
        left, squares = left - solved, squares + changed
        if watch is not None:
            span_squared = (bounds[1] - bounds[0]) ** 2
            psnr_db = 10 * math.log10(span_squared * len(samples) / max(squares, 1))
            watch(Progress(done / len(network.order), left, psnr_db))
    return change


def _at(
    values: NDArray[np.float32] | None, places: NDArray[np.integer]
) -> NDArray[np.float32] | None:
    return None if values is None else values[places]


def _options(
    samples: NDArray[np.integer],
    prices: NDArray[np.float32],
    bounds: tuple[int, int],
    up_first: NDArray[np.bool_],
    rounding: NDArray[np.float32] | None,
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Give the cheapest move to each residue modulo 4, and its cost.

    Two up and two down come to one residue: each sample says which it takes.
    """
    costs = np.full((len(samples), RESIDUES), np.inf, dtype=np.float32)
    moves = np.zeros((len(samples), RESIDUES), dtype=np.int8)
    rows = np.arange(len(samples))
    levels = samples.astype(np.int32)
    sides = np.where(up_first, 1, -1).astype(np.int32)
    for move in MOVES:
        moved = levels + move * sides
        inside = (moved >= bounds[0]) & (moved <= bounds[1])
        residue = moved & (RESIDUES - 1)
        further: NDArray[np.float32] | int = move**2  # by how much the squared distance grows
        if rounding is not None:
            grown = move**2 + (2 * move * sides).astype(np.float32) * rounding
            further = np.maximum(grown, LEAST * move**2)
        cost = prices * further
        better = inside & (cost < costs[rows, residue])
        at = rows[better], residue[better]
        costs[at], moves[at] = cost[better], (move * sides)[better]
    return costs, moves


def _values(costs: NDArray[np.float32], strictness: float) -> NDArray[np.float64]:
    """Give what each value of the upper bit costs while the lower bit is open."""
    pairs = costs.astype(np.float64).reshape(-1, 2, 2)  # residues 0, 1 | 2, 3
    least = pairs.min(axis=2)
    rest = np.exp(-strictness * (pairs.max(axis=2) - least))
    values: NDArray[np.float64] = least - np.log1p(rest) / strictness
    return values


def _entropies(costs: NDArray[np.float32], strictness: float) -> tuple[float, float]:
    """Give the entropy of the residues and of the upper bit, in bits a sample."""
    logits = -strictness * (costs - costs.min(axis=1, keepdims=True)).astype(np.float64)
    chances = np.exp(logits)
    chances /= chances.sum(axis=1, keepdims=True)
    return _entropy(chances), _entropy(chances.reshape(-1, 2, 2).sum(axis=2))


def _entropy(chances: NDArray[np.float64]) -> float:
    safe = np.where(chances > 0, chances, 1)
    return float(-(safe * np.log2(safe)).sum(axis=1).mean())


def _either_pair(
    costs: NDArray[np.float32], second_of_equals: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Give for each lower bit its cheapest residue, where nobody reads the upper bit.

    The next level up and the next one down cost the same: were the upper bit kept, even samples
    would only go up and odd ones down, which shows in a histogram as the pairs of LSB replacement.
    """
    first, second = costs[:, :2], costs[:, 2:]
    upper = (second < first) | ((second == first) & second_of_equals)
    return np.where(upper, 2, 0) + np.arange(2, dtype=np.int64)


def _solve_upper(
    weights: Weights,
    wanted: NDArray[np.bool_],
    costs: NDArray[np.float32],
    strictness: float,
    span: int,
) -> NDArray[np.int64]:
    """Choose the upper bits; give the pair of residues that each stands for."""
    values = _values(costs, strictness)
    bits = _cheapest(weights, wanted, values, span)
    return 2 * bits[:, None].astype(np.int64) + np.arange(2)


def _solve_lower(
    weights: Weights,
    wanted: NDArray[np.bool_],
    costs: NDArray[np.float32],
    pairs: NDArray[np.int64],
    span: int,
) -> NDArray[np.int64]:
    """Choose the lower bits; give the residues."""
    values = np.take_along_axis(costs, pairs, axis=1)
    bits = _cheapest(weights, wanted, values, span)
    return np.where(bits, pairs[:, 1], pairs[:, 0])


def _cheapest(
    weights: Weights, wanted: NDArray[np.bool_], values: NDArray[np.floating], span: int
) -> NDArray[np.bool_]:
    """Choose a bit for each sample so that their parities are as wanted, at the least cost."""
    bits = values[:, 1] < values[:, 0]
    if len(wanted) == 0:
        return bits
    target = parities(weights, bits, len(wanted)) ^ wanted
    prices = np.abs(values[:, 1] - values[:, 0]).astype(np.float32)
    ends = np.append(weights.stretch[1:] != weights.stretch[:-1], True)
    return bits ^ cheapest_flips(weights.columns, prices, ends, target.astype(np.uint8), span)
