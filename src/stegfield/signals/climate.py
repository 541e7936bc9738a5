"""Climate fields: temperatures on the globe, in NetCDF-4 files.

Read: one variable of temperatures in kelvin or degrees Celsius on a regular grid that has both
poles; of several times, the first. What becomes of a file's numbers:

- 16-bit integers are kept, with the file's own scale, offset, unit and name (see `Packing`).
- Anything else is read as temperatures, and packed anew with 0.0024 K for each integer when it is
  written.
- Rows from south to north, and longitudes that do not begin at 0, are turned round, and turned
  back on writing.
- Missing values and temperatures outside 180 to 340 K are refused.

Written: one variable of 16-bit integers with its latitudes and longitudes, not compressed; equal
signals give equal bytes. Other variables, times and attributes of a file are not kept.

The files are HDF5, which h5netcdf and h5py read and write; they come with ``stegfield[media]``.
"""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from stegfield.errors import ClimateError, InputError, OutputError
from stegfield.signals.packing import (
    FINEST_SCALE,
    HIGHEST_KELVIN,
    LOWEST_KELVIN,
    Packing,
    to_values,
)
from stegfield.signals.signal import LARGEST_POINTS, Signal

SUFFIXES = (".nc",)
FEWEST_ROWS, FEWEST_COLUMNS = 3, 4
LARGEST_NUMBER = 8  # bytes
NAMES = ("t2m", "air", "temperature")
"""Variables that are taken where a file has several."""
KELVIN = ("k", "kelvin", "degk", "deg_k", "degrees_k", "degree_kelvin", "degrees kelvin")
CELSIUS = ("c", "degc", "deg_c", "°c", "celsius", "degree_celsius", "degrees_celsius", "degrees c")
KINDS = ("int16", "uint16")
PLACE_TOLERANCE = 0.01
"""How far a latitude or longitude may be from its place, as a share of the spacing."""
OLDER_FORMAT = b"CDF"
FOREIGN_LINK = "it points to other files"


def decode(data: bytes, path: Path) -> Signal:
    """Decode the bytes of a NetCDF-4 file; the path is only named in errors.

    Raises:
        ClimateError: Not NetCDF-4, damaged, or not a temperature on a global grid.
        InputError: What reads it is not installed.
    """
    h5netcdf, h5py = _libraries()
    if data[:3] == OLDER_FORMAT:
        raise ClimateError(
            f"{path} is a NetCDF-3 file", hint="convert it: nccopy -k netCDF-4 old.nc new.nc"
        )
    try:
        with h5py.File(io.BytesIO(data), "r") as holder:
            _check_links(holder, h5py)
            with h5netcdf.File(holder, "r") as opened:
                return _field(opened)
    except _Unfit as error:
        raise ClimateError(f"{path} is not a climate field: {error}") from None
    except MemoryError:
        raise
    except Exception as error:  # the libraries raise nearly anything on crafted files
        why = " ".join(str(error).split())
        raise ClimateError(f"{path} is not a NetCDF-4 file, or a damaged one: {why}") from error


def encode(signal: Signal) -> bytes:
    """Encode a climate field as a NetCDF-4 file, in the packing that it was read in."""
    h5netcdf, _ = _libraries()
    packing = signal.packing or Packing()
    levels = packing.pack(signal.values)[..., 0].astype(packing.kind)
    latitudes = np.linspace(90.0, -90.0, levels.shape[0])
    if packing.ascending:
        levels, latitudes = levels[::-1], latitudes[::-1]
    step = 360.0 / levels.shape[1]
    longitudes = packing.west + step * np.arange(levels.shape[1])
    levels = np.roll(levels, -_columns_west(packing.west, levels.shape[1]), axis=1)
    stream = io.BytesIO()
    try:
        with h5netcdf.File(stream, "w") as file:
            file.dimensions = {"latitude": levels.shape[0], "longitude": levels.shape[1]}
            file.attrs["Conventions"] = "CF-1.8"
            for name, places, units in (
                ("latitude", latitudes, "degrees_north"),
                ("longitude", longitudes, "degrees_east"),
            ):
                file.create_variable(name, (name,), data=places).attrs.update(
                    {"standard_name": name, "units": units}
                )
            variable = file.create_variable(
                packing.name, ("latitude", "longitude"), data=levels, fillvalue=packing.fill
            )
            variable.attrs.update(
                {
                    "units": packing.units,
                    "scale_factor": np.float64(packing.scale),
                    "add_offset": np.float64(packing.offset),
                }
            )
    except (OSError, ValueError, TypeError) as error:
        raise OutputError(f"this field cannot be written as NetCDF-4: {error}") from error
    return stream.getvalue()


