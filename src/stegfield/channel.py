"""Channels: what happens to an image on its way: re-encoding, noise, scaling, loss of levels.

Each channel takes 8-bit samples and returns 8-bit samples, of the same size unless it resizes or
cuts. Pillow encodes and decodes real files.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image

# an underscore leaves a size free: some channels resize
Levels = UInt8[np.ndarray, "_rows _columns channels"]
Channel = Callable[[Levels], Levels]


def jpeg(quality: int) -> Channel:
    """Encode as JPEG with chroma at half resolution (4:2:0), and decode."""
    return lambda levels: _recoded(levels, "JPEG", quality=quality, subsampling="4:2:0")


def webp(quality: int) -> Channel:
    """Encode as lossy WebP, and decode."""
    return lambda levels: _recoded(levels, "WEBP", quality=quality)


def scaled(factor: float) -> Channel:
    """Resize by a factor, and back, with a Lanczos filter."""

    def channel(levels: Levels) -> Levels:
        image = _image(levels)
        smaller = image.resize(_scaled(image.size, factor), Image.Resampling.LANCZOS)
        return _levels(smaller.resize(image.size, Image.Resampling.LANCZOS))

    return channel


def resized(factor: float, resampling: Image.Resampling = Image.Resampling.LANCZOS) -> Channel:
    """Resize by a factor, and leave it so."""

    def channel(levels: Levels) -> Levels:
        image = _image(levels)
        return _levels(image.resize(_scaled(image.size, factor), resampling))

    return channel


def reduced(side: int) -> Channel:
    """Resize to a longer side, as services do, unless the image has no more already."""

    def channel(levels: Levels) -> Levels:
        longer = max(levels.shape[:2])
        return levels if longer <= side else resized(side / longer)(levels)

    return channel


def averaged(side: int) -> Channel:
    """Resize to a longer side; every new sample is the mean of the area that it covers."""

    def channel(levels: Levels) -> Levels:
        factor = side / max(levels.shape[:2])
        rows, columns = (_means(each, max(1, round(each * factor))) for each in levels.shape[:2])
        means = np.einsum("ir,rcf,jc->ijf", rows, levels.astype(np.float32), columns, optimize=True)
        found: Levels = np.clip(np.rint(means), 0, 255).astype(np.uint8)
        return found

    return channel


def cut(top: float, bottom: float, left: float, right: float) -> Channel:
    """Cut off a share of the image at each side."""

    def channel(levels: Levels) -> Levels:
        rows, columns = levels.shape[:2]
        kept = levels[round(rows * top) : rows - round(rows * bottom)]
        return np.ascontiguousarray(
            kept[:, round(columns * left) : columns - round(columns * right)]
        )

    return channel


def turned(degrees: float) -> Channel:
    """Turn the image about its middle, anticlockwise; its size stays, and corners become black."""
    return lambda levels: _levels(_image(levels).rotate(degrees, Image.Resampling.BICUBIC))


def toned(contrast: float = 1.0, gamma: float = 1.0) -> Channel:
    """Change the contrast about the middle grey, then the tone curve."""

    def channel(levels: Levels) -> Levels:
        stretched = np.clip((levels - 127.5) * contrast + 127.5, 0, 255)
        return np.rint(255 * (stretched / 255) ** gamma).astype(np.uint8)

    return channel


def chain(*channels: Channel) -> Channel:
    """Send an image through several channels in turn."""

    def channel(levels: Levels) -> Levels:
        for each in channels:
            levels = each(levels)
        return levels

    return channel


def noisy(deviation: float, seed: int = 0) -> Channel:
    """Add Gaussian noise of a standard deviation in levels."""

    def channel(levels: Levels) -> Levels:
        noise = np.random.default_rng(seed).normal(0, deviation, levels.shape)
        return np.clip(np.rint(levels + noise), 0, 255).astype(np.uint8)

    return channel


def covered(share: float) -> Channel:
    """Black out a border, which leaves a share of each side."""

    def channel(levels: Levels) -> Levels:
        kept = np.zeros_like(levels)
        rows, columns = (round(side * (1 - share) / 2) for side in levels.shape[:2])
        inside = (slice(rows, len(levels) - rows), slice(columns, levels.shape[1] - columns))
        kept[inside] = levels[inside]
        return kept

    return channel


def coarser(step: int) -> Channel:
    """Round samples to multiples of a number of levels, as fewer bits or a tone curve do."""
    return lambda levels: np.minimum(np.rint(levels / step) * step, 255).astype(np.uint8)


def without_planes(planes: int) -> Channel:
    """Set the lowest bits of every sample to zero."""
    return lambda levels: levels & np.uint8(0xFF << planes & 0xFF)


def _means(before: int, after: int) -> NDArray[np.float32]:
    """Return the matrix that averages equal parts of a row."""
    ends = np.arange(after + 1) * (before / after)
    at = np.arange(before)
    shares = np.minimum(ends[1:, None], at + 1) - np.maximum(ends[:-1, None], at)
    found: NDArray[np.float32] = (np.maximum(shares, 0) * (after / before)).astype(np.float32)
    return found


def _scaled(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _recoded(levels: Levels, name: str, **options: object) -> Levels:
    stream = io.BytesIO()
    _image(levels).save(stream, name, **options)
    with Image.open(stream) as image:
        return _levels(image.convert("L" if levels.shape[2] == 1 else "RGB"))


def _image(levels: Levels) -> Image.Image:
    return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)


def _levels(image: Image.Image) -> Levels:
    levels = np.asarray(image)
    return levels.reshape(*levels.shape[:2], -1)
