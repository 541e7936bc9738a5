"""Measures of how close two signals are, as files hold them, such as PSNR and SSIM of 8 bits.

PSNR is always over all RGB samples; the luma PSNR that some papers report is several dB higher.

Sources: Wang et al. (2004) for SSIM, with their Gaussian window of 11x11 and standard deviation
1.5, K1 = 0.01, K2 = 0.03, averaged over channels; equal to scikit-image's
``structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)``.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Shaped, UInt8
from numpy.typing import NDArray

from stegfield.errors import ConfigError
from stegfield.machine import cores

PEAK = 255.0
LUMA = (299, 587, 114)  # thousandths
SSIM_RADIUS = 5
SSIM_SIGMA = 1.5
SSIM_TILE = 64, 512
"""Rows and columns at a time: they fit into a processor's cache."""
ERROR_BAND = 1 << 15
"""Pixels whose errors are in memory at a time."""
# an underscore leaves a size free: two images of different sizes get an error message
Samples = UInt8[np.ndarray, "_rows _columns _channels"]


@dataclass(frozen=True)
class AnyQuality:
    """How close a signal is to another, both as files hold them; each medium adds figures."""

    psnr_db: float
    """Peak signal-to-noise ratio, infinite where the signals are equal."""

    def to_json(self) -> dict[str, float | None]:
        """Return plain values; infinite ones become None."""
        return finite_or_none(asdict(self))

    def __str__(self) -> str:
        return f"PSNR {self.psnr_db:.2f} dB"


@dataclass(frozen=True)
class Quality(AnyQuality):
    """How close an image is to another; PSNR is over all samples."""

    ssim: float | None
    """Structural similarity, at most 1; None where the image is smaller than the window (11)."""
    rmse: float
    """Root mean square error, in 8-bit levels."""
    mae: float
    """Mean absolute error, in 8-bit levels."""

    def __str__(self) -> str:
        ssim = "-" if self.ssim is None else f"{self.ssim:.4f}"
        return f"{super().__str__()}, SSIM {ssim}, RMSE {self.rmse:.2f}, MAE {self.mae:.2f}"


@dataclass(frozen=True)
class KelvinQuality(AnyQuality):
    """How close a climate field is to another; the peak is the range of the integers."""

    rmse_kelvin: float
    """Root mean square error."""
    largest_kelvin: float
    """The largest difference."""

    def __str__(self) -> str:
        return (
            f"{super().__str__()}, RMSE {self.rmse_kelvin:.3g} K, "
            f"largest difference {self.largest_kelvin:.3g} K"
        )


@dataclass(frozen=True)
class SoundQuality(AnyQuality):
    """How close a sound is to the original; the peak is the range of the original's samples."""

    snr_db: float
    """Signal-to-noise ratio: power of the original, without its mean, over that of the error; NaN
    where the original is constant, such as silence, and the sound differs."""
    rmse: float
    """Root mean square error, in 16-bit levels."""
    largest: int
    """The largest difference, in 16-bit levels."""

    def __str__(self) -> str:
        if math.isnan(self.snr_db):
            return (
                f"SNR undefined, the original is constant, "
                f"RMSE {self.rmse:.2f}, largest difference {self.largest:,}"
            )
        return (
            f"SNR {self.snr_db:.2f} dB, {super().__str__()}, "
            f"RMSE {self.rmse:.2f}, largest difference {self.largest:,}"
        )


@dataclass(frozen=True)
class VolumeQuality(AnyQuality):
    """How close a volume is to the original; the peak is the range of the original's numbers."""

    rmse: float
    """Root mean square error, in units of the integers."""
    largest: int
    """The largest difference."""

    def __str__(self) -> str:
        return f"{super().__str__()}, RMSE {self.rmse:.2f}, largest difference {self.largest:,}"


@dataclass(frozen=True)
class ShapeQuality(AnyQuality):
    """How close a shape is to another, on the points of their grids.

    The peak is the whole range of distances.
    """

    iou: float
    """Points inside both, over points inside at least one of them."""

    def __str__(self) -> str:
        return f"IoU {self.iou:.4f}, {super().__str__()}"


def volume_quality(a: NDArray[np.integer[Any]], b: NDArray[np.integer[Any]]) -> VolumeQuality:
    """Compare the integers of a volume with those of the original, of the same shape."""
    difference = a.astype(np.float64) - b
    error, peak = float(np.square(difference).mean()), float(b.max()) - float(b.min())
    return VolumeQuality(
        psnr_db=_decibels(peak**2, error),
        rmse=math.sqrt(error),
        largest=int(np.abs(difference).max()),
    )


