"""A signal: values on a grid of points, of some medium."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float, Float32, Float64, Shaped, UInt8
from numpy.typing import NDArray
from PIL import Image

from stegfield.errors import ConfigError
from stegfield.signals.grids import size_text
from stegfield.signals.look import Look
from stegfield.signals.packing import Packing

if TYPE_CHECKING:
    from stegfield.signals.medium import Medium

WHOLE_RANGE = (-1.0, 1.0)
LEAST_SPAN = 1e-6
HIGHEST_RATE = 1e6
"""Points a second."""

Origin = Literal["JPEG", "WebP", "HEIC", "AVIF", "palette", "few levels", "16 bits", "coarse"]
"""Of an image: lossy files, few colours or levels of grey, or more bits than are written; of a
sound: levels with gaps between them."""


def _image() -> Any:
    from stegfield.signals.images import IMAGE  # which makes signals itself

    return IMAGE


@dataclass(frozen=True, eq=False)
class EightBit:
    """Samples in the place of a signal's values, which take four times the memory.

    `Signal` makes values of them when they are first asked for.
    """

    samples: UInt8[np.ndarray, "*size channels"] = field(repr=False)
    jpeg: bytes = field(default=b"", repr=False)
    """The JPEG file that they were decoded from, whose coefficients may carry bits."""

    def __post_init__(self) -> None:
        samples = np.ascontiguousarray(self.samples).view()
        samples.flags.writeable = False  # signals hand them out as they are
        object.__setattr__(self, "samples", samples)

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis, and channels."""
        return self.samples.shape

    def to_values(self) -> Float32[np.ndarray, "*size channels"]:
        """Make values from -1 to 1."""
        values = self.samples.astype(np.float32)
        values /= np.float32(127.5)
        values -= 1
        return values


if TYPE_CHECKING:
    Values = Shaped[np.ndarray, "*size channels"]
else:  # what is given; what is read is always an array
    Values = Shaped[np.ndarray, "*size channels"] | EightBit


