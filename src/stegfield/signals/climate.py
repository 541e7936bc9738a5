"""Climate fields: temperatures on the globe, in NetCDF-4 files.

Read: one variable of temperatures in kelvin or degrees Celsius on a regular grid that has both
poles; of several times and levels, the first. What becomes of a file's numbers:

- 16-bit integers are kept, with the file's own scale, offset, unit and name (see `Packing`).
- Anything else is read as temperatures, and packed anew when it is written, with scale and offset
  from their range.
- Rows from south to north, and longitudes that do not begin at 0, are turned round, and turned
  back on writing.
- Missing values and temperatures outside 180 to 340 K are refused.

Written: one variable of 16-bit integers with its latitudes and longitudes, not compressed, with the
attributes and names that the file had, even its word on the library that wrote it; equal signals
give equal bytes. Other variables and times are not kept.

The files are HDF5, read in a process of its own (see `stegfield.signals.netcdf`); what reads and
writes them comes with ``stegfield[media]``.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from jaxtyping import Int32, Integer
from numpy.typing import NDArray

from stegfield.errors import ClimateError, ConfigError, OutputError
from stegfield.files import distrusting
from stegfield.metrics import KelvinQuality
from stegfield.signals import globes, netcdf
from stegfield.signals.grids import LARGEST_POINTS
from stegfield.signals.levels import from_samples
from stegfield.signals.medium import Medium, library
from stegfield.signals.netcdf import PROPERTIES, Attribute, Description, UnfitError
from stegfield.signals.packing import (
    FINEST_SCALE,
    HIGHEST_KELVIN,
    LOWEST_KELVIN,
    Packing,
    to_values,
)
from stegfield.signals.signal import Signal

FEWEST_ROWS, FEWEST_COLUMNS = 3, 4
KINDS = ("int16", "uint16")
PLACE_TOLERANCE = 0.01
"""How far a latitude or longitude may be from its place, as a share of the spacing."""
NEEDING = "climate files need h5netcdf and h5py"
OURS = Description(
    attributes={
        "": [("Conventions", "text", "CF-1.8")],
        "latitude": [("standard_name", "text", "latitude"), ("units", "text", "degrees_north")],
        "longitude": [("standard_name", "text", "longitude"), ("units", "text", "degrees_east")],
    }
)
"""Of fields that came from no file."""
OLDER_FORMAT, NEWER_FORMAT = b"CDF", b"\x89HDF\r\n\x1a\n"


class ClimateMedium(Medium):
    """Temperatures on the globe: rows from pole to pole, columns once around."""

    name = "climate"
    noun = "a climate field"
    plural = "climate fields"
    error = ClimateError
    axes = 2
    suffixes = (".nc",)
    written = suffixes
    lossless = suffixes
    channels = (1,)
    on_globe = True

    def decode(
        self, data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
    ) -> Signal:
        """Decode the bytes of a NetCDF-4 file; the path is only named in errors.

        A program of its own, with bounds of memory and time, has read the points by the time that
        ``largest`` is looked at.

        Raises:
            ClimateError: Not NetCDF-4, damaged, or not a temperature on a global grid.
            InputError: What reads it is not installed.
        """
        _h5netcdf()
        if data[:3] == OLDER_FORMAT:
            raise ClimateError(
                f"{path} is a NetCDF-3 file", hint="convert it: nccopy -k netCDF-4 old.nc new.nc"
            )
        with distrusting(path, self.noun, ClimateError):
            try:
                found = netcdf.read(data)
                if found.stored.size > largest:
                    raise UnfitError(f"its grid has more than {largest / 1e6:g} million points")
                return _field(found)
            except UnfitError as error:
                raise ClimateError(f"{path} is not a climate field: {error}") from None

    def encode(self, signal: Signal, suffix: str) -> bytes:
        """Encode a climate field as a NetCDF-4 file, in the packing that it was read in.

        Raises:
            ConfigError: The field has fewer points than are read, or the suffix is not .nc.
            InputError: What writes it is not installed.
        """
        self.check_written(suffix)
        h5netcdf = _h5netcdf()
        if signal.size[0] < FEWEST_ROWS or signal.size[1] < FEWEST_COLUMNS:
            raise ConfigError(
                f"a climate file has {FEWEST_COLUMNS}x{FEWEST_ROWS} points or more, "
                f"got {signal.size[1]}x{signal.size[0]}"
            )
        packing = _packing_of(signal)
        levels = packing.pack(signal.values)[..., 0].astype(packing.kind)
        latitudes = np.linspace(90.0, -90.0, levels.shape[0])
        if packing.ascending:
            levels, latitudes = levels[::-1], latitudes[::-1]
        step = 360.0 / levels.shape[1]
        longitudes = packing.west + step * np.arange(levels.shape[1])
        levels = np.roll(levels, -_columns_west(packing.west, levels.shape[1]), axis=1)
        places = (latitudes, longitudes)
        try:
            return _written(h5netcdf, packing, levels, places)
        except (OSError, ValueError, TypeError) as error:
            raise OutputError(f"this field cannot be written as NetCDF-4: {error}") from error

    def to_levels(self, signal: Signal) -> Int32[np.ndarray, "rows columns 1"]:
        """Return the integers that a file holds: packed temperatures."""
        return _packing_of(signal).pack(signal.values)

    def with_levels(self, signal: Signal, levels: Integer[np.ndarray, "rows columns 1"]) -> Signal:
        """Return a field like this one, but of other integers."""
        packing = _packing_of(signal)
        return replace(signal, values=packing.unpack(levels), packing=packing, notes=())

    def bounds(self, signal: Signal) -> tuple[int, int]:
        """Return the least and the largest integer that a file of the field may hold."""
        return _packing_of(signal).bounds

    def quality(self, shown: Signal, wanted: Signal) -> KelvinQuality:
        """Compare two climate fields as files hold them, in the packing of the second.

        Raises:
            ConfigError: The fields differ in size.
        """
        self.check_same_size(shown, wanted)
        packing = _packing_of(wanted)
        difference = (packing.pack(shown.values) - packing.pack(wanted.values)).astype(np.float64)
        rmse, (low, high) = math.sqrt(np.square(difference).mean()), packing.bounds
        return KelvinQuality(
            psnr_db=20 * math.log10((high - low) / rmse) if rmse else math.inf,
            rmse_kelvin=packing.scale * rmse,
            largest_kelvin=packing.scale * float(np.abs(difference).max()),
        )

    def still(self, signal: Signal) -> Signal:
        """Draw the globe from two sides."""
        return from_samples(globes.globe(signal))


CLIMATE = ClimateMedium()


def _packing_of(signal: Signal) -> Packing:
    return signal.packing or Packing.over(signal.values)


def _written(
    h5netcdf: Any,
    packing: Packing,
    levels: NDArray[np.integer],
    places: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> bytes:
    """Write integers at latitudes and longitudes as a NetCDF-4 file."""
    stream = io.BytesIO()
    told = packing.described or OURS
    axes = (told.latitude, told.longitude)
    with h5netcdf.File(stream, "w") as file:
        file.dimensions = dict(zip(axes, levels.shape, strict=True))
        _describe(file, told.attributes[""])
        for name, kind, along in zip(axes, told.kinds, places, strict=True):
            axis = file.create_variable(name, (name,), data=along.astype(kind))
            _describe(axis, told.attributes[name])
        variable = file.create_variable(packing.name, axes, data=levels, fillvalue=packing.fill)
        scale, offset = np.float64(packing.scale), np.float64(packing.offset)
        variable.attrs.update({"scale_factor": scale, "add_offset": offset})
        _describe(variable, told.attributes.get(packing.name, [("units", "text", packing.units)]))
    if packing.described is not None:
        _name_maker(stream, told.attributes[""])
    return stream.getvalue()


def _describe(holder: Any, attributes: Sequence[Attribute]) -> None:
    for name, kind, value in attributes:
        if name != PROPERTIES:
            numbers = value if kind == "text" else np.array(value, dtype=kind)
            holder.attrs[name] = numbers[0] if kind != "text" and len(numbers) == 1 else numbers


def _name_maker(stream: io.BytesIO, attributes: Sequence[Attribute]) -> None:
    """Let a file say what its predecessor said of the library that wrote it, or nothing."""
    given = {name: value for name, _, value in attributes}.get(PROPERTIES)
    h5py = library("h5py", NEEDING)
    with h5py.File(stream, "r") as file:
        ours = file.attrs.get(PROPERTIES, b"").decode()
    if given == ours:
        return
    with h5py.File(stream, "r+") as file:
        del file.attrs[PROPERTIES]
        if given is not None:
            file.attrs[PROPERTIES] = np.bytes_(str(given).encode())


def _h5netcdf() -> Any:
    library("h5py", NEEDING)
    return library("h5netcdf", NEEDING)


def _field(variable: netcdf.Variable) -> Signal:
    rows, columns = variable.stored.shape
    if rows < FEWEST_ROWS or columns < FEWEST_COLUMNS:
        raise UnfitError(f"its grid has {columns}x{rows} points")
    packing = replace(
        _packing(variable),
        ascending=_ascending(variable.latitudes),
        west=_west(variable.longitudes),
        described=variable.described,
    )
    stored = variable.stored[::-1] if packing.ascending else variable.stored
    stored = np.roll(stored, _columns_west(packing.west, columns), axis=1)[..., None]
    if not np.isfinite(stored).all() or any(gap in stored for gap in variable.gaps):
        raise UnfitError("values are missing")
    kelvin = packing.scale * stored.astype(np.float64) + packing.zero_kelvin
    if kelvin.min() < LOWEST_KELVIN or kelvin.max() > HIGHEST_KELVIN:
        raise UnfitError(
            f"it has {kelvin.min():.4g} to {kelvin.max():.4g} K, "
            f"and temperatures from {LOWEST_KELVIN:g} to {HIGHEST_KELVIN:g} K are read"
        )
    return Signal(
        to_values(kelvin),
        CLIMATE,
        packing=_for_writing(packing, stored, to_values(kelvin)),
        notes=_notes(variable),
    )


def _notes(variable: netcdf.Variable) -> tuple[str, ...]:
    """Say so where a file has more fields than the one that was read."""
    along = [f"{count:,} along {axis}" for axis, count in variable.leading.items() if count > 1]
    return (f"has several fields, {' and '.join(along)}; the first was read",) if along else ()


def _ascending(latitudes: NDArray[np.float64]) -> bool:
    """Tell whether latitudes go from south to north."""
    expected = np.linspace(90.0, -90.0, len(latitudes))
    tolerance = PLACE_TOLERANCE * 180 / (len(latitudes) - 1)
    if np.allclose(latitudes, expected, rtol=0, atol=tolerance):
        return False
    if np.allclose(latitudes[::-1], expected, rtol=0, atol=tolerance):
        return True
    raise UnfitError("its rows are not evenly spaced latitudes from pole to pole")


def _west(longitudes: NDArray[np.float64]) -> float:
    """Return the first longitude, of those that go around the globe and have 0 among them."""
    step = 360 / len(longitudes)
    west = round(longitudes[0] / step) * step if np.isfinite(longitudes[0]) else 0.0
    expected = west + step * np.arange(len(longitudes))
    if abs(west) > 360 or not np.allclose(
        longitudes, expected, rtol=0, atol=PLACE_TOLERANCE * step
    ):
        raise UnfitError(
            "its columns are not evenly spaced longitudes around the globe, 0 included"
        )
    return west


def _columns_west(west: float, columns: int) -> int:
    """Return how many columns east of 0 degrees a file's first column is."""
    return round(west * columns / 360) % columns