def shape_quality(a: NDArray[np.float64], b: NDArray[np.float64]) -> ShapeQuality:
    """Compare signed distances from -1 to 1, negative inside, with those of the original."""
    error = float(np.square(a - b).mean())
    either = int(((a < 0) | (b < 0)).sum())
    return ShapeQuality(
        psnr_db=_decibels(4.0, error),
        iou=int(((a < 0) & (b < 0)).sum()) / either if either else 1.0,
    )


def _decibels(power: float, error: float) -> float:
    """Return a ratio in dB; infinity for no error, minus infinity for no power."""
    if error == 0:
        return math.inf
    return 10 * math.log10(power / error) if power else -math.inf


def finite_or_none(figures: dict[str, Any]) -> dict[str, Any]:
    """Replace infinite and unknown figures by None: JSON has no such numbers."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }


def sound_quality(a: NDArray[np.integer[Any]], b: NDArray[np.integer[Any]]) -> SoundQuality:
    """Compare the 16-bit samples of a sound with those of the original, of the same shape.

    Example:
        >>> original = np.array([[-1000], [1000]])
        >>> round(sound_quality(original + 10, original).snr_db, 2)
        40.0
    """
    difference = a.astype(np.float64) - b
    error, power = float(np.square(difference).mean()), float(b.astype(np.float64).var())
    peak = float(b.max()) - float(b.min())
    undefined = error > 0 and peak == 0
    return SoundQuality(
        psnr_db=math.nan if undefined else _decibels(peak**2, error),
        snr_db=math.nan if undefined else _decibels(power, error),
        rmse=math.sqrt(error),
        largest=int(np.abs(difference).max()),
    )


def quality(a: Samples, b: Samples) -> Quality:
    """Compare two 8-bit images of one size.

    Raises:
        ConfigError: The images differ in size or channels.
    """
    _check_alike(a, b)
    errors = _Errors.of(a, b)
    large_enough = min(a.shape[:2]) > 2 * SSIM_RADIUS
    return Quality(
        psnr_db=_decibels(PEAK**2, errors.squared),
        ssim=ssim(a, b) if large_enough else None,
        rmse=math.sqrt(errors.squared),
        mae=errors.absolute,
    )


def psnr_db(a: Samples, b: Samples) -> float:
    """Return the peak signal-to-noise ratio in dB over all samples; infinite for equal images.

    Example:
        >>> black = np.zeros((8, 8, 3), np.uint8)
        >>> round(psnr_db(black, black + np.uint8(1)), 2)
        48.13
    """
    _check_alike(a, b)
    return mean_psnr_db(a, b)


def mean_psnr_db(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the PSNR in dB of any values on the scale of 8 bits, such as luma."""
    return _decibels(PEAK**2, _Errors.of(a, b).squared)


def luma_psnr_db(a: Samples, b: Samples) -> float:
    """Return the PSNR of the luma of two images."""
    return _decibels(PEAK**2, _Errors.of(a, b).luma_squared)


def luma(
    levels: Shaped[np.ndarray, "rows columns channels"],
) -> Float64[np.ndarray, "rows columns"]:
    """Return the luma of RGB samples by ITU-R BT.601, or grey samples as they are."""
    if levels.shape[2] == 1:
        return levels[..., 0].astype(np.float64)
    weights = np.array(LUMA) / sum(LUMA)
    found: NDArray[np.float64] = levels[..., 0] * weights[0]
    for channel in (1, 2):
        found += levels[..., channel] * weights[channel]
    return found


def ssim(a: Samples, b: Samples) -> float:
    """Return the mean structural similarity, without the border of 5 pixels.

    Raises:
        ConfigError: The images differ in size, or an axis has fewer than 11 pixels.
    """
    _check_alike(a, b)
    if min(a.shape[:2]) <= 2 * SSIM_RADIUS:
        raise ConfigError(f"SSIM needs {2 * SSIM_RADIUS + 1} pixels an axis, got {a.shape[:2]}")
    rows, columns = (length - 2 * SSIM_RADIUS for length in a.shape[:2])
    tall, wide = SSIM_TILE
    corners = [(top, left) for top in range(0, rows, tall) for left in range(0, columns, wide)]

    def tile(corner: tuple[int, int]) -> float:
        top, left = corner
        below = min(top + tall, rows) + 2 * SSIM_RADIUS
        beside = min(left + wide, columns) + 2 * SSIM_RADIUS
        return _ssim_sum(a[top:below, left:beside], b[top:below, left:beside])

    if len(corners) == 1:
        total = tile(corners[0])
    else:
        with ThreadPoolExecutor(cores()) as pool:
            total = math.fsum(pool.map(tile, corners))
    return total / float(rows * columns * a.shape[2])


