"""WAV files as they come: RIFF, RF64, and those whose header does not tell how long they are.

A program that writes into a pipe cannot go back to its header, and leaves lengths of 0 or of all
ones there: what follows is then the sound, up to the end of the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from stegfield.errors import SoundError

PCM, EXTENSIBLE = 1, 0xFFFE
UNKNOWN = 0x7FFF_0000
"""Lengths from here on, of files that are shorter, stand for none: SoX and FFmpeg write several."""


@dataclass(frozen=True)
class Wave:
    """The parts of a WAV file that matter."""

    format: bytes
    """The chunk that tells how samples are held."""
    held: bytes
    """The samples."""
    told: bool
    """The header tells how long they are."""

    @property
    def coding(self) -> int:
        """1 for integers, 3 for floating point, 6 and 7 for A-law and mu-law."""
        coding = self._number(0, 2)
        return self._number(24, 2) if coding == EXTENSIBLE and len(self.format) >= 26 else coding

    @property
    def channels(self) -> int:
        """Samples at each time."""
        return self._number(2, 2)

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._number(4, 4)

    @property
    def frame(self) -> int:
        """Bytes of the samples of one time."""
        return self._number(12, 2)

    @property
    def bits(self) -> int:
        """Of each sample."""
        return self._number(14, 2)

    def plain(self) -> bytes:
        """Return a file of the same samples whose header is right."""
        held = self.held + b"\0" * (len(self.held) % 2)
        body = b"WAVE" + _chunk(b"fmt ", self.format) + b"data" + struct.pack("<I", len(self.held))
        return b"RIFF" + struct.pack("<I", len(body) + len(held)) + body + held

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self.format[at : at + size], "little")


def parse(data: bytes, name: Path) -> Wave:
    """Find the samples of a WAV file.

    Args:
        data: The file.
        name: Of it, for the error.

    Raises:
        SoundError: The header promises more samples than there are.
        Exception: The file is no WAV file, or damaged.
    """
    if data[:4] not in (b"RIFF", b"RF64") or data[8:12] != b"WAVE":
        raise ValueError("it does not begin as WAV does")
    (whole,) = struct.unpack_from("<I", data, 4)
    at, form, long = 12, b"", 0
    while True:
        chunk_name, length = struct.unpack_from("<4sI", data, at)
        at += 8
        if chunk_name == b"data":
            break
        chunk = data[at : at + length]
        if len(chunk) < length:
            raise ValueError("it ends within a chunk")
        if chunk_name == b"fmt ":
            form = chunk
        elif chunk_name == b"ds64":
            (long,) = struct.unpack_from("<Q", chunk, 8)
        at += length + length % 2
    if len(form) < 16:
        raise ValueError("it does not tell how its samples are held")
    left = len(data) - at
    if length == 0xFFFF_FFFF and long:
        length = long
    told = not (length > left and length >= UNKNOWN) and not (
        length == 0 and left and whole != len(data) - 8
    )
    wave = Wave(form, data[at : at + length] if told else data[at:], told)
    if wave.frame == 0:
        raise ValueError("its samples have no length")
    if told and length > left:
        raise SoundError(f"{name} is cut off: it has fewer samples than its header says")
    return (
        wave if told else Wave(form, wave.held[: len(wave.held) // wave.frame * wave.frame], False)
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
