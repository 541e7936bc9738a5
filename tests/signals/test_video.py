from __future__ import annotations

import io
import math
import sys
from pathlib import Path

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
