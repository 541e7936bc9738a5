from __future__ import annotations

import io
import math
import resource
import struct
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from stegfield import signals
from stegfield.errors import ConfigError, InputError, OutputError, VideoError
from stegfield.metrics import Quality
from stegfield.signals import VIDEO, Signal, clip

CLIP = clip(4, 16, 24)
MP4, APNG = signals.encode(CLIP, ".mp4"), signals.encode(CLIP, ".apng")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=5)
def test_animated_png_keeps_every_sample(seed: int) -> None:
    levels = np.random.default_rng(seed).integers(0, 256, (3, 9, 11, 3), np.uint8)
    signal = VIDEO.with_levels(Signal(CLIP.values, VIDEO, rate=25.0), levels)
    again = signals.decode(signals.encode(signal, ".apng"), Path("x.apng"))
    assert np.array_equal(signals.to_levels(again), levels)
    assert again.rate == 25.0


def test_frames_that_are_equal_are_all_kept() -> None:
    still = Signal(np.repeat(CLIP.values[:1], 5, axis=0), VIDEO, rate=10.0)
    assert signals.decode(signals.encode(still, ".apng"), Path("x.apng")).size == still.size


def test_mp4_is_close() -> None:
    again = signals.decode(MP4, Path("x.mp4"))
    assert again.size == CLIP.size
    assert again.rate == CLIP.rate
    assert signals.quality(again, CLIP).psnr_db > 28


def test_gif_is_read() -> None:
    frames = [Image.fromarray(frame) for frame in signals.to_levels(CLIP)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=40)
    assert signals.decode(stream.getvalue(), Path("x.gif")).size == CLIP.size


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.mp4", b"", "not a video"),
        ("x.mp4", APNG, "not a video"),
        ("x.mkv", MP4, "not a video"),
        ("x.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "not a video"),
        ("x.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///x.ts\n", "not a video"),
        (
            "x.mp4",
            signals.encode(Signal(CLIP.values[:1], VIDEO, rate=9.0), ".mp4"),
            "single frame",
        ),
        ("x.mp4", signals.encode(clip(2, 4, 6), ".mp4"), "6x4 pixels"),
    ],
)
def test_what_is_no_such_video_is_refused_in_a_sentence(name: str, data: bytes, words: str) -> None:
    with pytest.raises(VideoError, match=words) as caught:
        signals.decode(data, Path(name))
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_a_long_video_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(VideoError, match="million pixels"):
        signals.decode(MP4, Path("x.mp4"), largest=3 * 16 * 24)


def test_a_canvas_of_many_megapixels_is_refused_before_a_decoder_makes_room_for_it() -> None:
    stream = io.BytesIO()
    frames = [Image.fromarray(frame) for frame in signals.to_levels(CLIP)]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    file = bytearray(stream.getvalue())
    file[6:10] = struct.pack("<HH", 25_905, 14_693)  # the logical screen
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(VideoError, match=r"million pixels|Invalid argument"):
        signals.decode(bytes(file), Path("x.gif"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


@settings(max_examples=15)
@given(st.data(), st.sampled_from([("x.mp4", MP4), ("x.apng", APNG)]))
def test_damaged_videos_are_read_or_refused(data: st.DataObject, named: tuple[str, bytes]) -> None:
    name, whole = named
    file = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, len(file) - 1), max_size=6)):
        file[at] = data.draw(st.integers(0, 255))
    file = file[: data.draw(st.integers(0, len(file)))]
    try:
        read = signals.decode(bytes(file), Path(name))
    except VideoError:
        return
    assert np.abs(read.values).max() <= 1
    assert read.channels == 3


def test_quality_is_over_all_frames() -> None:
    levels = signals.to_levels(CLIP)
    assert VIDEO.quality(CLIP, CLIP).psnr_db == math.inf
    changed = levels.copy()
    changed[0] ^= 1
    quality = VIDEO.quality(signals.with_levels(CLIP, changed), CLIP)
    assert isinstance(quality, Quality)
    assert quality.rmse == pytest.approx(0.5)
    assert quality.psnr_db == pytest.approx(20 * math.log10(255 / 0.5))
    assert quality.mae == pytest.approx(0.25)
    with pytest.raises(ConfigError, match="24x16x4"):
        signals.quality(clip(3, 16, 24), CLIP)


def test_what_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Signal(np.zeros((2, 9, 8, 3)), VIDEO, rate=25.0)
    with pytest.raises(OutputError, match="even sides"):
        signals.encode(odd, ".mp4")
    with pytest.raises(ConfigError, match="suffix"):
        signals.encode(odd, ".gif")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match="PyAV"):
        signals.decode(MP4, Path("x.mp4"))


