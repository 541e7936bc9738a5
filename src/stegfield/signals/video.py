"""Short videos: files to signals and back.

Read with PyAV: the first video stream of MP4, MOV, Matroska, WebM, AVI, GIF and animated PNG, two
frames or more of 8 to 4,096 pixels a side, as 8-bit RGB. Frames are turned and mirrored as the file
says, so as players show them; sound and the shape of pixels are not kept. Transparency is refused,
unless the caller has it flattened onto white. The suffix decides on the container, or how the file
begins where the suffix is none of these, so that no file can pass for a list of others.

Written: animated PNG (.apng), which keeps every sample and lets each frame last whole milliseconds;
or H.264 in MP4, which does not keep them, and has even sides. PyAV comes with ``stegfield[media]``.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray
from PIL import Image

from stegfield import metrics
from stegfield.errors import OutputError, VideoError, Wording
from stegfield.files import distrusting
from stegfield.metrics import Quality
from stegfield.signals.grids import LARGEST_POINTS
from stegfield.signals.images import SMALLEST_SIDE
from stegfield.signals.levels import EightBits, from_samples, to_samples
from stegfield.signals.medium import library
from stegfield.signals.signal import Signal
from stegfield.signals.sniffing import sniff

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
USUAL_RATE = "give it a usual rate"
OPAQUE = 255
VPX = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that read transparency, of codecs whose own ones do not."""
FIXED_POINT = 1 << 16
AS_IT_IS = (1, 0, 0, 1)
RATE_FACTOR = "12"
"""Of H.264: 0 is lossless, 18 is said to look so."""


class VideoMedium(EightBits):
    """Frames of rows and columns of RGB."""

    name = "video"
    noun = "a video"
    plural = "videos"
    error = VideoError
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
            VideoError: Not a video, damaged, transparent, too short or too small, or of more than
                ``largest`` pixels, those of all frames counted.
            InputError: What reads it is not installed.
        """
        av, kind = _pyav(), sniff(data)
        names = (path.suffix.lower(), kind.suffix if kind else "")
        container = next((CONTAINERS[name] for name in names if name in CONTAINERS), "mov")
        with (
            distrusting(path, self.noun, VideoError),
            av.open(io.BytesIO(data), format=container) as file,
        ):
            reader = _Reader(path, flatten, largest)
            frames, rate = reader.frames(av, file)
        if len(frames) < FEWEST_FRAMES:
            raise VideoError(f"{path} has a single frame", hint="save it as an image")
        return Signal(_stacked(frames), self, rate=rate, notes=tuple(reader.notes))

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
            ConfigError: The videos differ in size.
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


class _Reader:
    """Decodes the frames of a file as players show them, and refuses what is too large before."""

    def __init__(self, path: Path, flatten: bool, largest: int) -> None:
        self.path, self.flatten, self.largest = path, flatten, largest
        self.notes: dict[str, None] = {}
        self._size: tuple[int, int] | None = None

    def frames(self, av: Any, file: Any) -> tuple[list[NDArray[np.uint8]], float]:
        """Decode all frames, and tell how many there are a second."""
        if not file.streams.video:
            raise VideoError(f"{self.path} has no video in it")
        stream = file.streams.video[0]
        rate = float(stream.average_rate or DEFAULT_RATE)
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise VideoError(f"{self.path} has {rate:g} frames a second", hint=USUAL_RATE)
        stream.codec_context.options = {"max_pixels": f"{self.largest}"}  # of later frames too
        self._check_bound((stream.codec_context.height, stream.codec_context.width), 1)
        frames: list[NDArray[np.uint8]] = []
        for frame in _decoded(av, file, stream):
            self._check((frame.height, frame.width), len(frames) + 1)
            frames.append(_turned(self._opaque(frame), _matrix(frame, self.notes)))
        return frames, rate

    def _check(self, size: tuple[int, int], frames: int) -> None:
        path = self.path
        self._size = self._size or size
        if size != self._size:
            raise VideoError(f"{path} changes its size on the way", hint="encode it anew")
        if not SMALLEST_SIDE <= min(size) <= max(size) <= LARGEST_SIDE:
            raise VideoError(
                f"{path} has {size[1]}x{size[0]} pixels",
                hint=f"each side needs {SMALLEST_SIDE} to {LARGEST_SIDE:,}",
            )
        self._check_bound(size, frames)

    def _check_bound(self, size: tuple[int, int], frames: int) -> None:
        """Refuse more pixels than are allowed; of one frame before a decoder makes room for it."""
        if frames * math.prod(size) > self.largest:
            raise VideoError(
                f"{self.path} has more than {self.largest / 1e6:g} million pixels in its frames",
                hint="cut or reduce it: fields are for seconds, not minutes",
            )

    def _opaque(self, frame: Any) -> NDArray[np.uint8]:
        """Return a frame as RGB; a transparent one is put onto white if the caller asks."""
        with_alpha = frame.format.name == "pal8" or any(
            component.is_alpha for component in frame.format.components
        )
        levels: NDArray[np.uint8] = frame.to_ndarray(format="rgba" if with_alpha else "rgb24")
        if not with_alpha or (levels[..., 3] == OPAQUE).all():
            return levels[..., :3]
        if not self.flatten:
            raise VideoError(
                f"{self.path} is transparent",
                hint=Wording("{flatten:True} puts it onto white, or save it opaque"),
            )
        white = Image.new("RGBA", (frame.width, frame.height), "white")
        return np.asarray(Image.alpha_composite(white, Image.fromarray(levels)))[..., :3]


def _decoded(av: Any, file: Any, stream: Any) -> Iterator[Any]:
    """Decode a stream; FFmpeg's own decoder of VP8 and VP9 leaves out what makes it transparent."""
    library = VPX.get(stream.codec_context.name)
    if library is None or stream.metadata.get("alpha_mode") != "1":
        yield from file.decode(stream)
        return
    decoder = av.CodecContext.create(library, "r")
    decoder.extradata = stream.codec_context.extradata
    for packet in file.demux(stream):
        yield from decoder.decode(packet if packet.size else None)