def _packing(variable: netcdf.Variable) -> Packing:
    """Tell how the variable's numbers stand for temperatures."""
    scale = 1.0 if variable.scale is None else variable.scale
    offset = 0.0 if variable.offset is None else variable.offset
    if not (FINEST_SCALE <= scale < math.inf and abs(offset) < math.inf):
        raise UnfitError(f"its scale_factor is {scale:g}, and its add_offset {offset:g}")
    units = "K" if variable.units is None else variable.units
    unit = netcdf.temperature_unit(units)
    if unit is None:
        raise UnfitError(f"its unit is {units[:40]!r}, neither K nor degrees Celsius")
    return Packing(
        scale=scale, offset=offset, units=units, celsius=unit == "C", name=variable.name, fill=None
    )


def _for_writing(
    packing: Packing,
    stored: NDArray[np.integer[Any]] | NDArray[np.floating[Any]],
    values: NDArray[np.float32],
) -> Packing:
    """Return how to write the field: as it was read, or if not in 16 bits, over its own range.

    The file's fill value is not kept, since nothing is missing: it might be within reach of a
    sample's changes. The integer at one end of what 16 bits hold takes its place.
    """
    kind = stored.dtype.name
    if kind not in KINDS:
        return replace(
            Packing.over(values),
            name=packing.name,
            described=packing.described,
            ascending=packing.ascending,
            west=packing.west,
        )
    limits = np.iinfo(kind)
    ends = limits.min, limits.max
    unused = [int(end) for end in ends if end not in stored]
    return replace(
        packing, kind=cast(Literal["int16", "uint16"], kind), fill=unused[0] if unused else None
    )
