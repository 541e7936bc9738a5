"""How good generated samples are, measured against held-out real ones, without any other network.

Every figure is given for four sets: the generated samples, and three anchors that make it readable:
real samples (no generator can be expected to do better), the same blurred, and noise that has
their mean and covariance at each pixel. A figure alone says little: blurred samples come close to
real ones in RMS, and noise is as diverse as any. Read them together, and look at the pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from stegfield import pictures
from stegfield.errors import ConfigError
from stegfield.generative.wasserstein import (
    AnyBatch,
    Batch,
    SlicedWasserstein,
    as_batches,
    filtered,
    sliced_wasserstein,
    sliced_wassersteins,
)
from stegfield.generative.zonal import (
    ZonalFigures,
    ZonalMean,
    zonal_figures,
    zonal_mean,
    zonal_spectrum,
)
from stegfield.metrics import finite_or_none

__all__ = [
    "Figures",
    "Known",
    "Nearest",
    "Report",
    "SlicedWasserstein",
    "ZonalFigures",
    "ZonalMean",
    "anchor_sets",
    "anchors",
    "diversity",
    "evaluate",
    "matches_sheet",
    "nearest",
    "pairwise_rms",
    "psnr2",
    "sliced_wasserstein",
    "to_levels",
    "zonal_figures",
    "zonal_mean",
    "zonal_spectrum",
]

BLUR = 1 / 64
"""Standard deviation of the blurred anchor's Gaussian, as a share of the shorter side."""
LEAST_BLUR = 0.7
"""The least that it is, in pixels: less leaves small images as they are."""
SEARCH = 16
"""Rows and columns of the images in which nearest neighbours are looked for."""
ROUNDS = 8  # partners of each sample in the mean pairwise distance
AT_ONCE = 1024  # known samples in a block of a search
USUAL_COPIES = 0.01  # share of real samples that count as too near to a training sample
ENOUGH = 200
"""Real samples that tell how near is too near: of fewer, the nearest alone would decide."""
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
            ConfigError: There are none, they differ in size, or have values that are not finite.
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

    index: NDArray[np.int64]
    """Where it is in the other set; of equally near ones, the first."""
    rms: NDArray[np.float64]
    """RMS distance to it, in the units of the values."""


@dataclass(frozen=True)
class Figures:
    """What is measured of one set of samples."""

    swd: SlicedWasserstein
    """Sliced Wasserstein distance to the reference; low is good."""
    diversity: float
    """Mean distance of two samples over that of two real ones: 1 is right, 0 is all the same."""
    psnr2_db: float
    """Mean PSNR to the nearest image of the reference."""
    nearest_training: float
    """Median RMS distance to the nearest training sample, at 16x16."""
    least_training: float
    """The least of these distances: 0 where a training sample was copied."""
    nearest_ratio: float
    """The median over that of real samples: well below 1 where training samples were memorised, but
    also where samples lack variety or detail, as the anchors show."""
    copied: float | None
    """Share of samples nearer to a training sample than 99 in 100 real ones are: 0.01 is usual.
    None where fewer than 200 real ones are there to tell."""
    zonal: ZonalFigures | None
    """Differences of climate fields to the reference; None for images."""


@dataclass(frozen=True)
class Report:
    """Generated samples and three anchors, all measured in one way."""

    drawn: Figures
    """The generated samples."""
    real: Figures
    """Real samples, other ones than the reference; their neighbours are those of held-out ones."""
    blurred: Figures
    """The same, blurred."""
    noise: Figures
    """Noise with their mean and covariance at each pixel."""
    samples: int
    """Samples in each of these sets."""
    reference: int
    """Held-out real samples that they were compared with."""
    training: int
    """Training samples that neighbours were looked for in."""
    trained_anchors: bool
    """Whether the real samples of the anchors are of the training, as few were held out. One that
    the generator may know by heart is then no farther from the reference than unseen ones."""
    seed: int
    """What decided all that is random."""

    def to_json(self) -> dict[str, Any]:
        """Give plain values; an infinite PSNR becomes None."""
        figures = asdict(self)
        sets = {name: each for name, each in figures.items() if isinstance(each, dict)}
        return figures | {name: finite_or_none(each) for name, each in sets.items()}


