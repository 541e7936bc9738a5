"""Detectors of LSB replacement: how many bits a sample carry a message, judged by parities.

Replacing least significant bits moves levels only within pairs 2k, 2k+1. Each detector looks for a
symmetry of photographs that such moves break, and solves for the rate at which they would:

    primary    pairs of neighbours, by which of them is larger and which is even
    pairs      the same, apart for each difference of neighbours, by least squares (sample pairs)
    rs         how often flips of bits make groups of samples less smooth, or smoother
    chi        how equal the histogram's bins 2k and 2k+1 are, from the top of the image on
    ws         how far samples lie from their prediction, on the side that their parity names
    fusion     the mean of the first four that give a number, as StegExpose takes it

They are made for LSB replacement. Changes by one level up or down alike, as ours are, leave their
symmetries nearly whole.

Sources: Dumitrescu, Wu and Memon (2002) for primary sets; Dumitrescu, Wu and Wang (2003) for sample
pairs, solved by the least squares of Lu, Luo, Tang and Shen (2004); Fridrich, Goljan and Du (2001)
for RS; Westfeld and Pfitzmann (1999) for chi-square; Fridrich and Goljan (2004) for WS with the
predictor, weights and bias of Ker and Böhme (2008); Boehm (2014), StegExpose, for the fusion and
its threshold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float64, Int16, Integer
from numpy.typing import NDArray
from scipy import special

from stegfield.metrics import Samples

THRESHOLD = 0.2
"""Of StegExpose: an image with this estimate or a higher one is called a stego."""
ABOUT = {
    "primary": "which of two neighbours is larger, and which is even",
    "pairs": "the same, apart for each difference of neighbours",
    "rs": "whether flipped bits make samples less smooth or smoother",
    "chi": "how equally often the two levels of a pair occur",
    "ws": "how far samples lie from what their neighbours predict",
    "fusion": "mean of the first four that give a number",
}
"""What each detector judges by."""
RANDOM = 0.25
"""Root of the equation of RS for a rate of -1."""
LARGEST_DIFFERENCE = 10
"""Of trace sets in the least squares; those beyond are small and noisy."""
REAL = 1e-9  # largest imaginary part, by rounding errors, of a root that is real
GROUP, FLIPPED = 4, (1, 2)
"""Samples in a row that are one group, and those of them that a flip changes."""
BAND, PARTS = 16_384, 32  # least samples of a part whose histogram is tested, and most parts
LEAST_EXPECTED = 4  # samples in a bin of a chi-square test
LARGEST_PART = 1 << 22  # samples judged together
FLATTEST = 5.0  # added to a local variance, in squared levels
Plane = Int16[np.ndarray, "rows columns"]
Coefficients = Float64[np.ndarray, " equations"]


def rates(samples: Samples, names: Sequence[str] | None = None) -> dict[str, float]:
    """Estimate the rate of LSB replacement in an image with several detectors.

    Args:
        samples: An image; each channel is judged by itself, and of large images, each part.
        names: Of `DETECTORS` [default: all of them].

    Returns:
        Bits a sample by the detector's name, mean of all that could be judged: about 0 to 1, a
        little below 0 in some covers, and not a number where nothing could be judged.
    """
    planes = [samples[..., channel].astype(np.int16) for channel in range(samples.shape[2])]
    if all(np.array_equal(planes[0], other) for other in planes[1:]):
        planes = planes[:1]  # grey, in a file of colours
    parts = [part for plane in planes for part in _cut(plane)]
    wanted = DETECTORS if names is None else names
    needed = {*wanted, *(FUSED if "fusion" in wanted else ())} - {"fusion"}
    found = {name: _mean([ESTIMATORS[name](part) for part in parts]) for name in needed}
    if "fusion" in wanted:
        found["fusion"] = _mean([found[name] for name in FUSED])
    return {name: found[name] for name in wanted}


def primary_sets(plane: Plane) -> float:
    """Estimate the rate from the primary sets of all neighbours: one quadratic equation."""
    first, second = _neighbours(plane)
    larger = np.where(second & 1, first > second, first < second).sum(dtype=np.int64)
    equal = np.count_nonzero(first == second)
    same_pair = np.count_nonzero(first >> 1 == second >> 1)
    smaller = first.size - larger - equal
    return _smaller_root(same_pair / 2, 2.0 * larger - first.size, float(smaller - larger))


def sample_pairs(plane: Plane) -> float:
    """Estimate the rate from the trace sets of neighbours: the least squares of an equation each.

    Pairs that differ by d are counted apart, up to d = 2 * LARGEST_DIFFERENCE.
    """
    first, second = _neighbours(plane)
    apart = np.abs(first - second)
    even_larger = np.where(first & 1, second > first, first > second)
    count = 2 * LARGEST_DIFFERENCE + 4
    differing = _histogram(apart, count)
    x = _histogram(apart[even_larger], count)
    y = differing - x
    pairs_apart = _histogram(np.abs((first >> 1) - (second >> 1)), count)
    m = np.arange(LARGEST_DIFFERENCE + 1)
    twice = np.where(m == 0, 2, 1)  # the two orders of equal neighbours are one set
    square = (twice * pairs_apart[m] - pairs_apart[m + 1]) / 4
    excess = y[2 * m + 1] - x[2 * m + 1]
    linear = -(twice * differing[2 * m] - differing[2 * m + 2] + 2 * excess) / 2
    return _least_squares(square, linear, excess)


def regular_singular(plane: Plane) -> float:
    """Estimate the rate from groups that flips of bits make less smooth (R) or smoother (S)."""
    now, flipped = _rs_balance(plane), _rs_balance(plane ^ 1)
    (up, down), (up_1, down_1) = now, flipped
    root = _smaller_root(2 * (up_1 + up), down - down_1 - up_1 - 3 * up, up - down)
    # where nothing was flipped yet, on a scale from this image at 0 to all of it flipped at 1;
    # after full replacement both are the same, and noise decides on which side of them that lies
    return 1.0 if root >= RANDOM else _bounded(2 * root / (2 * root - 1))


def chi_square(plane: Plane) -> float:
    """Estimate the share of an image where bins 2k and 2k+1 are equal, as after full replacement.

    The probability of that is averaged over ever longer parts of the image, from the top: it is
    high as long as a part is full of message. A message spread over all of it shows near rate 1.
    """
    parts = min(max(1, plane.size // BAND), PARTS, len(plane))
    bands = [np.bincount(part.ravel(), minlength=256) for part in np.array_split(plane, parts)]
    return _mean([_equal_bins(bins.reshape(-1, 2)) for bins in np.cumsum(bands, axis=0)])


def weighted_stego(plane: Plane) -> float:
    """Estimate the rate from samples and their prediction, flat surroundings counting more."""
    stego = plane.astype(np.float64)
    side = np.where(plane & 1, 1.0, -1.0)  # the sample less the other level of its pair
    edges, corners = _cross(stego), _diagonals(stego)
    squared: NDArray[np.float64] = np.square(stego)
    squares = _cross(squared) + _diagonals(squared)
    variance = squares / 8 - ((edges + corners) / 8) ** 2
    weights = side[1:-1, 1:-1] / (FLATTEST + variance)
    weights /= np.abs(weights).sum()
    rate = 2 * (weights * (stego[1:-1, 1:-1] - (edges / 2 - corners / 4))).sum()
    # what replaced neighbours do to the prediction
    bias = rate * (weights * (_diagonals(side) / 4 - _cross(side) / 2)).sum()
    return _bounded(rate - bias)


ESTIMATORS: dict[str, Callable[[Plane], float]] = {
    "primary": primary_sets,
    "pairs": sample_pairs,
    "rs": regular_singular,
    "chi": chi_square,
    "ws": weighted_stego,
}
FUSED = ("primary", "chi", "pairs", "rs")
DETECTORS = (*ESTIMATORS, "fusion")


def _cut(plane: Plane) -> list[NDArray[np.int16]]:
    """Cut large planes across their longer side, so that they take no more memory than others."""
    return np.array_split(plane, -(-plane.size // LARGEST_PART), axis=int(np.argmax(plane.shape)))


def _neighbours(plane: Plane) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return all pairs of samples side by side, and one above the other."""
    return (
        np.concatenate([plane[:, :-1].ravel(), plane[:-1].ravel()]),
        np.concatenate([plane[:, 1:].ravel(), plane[1:].ravel()]),
    )


