"""How good generated samples are, measured against held-out real ones, without any other network.

Every figure is given for four sets: the generated samples, and three anchors that make it readable:
real samples (no generator can be expected to do better), the same blurred, and noise that has
their mean and covariance at each pixel. A figure alone says little: blurred samples come close to
real ones in RMS, and noise is as diverse as any. Read them together, and look at the pictures.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegfield.errors import ConfigError
from stegfield.generative.anchors import anchor_sets
from stegfield.generative.neighbours import Known, as_known, nearest, psnr2, rms
from stegfield.generative.wasserstein import (
    AnyBatch,
    SlicedWasserstein,
    as_batches,
    sliced_wassersteins,
)
from stegfield.generative.zonal import ZonalFigures, zonal_figures
from stegfield.metrics import finite_or_none

ROUNDS = 8  # partners of each sample in the mean pairwise distance
USUAL_COPIES = 0.01  # share of real samples that count as too near to a training sample
ENOUGH = 200
"""Real samples that tell how near is too near: of fewer, the nearest alone would decide."""


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
class GeneratorReport:
    """Generated samples and three anchors, all measured in one way."""

    generated: Figures
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
    """Decided all that is random."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values; an infinite PSNR becomes None."""
        figures = asdict(self)
        sets = {name: each for name, each in figures.items() if isinstance(each, dict)}
        return figures | {name: finite_or_none(each) for name, each in sets.items()}


def evaluate(
    real_train: AnyBatch | Known,
    real_held_out: AnyBatch,
    generated: AnyBatch,
    *,
    others: AnyBatch | None = None,
    globe: bool = False,
    seed: int = 0,
) -> GeneratorReport:
    """Measure generated samples, and the anchors beside them.

    Some of the held-out samples, as many as were generated but half of them at most, make the
    anchors; the others are the reference of all sets. Only as many generated samples are measured,
    since most figures depend on the number: compare reports of equal numbers.

    Args:
        real_train: What the generator was trained on, in [-1, 1]; 8,000 are searched in seconds.
        real_held_out: Real samples that it has not seen, in no order; at least 4.
        generated: Samples of the generator, in no order; at least 2.
        others: Real samples for the anchors, in place of held-out ones, which then are all part of
            the reference: where few were held out, some of the training.
        globe: Samples are climate fields, rows from the north pole to the south.
        seed: Decides all that is random.

    Raises:
        ConfigError: the sets differ in size or channels, or are too small.
    """
    training = as_known(real_train)
    held_out, samples, real = as_batches(
        real_held_out, generated, real_held_out if others is None else others
    )
    count = min(len(samples), len(real) // (2 if others is None else 1))
    if count < 2 or len(held_out) < 4:
        raise ConfigError(
            f"2 generated and 4 held-out samples are needed, got {len(samples)} and {len(held_out)}"
        )
    reference = held_out[count:] if others is None else held_out
    unseen = held_out[:count] if others is None else held_out
    sets = {"generated": samples[:count]} | anchor_sets(real[:count], seed=seed, globe=globe)
    distances = sliced_wassersteins(reference, list(sets.values()), seed=seed, globe=globe)
    usual = pairwise_rms(reference, seed=seed)
    looking = sets
    if others is not None:  # samples of the training would only find themselves
        looking = {"generated": sets["generated"]} | anchor_sets(unseen, seed=seed, globe=globe)
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
    return GeneratorReport(
        **figures,
        samples=count,
        reference=len(reference),
        training=len(training.small),
        trained_anchors=others is not None,
        seed=seed,
    )


def diversity(samples: AnyBatch, real: AnyBatch, *, seed: int = 0) -> float:
    """Return the mean distance of two samples over that of two real ones.

    1 is right, less is too little variety, and 0 means that all samples are the same.
    """
    distances = [pairwise_rms(each, seed=seed) for each in as_batches(samples, real)]
    return _ratio(*distances)


def pairwise_rms(samples: AnyBatch, *, seed: int = 0) -> float:
    """Mean RMS distance of random pairs of samples, each of them in up to 16 pairs.

    Raises:
        ConfigError: a single sample has no distance to another.
    """
    (batch,) = as_batches(samples)
    if len(batch) < 2:
        raise ConfigError("a distance between samples needs two of them at least")
    rng = np.random.default_rng(seed)
    # an order against itself, turned by some places: every sample counts as often, none with itself
    order = rng.permutation(len(batch))
    turns = 1 + rng.permutation(len(batch) - 1)[:ROUNDS]
    pairs = (rms(batch[order], batch[np.roll(order, turn)]) for turn in turns)
    return float(np.mean([distances.mean() for distances in pairs]))


def _copied(distances: NDArray[np.float64], real: NDArray[np.float64]) -> float | None:
    """Return the share of distances below nearly all real ones, if these are enough to tell."""
    if len(real) < ENOUGH:
        return None
    return float((distances < np.quantile(real, USUAL_COPIES)).mean())


def _ratio(value: float, usual: float) -> float:
    if usual == 0:
        raise ConfigError("the real samples are all the same: nothing can be compared with them")
    return value / usual
