"""Nearest neighbours of samples in other sets, which tell copies, and how real samples look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stegfield.errors import ConfigError
from stegfield.generative.wasserstein import AnyBatch, Batch, as_batches

SEARCH = 16
"""Rows and columns of the images in which nearest neighbours are looked for."""
AT_ONCE = 1024  # known samples in a block of a search
PEAK = 2.0  # values lie in [-1, 1]


@dataclass(frozen=True, eq=False)
class Known:
    """Samples that neighbours are looked for in, as small as they are compared: many fit."""

    small: Batch
    shape: tuple[int, ...]
    """Rows, columns and channels of the samples themselves."""

    @classmethod
    def of(cls, parts: Iterable[AnyBatch]) -> Known:
        """Reduce samples that come in parts, so that only one part is in memory.

        Raises:
            ConfigError: there are no samples, they differ in size, or a value is not finite.
        """
        found: dict[tuple[int, ...], list[Batch]] = {}
        for part in parts:
            (batch,) = as_batches(part)
            found.setdefault(batch.shape[1:], []).append(_reduced(batch))
        if len(found) != 1:
            raise ConfigError("samples to look for neighbours in are missing, or differ in size")
        ((shape, small),) = found.items()
        return cls(np.concatenate(small), shape)


@dataclass(frozen=True, eq=False)
class Nearest:
    """Each sample's nearest neighbour in another set."""

    index: NDArray[np.int64] = field(repr=False)
    """Where it is in the other set; of equally near ones, the first."""
    rms: NDArray[np.float64] = field(repr=False)
    """RMS distance to it, in the units of the values."""


def nearest(samples: AnyBatch, training: AnyBatch | Known) -> Nearest:
    """Find each sample's nearest training sample, by the RMS distance of 16x16 images.

    Small images, since a copy that is shifted by a pixel or has other noise is a copy still.
    To judge memorisation, compare with the distances that held-out real samples have.

    Returns:
        Indices into ``training``, and distances of the small images.
    """
    (batch,), known = as_batches(samples), as_known(training)
    if batch.shape[1:] != known.shape:
        raise ConfigError(
            f"the sets of samples differ in size: {batch.shape[1:]} and {known.shape}",
            hint="compare samples with the same rows, columns and channels",
        )
    return _nearest(_reduced(batch), known.small)


def psnr2(samples: AnyBatch, real: AnyBatch) -> float:
    """Mean PSNR of samples to their nearest real image, in dB; infinite where one is equal to it.

    Source: the paper on GINR-Stega calls PSNR-2 the PSNR of a generated cover to "the real image".
    It does not say which real image that is, as a generated cover has none of its own, nor
    the peak, and its one table prints 0 for it. We take the nearest in RMS at full size, among
    images that the generator was not trained on, the peak of values in [-1, 1], all channels
    together, and the mean of the decibels. More real images to choose from give more decibels, as
    does blur: compare only with anchors measured on the same images.
    """
    batch, known = as_batches(samples, real)
    found = _nearest(batch, known)
    with np.errstate(divide="ignore"):
        return float(np.mean(20 * np.log10(PEAK / found.rms)))


def as_known(samples: AnyBatch | Known) -> Known:
    """Return samples as neighbours are looked for in them."""
    return samples if isinstance(samples, Known) else Known.of([samples])


def _reduced(batch: Batch) -> Batch:
    """Average over areas, to 16 rows and columns at most."""
    for axis in (1, 2):
        shares = _areas(batch.shape[axis], min(SEARCH, batch.shape[axis]))
        batch = np.moveaxis(np.tensordot(batch, shares, (axis, 1)), -1, axis)
    reduced: Batch = np.ascontiguousarray(batch)
    return reduced


def _areas(points: int, cells: int) -> NDArray[np.float32]:
    """Return the share of each of ``points`` in each of fewer ``cells`` of the same length."""
    edges = np.arange(cells + 1) * (points / cells)
    starts = np.arange(points)
    ends = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    shares: NDArray[np.float32] = (np.maximum(ends, 0) * (cells / points)).astype(np.float32)
    return shares


def _nearest(batch: Batch, known: Batch) -> Nearest:
    # |a - b|^2 = |a|^2 - 2ab + |b|^2, around the mean, where little cancels
    centre = known.mean(axis=0)
    a, b = ((each - centre).reshape(len(each), -1) for each in (batch, known))
    best = np.full(len(a), np.inf, np.float32)
    index = np.zeros(len(a), np.int64)
    for start in range(0, len(b), AT_ONCE):
        block = b[start : start + AT_ONCE]
        squares = np.square(block).sum(axis=1) - 2 * (a @ block.T)
        at = squares.argmin(axis=1)
        least = squares[np.arange(len(a)), at]
        better = least < best
        best[better], index[better] = least[better], start + at[better]
    return Nearest(index, rms(batch, known[index]))


def rms(a: Batch, b: Batch) -> NDArray[np.float64]:
    """Return the RMS distance of each sample of one set from the same place of the other."""
    squares = np.square(a - b).reshape(len(a), -1)
    return np.asarray(np.sqrt(squares.mean(axis=1, dtype=np.float64)))
