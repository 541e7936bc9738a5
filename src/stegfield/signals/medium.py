"""A medium: what its files are, what its points are, and what can be done with its signals.

A new one is a subclass with one object of it, in a file of its own, and an entry in
`stegfield.signals.MEDIA`. Everything else in the library asks the object, and knows no names.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float32

from stegfield.errors import ConfigError, InputError
from stegfield.metrics import AnyQuality
from stegfield.signals import grids
from stegfield.signals.grids import LARGEST_POINTS, size_text
from stegfield.signals.signal import Signal, stretched


class Medium(ABC):
    """What is known about a kind of signal; there is one object of each kind, so compare by `is`.

    A subclass sets the class variables that have no value here, and implements what is abstract.
    """

    name: ClassVar[str]
    """As headers, records and JSON have it."""
    noun: ClassVar[str]
    """Its name with the article, as errors say it."""
    plural: ClassVar[str]
    error: ClassVar[type[InputError]] = InputError
    """What a file that cannot be read as one raises."""
    point: ClassVar[str] = "point"
    """What people call one of its points."""
    axes: ClassVar[int]
    """Of the grids that its signals are on."""
    suffixes: ClassVar[tuple[str, ...]]
    """Of the names of its files, in lower case, the usual one first."""
    also: ClassVar[tuple[str, ...]] = ()
    """Suffixes of another medium that some of its files have, told apart by their contents."""
    written: ClassVar[tuple[str, ...]]
    """Those of files that can be written, the usual one first."""
    lossless: ClassVar[tuple[str, ...]] = ()
    """Those of files that keep every integer, the usual one first; none if it takes no messages."""
    instead: ClassVar[str] = ""
    """What to do with a signal that takes no messages, added to the hint."""
    channels: ClassVar[tuple[int, ...]]
    """That its signals may have."""
    timed: ClassVar[bool] = False
    """The first axis is time, and signals have a rate."""
    ranged: ClassVar[bool] = False
    """Files may use a small part of what their numbers can hold; signals are stretched over it."""
    on_globe: ClassVar[bool] = False
    """Rows go from pole to pole, each of them one place, and columns once around."""
    grey_is_colour: ClassVar[bool] = False
    """A signal of one channel looks the same in all of them, and may be stored so."""

    def __reduce__(self) -> tuple[Callable[[str], Medium], tuple[str]]:
        return _named, (self.name,)

    def __repr__(self) -> str:
        return f"<medium {self.name}>"

    # files

    def recognizes(self, data: bytes) -> bool:
        """Tell whether bytes without a name begin as a file of this medium does."""
        return False

    @abstractmethod
    def decode(
        self, data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
    ) -> Signal:
        """Decode the bytes of a file.

        Args:
            data: The file.
            path: Its name, for errors; its suffix where the medium has several kinds of file.
            flatten: Put a transparent image onto white, instead of refusing it.
            largest: Points that it may have, looked at before they are decoded.

        Raises:
            InputError: The file is damaged or unfit, or what reads it is not installed.
        """

    def stored(self, data: bytes, path: Path, *, largest: int = LARGEST_POINTS) -> Iterator[Signal]:
        """Decode what a file's integers may stand for, for those who look for a message in them.

        Args:
            data: The file.
            path: Its name, for errors.
            largest: Points that it may have.

        Raises:
            InputError: The file is damaged or unfit, or what reads it is not installed.
        """
        yield self.decode(data, path, largest=largest)

    def lost_in(self, signal: Signal, suffix: str) -> list[str]:
        """Name what a file of some suffix cannot hold of what a signal's own file says of it."""
        return []

    @abstractmethod
    def encode(self, signal: Signal, suffix: str) -> bytes:
        """Encode a signal as the file that a file name's suffix stands for.

        Raises:
            ConfigError: No file of this medium has that suffix.
            InputError: What writes it is not installed.
            OutputError: Such a file cannot hold this signal.
        """

    def check_written(self, suffix: str) -> str:
        """Return a suffix in lower case.

        Raises:
            ConfigError: No file that can be written has that suffix.
        """
        if suffix.lower() not in self.written:
            raise ConfigError(
                f"{self.plural} cannot be written with the suffix {suffix or '(none)'}",
                hint=f"use {'one of ' if len(self.written) > 1 else ''}{' '.join(self.written)}",
            )
        return suffix.lower()

    # the integers of a file

    @abstractmethod
    def to_levels(self, signal: Signal) -> Any:
        """Return the integers that a file holds."""

    @abstractmethod
    def with_levels(self, signal: Signal, levels: Any) -> Signal:
        """Return a signal like this one, but of other integers."""

    @abstractmethod
    def bounds(self, signal: Signal) -> tuple[int, int]:
        """Return the least and the largest integer that a file may hold."""

    # comparing

    @abstractmethod
    def quality(self, shown: Signal, wanted: Signal) -> AnyQuality:
        """Compare two signals as files hold them.

        Raises:
            ConfigError: The signals differ in size.
        """

    def psnr_db(self, shown: Signal, wanted: Signal) -> float:
        """Return the PSNR of `quality` alone, which may take less time."""
        return self.quality(shown, wanted).psnr_db

    def check_same_size(self, shown: Signal, wanted: Signal) -> None:
        """Refuse signals that cannot be compared.

        Raises:
            ConfigError: The signals differ in size.
        """
        if shown.size != wanted.size:
            raise ConfigError(
                f"the {self.plural} differ in size: "
                f"{size_text(shown.size)} and {size_text(wanted.size)}",
                hint=f"compare {self.plural} of one size",
            )

    @abstractmethod
    def still(self, signal: Signal) -> Signal:
        """Return an image to look at beside the signal."""

    # points

    @property
    def point_axes(self) -> int:
        """Coordinates of each point: 2 in an image, 3 on the globe."""
        return 3 if self.on_globe else self.axes

    def extent(self, size: tuple[int, ...]) -> tuple[float, ...]:
        """Return half the length of each axis of the box that a field of such a signal covers."""
        return grids.extent(size)

    def points(
        self,
        size: tuple[int, ...],
        within: tuple[float, ...] | None = None,
        start: int = 0,
        stop: int | None = None,
        *,
        folded: bool = False,
    ) -> Float32[np.ndarray, "points axes"]:
        """Return the points of a grid: on the globe a `sphere`, else `coordinates` in a box.

        Args:
            size: Points along each axis.
            within: Half the length of each axis of the box; the globe needs none.
            start: First point wanted, the last axis running fastest.
            stop: Point to stop before; the last one if left out.
            folded: The grid is that of a folded signal: on the globe one of `equal_area`.
        """
        if self.on_globe:
            return (grids.equal_area if folded else grids.sphere)(size, start, stop)
        return grids.coordinates(size, within, start, stop)

    def folding_box(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Return how long the axes of a grid are, in any unit, that a secret is folded into.

        Args:
            size: Points along each axis of the cover.
        """
        return (1, 2) if self.on_globe else size

    # secrets

    def secret_range(self, secret: Signal) -> tuple[float, float]:
        """Return the values of a secret at which a field shows -1 and 1."""
        return secret.range if self.ranged else stretched(secret.values.clip(-1, 1))[1]


def library(module: str, needing: str) -> Any:
    """Import a library that comes with ``stegfield[media]``.

    Args:
        module: Its name.
        needing: What needs it, for the error: "sounds other than 16-bit WAV need soundfile".

    Raises:
        InputError: The library is not installed.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, OSError):  # the latter where a shared library is missing
        raise InputError(
            f"{needing}, which is not installed", hint="pip install 'stegfield[media]'"
        ) from None


def _named(name: str) -> Medium:
    """Find the one object of a medium again, in the process that unpickles it."""
    from stegfield.signals.media import MEDIA  # which imports all media

    return MEDIA[name]
