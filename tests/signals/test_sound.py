from __future__ import annotations

import io
import math
import struct
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stegfield import signals
from stegfield.errors import ConfigError, InputError, SoundError
from stegfield.metrics import SoundQuality
from stegfield.signals import SOUND, Signal, chords

WAV, FLAC = Path("sound.wav"), Path("sound.flac")
LEVELS = arrays.arrays(
    np.int16,
    st.tuples(st.integers(16, 200), st.integers(1, 2)),
    elements=st.integers(-32768, 32767),
)


def made(levels: np.ndarray, subtype: str, rate: int = 8000, kind: str = "WAV") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, levels, rate, subtype=subtype, format=kind)
    return stream.getvalue()


@given(LEVELS, st.sampled_from([".wav", ".flac"]), st.sampled_from([8000, 44100, 96000]))
def test_16_bit_samples_survive_the_file_bit_for_bit(
    levels: np.ndarray, suffix: str, rate: int
) -> None:
    silence = Signal(np.zeros((16, 1)), SOUND, rate=float(rate))
    signal = SOUND.with_levels(silence, levels)
    again = signals.decode(signals.encode(signal, suffix), Path(f"x{suffix}"))
    assert np.array_equal(signals.to_levels(again), levels)
    assert again.rate == rate
    assert signals.encode(again, suffix) == signals.encode(signal, suffix)


@given(LEVELS)
def test_what_the_standard_library_writes_is_read(levels: np.ndarray) -> None:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(levels.shape[1])
        file.setsampwidth(2)
        file.setframerate(22050)
        file.writeframes(levels.astype("<i2").tobytes())
    assert np.array_equal(signals.to_levels(signals.decode(stream.getvalue(), WAV)), levels)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX"])
def test_other_samples_are_rounded_to_16_bits(subtype: str, kind: str) -> None:
    values = 0.9 * np.sin(np.arange(400) / 7)[:, None]
    read = signals.decode(made(values, subtype, kind=kind), WAV)
    coarsest = 1 / 128 if subtype == "PCM_U8" else 1 / 32768
    assert np.abs(read.natural - values).max() <= coarsest
    assert read.channels == 1