class _Unfit(Exception):  # noqa: N818 - never leaves this module
    """Says why a file is not a climate field of ours."""


def _libraries() -> tuple[Any, Any]:
    try:
        import h5netcdf
        import h5py
    except ImportError:
        raise InputError(
            "climate files need h5netcdf and h5py, which are not installed",
            hint="pip install 'stegfield[media]'",
        ) from None
    return h5netcdf, h5py


def _check_links(holder: Any, h5py: Any) -> None:
    """Refuse files that would have HDF5 open others, before anything follows a link."""
    for name in holder:
        if not isinstance(holder.get(name, getlink=True), h5py.HardLink):
            raise _Unfit(FOREIGN_LINK)
        entry = holder[name]
        if isinstance(entry, h5py.Dataset) and (entry.is_virtual or entry.external):
            raise _Unfit(FOREIGN_LINK)


def _field(opened: Any) -> Signal:
    """Find the variable, check all about it, and only then read it."""
    variable = _variable(opened)
    *times, rows, columns = variable.shape
    if rows < FEWEST_ROWS or columns < FEWEST_COLUMNS or rows * columns > LARGEST_POINTS:
        raise _Unfit(f"its grid has {columns}x{rows} points")
    if math.prod(variable.chunks or (0,)) > LARGEST_POINTS:
        raise _Unfit("its parts are too large to read safely")
    if 0 in times:
        raise _Unfit("it has no times")
    latitudes, longitudes = (
        _places(opened, dimension, count)
        for dimension, count in zip(variable.dimensions[-2:], (rows, columns), strict=True)
    )
    packing = replace(
        _packing(variable),
        ascending=_ascending(latitudes),
        west=_west(longitudes),
        times=math.prod(times),
    )
    stored = np.asarray(variable[(0,) * len(times)]).reshape(rows, columns)
    if packing.ascending:
        stored = stored[::-1]
    stored = np.roll(stored, _columns_west(packing.west, columns), axis=1)[..., None]
    gaps = [_number(variable, name) for name in ("_FillValue", "missing_value")]
    if not np.isfinite(stored).all() or any(gap is not None and gap in stored for gap in gaps):
        raise _Unfit("values are missing")
    kelvin = packing.scale * stored.astype(np.float64) + packing.zero_kelvin
    if kelvin.min() < LOWEST_KELVIN or kelvin.max() > HIGHEST_KELVIN:
        raise _Unfit(
            f"it has {kelvin.min():.4g} to {kelvin.max():.4g} K, "
            f"and temperatures from {LOWEST_KELVIN:g} to {HIGHEST_KELVIN:g} K are read"
        )
    return Signal(to_values(kelvin), "climate", packing=_for_writing(packing, stored))


