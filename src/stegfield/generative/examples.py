"""Examples to learn from: images of a folder or an archive, temperatures on the globe, digits.

All examples of one kind share their points. They are decoded when they are first needed, and kept
in memory as 8-bit samples while that takes no more than `MEMORY` bytes.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from stegfield import files, signals
from stegfield.config import PRESETS
from stegfield.errors import ConfigError, InputError, Wording
from stegfield.generative.points import even_points
from stegfield.signals import CLIMATE, IMAGE, Medium, to_values

MEMORY = 4 << 30
LARGEST_FILE = 1 << 30
LEAST = 16
"""Examples, fewer of which are no set to learn from."""
HELD_OUT = 10
"""Every so manyth example is kept from the training, to measure against."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
TEMPERATURES = (".npz",)
COLDEST_K, HOTTEST_K = 180.0, 340.0
FEWEST_ROWS, UNEVEN = 3, 0.05
"""Rows of a grid, and how far a row or column may be from its place, as a share of a step."""
POLE_GAP = 0.8
"""Steps from a pole to the first row, at most: a grid of cells has 0.5, a Gaussian grid 0.77."""
WHOLE_GLOBE = "resample the fields to a regular grid of the whole globe"
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    KeyError,
    ValueError,
    RuntimeError,
)
"""What reading a damaged archive may raise."""


class Examples(ABC):
    """Signals of one kind on points that they share."""

    medium: Medium
    channels: int

    @abstractmethod
    def __len__(self) -> int:
        """Count the examples."""

    @cached_property
    @abstractmethod
    def digest(self) -> str:
        """Tell these examples from others, as far as that is quickly done."""

    @abstractmethod
    def grids(self, index: Int64[np.ndarray, " batch"]) -> Float[Tensor, "batch rows cols values"]:
        """Give examples on the grid of their files, or at the size to learn, in [-1, 1]."""

    @abstractmethod
    def values(
        self, index: Int64[np.ndarray, " batch"], size: int
    ) -> Float[Tensor, "batch points values"]:
        """Give examples at the `even_points` of a size, in [-1, 1]."""

    def values_at(
        self, index: Int64[np.ndarray, " batch"], at: Float[Tensor, "points axes"]
    ) -> Float[Tensor, "batch points values"]:
        """Give examples anywhere, in [-1, 1], if they are smooth enough for that."""
        raise NotImplementedError

    def training(self) -> Int64[np.ndarray, " count"]:
        """Give the indices of the examples to train on."""
        index: NDArray[np.int64] = np.arange(len(self))
        kept: NDArray[np.int64] = index[index % HELD_OUT != HELD_OUT - 1]
        return kept

    def held_out(self) -> Int64[np.ndarray, " count"]:
        """Give the indices of all others."""
        index: NDArray[np.int64] = np.arange(len(self))
        kept: NDArray[np.int64] = index[index % HELD_OUT == HELD_OUT - 1]
        return kept


class Images(Examples):
    """Images, cut to their central square and reduced to one size."""

    medium = IMAGE

    def __init__(self, source: Path, size: int) -> None:
        self.size = size
        self._source = _Archive(source) if source.is_file() else _Folder(source)
        if len(self._source.names) < LEAST:
            raise InputError(
                f"{source} has {len(self._source.names)} images",
                hint=f"{LEAST} are the least to learn from, some thousands are better"
                if self._source.names
                else "name a folder or a zip of images; temperatures are learned from a folder of "
                ".npz files, as climate or under a name of your own",
            )
        self.channels = 3
        kept = len(self._source.names) * size * size * self.channels <= MEMORY
        shape = (len(self._source.names), size, size, self.channels)
        self._samples = np.empty(shape, np.uint8) if kept else None
        self._known = np.zeros(len(self._source.names), np.bool_)
        self._pool = ThreadPoolExecutor()

    def __len__(self) -> int:
        """Count the images."""
        return len(self._source.names)

    @cached_property
    def digest(self) -> str:
        """Digest of the names."""
        return hashlib.sha256("\0".join(self._source.names).encode(errors="replace")).hexdigest()

    def grids(self, index: Int64[np.ndarray, " batch"]) -> Float[Tensor, "batch rows cols values"]:
        """Give images at the largest size, in [-1, 1]."""
        return torch.from_numpy(self._levels(index)).float() / 127.5 - 1

    def values(
        self, index: Int64[np.ndarray, " batch"], size: int
    ) -> Float[Tensor, "batch points values"]:
        """Give images at the `even_points` of a size, in [-1, 1]."""
        return _reduced(self.grids(index), size).flatten(1, 2)

    def _levels(self, index: NDArray[np.int64]) -> UInt8[np.ndarray, "batch rows cols channels"]:
        if self._samples is None:
            return np.stack(list(self._pool.map(self._decode, index.tolist())))
        missing = np.unique(index[~self._known[index]])
        for place, levels in zip(
            missing, self._pool.map(self._decode, missing.tolist()), strict=True
        ):
            self._samples[place] = levels
        self._known[missing] = True
        return self._samples[index]

    def _decode(self, place: int) -> NDArray[np.uint8]:
        name = self._source.names[place]
        signal = signals.decode(self._source.read(name), Path(name), flatten=True)
        levels = signals.to_samples(signal)
        image = Image.fromarray(np.broadcast_to(levels, (*levels.shape[:2], self.channels)))
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        size = (self.size, self.size)
        return np.asarray(image.resize(size, Image.Resampling.LANCZOS, box))


