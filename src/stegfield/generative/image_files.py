"""Images to learn from, out of a folder or an archive.

They are decoded when they are first needed, and kept in memory as 8-bit samples while that takes no
more than `MEMORY` bytes.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from stegfield import files, signals
from stegfield.archives import Archive
from stegfield.errors import InputError
from stegfield.generative.example_files import LARGEST_FILE, SUFFIXES, below, is_example
from stegfield.generative.examples import LEAST, Examples, reduced
from stegfield.signals import IMAGE, Signal
from stegfield.signals.images import to_pillow

MEMORY = 4 << 30
LARGE = 4_000_000
"""Pixels of images that are decoded one at a time."""


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
        self._alone = Lock()

    def __len__(self) -> int:
        """Count the images."""
        return len(self._source.names)

    @cached_property
    def digest(self) -> str:
        """Digest of the names."""
        return hashlib.sha256("\0".join(self._source.names).encode(errors="replace")).hexdigest()

    def grids(self, index: Int64[np.ndarray, " batch"]) -> Float[Tensor, "batch rows cols values"]:
        """Return images at the largest size, in [-1, 1]."""
        return torch.from_numpy(self._levels(index)).float() / 127.5 - 1

    def values(
        self, index: Int64[np.ndarray, " batch"], size: int
    ) -> Float[Tensor, "batch points values"]:
        """Return images at the `even_points` of a size, in [-1, 1]."""
        return reduced(self.grids(index), size).flatten(1, 2)

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
        """Decode an image; large ones in turn, since each takes memory for all of its pixels."""
        name = self._source.names[place]
        data = self._source.read(name)
        try:
            return self._reduced(signals.decode(data, Path(name), flatten=True, largest=LARGE))
        except InputError:  # of its size perhaps, which was looked at first
            with self._alone:
                return self._reduced(signals.decode(data, Path(name), flatten=True))

    def _reduced(self, signal: Signal) -> NDArray[np.uint8]:
        """Cut an image to its central square, reduce it, and let grey have all channels."""
        image = to_pillow(signal)
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        size = (self.size, self.size)
        return np.asarray(image.resize(size, Image.Resampling.LANCZOS, box).convert("RGB"))


class _Folder:
    """Image files in a folder and the folders below it."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise InputError(f"{path} does not exist", hint="name a folder or a zip of images")
        self._path = path
        self.names = sorted(map(str, below(path, SUFFIXES)))

    def read(self, name: str) -> bytes:
        return files.read_bounded(self._path / name, LARGEST_FILE)


class _Archive:
    """Image files in a zip, which threads may read at once."""

    def __init__(self, path: Path) -> None:
        self._zip = Archive(path, hint="name a folder or a zip of images")
        self.names = sorted(name for name in self._zip.names if is_example(Path(name), SUFFIXES))

    def read(self, name: str) -> bytes:
        return self._zip.read(name)