def _histogram(values: NDArray[np.int16], count: int) -> NDArray[np.float64]:
    return np.bincount(values[values < count], minlength=count).astype(np.float64)


def _rs_balance(plane: Plane) -> tuple[float, float]:
    """Count regular less singular groups for flips in pairs 2k, 2k+1, and in pairs 2k-1, 2k."""
    up = down = 0
    for part in (plane, plane.T):
        flips = part ^ 1, ((part + 1) ^ 1) - 1
        before = _roughness([part] * GROUP)
        rougher = [
            _roughness([flip if at in FLIPPED else part for at in range(GROUP)]) - before
            for flip in flips
        ]
        balances = [int(np.sign(change).sum(dtype=np.int64)) for change in rougher]
        up, down = up + balances[0], down + balances[1]
    return float(up), float(down)


def _roughness(parts: Sequence[NDArray[np.int16]]) -> NDArray[np.int16]:
    """Sum the steps within every group of neighbours; each part gives one place of the groups."""
    last = parts[0].shape[1] - GROUP + 1
    places = [part[:, at : at + last] for at, part in enumerate(parts)]
    steps = [np.abs(a - b) for a, b in pairwise(places)]
    rough: NDArray[np.int16] = np.sum(steps, axis=0, dtype=np.int16)
    return rough


