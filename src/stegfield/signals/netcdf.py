"""NetCDF-4 files, read in a process of its own.

NetCDF-4 is HDF5, whose library is not made for files of strangers: some damaged files make it loop
for ever. So this file is also a program, which imports nothing of ours: it takes a file from stdin,
with a limit to its memory, and returns the few facts and the one array that are needed. The
caller ends it when it takes too long; each of its failures becomes an error in one line.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_POINTS = 80_000_000  # as in `stegfield.signals`
LARGEST_NUMBER = 8  # bytes
LARGEST_MEMORY = 6 << 30  # the file, a chunk and an array; most of it is never touched
SECONDS, BYTES_A_SECOND = 20.0, 5_000_000
NAMES = ("t2m", "air", "temperature", "tas", "t", "ts", "sst", "tos")
"""Variables that are taken where a file has several, the first of these in this order."""
MOST_AXES = 4
"""Of a variable: time and level before rows and columns."""
LATITUDES = ("latitude", "lat", "degrees_north", "degree_north", "degreen", "degrees_n")
LONGITUDES = ("longitude", "lon", "degrees_east", "degree_east", "degreee", "degrees_e")
"""Names and units."""
BOUNDS = ("bounds", "climatology")
"""Attributes that name the variable of the edges of cells."""
MOST_ATTRIBUTES, LONGEST_ATTRIBUTE = 64, 1 << 14
"""Of one holder, and bytes of each; others are not kept."""
PROPERTIES = "_NCProperties"
INNER = {
    "CLASS",
    "NAME",
    "REFERENCE_LIST",
    "DIMENSION_LIST",
    "_Netcdf4Dimid",
    "_Netcdf4Coordinates",
    "_nc3_strict",
    "_FillValue",
    "missing_value",
    "scale_factor",
    "add_offset",
    "valid_min",
    "valid_max",
    "valid_range",
}
"""Attributes that the library writes, and those that go with the integers."""
FOREIGN_LINK = "it points to other files"


Attribute = tuple[str, str, str | list[Any]]
"""Name, kind (``text``, or a type of NumPy's) and value."""


@dataclass(frozen=True)
class Description:
    """What a file says beside its numbers, for a file that is written in its place."""

    latitude: str = "latitude"
    longitude: str = "longitude"
    """Names of the axes."""
    kinds: tuple[str, str] = ("<f8", "<f8")
    """Types of their numbers."""
    attributes: Mapping[str, Sequence[Attribute]] = field(default_factory=dict, repr=False)
    """Of the file (under ""), the variable and the axes, by their names."""


class UnfitError(Exception):
    """Says why a file is not a climate field."""


@dataclass(frozen=True, eq=False)
class Variable:
    """A variable on a grid, as it is stored; of several times, the first."""

    stored: NDArray[Any] = field(repr=False)
    """Rows and columns."""
    latitudes: NDArray[np.float64] = field(repr=False)
    longitudes: NDArray[np.float64] = field(repr=False)
    name: str
    units: str | None
    leading: dict[str, int]
    """Axes before rows and columns, of which the first field was read, and how long they are."""
    scale: float | None
    offset: float | None
    gaps: list[float]
    """Values that stand for a missing one."""
    described: Description = field(default_factory=Description, repr=False)


def read(data: bytes) -> Variable:
    """Read the temperature of a NetCDF-4 file.

    Raises:
        UnfitError: The file has no temperature, is damaged, or takes too long to read.
    """
    command = [sys.executable, "-P", __file__]  # without our folder's modules among the library's
    try:
        done = subprocess.run(  # noqa: S603 - this file
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            timeout=SECONDS + len(data) / BYTES_A_SECOND,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnfitError("it is damaged, or takes too long to read") from None
    head, _, body = done.stdout.partition(b"\n")
    try:
        facts = json.loads(head)
        if "why" in facts:
            raise UnfitError(facts.pop("why"))
        stored = np.frombuffer(body, facts.pop("kind")).reshape(facts.pop("shape"))
    except (ValueError, TypeError):  # the program broke down
        raise UnfitError("it is damaged") from None
    latitudes, longitudes = (np.array(facts.pop(name)) for name in ("latitudes", "longitudes"))
    told = facts.pop("described")
    attributes = {name: [tuple(each) for each in some] for name, some in told["attributes"].items()}
    return Variable(
        stored=stored,
        latitudes=latitudes,
        longitudes=longitudes,
        described=Description(
            told["latitude"], told["longitude"], tuple(told["kinds"]), attributes
        ),
        **facts,
    )


def _main() -> None:
    """Read a file from stdin and tell of it on stdout: a line of JSON, then the array."""
    with suppress(ImportError, OSError, ValueError):  # there is no such limit on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY, LARGEST_MEMORY))
    body = b""
    try:
        import h5py

        with h5py.File(io.BytesIO(sys.stdin.buffer.read()), "r") as holder:
            facts, stored = _facts(_arrays(holder, h5py), holder)
            body = stored.tobytes()
    except UnfitError as error:
        facts = {"why": str(error)}
    except Exception as error:  # h5py raises nearly anything on crafted files
        facts = {"why": "it is not NetCDF-4, or damaged: " + " ".join(str(error).split())}
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + body)
    sys.stdout.buffer.flush()


def _arrays(holder: Any, h5py: Any) -> dict[str, Any]:
    """Return the arrays of plain numbers by their names; nothing leads out of the file."""
    found = {}
    for name in holder:
        if not isinstance(holder.get(name, getlink=True), h5py.HardLink):
            raise UnfitError(FOREIGN_LINK)
        entry = holder[name]
        if not isinstance(entry, h5py.Dataset):
            continue
        if entry.is_virtual or entry.external:
            raise UnfitError(FOREIGN_LINK)
        plain = entry.dtype.kind in "iuf" and entry.dtype.itemsize <= LARGEST_NUMBER
        if plain and entry.shape is not None:
            found[name] = entry
    return found


def _facts(arrays: dict[str, Any], holder: Any) -> tuple[dict[str, Any], NDArray[Any]]:
    """Find the variable, check its sizes, and only then read it."""
    name = _chosen(arrays)
    variable = arrays[name]
    *leading, rows, columns = variable.shape
    if 0 in variable.shape or rows * columns > LARGEST_POINTS:
        raise UnfitError(f"its grid has {columns}x{rows} points")
    stored = _load(variable, (0,) * len(leading))
    north, east = _places(arrays, LATITUDES, rows), _places(arrays, LONGITUDES, columns)
    gaps = [_number(variable, name) for name in ("_FillValue", "missing_value")]
    facts = {
        "latitudes": _floats(_load(arrays[north], ())),
        "longitudes": _floats(_load(arrays[east], ())),
        "described": {
            "latitude": north,
            "longitude": east,
            "kinds": [arrays[each].dtype.str for each in (north, east)],
            "attributes": {
                "": _attributes(holder),
                **{each: _attributes(arrays[each]) for each in (name, north, east)},
            },
        },
        "name": name,
        "units": _text(variable, "units"),
        "leading": {_axis(variable, axis): count for axis, count in enumerate(leading)},
        "scale": _number(variable, "scale_factor"),
        "offset": _number(variable, "add_offset"),
        "gaps": [gap for gap in gaps if gap is not None],
        "shape": [rows, columns],
        "kind": stored.dtype.str,
    }
    return facts, stored


def _chosen(arrays: dict[str, Any]) -> str:
    """Choose the variable: the only one on a grid, or of temperatures, or of the usual names."""
    found = [name for name, array in arrays.items() if 2 <= len(array.shape) <= MOST_AXES]
    found = [name for name in found if not _bounds(arrays, name)] or found
    if not found:
        raise UnfitError("it has no variable of numbers on a grid")
    warm = [name for name in found if temperature_unit(_text(arrays[name], "units") or "")]
    for some in (found, warm):
        if len(some) == 1:
            return some[0]
    for name in NAMES:
        if name in found:
            return name
    raise UnfitError(f"it has several variables, none of them named {', '.join(NAMES)}")


def _bounds(arrays: dict[str, Any], name: str) -> bool:
    """Tell whether a variable holds the edges of another's cells, as the CF conventions have it."""
    shape = arrays[name].shape
    named = (_text(array, attribute) for array in arrays.values() for attribute in BOUNDS)
    return shape[-1] in (2, 4) and (
        name.endswith(("_bnds", "_bounds", "_vertices")) or name in named
    )


def _axis(variable: Any, axis: int) -> str:
    """Return the name of an axis of a variable, or its number."""
    try:
        name = str(variable.dims[axis][0].name).rpartition("/")[2]
    except Exception:  # it may have none, and h5py raises nearly anything on crafted files
        name = ""
    return name or f"axis {axis + 1}"


def temperature_unit(units: str) -> str | None:
    """Tell whether a unit is "K" or "C" of temperature, by all names that UDUNITS takes for them.

    Example:
        >>> temperature_unit("degree_C"), temperature_unit("Kelvin"), temperature_unit("m")
        ('C', 'K', None)
    """
    plain = re.sub(r"[\s_.-]", "", units.lower()).replace("°", "deg").replace("℃", "degc")
    found = re.fullmatch(r"(?:deg(?:rees?)?)?(k(?:elvins?)?|c(?:elsius|entigrade)?)", plain)
    return found[1][0].upper() if found else None


def _places(arrays: dict[str, Any], names: tuple[str, ...], count: int) -> str:
    """Find the latitudes or longitudes: those with such a name, or else such a unit."""
    lines = {name: array for name, array in arrays.items() if array.shape == (count,)}
    for name in lines:
        if name.lower() in names:
            return name
    for name, array in lines.items():
        if (_text(array, "units") or "").lower() in names:
            return name
    raise UnfitError(f"it has no {names[0]}s for its grid of {count}")


def _floats(numbers: NDArray[Any]) -> list[float]:
    return [float(number) for number in numbers]


def _load(array: Any, place: tuple[int, ...]) -> NDArray[Any]:
    """Read the part of an array at a place; HDF5 holds whole chunks of it in memory."""
    if math.prod(array.chunks or (0,)) > LARGEST_POINTS:
        raise UnfitError("its chunks are too large to read safely")
    return np.asarray(array[place or ...])


def _text(array: Any, name: str) -> str | None:
    value = array.attrs.get(name)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return None if value is None else str(value)


def _attributes(holder: Any) -> list[Attribute]:
    """Return what a holder says of itself, text and plain numbers, in its order."""
    found: list[Attribute] = []
    for name in list(holder.attrs)[:MOST_ATTRIBUTES]:
        with suppress(Exception):  # of other types, or damaged: it is not kept
            value = np.asarray(holder.attrs[name])
            if name in INNER or value.nbytes > LONGEST_ATTRIBUTE or value.ndim > 1:
                continue
            if value.dtype.kind in "iuf":
                found.append((name, value.dtype.str, value.reshape(-1).tolist()))
            elif (text := _text(holder, name)) is not None and len(text) <= LONGEST_ATTRIBUTE:
                found.append((name, "text", text))
    return found


def _number(variable: Any, name: str) -> float | None:
    value = variable.attrs.get(name)
    if value is None:
        return None
    numbers = np.asarray(value)
    if numbers.size != 1 or numbers.dtype.kind not in "iuf":
        raise UnfitError(f"its {name} is not a number")
    return float(numbers.reshape(-1)[0])


if __name__ == "__main__":
    _main()
