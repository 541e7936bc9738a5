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
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stegfield import metrics
from stegfield.errors import OutputError, VideoError
from stegfield.metrics import Quality
from stegfield.signals.grids import LARGEST_POINTS
from stegfield.signals.images import SMALLEST_SIDE
from stegfield.signals.levels import EightBits, from_samples, to_samples
from stegfield.signals.medium import library
from stegfield.signals.signal import Signal

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
FEWEST_FRAMES = 2
LARGEST_SIDE = 4096
LOWEST_RATE, HIGHEST_RATE, DEFAULT_RATE = 0.01, 1000.0, 25.0
RATE_FACTOR = "12"
"""Of H.264: 0 is lossless, 18 is said to look so."""


class VideoMedium(EightBits):
    """Frames of rows and columns of RGB."""

    name = "video"
    noun = "a video"
    plural = "videos"
    axes = 3
    suffixes = tuple(CONTAINERS)
    written = (".mp4", ".apng")
    instead = "; save one frame as a .png file"
    channels = (3,)
    timed = True

    def decode(
        self, data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
    ) -> Signal:
        """Decode the bytes of a video file; the path tells the container.

        Raises:
            VideoError: Not a video, damaged, too short or too small, or of more than ``largest``
                pixels, those of all frames counted.
            InputError: What reads it is not installed.
        """
        av = _pyav()
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
        return Signal(np.stack([from_samples(frame).values for frame in frames]), self, rate=rate)

    def encode(self, signal: Signal, suffix: str) -> bytes:
        """Encode a video as MP4 or animated PNG.

        Raises:
            ConfigError: The suffix is neither's.
            InputError: What writes MP4 is not installed.
            OutputError: MP4 cannot have sides like these.
        """
        return _to_apng(signal) if self.check_written(suffix) == ".apng" else _to_mp4(signal)

    def quality(self, shown: Signal, wanted: Signal) -> Quality:
        """Compare two videos by their samples; SSIM is the mean over frames.

        Raises:
            ConfigError: They differ in size.
        """
        self.check_same_size(shown, wanted)
        a, b = to_samples(shown), to_samples(wanted)
        frames = [metrics.quality(x, y) for x, y in zip(a, b, strict=True)]
        likeness = [frame.ssim for frame in frames if frame.ssim is not None]
        return Quality(
            psnr_db=metrics.mean_psnr_db(a, b),
            ssim=sum(likeness) / len(likeness) if likeness else None,
            rmse=math.sqrt(sum(frame.rmse**2 for frame in frames) / len(frames)),
            mae=sum(frame.mae for frame in frames) / len(frames),
        )

    def still(self, signal: Signal) -> Signal:
        """Return the first frame."""
        return Signal(signal.values[0])


VIDEO = VideoMedium()


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
    first, *rest = [Image.fromarray(frame) for frame in to_samples(signal)]
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
    av = _pyav()
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
            for levels in to_samples(signal):
                file.mux(track.encode(av.VideoFrame.from_ndarray(levels, format="rgb24")))
            file.mux(track.encode())
    except (av.FFmpegError, ValueError) as error:
        raise OutputError(
            f"this video cannot be written as MP4: {error}", hint="write a .apng file"
        ) from None
    return stream.getvalue()


def _pyav() -> Any:
    av = library("av", "videos need PyAV")
    av.logging.set_level(None)  # it would write to stderr itself
    return av