def _equal_bins(pairs: Integer[np.ndarray, "values 2"]) -> float:
    expected = pairs.sum(axis=1) / 2
    enough = expected > LEAST_EXPECTED
    freedom = np.count_nonzero(enough) - 1
    if freedom < 1:
        return math.nan
    statistic = ((pairs[enough, 0] - expected[enough]) ** 2 / expected[enough]).sum()
    return float(special.gammaincc(freedom / 2, statistic / 2))


def _cross(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum the neighbours of each inner sample beside, above and below it."""
    total: NDArray[np.float64] = (
        plane[:-2, 1:-1] + plane[2:, 1:-1] + plane[1:-1, :-2] + plane[1:-1, 2:]
    )
    return total


def _diagonals(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum the neighbours of each inner sample at its corners."""
    total: NDArray[np.float64] = plane[:-2, :-2] + plane[:-2, 2:] + plane[2:, :-2] + plane[2:, 2:]
    return total


def _smaller_root(square: float, linear: float, constant: float) -> float:
    """Return the root nearest 0, its real part where it is complex."""
    roots = np.roots([square, linear, constant])
    return _bounded(min(roots.real, key=abs)) if len(roots) else math.nan


def _least_squares(square: Coefficients, linear: Coefficients, constant: Coefficients) -> float:
    """Return the rate at which equations of second degree together come nearest to 0."""
    cubic = [
        2 * (square @ square),
        3 * (square @ linear),
        2 * (square @ constant) + linear @ linear,
        linear @ constant,
    ]
    roots = np.roots(cubic)
    # the lowest points; like a single equation's second root, one of them lies far from 0
    low = roots.real[(np.abs(roots.imag) < REAL) & (np.polyval(np.polyder(cubic), roots.real) > 0)]
    return _bounded(min(low, key=abs)) if len(low) else math.nan


def _bounded(rate: float) -> float:
    return float(np.clip(rate, -1, 1))


def _mean(rates: Sequence[float]) -> float:
    known = [rate for rate in rates if math.isfinite(rate)]
    return float(np.mean(known)) if known else math.nan
