"""Sounds: files to signals and back.

Read: WAV and FLAC of one or two channels, 16 samples or more. What becomes of a file's samples:

- 16-bit integers are taken as they are: a level i is i / 32768 of full scale.
- Anything else becomes 16-bit integers, with a note; what is beyond full scale is refused, since it
  would be cut off. Where that leaves levels between which none lie, as 8 bits do, the signal's
  origin is "coarse": changes show there.
- A WAV file whose header does not tell its length, as programs write them into pipes, is read up to
  its end. RF64 is read.

Written: 16 bits, WAV (RIFF, plain PCM) or FLAC, without metadata. WAV of 16 bits needs the standard
library alone; everything else comes with ``stegfield[media]``.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegfield.errors import ConfigError, OutputError, SoundError
from stegfield.files import distrusting
from stegfield.metrics import SoundQuality, sound_quality
from stegfield.signals import riff
from stegfield.signals.grids import LARGEST_POINTS
from stegfield.signals.levels import FULL_SCALE, SixteenBits
from stegfield.signals.medium import library
from stegfield.signals.signal import HIGHEST_RATE, Signal

FEWEST_SAMPLES = 16
BYTES = 2
SAMPLES_PER_UNIT = 256
"""Measured on a SIREN of 8x128 with w0 = 30, 250 steps: 16,384 samples of music reach SNR 19, 43,
47 and 43 dB with 32, 128, 512 and 2,048, a spoken digit of 5,148 samples to 48, 48, 38 and 24."""
WAVE_SIZE = (192, 512)
"""Rows and columns of the picture of a sound."""
INK, PAPER = -0.8, 1.0
COMPANDED = ("ULAW", "ALAW")
NOTES = {
    "PCM_16": "",
    "PCM_U8": "has 8 bits a sample, which become 16",
    "PCM_S8": "has 8 bits a sample, which become 16",
    "PCM_24": "has 24 bits a sample, of which 16 are kept",
    "PCM_32": "has 32 bits a sample, of which 16 are kept",
    "FLOAT": "has samples in floating point, which are rounded to 16 bits",
    "DOUBLE": "has samples in floating point, which are rounded to 16 bits",
    "ULAW": "has mu-law samples, 8 bits each, which become 16",
    "ALAW": "has A-law samples, 8 bits each, which become 16",
}
"""What becomes of samples of libsndfile's subtypes."""


class SoundMedium(SixteenBits):
    """Samples in time, of one or two channels."""

    name = "sound"
    noun = "a sound"
    plural = "sounds"
    error = SoundError
    point = "sample"
    axes = 1
    suffixes = (".wav", ".flac")
    written = suffixes
    lossless = suffixes
    channels = (1, 2)
    timed = True

    def decode(
        self, data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
    ) -> Signal:
        """Decode the bytes of a WAV or FLAC file; the path is only named in errors.

        Raises:
            SoundError: Not a sound, damaged, too short, of more than two channels, or of more than
                ``largest`` samples, those of all channels counted.
            InputError: What reads it is not installed.
        """
        read = _with_soundfile if data[:4] == b"fLaC" else _from_wave
        with distrusting(path, self.noun, SoundError):
            held = read(data, path, largest)
        (samples, channels), rate = held.levels.shape, held.rate
        if channels not in self.channels:
            raise SoundError(f"{path} has {channels} channels", hint="mix it down to two, or one")
        if samples < FEWEST_SAMPLES:
            raise SoundError(
                f"{path} has {samples} samples", hint=f"{FEWEST_SAMPLES} are the fewest"
            )
        if not 0 < rate <= HIGHEST_RATE:
            raise SoundError(f"{path} has {rate:,} samples a second", hint="give it a usual rate")
        return replace(
            self.from_levels(held.levels, rate=float(rate)),
            notes=held.notes,
            origin="coarse" if held.coarse or _coarse(held.levels) else None,
        )

    def encode(self, signal: Signal, suffix: str) -> bytes:
        """Encode a sound as a 16-bit WAV or FLAC file.

        Raises:
            ConfigError: The suffix is neither's.
            InputError: What writes it is not installed.
            OutputError: A FLAC file cannot have this rate.
        """
        suffix = self.check_written(suffix)
        levels, rate = self.to_levels(signal), round(signal.rate or FULL_SCALE)
        stream = io.BytesIO()
        if suffix == ".wav":
            with wave.open(stream, "wb") as file:
                file.setnchannels(signal.channels)
                file.setsampwidth(BYTES)
                file.setframerate(rate)
                file.writeframes(levels.astype("<i2").tobytes())
            return stream.getvalue()
        soundfile = _soundfile()
        try:
            soundfile.write(stream, levels, rate, format="FLAC", subtype="PCM_16")
        except (soundfile.SoundFileError, ValueError) as error:
            raise OutputError(
                f"this sound cannot be written as FLAC: {error}", hint="write a .wav file"
            ) from None
        return stream.getvalue()

    def quality(self, shown: Signal, wanted: Signal) -> SoundQuality:
        """Compare two sounds as files hold them.

        Raises:
            ConfigError: The sounds differ in length, channels or rate.
        """
        facts = [(each.size[0], each.channels, each.rate) for each in (shown, wanted)]
        if facts[0] != facts[1]:
            told = " and ".join(f"{n:,} samples x {c} at {r:g} Hz" for n, c, r in facts)
            raise ConfigError(f"the sounds differ: {told}", hint="compare sounds of one length")
        return sound_quality(self.to_levels(shown), self.to_levels(wanted))

    def still(self, signal: Signal) -> Signal:
        """Draw the wave: in each column, from the least to the largest sample of its time."""
        rows, columns = WAVE_SIZE
        line = signal.values.mean(axis=1)
        at = np.linspace(0, len(line), columns + 1).astype(int)
        heights = np.linspace(1, -1, rows)
        drawn = np.full((rows, columns, 1), PAPER)
        for column in range(columns):
            part = line[at[column] : max(at[column + 1], at[column] + 1)]
            within = (heights >= part.min() - 1 / rows) & (heights <= part.max() + 1 / rows)
            drawn[within, column] = INK
        return Signal(drawn)

    def extent(self, size: tuple[int, ...]) -> tuple[float, ...]:
        """Return half the length of the axis of time.

        A sound is longer than an image, since it has more points along its axis:
        `SAMPLES_PER_UNIT` of them in a half of length 1.
        """
        return (size[0] / SAMPLES_PER_UNIT,)


