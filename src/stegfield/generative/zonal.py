"""Climate fields by latitude and by zonal wavenumber.

Samples have one channel; their rows are latitudes from 90 to -90 degrees, both included, and their
columns are longitudes, evenly around the globe. Rows are weighted by the cosine of their latitude,
as the area that they stand for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stegfield.errors import ConfigError
from stegfield.generative.wasserstein import AnyBatch, Batch, as_batches

LEAST_POWER = 1e-12
"""Power below this counts as this much: a constant field has no logarithm of its own."""


@dataclass(frozen=True, eq=False)
class ZonalMean:
    """What each latitude is like, in the units of the values, from north to south."""

    mean: NDArray[np.float64] = field(repr=False)
    """Mean over samples and longitudes."""
    std: NDArray[np.float64] = field(repr=False)
    """Standard deviation over samples and longitudes."""


@dataclass(frozen=True)
class ZonalFigures:
    """How far climate fields are from real ones; 0 for equal ones."""

    mean_rms: float
    """RMS difference of the zonal means, over the globe's area, in the units of the values."""
    std_rms: float
    """RMS difference of the standard deviations at each latitude, likewise."""
    spectrum_rms_db: float
    """RMS difference of the zonal spectra over all wavenumbers from 1, in dB."""


def zonal_mean(samples: AnyBatch) -> ZonalMean:
    """Return the mean and the standard deviation at each latitude."""
    values = _one_channel(samples).astype(np.float64)
    return ZonalMean(values.mean(axis=(0, 2)), values.std(axis=(0, 2)))


def zonal_spectrum(samples: AnyBatch) -> NDArray[np.float64]:
    """Return the power at each zonal wavenumber from 0, the number of waves around the globe.

    Power is the mean square that a wave contributes: all wavenumbers together give the mean square
    of the values over samples and the globe's area. A wave of amplitude 1 has power 1/2.
    """
    values = _one_channel(samples).astype(np.float64)
    columns = values.shape[2]
    power = np.square(np.abs(np.fft.rfft(values, axis=2) / columns)).mean(axis=0)
    # a real wave has two equal halves, but for the mean and for the shortest of an even number
    power[:, 1 : (columns + 1) // 2] *= 2
    return np.asarray(areas(len(power)) @ power)


def zonal_figures(samples: AnyBatch, real: AnyBatch) -> ZonalFigures:
    """Compare climate fields with real ones."""
    shown, known = zonal_mean(samples), zonal_mean(real)
    weights = areas(len(shown.mean))
    levels = [10 * np.log10(zonal_spectrum(each)[1:] + LEAST_POWER) for each in (samples, real)]
    return ZonalFigures(
        mean_rms=float(np.sqrt(weights @ np.square(shown.mean - known.mean))),
        std_rms=float(np.sqrt(weights @ np.square(shown.std - known.std))),
        spectrum_rms_db=float(np.sqrt(np.square(levels[0] - levels[1]).mean())),
    )


def areas(rows: int) -> NDArray[np.float64]:
    """Return each latitude's share of the globe's area: its cosine, and 1 for all together."""
    cosines = np.cos(np.linspace(-np.pi / 2, np.pi / 2, rows))
    return np.asarray(cosines / cosines.sum())


def _one_channel(samples: AnyBatch) -> NDArray[np.float32]:
    batch: Batch = as_batches(samples)[0]
    if batch.shape[3] != 1:
        raise ConfigError(f"climate fields have one channel, got {batch.shape[3]}")
    if batch.shape[1] < 3 or batch.shape[2] < 2:
        raise ConfigError("climate fields need 3 latitudes and 2 longitudes at least")
    return batch[..., 0]