def evaluate(
    real_train: AnyBatch | Known,
    real_held_out: AnyBatch,
    drawn: AnyBatch,
    *,
    others: AnyBatch | None = None,
    globe: bool = False,
    seed: int = 0,
) -> Report:
    """Measure generated samples, and the anchors beside them.

    A part of the held-out samples, as many as were drawn but half of them at most, makes the
    anchors; the others are the reference of all sets. Only as many drawn samples are measured, as
    most figures depend on the number: compare reports of equal numbers.

    Args:
        real_train: What the generator was trained on, in [-1, 1]; 8,000 are searched in seconds.
        real_held_out: Real samples that it has not seen, in no order; at least 4.
        drawn: Generated samples, in no order; at least 2.
        others: Real samples for the anchors, in place of held-out ones, which then are all part of
            the reference: where few were held out, some of the training.
        globe: Samples are climate fields, rows from the north pole to the south.
        seed: Decides all that is random.

    Raises:
        ConfigError: The sets differ in size or channels, or are too small.
    """
    training = _known(real_train)
    held_out, generated, real = as_batches(
        real_held_out, drawn, real_held_out if others is None else others
    )
    count = min(len(generated), len(real) // (2 if others is None else 1))
    if count < 2 or len(held_out) < 4:
        raise ConfigError(
            f"2 drawn and 4 held-out samples are needed, got {len(generated)} and {len(held_out)}"
        )
    reference = held_out[count:] if others is None else held_out
    unseen = held_out[:count] if others is None else held_out
    sets = {"drawn": generated[:count]} | anchor_sets(real[:count], seed=seed, globe=globe)
    distances = sliced_wassersteins(reference, list(sets.values()), seed=seed, globe=globe)
    usual = pairwise_rms(reference, seed=seed)
    looking = sets
    if others is not None:  # samples of the training would only find themselves
        looking = {"drawn": sets["drawn"]} | anchor_sets(unseen, seed=seed, globe=globe)
    neighbours = {name: nearest(each, training).rms for name, each in looking.items()}
    real_median = float(np.median(neighbours["real"]))
    figures = {
        name: Figures(
            swd=distance,
            diversity=_ratio(pairwise_rms(sets[name], seed=seed), usual),
            psnr2_db=psnr2(sets[name], reference),
            nearest_training=float(np.median(neighbours[name])),
            least_training=float(neighbours[name].min()),
            nearest_ratio=_ratio(float(np.median(neighbours[name])), real_median),
            copied=_copied(neighbours[name], neighbours["real"]),
            zonal=zonal_figures(sets[name], reference) if globe else None,
        )
        for name, distance in zip(sets, distances, strict=True)
    }
    return Report(
        **figures,
        samples=count,
        reference=len(reference),
        training=len(training.small),
        trained_anchors=others is not None,
        seed=seed,
    )


def anchors(
    real_a: AnyBatch, real_b: AnyBatch, *, seed: int = 0, globe: bool = False
) -> dict[str, SlicedWasserstein]:
    """Give the sliced Wasserstein distance of ``real_a`` from real, blurred and random samples.

    Returns:
        The distance from "real" (``real_b``, what a perfect generator would reach), "blurred" (the
        same, slightly blurred) and "noise" (noise with the mean and covariance of each pixel).
    """
    sets = anchor_sets(real_b, seed=seed, globe=globe)
    found = sliced_wassersteins(real_a, list(sets.values()), seed=seed, globe=globe)
    return dict(zip(sets, found, strict=True))


def anchor_sets(real: AnyBatch, *, seed: int = 0, globe: bool = False) -> dict[str, Batch]:
    """Give "real" samples, the same "blurred", and as much "noise" as there are samples.

    The blur is Gaussian, with a standard deviation of one pixel at 64 pixels, and of 0.7 pixels at
    least. Noise is normal and independent from pixel to pixel; each pixel has the mean and the
    covariance of channels that it has in the real samples.
    """
    (batch,) = as_batches(real)
    sigma = max(LEAST_BLUR, BLUR * min(batch.shape[1:3]))
    at = np.arange(-math.ceil(4 * sigma), math.ceil(4 * sigma) + 1)
    window = np.exp(-0.5 * np.square(at / sigma))
    blurred = filtered(batch, (window / window.sum()).astype(np.float32), globe=globe)
    mean = batch.mean(axis=0)
    covariance = np.einsum("nrci,nrcj->rcij", batch - mean, batch - mean) / len(batch)
    variances, axes = np.linalg.eigh(covariance)
    roots = axes * np.sqrt(np.maximum(variances, 0))[..., None, :]
    normal = np.random.default_rng(seed).standard_normal(batch.shape, np.float32)
    return {
        "real": batch,
        "blurred": blurred,
        "noise": mean + np.einsum("rcij,nrcj->nrci", roots, normal),
    }


def diversity(samples: AnyBatch, real: AnyBatch, *, seed: int = 0) -> float:
    """Give the mean distance of two samples over that of two real ones.

    1 is right, less is too little variety, and 0 means that all samples are the same.
    """
    distances = [pairwise_rms(each, seed=seed) for each in as_batches(samples, real)]
    return _ratio(*distances)


def pairwise_rms(samples: AnyBatch, *, seed: int = 0) -> float:
    """Mean RMS distance of random pairs of samples, each of them in up to 16 pairs.

    Raises:
        ConfigError: There is only one sample.
    """
    (batch,) = as_batches(samples)
    if len(batch) < 2:
        raise ConfigError("a distance between samples needs two of them at least")
    rng = np.random.default_rng(seed)
    # an order against itself, turned by some places: every sample counts as often, none with itself
    order = rng.permutation(len(batch))
    turns = 1 + rng.permutation(len(batch) - 1)[:ROUNDS]
    pairs = (_rms(batch[order], batch[np.roll(order, turn)]) for turn in turns)
    return float(np.mean([distances.mean() for distances in pairs]))


def nearest(samples: AnyBatch, training: AnyBatch | Known) -> Nearest:
    """Find each sample's nearest training sample, by the RMS distance of 16x16 images.

    Small images, since a copy that is shifted by a pixel or has other noise is a copy still.
    To judge memorisation, compare with the distances that held-out real samples have.

    Returns:
        Indices into ``training``, and distances of the small images.
    """
    (batch,), known = as_batches(samples), _known(training)
    if batch.shape[1:] != known.shape:
        raise ConfigError(
            f"the sets of samples differ in size: {batch.shape[1:]} and {known.shape}",
            hint="compare samples with the same rows, columns and channels",
        )
    return _nearest(_reduced(batch), known.small)


def psnr2(samples: AnyBatch, real: AnyBatch) -> float:
    """Mean PSNR of samples to their nearest real image, in dB; infinite where one is equal to it.

    Source: the paper on GINR-Stega calls PSNR-2 the PSNR of a generated cover to "the real image".
    It does not say which real image that is, as a cover drawn at random has none of its own, nor
    the peak, and its one table prints 0 for it. We take the nearest in RMS at full size, among
    images that the generator was not trained on, the peak of values in [-1, 1], all channels
    together, and the mean of the decibels. More real images to choose from give more decibels, as
    does blur: compare only with anchors measured on the same images.
    """
    batch, known = as_batches(samples, real)
    found = _nearest(batch, known)
    with np.errstate(divide="ignore"):
        return float(np.mean(20 * np.log10(PEAK / found.rms)))


def matches_sheet(
    samples: AnyBatch,
    neighbours: AnyBatch,
    rms: NDArray[np.float64],
    *,
    columns: int = 4,
    tile_width: int = 96,
) -> bytes:
    """Draw samples beside their nearest training samples, as a PNG: are they copies?

    Below each pair stands its RMS distance, ``columns`` pairs in a row.
    """
    tiles = [
        tile
        for sample, neighbour, distance in zip(*as_batches(samples, neighbours), rms, strict=True)
        for tile in (
            pictures.Tile(to_levels(sample), "drawn"),
            pictures.Tile(to_levels(neighbour), f"{distance:.3f} away"),
        )
    ]
    rows = [tiles[at : at + 2 * columns] for at in range(0, len(tiles), 2 * columns)]
    return pictures.sheet(rows, tile_width=tile_width)


def to_levels(values: NDArray[np.float32]) -> UInt8[np.ndarray, "*size"]:
    """Give the 8-bit levels of values in [-1, 1]; what lies outside is clipped."""
    levels: UInt8[np.ndarray, "*size"] = (
        np.clip((values + 1) * 127.5, 0, 255).round().astype(np.uint8)
    )
    return levels


def _known(samples: AnyBatch | Known) -> Known:
    return samples if isinstance(samples, Known) else Known.of([samples])


def _reduced(batch: Batch) -> Batch:
    """Average over areas, to 16 rows and columns at most."""
    for axis in (1, 2):
        shares = _areas(batch.shape[axis], min(SEARCH, batch.shape[axis]))
        batch = np.moveaxis(np.tensordot(batch, shares, (axis, 1)), -1, axis)
    reduced: Batch = np.ascontiguousarray(batch)
    return reduced


def _areas(points: int, cells: int) -> NDArray[np.float32]:
    """Give the share of each of ``points`` in each of fewer ``cells`` of the same length."""
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
    return Nearest(index, _rms(batch, known[index]))


def _rms(a: Batch, b: Batch) -> NDArray[np.float64]:
    squares = np.square(a - b).reshape(len(a), -1)
    return np.asarray(np.sqrt(squares.mean(axis=1, dtype=np.float64)))


def _copied(distances: NDArray[np.float64], real: NDArray[np.float64]) -> float | None:
    """Give the share of distances below nearly all real ones, if these are enough to tell."""
    if len(real) < ENOUGH:
        return None
    return float((distances < np.quantile(real, USUAL_COPIES)).mean())


def _ratio(value: float, usual: float) -> float:
    if usual == 0:
        raise ConfigError("the real samples are all the same: nothing can be compared with them")
    return value / usual
