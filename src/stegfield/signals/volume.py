"""Volumes: numbers on a grid of three axes, in NumPy's files.

Read: .npy of three axes, 4 points or more along each, of 8- or 16-bit integers that fit into 16
bits with a sign, as those of a CT in Hounsfield units do. An integer i is i / 32768 on the
scale of a signal.
Written: 16-bit integers. Nothing is ever unpickled.
"""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int16, Integer
from numpy.lib import format as npy

from stegfield.errors import ConfigError, VolumeError
from stegfield.metrics import VolumeQuality, volume_quality
from stegfield.signals.signal import LARGEST_POINTS, Signal, stretched

AXES = 3
NOUN = "a volume"
SUFFIXES: tuple[str, ...] = (".npy",)
LOSSLESS: tuple[str, ...] = ()
CHANNELS: tuple[int, ...] = (1,)
FULL_SCALE = 32768
BOUNDS = (-FULL_SCALE, FULL_SCALE - 1)
KINDS = ("int8", "uint8", "int16", "uint16")
FEWEST_POINTS = 4
LARGEST_HEADER = 1000


def decode(
    data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
) -> Signal:
    """Decode the bytes of a .npy file; the path is only named in errors.

    Args:
        data: The file.
        path: Its name.
        flatten: Has no meaning for volumes.
        largest: Points that it may have.

    Raises:
        VolumeError: Not such a file, or damaged, or of another shape or type.
    """
    stream = io.BytesIO(data)
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, turned, kind = read(stream, max_header_size=LARGEST_HEADER)
    except Exception:  # NumPy parses Python here, and raises nearly anything on crafted files
        raise VolumeError(f"{path} is not an array in NumPy's format") from None
    if kind.name not in KINDS:
        raise VolumeError(f"{path} has numbers of type {kind.name}", hint="make them int16")
    if len(shape) != AXES or min(shape) < FEWEST_POINTS or math.prod(shape) > largest:
        raise VolumeError(
            f"{path} has the shape {'x'.join(map(str, shape)) or '()'}",
            hint=f"volumes have 3 axes of {FEWEST_POINTS} points or more, "
            f"{largest / 1e6:g} million in all",
        )
    held = data[stream.tell() :]
    if len(held) != math.prod(shape) * kind.itemsize:
        raise VolumeError(f"{path} is cut off, or longer than its header says")
    numbers = np.frombuffer(held, kind).reshape(shape, order="F" if turned else "C")
    if numbers.max() > BOUNDS[1]:
        raise VolumeError(f"{path} goes up to {numbers.max()}", hint="make its numbers int16")
    values, span = stretched(_natural(numbers.astype(np.int16)[..., None]))
    return Signal(values, "volume", range=span)


def encode(signal: Signal, suffix: str = ".npy") -> bytes:
    """Encode a volume as a .npy file of 16-bit integers.

    Raises:
        ConfigError: The suffix is another.
    """
    if suffix.lower() not in SUFFIXES:
        raise ConfigError("a volume is written in NumPy's format", hint="use .npy")
    stream = io.BytesIO()
    npy.write_array(stream, to_levels(signal)[..., 0].astype("<i2"), allow_pickle=False)
    return stream.getvalue()


def to_levels(signal: Signal) -> Int16[np.ndarray, "slices rows columns 1"]:
    """Give the 16-bit integers that a file holds."""
    return (signal.natural * FULL_SCALE).round().clamp(*BOUNDS).to(torch.int16).numpy()


def with_levels(signal: Signal, levels: Integer[np.ndarray, "slices rows columns 1"]) -> Signal:
    """Give a volume like this one, but of other integers."""
    values, _ = stretched(_natural(levels), signal.range)
    return replace(signal, values=values)


def bounds(signal: Signal) -> tuple[int, int]:
    """Give the least and the largest integer."""
    return BOUNDS


def quality(shown: Signal, wanted: Signal) -> VolumeQuality:
    """Compare two volumes by their integers.

    Raises:
        ConfigError: They differ in size.
    """
    if shown.size != wanted.size:
        told = " and ".join("x".join(map(str, reversed(each.size))) for each in (shown, wanted))
        raise ConfigError(f"the volumes differ in size: {told}", hint="compare those of one size")
    return volume_quality(to_levels(shown), to_levels(wanted))


def _natural(levels: Integer[np.ndarray, "slices rows columns 1"]) -> torch.Tensor:
    return torch.from_numpy(levels.astype(np.float64) / FULL_SCALE)