def _ssim_sum(a: Samples, b: Samples) -> float:
    """Add up the similarity of all windows that are wholly inside two images.

    With sums s = a + b and differences d = a - b, the variances add up to (var s + var d) / 2 and
    the covariance is (var s - var d) / 4: four means serve, and no digits are lost where a and b
    are nearly equal. Sums are from -255 to 255, which keeps the rounding of float32 small.
    """
    channels = a.shape[2]
    x, y = (each.reshape(len(each), -1).astype(np.float32) for each in (a, b))
    sums, differences = x + y - np.float32(PEAK), x - y
    means = [_blur(each, channels) for each in (sums, differences)]
    varied, varied_apart = (
        _blur(each * each, channels) - mean * mean
        for each, mean in zip((sums, differences), means, strict=True)
    )
    means[0] += np.float32(PEAK)
    luminous, luminous_apart = (mean * mean for mean in means)
    c1, c2 = np.float32(2 * (0.01 * PEAK) ** 2), np.float32(2 * (0.03 * PEAK) ** 2)
    luminance = (luminous - luminous_apart + c1) / (luminous + luminous_apart + c1)
    structure = (varied - varied_apart + c2) / (varied + varied_apart + c2)
    return float((luminance * structure).sum(dtype=np.float64))


def _blur(
    values: Float32[np.ndarray, "rows samples"], channels: int
) -> Float32[np.ndarray, "_rows _samples"]:
    """Return the weighted mean over the SSIM window, where it is wholly inside the image."""
    at = np.arange(SSIM_RADIUS + 1)
    window = np.exp(-0.5 * (at / SSIM_SIGMA) ** 2)
    window = (window / (window[0] + 2 * window[1:].sum())).astype(np.float32)
    for step, axis in ((1, 0), (channels, 1)):
        count = values.shape[axis] - 2 * SSIM_RADIUS * step
        parts = [
            values[at * step : at * step + count]
            if axis == 0
            else values[:, at * step : at * step + count]
            for at in range(2 * SSIM_RADIUS + 1)
        ]
        total = parts[SSIM_RADIUS] * window[0]
        pair = np.empty_like(total)
        for away in range(1, SSIM_RADIUS + 1):
            np.add(parts[SSIM_RADIUS - away], parts[SSIM_RADIUS + away], out=pair)
            pair *= window[away]
            total += pair
        values = total
    return values


@dataclass(frozen=True)
class _Errors:
    """Mean errors of one array against another."""

    squared: float
    absolute: float
    luma_squared: float
    """Of the luma, which is linear in the samples; that of single channels is the squared error."""

    @classmethod
    def of(cls, a: NDArray[Any], b: NDArray[Any]) -> _Errors:
        """Compare arrays of one shape, a band at a time; the channels are the last axis."""
        weights = np.array(LUMA) / sum(LUMA)
        coloured = a.ndim > 1 and a.shape[-1] == len(LUMA)
        x, y = (each.reshape(-1, len(LUMA) if coloured else 1) for each in (a, b))
        squared = absolute = luma_squared = 0.0
        for first in range(0, len(x), ERROR_BAND):
            band = slice(first, first + ERROR_BAND)
            difference = np.subtract(x[band], y[band], dtype=np.float64)
            seen = difference @ weights if coloured else difference[:, 0]
            luma_squared += float(seen @ seen)
            flat = difference.reshape(-1)
            squared += float(flat @ flat)
            absolute += float(np.abs(flat, out=flat).sum())
        return cls(squared / a.size, absolute / a.size, luma_squared / len(x))


def _check_alike(a: Samples, b: Samples) -> None:
    if a.shape != b.shape:
        raise ConfigError(
            f"the images differ in size: {_describe(a)} and {_describe(b)}",
            hint="compare images of one size and one number of channels",
        )


def _describe(image: Samples) -> str:
    rows, columns, channels = image.shape
    return f"{columns}x{rows} with {channels} channel{'s' if channels > 1 else ''}"