def _is_example(name: Path, suffixes: Sequence[str]) -> bool:
    """Tell by the name, of which macOS writes second ones that hold no example."""
    of_macos = name.name.startswith("._") or "__MACOSX" in name.parts
    return name.suffix.lower() in suffixes and not of_macos


def _below(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Name the examples of a folder and those below it, from the folder on."""
    names = (path.relative_to(folder) for path in folder.rglob("*"))
    return sorted(name for name in names if _is_example(name, suffixes))


class _Folder:
    """Image files of a folder and those below it."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise InputError(f"{path} does not exist", hint="name a folder or a zip of images")
        self._path = path
        self.names = sorted(map(str, _below(path, SUFFIXES)))

    def read(self, name: str) -> bytes:
        return files.read_bounded(self._path / name, LARGEST_FILE)


class _Archive:
    """Image files in a zip, which threads may read at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self.names = sorted(
                    entry.filename
                    for entry in archive.infolist()
                    if _is_example(Path(entry.filename), SUFFIXES)
                    and entry.file_size <= LARGEST_FILE
                )
        except DAMAGE as error:
            raise InputError(
                f"{path} is not a zip: {error}", hint="name a folder or a zip of images"
            ) from None
        self._open = zipfile.ZipFile(path)

    def read(self, name: str) -> bytes:
        try:
            return self._open.read(name)
        except DAMAGE as error:
            raise InputError(f"{name} in {self._path} cannot be read: {error}") from None


class Arrays(Examples):
    """Images that are in memory, of any channels, in [-1, 1]."""

    medium = IMAGE

    def __init__(self, grids: Float[Tensor, "count rows cols channels"]) -> None:
        self._grids, self.channels = grids, grids.shape[-1]

    def __len__(self) -> int:
        """Count the images."""
        return len(self._grids)

    @cached_property
    def digest(self) -> str:
        """Digest of the values."""
        return _digest(self._grids)

    def grids(self, index: Int64[np.ndarray, " batch"]) -> Float[Tensor, "batch rows cols values"]:
        """Give images as they are."""
        return self._grids[torch.from_numpy(index)]

    def values(
        self, index: Int64[np.ndarray, " batch"], size: int
    ) -> Float[Tensor, "batch points values"]:
        """Give images at the `even_points` of a size, in [-1, 1]."""
        return _reduced(self.grids(index), size).flatten(1, 2)


def digits() -> Arrays:
    """Give scikit-learn's 1,797 handwritten digits, 8x8.

    Source: Alpaydin and Kaynak (1998), UCI optical recognition of handwritten digits.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise InputError(
            "the digits come with scikit-learn, which is not installed",
            hint="pip install 'stegfield[analysis]'",
        ) from None
    levels = load_digits().images
    return Arrays(torch.from_numpy(levels.astype(np.float32) / 8 - 1)[..., None])


class Globes(Examples):
    """Temperatures on a grid of the globe: rows from the north pole to the south pole."""

    medium = CLIMATE
    channels = 1

    def __init__(self, kelvin: Float[np.ndarray, "count rows columns"]) -> None:
        self._grids = torch.from_numpy(to_values(kelvin[..., None]))

    def __len__(self) -> int:
        """Count the fields."""
        return len(self._grids)

    @cached_property
    def digest(self) -> str:
        """Digest of the values."""
        return _digest(self._grids)

    def grids(self, index: Int64[np.ndarray, " batch"]) -> Float[Tensor, "batch rows cols values"]:
        """Give fields as they are."""
        return self._grids[torch.from_numpy(index)]

    def values(
        self, index: Int64[np.ndarray, " batch"], size: int
    ) -> Float[Tensor, "batch points values"]:
        """Give fields at points spread evenly."""
        return self.values_at(index, even_points(self.medium, size))

    def values_at(
        self, index: Int64[np.ndarray, " batch"], at: Float[Tensor, "points axes"]
    ) -> Float[Tensor, "batch points values"]:
        """Give fields anywhere, between the points of their grid."""
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

    Every file has an array of kelvins, one field or several, and the latitudes of its rows. Fields
    are turned to begin at the north pole, and at the first longitude from 0 on; files that do not
    tell their longitudes are taken to begin there. Grids whose first rows lie half a row from
    the poles, or a little more, are taken as they are.

    Raises:
        InputError: There are none, or they are not what they should be.
    """
    names = [] if source.is_file() else _below(source, TEMPERATURES)
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


def medium_to_learn(what: str, data: Path | None) -> Medium:
    """Tell the medium of examples: by the name of a preset, or else by what the data holds."""
    if what in PRESETS or data is None:
        return CLIMATE if what == "climate" else IMAGE
    if data.is_file():
        return CLIMATE if data.suffix.lower() in TEMPERATURES else IMAGE
    more = len(_below(data, TEMPERATURES)) > len(_below(data, SUFFIXES))
    return CLIMATE if more else IMAGE


def read_examples(what: str, data: Path | None, size: int, *, medium: Medium) -> Examples:
    """Read examples of a medium: images are reduced to a size.

    Raises:
        ConfigError: The kind needs a folder or file, and there is none.
        InputError: It is not what it should be.
    """
    if what == "digits" and data is None:
        return digits()
    if data is None:
        raise ConfigError(
            f"there are no examples to learn {what} from",
            hint=Wording(
                "name them with {data}: a folder or a zip of images, or a folder of .npz files"
            ),
        )
    return globes(data) if medium.on_globe else Images(data, size)


def _temperatures(path: Path) -> Sequence[NDArray[np.float32]]:
    data = files.read_bounded(path, LARGEST_FILE)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            kelvin, latitude = _named(arrays, "temperature"), _named(arrays, "latitude")
            longitude = _named(arrays, "longitude") if "longitude" in arrays else None
    except (*DAMAGE, TypeError, MemoryError) as error:  # of one array alone, or of a vast one
        raise InputError(f"{path} is not an archive of temperatures: {error}") from None
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
    southward = latitude[0] > latitude[-1]
    if not _from_pole_to_pole(latitude if southward else latitude[::-1]):
        raise InputError(
            f"{path} has latitudes that are not evenly spaced from pole to pole", hint=WHOLE_GLOBE
        )
    step = 360 / columns
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


def _named(arrays: Any, name: str) -> NDArray[Any]:
    found: NDArray[Any] = arrays[name]
    places = name != "temperature"
    known = found.dtype.kind in ("fiu" if places else "f")
    if not known or (found.ndim != 1 if places else found.ndim < 2):
        raise ValueError(f"{name} is not what it should be")
    return found.astype(np.float64) if places else found


def _digest(grids: Float[Tensor, "count rows cols values"]) -> str:
    shape = str(list(grids.shape)).encode()
    digest = hashlib.sha256(shape)
    digest.update(grids.contiguous().numpy().data)
    return digest.hexdigest()


def _reduced(
    grids: Float[Tensor, "batch rows cols values"], size: int
) -> Float[Tensor, "batch size size values"]:
    if grids.shape[1] == size:
        return grids
    return functional.adaptive_avg_pool2d(grids.permute(0, 3, 1, 2), size).permute(0, 2, 3, 1)
