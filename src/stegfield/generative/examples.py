"""Examples to learn from: signals of one kind on points that they share."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from stegfield.signals import IMAGE, Medium

LEAST = 16
"""Examples in a set to learn from, at least."""
HELD_OUT = 10
"""Every tenth example is kept from the training, to measure against."""


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
        """Digest that differs between sets of examples, of their names or their values."""

    @abstractmethod
    def grids(self, index: Int64[np.ndarray, " batch"]) -> Float[Tensor, "batch rows cols values"]:
        """Return examples on the grid of their files, or at the size to learn, in [-1, 1]."""

    @abstractmethod
    def values(
        self, index: Int64[np.ndarray, " batch"], size: int
    ) -> Float[Tensor, "batch points values"]:
        """Return examples at the `even_points` of a size, in [-1, 1]."""

    def values_at(
        self, index: Int64[np.ndarray, " batch"], at: Float[Tensor, "points axes"]
    ) -> Float[Tensor, "batch points values"]:
        """Return examples at any points, in [-1, 1]; only those on the globe have such values."""
        raise NotImplementedError

    def training(self) -> Int64[np.ndarray, " count"]:
        """Return the indices of the examples to train on."""
        index: NDArray[np.int64] = np.arange(len(self))
        kept: NDArray[np.int64] = index[index % HELD_OUT != HELD_OUT - 1]
        return kept

    def held_out(self) -> Int64[np.ndarray, " count"]:
        """Return the indices of all others."""
        index: NDArray[np.int64] = np.arange(len(self))
        kept: NDArray[np.int64] = index[index % HELD_OUT == HELD_OUT - 1]
        return kept


class InMemory(Examples):
    """Examples that are all in memory."""

    def __init__(self, grids: Float[Tensor, "count rows cols channels"]) -> None:
        self._grids, self.channels = grids, grids.shape[-1]

    def __len__(self) -> int:
        """Count the examples."""
        return len(self._grids)

    @cached_property
    def digest(self) -> str:
        """Digest of the values."""
        digest = hashlib.sha256(str(list(self._grids.shape)).encode())
        digest.update(self._grids.contiguous().numpy().data)
        return digest.hexdigest()

    def grids(self, index: Int64[np.ndarray, " batch"]) -> Float[Tensor, "batch rows cols values"]:
        """Return examples as they are."""
        return self._grids[torch.from_numpy(index)]


class Arrays(InMemory):
    """Images that are in memory, of any channels, in [-1, 1]."""

    medium = IMAGE

    def values(
        self, index: Int64[np.ndarray, " batch"], size: int
    ) -> Float[Tensor, "batch points values"]:
        """Return images at the `even_points` of a size, in [-1, 1]."""
        return reduced(self.grids(index), size).flatten(1, 2)


def reduced(
    grids: Float[Tensor, "batch rows cols values"], size: int
) -> Float[Tensor, "batch size size values"]:
    """Reduce square images to a size, by means over areas."""
    if grids.shape[1] == size:
        return grids
    return functional.adaptive_avg_pool2d(grids.permute(0, 3, 1, 2), size).permute(0, 2, 3, 1)
