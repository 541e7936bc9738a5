"""Sliced Wasserstein distance of two sets of images, on patches of their Laplacian pyramids.

Each level of the pyramid shows one band of detail, so the distance says at which size of detail
generated images differ from real ones. It looks at patches, not at whole images: it sees neither
that all images are the same nor that they repeat the training set.

Sources: Rabin et al. (2011) for the distance; Karras et al. (2018), progressive growing of GANs,
section 5, for the pyramid, the patches and the scale. As there, each set is normalised by its own
mean and standard deviation, so neither brightness nor contrast of a whole set counts.
Differs from theirs in that patches lie at the same places in sets of one number, which makes their
distance symmetric, and 0 for equal ones; in that sets may differ in number; in that patches of
images below 16x16 are smaller; and in that a globe wraps around. All rows of a globe count alike,
though those near the poles stand for less area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from numpy.typing import NDArray
from torch import Tensor

from stegfield.errors import ConfigError

# an underscore leaves a size free: sets of different sizes are refused in words
Batch = Float32[np.ndarray, "_samples _rows _columns _channels"]
AnyBatch = (
    Float[np.ndarray, "_samples _rows _columns _channels"]
    | Float[Tensor, "_samples _rows _columns _channels"]
)
Lines = Float32[np.ndarray, "_lines _values"]

PATCH = 7
"""Rows and columns of a patch, at 16x16 and above."""
LEAST_SIDE = 7
"""Rows and columns that an image has at least: patches are of 3x3 then."""
PATCHES = 128
"""Patches of each sample and level."""
COARSEST = 16
"""No level of the pyramid has fewer rows or columns, unless the samples have."""
BINOMIAL = np.array([1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16], np.float32)
DIRECTIONS, BLOCK = 512, 64  # a block of directions at a time: less memory
THOUSANDTHS = 1000


@dataclass(frozen=True)
class SlicedWasserstein:
    """How far two sets of images lie apart: 0 for equal ones; in thousandths, as is customary."""

    levels: dict[str, float]
    """The distance at each level, from the full size down, by its ``rowsxcolumns``."""
    mean: float
    """Mean over the levels."""


def sliced_wasserstein(
    real: AnyBatch, generated: AnyBatch, *, seed: int, globe: bool = False
) -> SlicedWasserstein:
    """Measure how far two sets of images lie apart, at each level of detail.

    Few samples lie farther apart than many of the same kind: compare only distances between sets
    of one size, and look at that between two sets of real images first.

    Args:
        real: Samples by rows, columns and channels, in [-1, 1].
        generated: Others, in any number.
        seed: Decides where patches lie and along which directions they are compared.
        globe: Columns are longitudes, and wrap around.

    Raises:
        ConfigError: the sets differ in size or channels, are smaller than 7x7, have no samples or
            values that are not finite.
    """
    return sliced_wassersteins(real, [generated], seed=seed, globe=globe)[0]


def sliced_wassersteins(
    real: AnyBatch, sets: Sequence[AnyBatch], *, seed: int, globe: bool = False
) -> list[SlicedWasserstein]:
    """Measure the distance of several sets from the same real one, in less time than singly."""
    batches = as_batches(real, *sets)
    size = batches[0].shape[1:3]
    if min(size) < LEAST_SIDE:
        raise ConfigError(f"patches need {LEAST_SIDE} rows and columns, got {size[0]}x{size[1]}")
    # a patch as large as the image would compare pixel by pixel, and hardly tell digits from noise
    patch = min(PATCH, PATCH * min(size) // COARSEST)
    found: list[dict[str, float]] = [{} for _ in sets]
    for levels in zip(*(pyramid(each, globe=globe) for each in batches), strict=True):
        _, rows, columns, channels = levels[0].shape
        rng = np.random.default_rng([seed, rows])
        directions = rng.standard_normal((DIRECTIONS, patch * patch * channels), np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        places = int(rng.integers(1 << 62))
        patches, *others = [_patches(level, patch, places, globe=globe) for level in levels]
        total = np.zeros(len(others))
        for block in np.split(directions, DIRECTIONS // BLOCK):
            lines = np.sort(block @ patches.T)
            for at, other in enumerate(others):
                total[at] += _between_sorted(lines, np.sort(block @ other.T)).sum()
        for distances, sum_of_lines in zip(found, total, strict=True):
            distances[f"{rows}x{columns}"] = THOUSANDTHS * float(sum_of_lines) / DIRECTIONS
    return [SlicedWasserstein(each, float(np.mean(list(each.values())))) for each in found]


def wasserstein(a: Lines, b: Lines) -> NDArray[np.float32]:
    """Return the 1-Wasserstein distance of the values in each line of ``a`` from those in ``b``.

    It is the mean distance between the two quantile functions. Where the lines differ in length,
    these are steps of different lengths, and each stretch between two steps has its weight.

    Example:
        >>> wasserstein(np.float32([[0, 1, 5]]), np.float32([[2, 6, 1]]))
        array([1.], dtype=float32)
    """
    return _between_sorted(np.sort(a), np.sort(b))


def _between_sorted(a: Lines, b: Lines) -> NDArray[np.float32]:
    n, m = a.shape[1], b.shape[1]
    if n == m:
        mean: NDArray[np.float32] = np.abs(a - b).mean(axis=1)
        return mean
    # in units of 1 / (n * m) both kinds of step end at whole numbers
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    widths = (np.diff(ends, prepend=0) / (n * m)).astype(np.float32)
    distances: Lines = np.abs(a[:, (ends - 1) // m] - b[:, (ends - 1) // n])
    weighted: NDArray[np.float32] = distances @ widths
    return weighted


def pyramid(samples: Batch, *, globe: bool = False) -> list[Batch]:
    """Split images into bands of detail and, last, what remains at the smallest size.

    A level has half the rows and columns of the one before, and at least 16. A globe of an odd
    number of columns is not halved: its points would no longer lie evenly around it.
    """
    levels = []
    while min(samples.shape[1:3]) > 2 * (COARSEST - 1) and not (globe and samples.shape[2] % 2):
        coarse = filtered(samples, BINOMIAL, globe=globe)[:, ::2, ::2]
        levels.append(samples - enlarged(coarse, samples.shape, globe=globe))
        samples = coarse
    return [*levels, samples]


def enlarged(coarse: Batch, shape: tuple[int, ...], *, globe: bool = False) -> Batch:
    """Interpolate every second row and column to all of them."""
    spread = np.zeros(shape, np.float32)
    spread[:, ::2, ::2] = 4 * coarse
    return filtered(spread, BINOMIAL, globe=globe)


def filtered(samples: Batch, taps: NDArray[np.float32], *, globe: bool = False) -> Batch:
    """Return the weighted mean along rows and columns; past an edge images are mirrored.

    A globe is mirrored past its poles, and wraps around in its columns.
    """
    radius = len(taps) // 2
    for axis in (1, 2):
        margins = [(0, 0)] * 4
        margins[axis] = (radius, radius)
        padded = np.pad(samples, margins, "wrap" if globe and axis == 2 else "reflect")
        padded = np.moveaxis(padded, axis, 0)
        total = np.zeros_like(samples)
        along = np.moveaxis(total, axis, 0)
        for at, tap in enumerate(taps):
            along += tap * padded[at : at + len(along)]
        samples = total
    return samples


def as_batches(*sets: AnyBatch) -> list[Batch]:
    """Check that sets of samples are alike, and bring them to numpy and single precision.

    Raises:
        ConfigError: the sets differ in size or channels, one is empty, or a value is not finite.
    """
    arrays = [
        each.detach().float().cpu().numpy() if isinstance(each, Tensor) else each for each in sets
    ]
    sizes = {array.shape[1:] for array in arrays}
    if len(sizes) > 1:
        raise ConfigError(
            f"the sets of samples differ in size: {' and '.join(map(str, sorted(sizes)))}",
            hint="compare samples with the same rows, columns and channels",
        )
    for array in arrays:
        if not array.size:
            raise ConfigError("a set of samples is empty")
        if not np.isfinite(array).all():
            raise ConfigError("a set of samples has values that are not finite")
    return [np.asarray(array, np.float32) for array in arrays]


def _patches(
    level: Batch, patch: int, places: int, *, globe: bool
) -> Float32[np.ndarray, "_patches _values"]:
    samples, rows, columns, channels = level.shape
    rng = np.random.default_rng(places)
    ends = (rows - patch + 1, columns if globe else columns - patch + 1)
    corners = rng.integers(0, ends, (samples, PATCHES, 2))
    steps = np.arange(patch)
    across = (corners[..., 1, None] + steps) % columns
    down = corners[..., 0, None] + steps
    pixels = down[..., :, None] * columns + across[..., None, :]
    pixels += np.arange(samples)[:, None, None, None] * (rows * columns)
    patches: NDArray[np.float32] = level.reshape(-1, channels).take(
        pixels.reshape(-1, patch * patch), axis=0
    )
    # all values of a channel together; a channel without any variation stays at 0
    patches -= patches.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    deviation = np.sqrt(np.square(patches).mean(axis=(0, 1), dtype=np.float64))
    patches /= np.where(deviation > np.finfo(np.float32).eps, deviation, 1).astype(np.float32)
    return patches.reshape(len(patches), -1)
