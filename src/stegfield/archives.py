"""Archives and arrays of strangers: .npy, .npz and .zip, read with bounds.

What a file says of its size is looked at before anything is inflated: the shape of an array, and
the bytes of all members of an archive together. Nothing is ever unpickled.
"""

from __future__ import annotations

import io
import math
import threading
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from stegfield.errors import InputError
from stegfield.files import distrusting

LARGEST_HEADER = 1000
ALWAYS, TIMES = 64 << 20, 32
"""Bytes that an archive may inflate to in any case, and how many times as many as it has."""


@dataclass(frozen=True)
class Layout:
    """What the header of an array says."""

    shape: tuple[int, ...]
    turned: bool
    """The first axis runs fastest."""
    kind: np.dtype[Any]

    @property
    def size(self) -> int:
        """Bytes of its numbers."""
        return math.prod(self.shape) * self.kind.itemsize

    def filled(self, held: bytes) -> NDArray[Any]:
        """Return the array of so many bytes.

        Raises:
            ValueError: The file has fewer or more numbers, or other values than plain numbers.
        """
        if self.kind.hasobject or len(held) != self.size:
            raise ValueError("it is cut off, or longer than its header says")
        flat: NDArray[Any] = np.frombuffer(held, self.kind)
        return flat.reshape(self.shape, order="F" if self.turned else "C")


def array_header(stream: Any) -> Layout:
    """Read the header of a .npy file from a stream of bytes, and stop before its numbers.

    Raises:
        Exception: It is none, or damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy parses Python here, which may warn
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, turned, kind = read(stream, max_header_size=LARGEST_HEADER)
    if not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("its shape is none")
    return Layout(shape, turned, kind)


def array_of(data: bytes) -> NDArray[Any]:
    """Return the array of a .npy file's bytes; it takes no more memory than they do.

    Raises:
        Exception: The bytes are no array of plain numbers, or damaged.
    """
    stream = io.BytesIO(data)
    layout = array_header(stream)
    return layout.filled(data[stream.tell() :])


class Archive:
    """A zip, whose members may be read by several threads.

    Raises:
        InputError: The file is no archive, or its members inflate to more than a bound.
    """

    def __init__(self, path: Path, what: str = "a zip", *, hint: str | None = None) -> None:
        self.path, self._what, self._hint = path, what, hint
        with self._distrusting():
            self._open = zipfile.ZipFile(path)
            members = self._open.infolist()
            bound = max(ALWAYS, TIMES * path.stat().st_size)
        self._sizes = {each.filename: each.file_size for each in members}
        if sum(each.file_size for each in members) > bound:
            raise InputError(
                f"{path} would inflate to more than {bound / 1e6:,.0f} MB, {TIMES} times its size",
                hint="pack it anew, or unpack it if you trust it",
            )
        self._turn = threading.Lock()

    @property
    def names(self) -> list[str]:
        """Of the members."""
        return list(self._sizes)

    def read(self, name: str) -> bytes:
        """Inflate a member, one at a time.

        Raises:
            InputError: The member is damaged.
        """
        with distrusting(f"{name} in {self.path}", "whole"), self._turn:
            return self._open.read(name)

    def array(self, name: str, *, axes: Sequence[int], kinds: str) -> NDArray[Any]:
        """Read an array, whose shape and type are looked at first.

        Args:
            name: Of the member, without the ending .npy.
            axes: How many it may have.
            kinds: Letters of NumPy's kinds of numbers that it may have.

        Raises:
            InputError: The archive has no such array, or one of another shape or type, or a damaged
                one.
        """
        member = f"{name}.npy"
        with (
            distrusting(f"{name} in {self.path}", "an array"),
            self._turn,
            self._open.open(member) as stream,
        ):
            layout = array_header(stream)
            if len(layout.shape) not in axes or layout.kind.kind not in kinds:
                raise ValueError(f"it is {layout.kind.name} of {len(layout.shape)} axes")
            if layout.size > self._sizes[member]:
                raise ValueError("its header promises more numbers than there are")
            return layout.filled(stream.read())

    def _distrusting(self) -> Any:
        return distrusting(self.path, self._what, hint=self._hint)