def films(suffix: str, codec: str, levels: np.ndarray, pixels: str, rotation: int = 0) -> bytes:
    """Encode frames, each of them RGB or RGBA."""
    stream = io.BytesIO()
    container = {".mp4": "mp4", ".webm": "webm"}[suffix]
    with av.open(stream, "w", format=container) as file:
        track: Any = file.add_stream(
            codec, rate=10, options={"auto-alt-ref": "0"} if codec == "libvpx-vp9" else {}
        )
        track.height, track.width = levels.shape[1:3]
        track.pix_fmt = pixels
        for frame in levels:
            kind = "rgba" if frame.shape[-1] == 4 else "rgb24"
            file.mux(track.encode(av.VideoFrame.from_ndarray(frame, format=kind)))
        file.mux(track.encode())
    data = stream.getvalue()
    if not rotation:
        return data
    # the matrix of the track's header: nine numbers, of which the last is 1 in 2.30 fixed point
    at = data.index(
        struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30), data.index(b"tkhd")
    )
    turn = {
        90: (0, 1, -1, 0),
        180: (-1, 0, 0, -1),
        270: (0, -1, 1, 0),
        -1: (-1, 0, 0, 1),
        45: (1, 1, -1, 1),
    }
    a, b, c, d = (number << 16 for number in turn[rotation])
    matrix = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return data[:at] + matrix + data[at + 36 :]


def quarters() -> np.ndarray:
    """Three frames of 24 rows and 32 columns: dark, but for a bright quarter at the upper left."""
    levels = np.full((3, 24, 32, 3), 20, np.uint8)
    levels[:, :12, :16] = 220
    return levels


@pytest.mark.parametrize(
    ("rotation", "size", "corner"),
    [
        (0, (24, 32), (0, 0)),
        (90, (32, 24), (0, 1)),
        (180, (24, 32), (1, 1)),
        (270, (32, 24), (1, 0)),
        (-1, (24, 32), (0, 1)),
    ],
)
def test_films_are_turned_as_players_show_them(
    rotation: int, size: tuple[int, int], corner: tuple[int, int]
) -> None:
    """A phone held upright writes 90: the picture is to be turned clockwise by so much."""
    film = signals.decode(films(".mp4", "libx264", quarters(), "yuv420p", rotation), Path("x.mp4"))
    assert film.size[1:] == size
    rows, columns = size
    bright = film.values[0, rows // 4 :: rows // 2, columns // 4 :: columns // 2].mean(axis=-1)
    assert np.unravel_index(bright.argmax(), (2, 2)) == corner
    assert film.notes == ()


def test_a_film_turned_by_no_quarter_is_left_with_a_note() -> None:
    film = signals.decode(films(".mp4", "libx264", quarters(), "yuv420p", 45), Path("x.mp4"))
    assert film.size[1:] == (24, 32)
    assert film.notes == ("says that it is turned by no quarter of a turn, and was read as it is",)


def transparent(kind: str) -> bytes:
    """Three frames: red in the upper half, and transparent with blue behind it in the lower."""
    levels = np.zeros((3, 24, 32, 4), np.uint8)
    levels[:, :12] = (255, 0, 0, 255)
    levels[:, 12:] = (0, 0, 255, 0)
    if kind == "webm":
        return films(".webm", "libvpx-vp9", levels, "yuva420p")
    for number, frame in enumerate(levels):
        frame[0, number] = 0, 255, 0, 255  # lest frames be joined
    pictures = [Image.fromarray(frame) for frame in levels]
    stream = io.BytesIO()
    form = {"apng": "PNG", "gif": "GIF"}[kind]
    pictures[0].save(
        stream,
        form,
        save_all=True,
        append_images=pictures[1:],
        duration=100,
        disposal=2 if kind == "gif" else 0,
    )
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["apng", "gif", "webm"])
def test_transparent_films_are_refused_or_put_onto_white(kind: str) -> None:
    data, path = transparent(kind), Path(f"x.{kind}")
    with pytest.raises(VideoError, match="transparent") as caught:
        signals.decode(data, path)
    assert "flatten" in (caught.value.hint or "")
    film = signals.to_levels(signals.decode(data, path, flatten=True))
    assert film[:, 16:, 4:28].min() > 245
    assert film[:, 4:8, 4:28].reshape(-1, 3).mean(axis=0) == pytest.approx([255, 0, 0], abs=8)
