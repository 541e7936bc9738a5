"""Sounds: files to signals and back.

Read: WAV and FLAC of one or two channels, 16 samples or more. What becomes of a file's samples:

- 16-bit integers are taken as they are: a level i is i / 32768 of full scale.
- 8 bits, 24 bits and floating point are rounded to 16 bits; what is beyond full scale is refused,
  since it would be cut off.

Written: 16 bits, WAV (RIFF, plain PCM) or FLAC, without metadata. WAV of 16 bits needs the standard
library alone; everything else comes with ``stegfield[media]``.
"""

from __future__ import annotations

import io
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int16, Integer
from numpy.typing import NDArray

from stegfield.errors import ConfigError, InputError, OutputError, SoundError
from stegfield.metrics import SoundQuality, sound_quality
from stegfield.signals.signal import HIGHEST_RATE, LARGEST_POINTS, Signal, stretched

AXES = 1
NOUN = "a sound"
SUFFIXES: tuple[str, ...] = (".wav", ".flac")
LOSSLESS: tuple[str, ...] = SUFFIXES
CHANNELS: tuple[int, ...] = (1, 2)
FEWEST_SAMPLES = 16
FULL_SCALE = 32768
BOUNDS = (-FULL_SCALE, FULL_SCALE - 1)
BYTES = 2


def decode(
    data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
) -> Signal:
    """Decode the bytes of a WAV or FLAC file; the path is only named in errors.

    Args:
        data: The file.
        path: Its name.
        flatten: Has no meaning for sounds.
        largest: Samples of all channels that it may have.

    Raises:
        SoundError: Not a sound, damaged, too short or too long, or of more than two channels.
        InputError: What reads it is not installed.
    """
    plain = _plain_wave(data, path, largest)
    levels, rate = plain if plain is not None else _with_soundfile(data, path, largest)
    samples, channels = levels.shape
    if channels not in CHANNELS:
        raise SoundError(f"{path} has {channels} channels", hint="mix it down to two, or one")
    if samples < FEWEST_SAMPLES:
        raise SoundError(f"{path} has {samples} samples", hint=f"{FEWEST_SAMPLES} are the fewest")
    if not 0 < rate <= HIGHEST_RATE:
        raise SoundError(f"{path} has {rate:,} samples a second", hint="give it a usual rate")
    values, span = stretched(_natural(levels))
    return Signal(values, "sound", rate=float(rate), range=span)


def encode(signal: Signal, suffix: str = ".wav") -> bytes:
    """Encode a sound as a 16-bit WAV or FLAC file.

    Raises:
        ConfigError: The suffix is neither's.
        InputError: What writes it is not installed.
        OutputError: A FLAC file cannot have this rate.
    """
    suffix = suffix.lower()
    levels, rate = to_levels(signal), round(signal.rate or FULL_SCALE)
    stream = io.BytesIO()
    if suffix == ".wav":
        with wave.open(stream, "wb") as file:
            file.setnchannels(signal.channels)
            file.setsampwidth(BYTES)
            file.setframerate(rate)
            file.writeframes(levels.astype("<i2").tobytes())
    elif suffix == ".flac":
        soundfile = _library()
        try:
            soundfile.write(stream, levels, rate, format="FLAC", subtype="PCM_16")
        except (soundfile.SoundFileError, ValueError) as error:
            raise OutputError(
                f"this sound cannot be written as FLAC: {error}", hint="write a .wav file"
            ) from None
    else:
        raise ConfigError(
            f"sounds cannot be written with the suffix {suffix or '(none)'}",
            hint=f"use one of {' '.join(LOSSLESS)}",
        )
    return stream.getvalue()


def to_levels(signal: Signal) -> Int16[np.ndarray, "samples channels"]:
    """Give the 16-bit samples that a file holds; values beyond full scale are clipped."""
    levels = (signal.natural * FULL_SCALE).round().clamp(*BOUNDS)
    return levels.to(torch.int16).numpy()


def with_levels(signal: Signal, levels: Integer[np.ndarray, "samples channels"]) -> Signal:
    """Give a sound like this one, but of other samples."""
    values, _ = stretched(_natural(levels), signal.range)
    return replace(signal, values=values)


def bounds(signal: Signal) -> tuple[int, int]:
    """Give the least and the largest level."""
    return BOUNDS


def quality(shown: Signal, wanted: Signal) -> SoundQuality:
    """Compare two sounds as files hold them.

    Raises:
        ConfigError: They differ in length, channels or rate.
    """
    facts = [(each.size[0], each.channels, each.rate) for each in (shown, wanted)]
    if facts[0] != facts[1]:
        told = " and ".join(f"{n:,} samples x {c} at {r:g} Hz" for n, c, r in facts)
        raise ConfigError(f"the sounds differ: {told}", hint="compare sounds of one length")
    return sound_quality(to_levels(shown), to_levels(wanted))


def _natural(levels: Integer[np.ndarray, "samples channels"]) -> torch.Tensor:
    return torch.from_numpy(levels.astype(np.float64) / FULL_SCALE)


def _plain_wave(data: bytes, path: Path, largest: int) -> tuple[NDArray[np.int16], int] | None:
    """Read 16-bit PCM; None where it is something else, which libsndfile may know."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            if file.getsampwidth() != BYTES:
                return None
            channels, promised = file.getnchannels(), file.getnframes()
            held = file.readframes(min(promised, largest))
            rate = file.getframerate()
    except Exception:  # it raises nearly anything on crafted files
        return None
    _check_length(promised, channels, path, largest)
    if len(held) != promised * channels * BYTES:
        raise SoundError(f"{path} is cut off: it has fewer samples than its header says")
    return np.frombuffer(held, "<i2").astype(np.int16).reshape(-1, channels), rate


def _with_soundfile(data: bytes, path: Path, largest: int) -> tuple[NDArray[np.int16], int]:
    soundfile = _library()
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if file.format not in ("WAV", "WAVEX", "FLAC"):
                raise SoundError(f"{path} is neither WAV nor FLAC but {file.format}")
            promised, rate = file.frames, file.samplerate
            _check_length(promised, file.channels, path, largest)
            whole = file.subtype == "PCM_16"
            held = file.read(promised, dtype="int16" if whole else "float64", always_2d=True)
    except SoundError:
        raise
    except (soundfile.SoundFileError, ValueError, TypeError) as error:
        reason = " ".join(str(error).rpartition(">: ")[2].split()).rstrip(".")
        raise SoundError(f"{path} is not a sound, or damaged: {reason}") from None
    if len(held) != promised:
        raise SoundError(f"{path} is cut off: it has fewer samples than its header says")
    return (held if whole else _rounded(held, path)), rate


def _rounded(held: NDArray[np.float64], path: Path) -> NDArray[np.int16]:
    if not np.isfinite(held).all() or np.abs(held).max(initial=0) > 1:
        raise SoundError(f"{path} goes beyond full scale", hint="make it quieter")
    return np.rint(held * FULL_SCALE).clip(*BOUNDS).astype(np.int16)


def _check_length(samples: int, channels: int, path: Path, largest: int) -> None:
    if not 0 <= samples * channels <= largest:
        raise SoundError(f"{path} is too long to decode safely", hint="cut it into parts")


def _library() -> Any:
    try:
        import soundfile
    except (ImportError, OSError):  # the latter where libsndfile is missing
        raise InputError(
            "sounds other than 16-bit WAV need soundfile, which is not installed",
            hint="pip install 'stegfield[media]'",
        ) from None
    return soundfile
