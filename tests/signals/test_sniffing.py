"""What a file is, whatever its name."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stegfield import signals
from stegfield.errors import ClimateError, ImageError, InputError, ShapeError, SoundError
from stegfield.signals import MEDIA, Signal, ball, blob, chords, clip, waves
from stegfield.signals.sniffing import sniff

MP3 = b"ID3\x04\0\0\0\0\0\x0a" + bytes(60)
GLB = b"glTF\x02\0\0\0" + bytes(60)
HEIC = b"\0\0\0\x18ftypheic" + bytes(60)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
SIGNALS = [waves(16, 24), chords(200), clip(3, 16, 24), blob(6), ball(24)]


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.medium.name)
def test_what_we_write_is_told_by_its_beginning_whatever_its_name(
    signal: Signal, tmp_path: Path
) -> None:
    for suffix in signal.medium.written:
        if suffix in {".obj", ".stl"}:  # which begin with anything
            continue
        data = signals.encode(signal, suffix)
        kind = sniff(data)
        assert kind is not None
        assert kind.medium == signal.medium.name
        path = tmp_path / "signal.unheard"
        path.write_bytes(data)
        assert signals.medium_of_file(path) is signal.medium
        assert signals.read(path).size == signals.read(data).size


@pytest.mark.parametrize(
    ("name", "data", "error", "told"),
    [
        ("song.mp3", MP3, SoundError, ("song.mp3 is a sound, but MP3", "convert it to WAV")),
        ("song.wav", MP3, SoundError, ("a sound, but MP3, whatever its name", "convert it to WAV")),
        ("sphere.glb", GLB, ShapeError, ("is a shape, but glTF", "convert it to PLY")),
        ("wave.nc", b"CDF\x01" + bytes(60), ClimateError, ("NetCDF-3", "nccopy")),
        (
            "x.png",
            signals.encode(chords(99), ".wav"),
            ImageError,
            ("not an image but a sound", ".wav"),
        ),
        (
            "x.wav",
            signals.encode(waves(9, 9), ".png"),
            SoundError,
            ("not a sound but an image", ".png"),
        ),
        ("x.png", LFS, ImageError, ("a pointer of Git LFS", "git lfs pull")),
        ("x.docx", b"PK\x03\x04" + bytes(60), ImageError, ("a zip", "unpack it")),
        ("x.pdf", b"%PDF-1.7", ImageError, ("PDF", "by itself")),
        ("x.ogg", b"OggS" + bytes(60), SoundError, ("a sound, but Ogg", "WAV")),
        ("x.m4a", b"\0\0\0\x18ftypM4A " + bytes(60), SoundError, ("AAC", "WAV")),
        ("x.grib", b"GRIB" + bytes(60), ClimateError, ("GRIB", "")),
    ],
)
def test_an_error_names_the_kind_of_the_file(
    name: str, data: bytes, error: type[InputError], told: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    for look in (signals.read, signals.medium_of_file):
        with pytest.raises(error) as caught:
            look(path)
        assert told[0] in str(caught.value)
        assert told[1] in (caught.value.hint or "")


def test_frames_of_gifs_are_counted() -> None:
    frames = [Image.fromarray(np.full((9, 12), level, np.uint8)) for level in (0, 90, 200)]
    for count, medium in ((1, "image"), (2, "video"), (3, "video")):
        stream = io.BytesIO()
        frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:count], duration=40)
        kind = sniff(stream.getvalue())
        assert kind is not None
        assert (kind.name, kind.medium) == ("GIF", medium)


def test_every_kind_belongs_to_a_medium_or_has_a_hint() -> None:
    for data in (MP3, GLB, HEIC, LFS):
        kind = sniff(data)
        assert kind is not None
        assert kind.medium in MEDIA or kind.hint
    assert sniff(b"") is None
    assert sniff(b"# OBJ\nv 0 0 0\n") is None
