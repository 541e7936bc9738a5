"""Rich features of noise residuals: 2,327 of those of the spatial rich model.

A residual is the part of a sample that a linear filter cannot predict from its neighbours.
Residuals are quantised and cut off at two steps either way, and four neighbouring ones are counted
together. What an image and its mirror images share is counted once.

Source: Fridrich and Kodovský (2012), "Rich Models for Steganalysis of Digital Images", whose model
has 34,671 features of 39 kinds of residuals at up to three quantisations each. Taken here, at one
(q = 1): linear residuals of first, second and third order, along and across their direction; those
of the 3x3 and 5x5 squares; and the least and the greatest of four directions, of each order. Left
out: other numbers of directions, edges, and other quantisations. The published package sealwatch
has the whole model, and needs torchvision, which not every installation of PyTorch can have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from stegfield.metrics import Samples

LARGEST = 2
STEPS = 2 * LARGEST + 1
CHAIN = 4
ORDERS = (np.array([-1, 1]), np.array([1, -2, 1]), np.array([1, -3, 3, -1]))
"""Filters along one direction; the n-th is quantised in steps of n."""
SQUARES = (
    (np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]]), 4),
    (
        np.array(
            [
                [-1, 2, -2, 2, -1],
                [2, -6, 8, -6, 2],
                [-2, 8, -12, 8, -2],
                [2, -6, 8, -6, 2],
                [-1, 2, -2, 2, -1],
            ]
        ),
        12,
    ),
)
"""Filters with the step that each is quantised in: those of Ker and Böhme, and of Kodovský."""
Plane = NDArray[np.int64]


def residual_features(samples: Samples) -> Float[np.ndarray, " 2327"]:
    """Return the features of an image, mean of the channels; each kind of residual sums to 1."""
    planes = np.moveaxis(samples, 2, 0).astype(np.int64)
    told: NDArray[np.float64] = np.mean([_features(plane) for plane in planes], axis=0)
    return told


def _features(plane: Plane) -> NDArray[np.float64]:
    told = []
    for order, row in enumerate(ORDERS, 1):
        level, upright = (
            _quantised(_filtered(plane, each), order) for each in (row[None], row[:, None])
        )
        told.append(_merged(_chains(level) + _chains(upright.T), LINEAR))
        told.append(_merged(_chains(level.T) + _chains(upright), LINEAR))
    for square, step in SQUARES:
        one = _quantised(_filtered(plane, square), step)
        told.append(_merged(_chains(one) + _chains(one.T), LINEAR))
    for order, row in enumerate(ORDERS, 1):
        all_ways = np.stack([_quantised(each, order) for each in _four_ways(plane, row)])
        least, most = all_ways.min(axis=0), -all_ways.max(axis=0)
        counts = sum(_chains(each) + _chains(each.T) for each in (least, most))
        told.append(_merged(np.asarray(counts), EXTREME))
    return np.concatenate(told)


def _filtered(plane: Plane, kernel: NDArray[np.int64]) -> Plane:
    """Correlate with a kernel, where it lies inside the plane."""
    rows, columns = (n - k + 1 for n, k in zip(plane.shape, kernel.shape, strict=True))
    found = np.zeros((max(rows, 0), max(columns, 0)), np.int64)
    for (row, column), factor in np.ndenumerate(kernel):
        found += factor * plane[row : row + rows, column : column + columns]
    return found


def _four_ways(plane: Plane, row: NDArray[np.int64]) -> list[Plane]:
    """Filter about each sample: to the four sides, or across it where the filter is even."""
    if len(row) % 2:
        kernels = [np.pad(row[None], ((1, 1), (0, 0))), np.diag(row)]
        kernels += [kernels[0].T, kernels[1][::-1]]
    else:
        # the sample itself has the factor before the middle, so the kernel is padded about it
        wide = np.pad(row[None], ((len(row) // 2,) * 2, (1, 0)))
        kernels = [wide, wide[:, ::-1], wide.T, wide.T[::-1]]
    return [_filtered(plane, kernel) for kernel in kernels]


def _quantised(residual: Plane, step: int) -> Plane:
    levels: Plane = np.rint(residual / step).clip(-LARGEST, LARGEST).astype(np.int64)
    return levels


def _chains(levels: Plane) -> NDArray[np.int64]:
    """Count chains of four residuals along the rows, by a code with a digit for each."""
    columns = levels.shape[1] - CHAIN + 1
    codes = np.zeros((levels.shape[0], max(columns, 0)), np.int64)
    for at in range(CHAIN):
        codes = codes * STEPS + levels[:, at : at + columns] + LARGEST
    return np.bincount(codes.ravel(), minlength=STEPS**CHAIN)


def _classes(alike: Sequence[Callable[[tuple[int, ...]], tuple[int, ...]]]) -> NDArray[np.int64]:
    """Number chains so that those which mirror images turn into one another have one number."""
    chains = list(product(range(-LARGEST, LARGEST + 1), repeat=CHAIN))
    names = [min([chain, *(turn(chain) for turn in alike)]) for chain in chains]
    numbers = {name: at for at, name in enumerate(sorted(set(names)))}
    return np.array([numbers[name] for name in names])


def _merged(counts: NDArray[np.int64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    merged = np.bincount(classes, counts, minlength=classes.max() + 1)
    shares: NDArray[np.float64] = merged / max(merged.sum(), 1)
    return shares


def _turned(chain: tuple[int, ...]) -> tuple[int, ...]:
    return chain[::-1]


def _negative(chain: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(-level for level in chain)


EXTREME = _classes([_turned])
"""The greatest are the least of the negative image, and are counted with these."""
LINEAR = _classes([_turned, _negative, lambda chain: _negative(_turned(chain))])