def _variable(opened: Any) -> Any:
    """Choose the variable: the only one on a grid, or the first of the usual names."""
    found = {
        name: variable
        for name, variable in opened.variables.items()
        if len(variable.shape) in (2, 3)
        and isinstance(variable.dtype, np.dtype)
        and variable.dtype.kind in "iuf"
        and variable.dtype.itemsize <= LARGEST_NUMBER
        and name not in ("latitude", "longitude")
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise _Unfit("it has no variable of numbers on a grid")
    for name in NAMES:
        if name in found:
            return found[name]
    raise _Unfit(f"it has several variables, none of them named {', '.join(NAMES)}")


def _places(opened: Any, dimension: str, count: int) -> NDArray[np.float64]:
    """Read the latitudes or longitudes of an axis."""
    variable = opened.variables.get(dimension)
    if variable is None or variable.shape != (count,) or variable.dtype.kind not in "iuf":
        raise _Unfit(f"its axis {dimension} has no coordinates")
    if math.prod(variable.chunks or (0,)) > LARGEST_POINTS:
        raise _Unfit("its parts are too large to read safely")
    return np.asarray(variable[:]).astype(np.float64)


def _ascending(latitudes: NDArray[np.float64]) -> bool:
    """Tell whether latitudes go from south to north."""
    expected = np.linspace(90.0, -90.0, len(latitudes))
    tolerance = PLACE_TOLERANCE * 180 / (len(latitudes) - 1)
    if np.allclose(latitudes, expected, rtol=0, atol=tolerance):
        return False
    if np.allclose(latitudes[::-1], expected, rtol=0, atol=tolerance):
        return True
    raise _Unfit("its rows are not evenly spaced latitudes from pole to pole")


def _west(longitudes: NDArray[np.float64]) -> float:
    """Give the first longitude, of those that go around the globe and have 0 among them."""
    step = 360 / len(longitudes)
    west = round(longitudes[0] / step) * step if np.isfinite(longitudes[0]) else 0.0
    expected = west + step * np.arange(len(longitudes))
    if abs(west) > 360 or not np.allclose(
        longitudes, expected, rtol=0, atol=PLACE_TOLERANCE * step
    ):
        raise _Unfit("its columns are not evenly spaced longitudes around the globe, 0 included")
    return west


def _columns_west(west: float, columns: int) -> int:
    """Give how many columns east of 0 degrees a file's first column is."""
    return round(west * columns / 360) % columns


def _packing(variable: Any) -> Packing:
    """Read how the variable's numbers stand for temperatures."""
    scale, offset = _number(variable, "scale_factor"), _number(variable, "add_offset")
    scale, offset = 1.0 if scale is None else scale, 0.0 if offset is None else offset
    if not (FINEST_SCALE <= scale < math.inf and abs(offset) < math.inf):
        raise _Unfit(f"its scale_factor is {scale:g}, and its add_offset {offset:g}")
    units = variable.attrs.get("units", "K")
    units = units.decode("utf-8", "replace") if isinstance(units, bytes) else units
    if not isinstance(units, str) or units.strip().lower() not in KELVIN + CELSIUS:
        raise _Unfit(f"its unit is {str(units)[:40]!r}, neither K nor degrees Celsius")
    celsius = units.strip().lower() in CELSIUS
    name = variable.name.rsplit("/", 1)[-1]
    return Packing(scale=scale, offset=offset, units=units, celsius=celsius, name=name, fill=None)


def _for_writing(
    packing: Packing, stored: NDArray[np.integer[Any]] | NDArray[np.floating[Any]]
) -> Packing:
    """Give how to write the field: as it was read, or if that was not in 16 bits, as our own are.

    The file's fill value is not kept, since nothing is missing: it might be within reach of a
    sample's changes. The integer at one end of what 16 bits hold takes its place.
    """
    kind = stored.dtype.name
    if kind not in KINDS:
        return replace(
            Packing(),
            name=packing.name,
            ascending=packing.ascending,
            west=packing.west,
            times=packing.times,
        )
    limits = np.iinfo(kind)
    ends = limits.min, limits.max
    unused = [int(end) for end in ends if end not in stored]
    return replace(
        packing, kind=cast(Literal["int16", "uint16"], kind), fill=unused[0] if unused else None
    )


def _number(variable: Any, name: str) -> float | None:
    value = variable.attrs.get(name)
    if value is None:
        return None
    numbers = np.asarray(value)
    if numbers.size != 1 or numbers.dtype.kind not in "iuf":
        raise _Unfit(f"its {name} is not a number")
    return float(numbers.reshape(-1)[0])