SOUND = SoundMedium()


@dataclass(frozen=True)
class _Held:
    """What a file holds: 16-bit levels, and how it held them."""

    levels: NDArray[np.int16]
    rate: int
    notes: tuple[str, ...] = ()
    coarse: bool = False


def _from_wave(data: bytes, path: Path, largest: int) -> _Held:
    """Read WAV; 16-bit integers need no library."""
    wave = riff.parse(data, path)
    _check_length(len(wave.held) // wave.frame, wave.channels, path, largest)
    untold = () if wave.told else ("does not tell its length; it was read up to its end",)
    if (wave.coding, wave.bits) == (riff.PCM, 16) and wave.frame == BYTES * wave.channels:
        whole = len(wave.held) // wave.frame * wave.frame
        levels = np.frombuffer(wave.held[:whole], "<i2").astype(np.int16)
        return _Held(levels.reshape(-1, wave.channels), wave.rate, untold)
    held = _with_soundfile(wave.plain(), path, largest)
    return replace(held, notes=(*untold, *held.notes))


def _with_soundfile(data: bytes, path: Path, largest: int) -> _Held:
    soundfile = _soundfile()
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        if file.format not in ("WAV", "WAVEX", "FLAC"):
            raise SoundError(f"{path} is neither WAV nor FLAC but {file.format}")
        promised, rate, kind = file.frames, file.samplerate, file.subtype
        _check_length(promised, file.channels, path, largest)
        whole = kind == "PCM_16"
        held = file.read(promised, dtype="int16" if whole else "float64", always_2d=True)
    if len(held) != promised:
        raise SoundError(f"{path} is cut off: it has fewer samples than its header says")
    note = NOTES.get(kind, f"holds its samples as {kind}; they become 16-bit integers")
    return _Held(
        held if whole else _rounded(held, path), rate, (note,) if note else (), kind in COMPANDED
    )


def _coarse(levels: NDArray[np.int16]) -> bool:
    """Tell whether all levels are multiples of one that is more than 1."""
    return int(np.gcd.reduce(np.unique(levels).astype(np.int64))) > 1


def _rounded(held: NDArray[np.float64], path: Path) -> NDArray[np.int16]:
    if not np.isfinite(held).all() or np.abs(held).max(initial=0) > 1:
        raise SoundError(f"{path} goes beyond full scale", hint="make it quieter")
    return np.rint(held * FULL_SCALE).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _check_length(samples: int, channels: int, path: Path, largest: int) -> None:
    if not 0 <= samples * channels <= largest:
        raise SoundError(f"{path} is too long to decode safely", hint="cut it into parts")


def _soundfile() -> Any:
    return library("soundfile", "sounds other than 16-bit WAV need soundfile")