def _matrix(frame: Any, notes: dict[str, None]) -> tuple[int, int, int, int]:
    """Tell where players show the columns and rows of a frame: columns (a, c), rows (b, d).

    The signs of a matrix that turns by quarters and mirrors; a film that is turned otherwise is
    left as it is, with a note.
    """
    found = next((each for each in frame.side_data if each.type.name == "DISPLAYMATRIX"), None)
    if found is None:
        return AS_IT_IS
    a, b, _, c, d, *_ = np.frombuffer(bytes(found), np.int32).tolist()
    a, b, c, d = (np.sign(round(number / FIXED_POINT)).item() for number in (a, b, c, d))
    if abs(a) + abs(b) == 1 and abs(a) == abs(d) and abs(b) == abs(c):
        return a, b, c, d
    notes["says that it is turned by no quarter of a turn, and was read as it is"] = None
    return AS_IT_IS


def _turned(
    levels: NDArray[np.uint8], matrix: tuple[int, int, int, int]
) -> UInt8[np.ndarray, "rows columns 3"]:
    """Turn and mirror a frame: a pixel at (x, y) goes to (a x + c y, b x + d y)."""
    a, b, c, d = matrix
    if a == 0:
        levels = levels.transpose(1, 0, 2)
    if a + c < 0:
        levels = levels[:, ::-1]
    return np.ascontiguousarray(levels[::-1] if b + d < 0 else levels)


def _stacked(frames: list[NDArray[np.uint8]]) -> Float32[np.ndarray, "frames rows columns 3"]:
    """Make values of the samples of all frames, which are given up one by one."""
    values = np.empty((len(frames), *frames[0].shape), np.float32)
    for number, frame in enumerate(frames):
        values[number] = from_samples(frame).values
    return values


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
