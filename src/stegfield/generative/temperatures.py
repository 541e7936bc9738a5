"""Temperatures on the globe to learn from, out of ``.npz`` files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from stegfield.archives import Archive
from stegfield.errors import InputError
from stegfield.generative.example_files import TEMPERATURES, below
from stegfield.generative.examples import LEAST, InMemory
from stegfield.generative.points import even_points
from stegfield.signals import CLIMATE, to_values

LATITUDE, LONGITUDE = "latitude", "longitude"
AXES = range(2, 9)
"""Of an array of temperatures; the last two are rows and columns."""
COLDEST_K, HOTTEST_K = 180.0, 340.0
FEWEST_ROWS, UNEVEN = 3, 0.05
"""Rows of a grid, and how far a row or column may be from its place, as a share of a step."""
POLE_GAP = 0.8
"""Steps from a pole to the first row, at most: a grid of cells has 0.5, a Gaussian grid 0.77."""
WHOLE_GLOBE = "resample the fields to a regular grid of the whole globe"


class Globes(InMemory):
    """Temperatures on a grid of the globe: rows from the north pole to the south pole."""

    medium = CLIMATE

    def __init__(self, kelvin: Float[np.ndarray, "count rows columns"]) -> None:
        super().__init__(torch.from_numpy(to_values(kelvin[..., None])))

    def values(
        self, index: Int64[np.ndarray, " batch"], size: int
    ) -> Float[Tensor, "batch points values"]:
        """Return fields at points spread evenly."""
        return self.values_at(index, even_points(self.medium, size))

    def values_at(
        self, index: Int64[np.ndarray, " batch"], at: Float[Tensor, "points axes"]
    ) -> Float[Tensor, "batch points values"]:
        """Return fields anywhere, between the points of their grid."""
        east = torch.atan2(at[:, 1], at[:, 0]) / (2 * torch.pi) % 1.0
        south = torch.acos(at[:, 2].clamp(-1, 1)) / torch.pi
        grids = self.grids(index)
        wrapped = torch.cat([grids, grids[:, :, :1]], 2).permute(0, 3, 1, 2)
        # both axes from edge to edge: rows + 0 points to the south, columns + 1 to the east
        places = torch.stack([2 * east - 1, 2 * south - 1], 1)
        grid = places.expand(len(wrapped), 1, -1, -1)
        shown = functional.grid_sample(wrapped, grid, align_corners=True)
        return shown.squeeze(2).transpose(1, 2)


def globes(source: Path) -> Globes:
    """Read temperatures from the ``.npz`` files of a folder, or from one.

    Every file has an array ``temperature`` in kelvins, one field or several, and the ``latitude``
    of its rows. Fields are turned to begin at the north pole, and at the first longitude from 0 on;
    a file without ``longitude`` is taken to begin there. Grids whose first rows lie half a row from
    the poles, or a little more, are taken as they are.

    Raises:
        InputError: there are fewer than 16 fields, a file cannot be read, its fields do not cover
            the globe evenly, or its temperatures are out of range.
    """
    names = [] if source.is_file() else below(source, TEMPERATURES)
    paths = [source] if source.is_file() else [source / name for name in names]
    fields = [field for path in paths for field in _temperatures(path)]
    if len(fields) < LEAST:
        raise InputError(
            f"{source} has {len(fields)} temperature fields",
            hint=f"{LEAST} are the least to learn from: name a folder of .npz files",
        )
    sizes = {field.shape for field in fields}
    if len(sizes) > 1:
        raise InputError(f"{source} has fields of several sizes", hint="resample them to one")
    return Globes(np.stack(fields))


def _temperatures(path: Path) -> Sequence[NDArray[np.float32]]:
    """Read the fields of a file, from the north pole and the first longitude on."""
    kelvin, latitude, longitude = _arrays(path)
    step = 360 / kelvin.shape[2]
    southward = latitude[0] > latitude[-1]
    if not _from_pole_to_pole(latitude if southward else latitude[::-1]):
        raise InputError(
            f"{path} has latitudes that are not evenly spaced from pole to pole", hint=WHOLE_GLOBE
        )
    if not np.isfinite(longitude).all() or not _around(longitude, step):
        raise InputError(
            f"{path} has longitudes that are not evenly spaced around the globe", hint=WHOLE_GLOBE
        )
    if not (np.isfinite(kelvin).all() and COLDEST_K < kelvin.min() <= kelvin.max() < HOTTEST_K):
        raise InputError(
            f"{path} has temperatures beyond {COLDEST_K:g} to {HOTTEST_K:g} K, or missing ones"
        )
    first = int(np.argmin((longitude + UNEVEN * step) % 360))
    return list(np.roll(kelvin if southward else kelvin[:, ::-1], -first, axis=2))


def _arrays(path: Path) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[Any]]:
    """Read temperatures, fields by rows by columns, and their latitudes and longitudes."""
    arrays = Archive(path, "an archive of temperatures")
    kelvin, latitude = arrays.array("temperature", axes=AXES, kinds="f"), _places(arrays, LATITUDE)
    longitude = _places(arrays, LONGITUDE) if f"{LONGITUDE}.npy" in arrays.names else None
    if kelvin.size == 0:
        raise InputError(f"{path} has no temperatures")
    kelvin = kelvin.reshape(-1, *kelvin.shape[-2:]).astype(np.float32)
    rows, columns = kelvin.shape[1:]
    if rows != len(latitude):
        raise InputError(f"{path} has {len(latitude)} latitudes for {rows} rows")
    if longitude is None:
        longitude = np.arange(columns) * (360 / columns)
    if columns != len(longitude):
        raise InputError(f"{path} has {len(longitude)} longitudes for {columns} columns")
    return kelvin, latitude, longitude


def _around(longitude: NDArray[Any], step: float) -> bool:
    """Tell whether columns lie evenly around the globe, wherever they begin."""
    off = (longitude - longitude[0] - step * np.arange(len(longitude)) + 180) % 360 - 180
    return bool((np.abs(off) <= UNEVEN * step).all())


def _from_pole_to_pole(latitude: NDArray[Any]) -> bool:
    """Tell whether rows reach from the north pole to the south pole, or nearly so."""
    if len(latitude) < FEWEST_ROWS or not np.isfinite(latitude).all():
        return False
    steps = -np.diff(latitude)
    step = float(steps.mean())
    if step <= 0:
        return False
    even = np.allclose(steps, step, rtol=0, atol=UNEVEN * step)
    gaps = np.array([90 - latitude[0], 90 + latitude[-1]]) / step
    return bool(even and (gaps > -UNEVEN).all() and (gaps < POLE_GAP).all())


def _places(arrays: Archive, name: str) -> NDArray[np.float64]:
    return arrays.array(name, axes=[1], kinds="fiu").astype(np.float64)
