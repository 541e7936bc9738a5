"""Short videos: files to signals and back.

Read with PyAV: the first video stream of MP4, MOV, Matroska, WebM, AVI, GIF and animated PNG, two
frames or more of 8 to 4,096 pixels a side, as 8-bit RGB; sound, rotation and the shape of pixels
are not kept. The suffix decides on the container, so that no file can pass for a list of others.

Written: animated PNG (.apng), which keeps every sample and lets each frame last whole milliseconds;
or H.264 in MP4, which does not keep them, and has even sides. PyAV comes with ``stegfield[media]``.
"""

from __future__ import annotations

import io
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Integer, UInt8
from numpy.typing import NDArray
from PIL import Image

from stegfield import metrics
from stegfield.errors import ConfigError, InputError, OutputError, VideoError
from stegfield.metrics import Quality
from stegfield.signals.image import SMALLEST_SIDE, to_samples
from stegfield.signals.signal import LARGEST_POINTS, Signal

AXES = 3
NOUN = "a video"
CONTAINERS = {
    ".mp4": "mov",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "matroska",
    ".avi": "avi",
    ".gif": "gif",
    ".apng": "apng",
}
"""FFmpeg's names of them."""
SUFFIXES: tuple[str, ...] = tuple(CONTAINERS)
WRITTEN = (".mp4", ".apng")
LOSSLESS: tuple[str, ...] = ()
CHANNELS: tuple[int, ...] = (3,)
BOUNDS = (0, 255)
FEWEST_FRAMES = 2
LARGEST_SIDE = 4096
LOWEST_RATE, HIGHEST_RATE, DEFAULT_RATE = 0.01, 1000.0, 25.0
RATE_FACTOR = "12"
"""Of H.264: 0 is lossless, 18 is said to look so."""