def test_flac_of_24_bits_is_rounded() -> None:
    values = 0.9 * np.sin(np.arange(400) / 7)
    read = signals.decode(made(values, "PCM_24", kind="FLAC"), FLAC)
    assert np.abs(read.natural[:, 0] - values).max() <= 1 / 32768


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a sound"),
        (b"RIFF", "not a sound"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "not a sound"),
        (made(np.zeros((100, 3)), "PCM_16"), "3 channels"),
        (made(np.zeros((15, 1)), "PCM_16"), "15 samples"),
        (made(np.full((100, 1), 1.5), "FLOAT"), "full scale"),
        (made(np.full((100, 1), math.nan), "FLOAT"), "full scale"),
        (
            made(np.zeros((100, 1)), "PCM_16", kind="AIFF"),
            "is a sound, but AIFF, whatever its name",
        ),
        (made(np.zeros((100, 1)), "PCM_16")[:-20], "cut off"),
        (made(np.zeros((100, 1)), "PCM_16", rate=2_000_000), "samples a second"),
    ],
)
def test_what_is_no_such_sound_is_refused_in_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(SoundError, match=words) as caught:
        signals.decode(data, WAV)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def riff(
    lengths: tuple[int, int], held: bytes, *, name: bytes = b"RIFF", more: bytes = b""
) -> bytes:
    """Write WAV of one channel, 16 bits and 8,000 samples a second, with lengths of our own."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    head = name + struct.pack("<I", lengths[0]) + b"WAVE" + more + form
    return head + b"data" + struct.pack("<I", lengths[1]) + held


SAMPLES = np.arange(-500, 500, dtype="<i2")
HELD = SAMPLES.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        riff((0xFFFF_FFFF, 0xFFFF_FFFF), HELD),
        riff((0xFFFF_FFFF, 0xFFFF_FFFF), HELD + b"\0"),  # ended within a sample
        riff((0x7FFF_F024, 0x7FFF_F000), HELD),  # as SoX writes it
        riff((0, 0), HELD),
        riff((36, 0), HELD),
    ],
)
def test_a_sound_from_a_pipe_is_read_up_to_its_end(data: bytes) -> None:
    read = signals.decode(data, WAV)
    assert np.array_equal(signals.to_levels(read)[:, 0], SAMPLES)
    assert read.notes == ("does not tell its length; it was read up to its end",)


def test_a_sound_of_24_bits_from_a_pipe_is_read() -> None:
    data = bytearray(made(SAMPLES[:, None] / 32768, "PCM_24"))
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = b"\xff\xff\xff\xff"
    read = signals.decode(bytes(data), WAV)
    assert np.array_equal(signals.to_levels(read)[:, 0], SAMPLES)
    assert len(read.notes) == 2


def test_rf64_is_read() -> None:
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, 72 + len(HELD), len(HELD), len(SAMPLES), 0)
    after = b"LIST" + struct.pack("<I", 4) + b"INFO"
    data = riff((0xFFFF_FFFF, 0xFFFF_FFFF), HELD + after, name=b"RF64", more=sizes)
    read = signals.decode(data, WAV)
    assert np.array_equal(signals.to_levels(read)[:, 0], SAMPLES)
    assert read.notes == ()


def test_an_empty_sound_is_not_taken_for_one_of_unknown_length() -> None:
    with pytest.raises(SoundError, match="0 samples"):
        signals.decode(riff((36, 0), b""), WAV)


@pytest.mark.parametrize(
    ("subtype", "words", "coarse"),
    [
        ("PCM_16", None, False),
        ("PCM_U8", "8 bits a sample", True),
        ("PCM_24", "24 bits a sample, of which 16 are kept", False),
        ("PCM_32", "32 bits a sample, of which 16 are kept", False),
        ("FLOAT", "floating point", False),
        ("ULAW", "mu-law", True),
        ("ALAW", "A-law", True),
        ("IMA_ADPCM", "IMA_ADPCM", False),
    ],
)
def test_what_becomes_of_other_samples_is_told(
    subtype: str, words: str | None, coarse: bool
) -> None:
    values = 0.9 * np.sin(np.arange(4000) / 7)[:, None]
    read = signals.decode(made(values, subtype), WAV)
    assert [words in note for note in read.notes if words] == ([True] if words else [])
    assert read.origin == ("coarse" if coarse else None)
    assert signals.with_levels(read, signals.to_levels(read)).notes == ()


def test_8_bits_in_a_file_of_16_are_noticed() -> None:
    levels = np.random.default_rng(1).integers(-128, 128, (400, 1)) * 256
    assert signals.decode(made(levels.astype(np.int16), "PCM_16"), WAV).origin == "coarse"


def test_chunks_that_end_beyond_the_file_are_refused() -> None:
    data = bytearray(made(np.zeros((100, 1)), "PCM_16"))
    data[36:44] = b"LIST" + struct.pack("<I", 0x7FFF_FFF0)
    with pytest.raises(SoundError):
        signals.decode(bytes(data), WAV)


def test_a_header_that_promises_too_much_takes_no_memory() -> None:
    data = bytearray(made(np.zeros((100, 1)), "PCM_16"))
    data[40:44] = struct.pack("<I", 0x1000_0000)
    with pytest.raises(SoundError):
        signals.decode(bytes(data), WAV)
    data = bytearray(made(np.zeros((100, 1)), "PCM_16", kind="FLAC"))
    data[21:26] = bytes([data[21] | 0x0F, 255, 255, 255, 255])  # samples, of 36 bits
    with pytest.raises(SoundError):
        signals.decode(bytes(data), FLAC)


@given(st.data(), st.sampled_from(["PCM_16", "FLOAT", "FLAC"]))
def test_damaged_files_are_read_or_refused(data: st.DataObject, kind: str) -> None:
    levels = np.arange(-60, 60, dtype=np.int16)[:, None] * 100
    whole = made(levels, "PCM_16", kind="FLAC") if kind == "FLAC" else made(levels / 32768, kind)
    file = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, len(file) - 1), max_size=6)):
        file[at] = data.draw(st.integers(0, 255))
    file = file[: data.draw(st.integers(0, len(file)))]
    try:
        read = signals.decode(bytes(file), WAV)
    except SoundError:
        return
    assert np.abs(read.values).max() <= 1
    assert read.channels in SOUND.channels


def test_quality_is_that_of_the_samples() -> None:
    wanted = chords(4000)
    assert isinstance(SOUND.quality(wanted, wanted), SoundQuality)
    assert SOUND.quality(wanted, wanted).snr_db == math.inf
    levels = signals.to_levels(wanted)
    shown = signals.with_levels(wanted, levels + np.where(np.arange(4000) % 2, 1, -1)[:, None])
    quality = SOUND.quality(shown, wanted)
    assert quality.rmse == quality.largest == 1
    assert quality.snr_db == pytest.approx(20 * math.log10(levels.std()))
    assert quality.psnr_db == pytest.approx(20 * math.log10(np.ptp(levels.astype(int))))
    silence = Signal(np.zeros((4000, 1)), SOUND, rate=8000.0)
    assert math.isnan(SOUND.quality(wanted, silence).snr_db)
    assert str(SOUND.quality(wanted, silence)).startswith("SNR undefined, ")
    assert SOUND.quality(wanted, silence).to_json()["snr_db"] is None
    assert SOUND.quality(silence, silence).snr_db == math.inf


@pytest.mark.parametrize(
    "other", [chords(3999), chords(4000, rate=8001.0), chords(4000, channels=2)]
)
def test_sounds_that_differ_in_kind_are_not_compared(other: Signal) -> None:
    with pytest.raises(ConfigError, match="the sounds differ"):
        signals.quality(other, chords(4000))


def test_plain_files_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, flac = signals.encode(chords(100), ".wav"), signals.encode(chords(100), ".flac")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert signals.decode(plain, WAV).size == (100,)
    with pytest.raises(InputError, match="soundfile"):
        signals.decode(flac, FLAC)
    with pytest.raises(InputError, match="soundfile"):
        signals.encode(chords(100), ".flac")
    with pytest.raises(ConfigError, match="suffix"):
        signals.encode(chords(100), ".mp3")