@dataclass(frozen=True, eq=False, repr=False)
class Signal:
    """Values in [-1, 1] on a grid, channels last.

    An image has the axes rows and columns and 1 or 3 channels. A climate field has 1 channel, rows
    from the north pole to the south pole, and columns from 0 degrees eastward. A sound has the axis
    time and 1 or 2 channels; a video the axes frames, rows and columns and 3 channels; a volume
    slices, rows and columns and 1 channel; a shape has those of a volume.

    Raises:
        ConfigError: The values are no floating-point numbers, or have other axes than the medium.

    Example:
        >>> Signal(np.zeros((384, 512, 3)))
        Signal(image, 512x384, 3 channels)
    """

    values: Values
    """In float32 and C order, whatever floating-point numbers are given; or made of `EightBit`."""
    medium: Medium = field(default_factory=_image)
    """An image if left out."""
    origin: Origin | None = None
    """What samples were decoded from, where it shows in them or was more than they are."""
    look: Look | None = None
    """What the image file says of its samples, such as a colour profile; None is sRGB."""
    packing: Packing | None = None
    """How the climate file that the values are from holds them; files of our own if None."""
    rate: float | None = None
    """Points a second along the first axis, where that is time."""
    range: tuple[float, float] = WHOLE_RANGE
    """What -1 and 1 stand for, on the medium's own scale: a quiet sound fills [-1, 1] as well."""
    notes: tuple[str, ...] = ()
    """What a reader may not expect of the file: sentences, whose subject is its name."""
    folded: bool = False
    """The values are laid out on the grid of a field that shows something else (see `fold`)."""

    def __post_init__(self) -> None:
        held = self.held
        if not isinstance(held, EightBit) and not np.issubdtype(held.dtype, np.floating):
            raise ConfigError(
                f"Signal(values) are floating-point numbers from -1 to 1, got {held.dtype}",
                hint="signals.read(array) takes 8-bit samples",
            )
        if len(held.shape) != self.medium.axes + 1 and not self.folded:
            raise ConfigError(
                f"the values of {self.medium.noun} have {self.medium.axes + 1} axes, the last one "
                f"for channels, got the shape {held.shape}"
            )
        if not isinstance(held, EightBit):
            # torch warns of arrays that cannot be written to, as broadcast ones are
            object.__setattr__(self, "values", np.require(held, np.float32, ("C", "W")))

    @property
    def held(self) -> Any:
        """What the signal was made of: values, or `EightBit`; for `dataclasses.replace`."""
        return vars(self)["held"]

    @property
    def samples(self) -> UInt8[np.ndarray, "*size channels"] | None:
        """The 8-bit samples that the values stand for, where the signal was made of them."""
        return self.held.samples if isinstance(self.held, EightBit) else None

    @property
    def jpeg(self) -> bytes | None:
        """The JPEG file that the values were decoded from, if they are as they were then."""
        return (self.held.jpeg or None) if isinstance(self.held, EightBit) else None

    @property
    def size(self) -> tuple[int, ...]:
        """Points along each axis: (rows, columns) of an image."""
        return tuple(self.held.shape[:-1])

    @property
    def channels(self) -> int:
        """Values at each point: 1 for grey, 3 for RGB."""
        return int(self.held.shape[-1])

    @property
    def natural(self) -> Float64[np.ndarray, "*size channels"]:
        """The values on the medium's own scale, in float64."""
        lowest, highest = self.range
        return lowest + (self.values.astype(np.float64) + 1) / 2 * (highest - lowest)

    @property
    def points(self) -> int:
        """How many points there are."""
        return math.prod(self.size)

    def __repr__(self) -> str:
        channels = f"{self.channels} channel{'s' if self.channels > 1 else ''}"
        rate = "" if self.rate is None else f", {self.rate:g} a second"
        return f"Signal({self.medium.name}, {size_text(self.size)}, {channels}{rate})"

    def show(self) -> None:
        """Open a picture of the signal in the system's viewer of images."""
        self._picture().show()

    def _repr_png_(self) -> bytes:
        """Draw the signal for a notebook: an image itself, of other media their still."""
        stream = io.BytesIO()
        self._picture().save(stream, "PNG")
        return stream.getvalue()

    def _picture(self) -> Image.Image:
        still = self.medium.still(self)
        samples = still.medium.to_levels(still)
        return Image.fromarray(samples[..., 0] if still.channels == 1 else samples)


class _Values:
    """The attribute `Signal.values`: made of 8-bit samples, if need be, when first asked for."""

    def __get__(self, signal: Signal | None, owner: type[Signal]) -> Any:
        if signal is None:
            return self
        if isinstance(signal.held, EightBit) and "made" not in vars(signal):
            vars(signal)["made"] = signal.held.to_values()
        return vars(signal).get("made", signal.held)

    def __set__(self, signal: Signal, given: NDArray[Any] | EightBit) -> None:
        vars(signal)["held"] = given if isinstance(given, EightBit) else np.asarray(given)


Signal.values = _Values()  # type: ignore[assignment]


def stretched(
    natural: Float[np.ndarray, "*size channels"], span: tuple[float, float] | None = None
) -> tuple[Float32[np.ndarray, "*size channels"], tuple[float, float]]:
    """Stretch values over [-1, 1], and return what -1 and 1 stand for.

    Args:
        natural: Values on their medium's own scale.
        span: That pair, if it is given; their least and largest value if not, and (-1, 1) if
            these are nearly equal.

    Example:
        >>> stretched(np.array([[0.25], [0.75]]))[1]
        (0.25, 0.75)
    """
    if span is None:
        span = natural.min().item(), natural.max().item()
        if span[1] - span[0] < LEAST_SPAN:
            span = WHOLE_RANGE
    lowest, highest = span
    exact = 2 * (natural.astype(np.float64) - lowest) / (highest - lowest) - 1
    return exact.astype(np.float32), span