def decode(
    data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
) -> Signal:
    """Decode the bytes of a video file; the path tells the container.

    Args:
        data: The file.
        path: Its name.
        flatten: Has no meaning for videos.
        largest: Pixels of all frames that it may have.

    Raises:
        VideoError: Not a video, damaged, too short, too long, too small or too large.
        InputError: What reads it is not installed.
    """
    av = _library()
    container = CONTAINERS.get(path.suffix.lower(), "mov")
    try:
        with av.open(io.BytesIO(data), format=container) as file:
            frames, rate = _frames(file, path, largest)
    except VideoError:
        raise
    except (av.FFmpegError, ValueError, IndexError, OverflowError, EOFError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise VideoError(f"{path} is not a video, or damaged: {reason}") from None
    if len(frames) < FEWEST_FRAMES:
        raise VideoError(f"{path} has a single frame", hint="save it as an image")
    return Signal(_values(np.stack(frames)), "video", rate=rate)


def encode(signal: Signal, suffix: str = ".mp4") -> bytes:
    """Encode a video as MP4 or animated PNG.

    Raises:
        ConfigError: The suffix is neither's.
        InputError: What writes MP4 is not installed.
        OutputError: MP4 cannot have sides like these.
    """
    suffix = suffix.lower()
    if suffix == ".apng":
        return _to_apng(signal)
    if suffix != ".mp4":
        raise ConfigError(
            f"videos cannot be written with the suffix {suffix or '(none)'}",
            hint=f"use one of {' '.join(WRITTEN)}",
        )
    return _to_mp4(signal)


def to_levels(signal: Signal) -> UInt8[np.ndarray, "frames rows columns 3"]:
    """Give the 8-bit samples that a file holds."""
    return to_samples(signal)


def with_levels(signal: Signal, levels: Integer[np.ndarray, "frames rows columns 3"]) -> Signal:
    """Give a video like this one, but of other samples."""
    return replace(signal, values=_values(levels))


def bounds(signal: Signal) -> tuple[int, int]:
    """Give the least and the largest level."""
    return BOUNDS


def quality(shown: Signal, wanted: Signal) -> Quality:
    """Compare two videos by their samples; SSIM is the mean over frames.

    Raises:
        ConfigError: They differ in size.
    """
    a, b = to_levels(shown), to_levels(wanted)
    if a.shape != b.shape:
        told = " and ".join("x".join(map(str, reversed(each.size))) for each in (shown, wanted))
        raise ConfigError(f"the videos differ in size: {told}", hint="compare videos of one size")
    frames = [metrics.quality(x, y) for x, y in zip(a, b, strict=True)]
    likeness = [frame.ssim for frame in frames if frame.ssim is not None]
    return Quality(
        psnr_db=metrics.mean_psnr_db(a, b),
        ssim=sum(likeness) / len(likeness) if likeness else None,
        rmse=math.sqrt(sum(frame.rmse**2 for frame in frames) / len(frames)),
        mae=sum(frame.mae for frame in frames) / len(frames),
    )


def _values(levels: Integer[np.ndarray, "frames rows columns 3"]) -> torch.Tensor:
    return torch.from_numpy(levels.astype(np.float32)) / 127.5 - 1


def _frames(file: Any, path: Path, largest: int) -> tuple[list[NDArray[np.uint8]], float]:
    """Decode all frames, and refuse what is too large before it is."""
    if not file.streams.video:
        raise VideoError(f"{path} has no video in it")
    stream = file.streams.video[0]
    rate = float(stream.average_rate or DEFAULT_RATE)
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise VideoError(f"{path} has {rate:g} frames a second", hint="give it a usual rate")
    frames: list[NDArray[np.uint8]] = []
    size: tuple[int, int] | None = None
    for frame in file.decode(stream):
        size = size or (frame.height, frame.width)
        _check(size, (frame.height, frame.width), len(frames) + 1, path, largest)
        frames.append(frame.to_ndarray(format="rgb24"))
    return frames, rate


def _check(
    size: tuple[int, int], now: tuple[int, int], frames: int, path: Path, largest: int
) -> None:
    if now != size:
        raise VideoError(f"{path} changes its size on the way", hint="encode it anew")
    if not SMALLEST_SIDE <= min(size) <= max(size) <= LARGEST_SIDE:
        raise VideoError(
            f"{path} has {size[1]}x{size[0]} pixels",
            hint=f"each side needs {SMALLEST_SIDE} to {LARGEST_SIDE:,}",
        )
    if frames * math.prod(size) > largest:
        raise VideoError(
            f"{path} has more than {largest / 1e6:g} million pixels in its frames",
            hint="cut or reduce it: fields are for seconds, not minutes",
        )


def _to_apng(signal: Signal) -> bytes:
    first, *rest = [Image.fromarray(frame) for frame in to_levels(signal)]
    stream = io.BytesIO()
    turns = [frame % 2 for frame in range(len(rest) + 1)]  # else Pillow joins frames that are equal
    milliseconds = max(1, round(1000 / (signal.rate or DEFAULT_RATE)))
    first.save(
        stream,
        "PNG",
        save_all=True,
        append_images=rest,
        duration=milliseconds,
        blend=turns,
        disposal=0,
    )
    return stream.getvalue()


def _to_mp4(signal: Signal) -> bytes:
    av = _library()
    _, rows, columns = signal.size
    if rows % 2 or columns % 2:
        raise OutputError(
            f"MP4 has even sides, and this video has {columns}x{rows}", hint="write a .apng file"
        )
    stream = io.BytesIO()
    rate = Fraction(signal.rate or DEFAULT_RATE).limit_denominator(1001)
    try:
        with av.open(stream, "w", format="mp4") as file:
            track = file.add_stream("libx264", rate=rate, options={"crf": RATE_FACTOR})
            track.width, track.height, track.pix_fmt = columns, rows, "yuv420p"
            track.thread_count = 1  # equal signals give equal bytes, nearly always
            for levels in to_levels(signal):
                file.mux(track.encode(av.VideoFrame.from_ndarray(levels, format="rgb24")))
            file.mux(track.encode())
    except (av.FFmpegError, ValueError) as error:
        raise OutputError(
            f"this video cannot be written as MP4: {error}", hint="write a .apng file"
        ) from None
    return stream.getvalue()


def _library() -> Any:
    try:
        import av
    except ImportError:
        raise InputError(
            "videos need PyAV, which is not installed", hint="pip install 'stegfield[media]'"
        ) from None
    av.logging.set_level(None)  # it would write to stderr itself
    return av
