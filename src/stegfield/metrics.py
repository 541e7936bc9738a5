"""Measures of how close two signals are, as files hold them, such as PSNR and SSIM of 8 bits.

PSNR is always over all RGB samples; the luma PSNR that some papers report is several dB higher.

Sources: Wang et al. (2004) for SSIM, with their Gaussian window of 11x11 and standard deviation
1.5, K1 = 0.01, K2 = 0.03, averaged over channels; equal to scikit-image's
``structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Shaped, UInt8
from numpy.typing import NDArray

from stegfield.errors import ConfigError

PEAK = 255.0
LUMA = (299, 587, 114)  # thousandths
SSIM_RADIUS = 5
SSIM_SIGMA = 1.5
SSIM_BAND = 256  # rows at a time, so that memory does not grow with the image
ERROR_BAND = 1 << 22
"""Samples whose errors are in memory at a time."""
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
    rmse = math.sqrt(_mse(a, b))
    large_enough = min(a.shape[:2]) > 2 * SSIM_RADIUS
    return Quality(
        psnr_db=psnr_db(a, b),
        ssim=ssim(a, b) if large_enough else None,
        rmse=rmse,
        mae=_mean(np.abs, a, b),
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
    return _decibels(PEAK**2, _mse(a, b))


def luma_psnr_db(a: Samples, b: Samples) -> float:
    """Return the PSNR of the luma of two images."""
    return _decibels(PEAK**2, _mean(np.square, a, b, luma))


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
    inner = a.shape[0] - 2 * SSIM_RADIUS
    height = min(SSIM_BAND, max(SSIM_RADIUS, ERROR_BAND // (4 * a.shape[1] * a.shape[2])))
    bands = ((top, min(top + height, inner)) for top in range(0, inner, height))
    total = sum(
        _ssim_sum(a[top : end + 2 * SSIM_RADIUS], b[top : end + 2 * SSIM_RADIUS])
        for top, end in bands
    )
    return total / float(inner * (a.shape[1] - 2 * SSIM_RADIUS) * a.shape[2])


def _ssim_sum(a: Samples, b: Samples) -> float:
    x, y = a.astype(np.float64), b.astype(np.float64)
    mean_x, mean_y = _blur(x), _blur(y)
    variances = _blur(x * x) + _blur(y * y) - mean_x**2 - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return float((luminance * structure).sum())


def _blur(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean over the SSIM window, where it is wholly inside the image."""
    at = np.arange(-SSIM_RADIUS, SSIM_RADIUS + 1)
    window = np.exp(-0.5 * (at / SSIM_SIGMA) ** 2)
    window /= window.sum()
    for axis in (0, 1):
        views = np.lib.stride_tricks.sliding_window_view(image, len(window), axis=axis)
        image = views @ window
    return image


def _mse(a: NDArray[Any], b: NDArray[Any]) -> float:
    return _mean(np.square, a, b)


def _mean(
    of: Callable[[NDArray[Any]], NDArray[Any]],
    a: NDArray[Any],
    b: NDArray[Any],
    seen: Callable[[NDArray[Any]], NDArray[Any]] = np.asarray,
) -> float:
    """Return the mean of a function of differences, a band of rows at a time.

    Args:
        of: The function.
        a: One array.
        b: The other one, of the same shape.
        seen: What is compared of them, such as their luma.
    """
    height = max(1, ERROR_BAND * len(a) // max(1, a.size))
    total, count = 0.0, 0
    for top in range(0, len(a), height):
        x, y = seen(a[top : top + height]), seen(b[top : top + height])
        # 8-bit differences and their squares are exact in float32, which takes half the memory
        difference = np.subtract(x, y, dtype=np.result_type(x, np.float32))
        total, count = total + float(of(difference).sum(dtype=np.float64)), count + difference.size
    return total / count


def _check_alike(a: Samples, b: Samples) -> None:
    if a.shape != b.shape:
        raise ConfigError(
            f"the images differ in size: {_describe(a)} and {_describe(b)}",
            hint="compare images of one size and one number of channels",
        )


def _describe(image: Samples) -> str:
    rows, columns, channels = image.shape
    return f"{columns}x{rows} with {channels} channel{'s' if channels > 1 else ''}"
