"""The search through the trellis: which samples to flip so that parities change, at least cost.

Costs are rounded to integers, so that a vector register holds 32 of them: of 8 bits where stretches
are short, of 16 bits where they are long and few of their samples can flip. Rounding costs 0.05 %.

The loops are machine code by numba. Where numba is missing or does not work, numpy does the same
arithmetic: slower, with results equal to the last bit. The first search imports numba, since that
takes half a second and extracting does not need it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TypeVar, cast

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt16
from numpy.typing import NDArray

from stegfield.fixednet.exact import plain
from stegfield.machine import cores

_INTERPRETED = ContextVar("interpreted", default=False)
Job = TypeVar("Job")
Result = TypeVar("Result")

FEW = (6, 8)
"""Heights that fewer bits than that need at most."""
LONG_STRETCH = 8
"""Samples a bit above which many are too expensive to flip: then 16 bits are as fast as 8."""


@dataclass(frozen=True)
class Rounding:
    """How costs become integers."""

    kind: type[np.unsignedinteger]
    steps: int
    """Integers a unit: a sample that costs so much more flips e times as rarely."""
    highest: int
    """The integer of all costs from there on; less than the largest, which means unreached."""

    def prices(self, costs: Float32[np.ndarray, " samples"]) -> NDArray[np.unsignedinteger]:
        """Round costs that are in units of 1 / lambda."""
        scaled = np.rint(costs * np.float32(self.steps))
        return np.minimum(scaled, np.float32(self.highest)).astype(self.kind)


COARSE = Rounding(np.uint8, steps=12, highest=250)
FINE = Rounding(np.uint16, steps=512, highest=60_000)


def cheapest_flips(
    columns: UInt16[np.ndarray, " samples"],
    costs: Float32[np.ndarray, " samples"],
    lengths: Int64[np.ndarray, " bits"],
    target: Bool[np.ndarray, " bits"],
    height: int,
) -> Bool[np.ndarray, " samples"]:
    """Find the samples to flip, at the least total cost, so that the parities of bits change.

    Args:
        columns: For each sample, which bits from its own one on change parity when it flips, the
            lowest bit first. Its own bit and the one h - 1 later always do; those beyond the last
            bit of all are of no effect.
        costs: Cost of each sample's flip, at least 0, in units of 1 / lambda, where lambda is the
            multiplier that turns costs into probabilities of change (Filler et al., 2011). All
            costs above 117, and so infinite ones, count as 117: such a sample flips only where
            the parities leave nothing else, so callers check what must not flip.
        lengths: How many samples have each bit as their own, in order; at least one.
        target: Whether each bit's parity must change.
        height: The constraint height h, from 6 on: columns are below 2^h.

    Returns:
        Whether each sample flips. Such flips always exist.
    """
    columns, height = _no_higher(columns, len(lengths), height)
    long = len(columns) > LONG_STRETCH * len(lengths)
    roundings = [FINE] if long else [COARSE, FINE]
    buffers = Buffers.of_thread(len(columns), height)
    for rounding in roundings:
        prices = rounding.prices(costs)
        flips = buffers.search(columns, prices, lengths, target)
        if not (prices[flips] == rounding.highest).any():
            break  # else 16 bits tell expensive ones apart
    return flips


def _no_higher(
    columns: UInt16[np.ndarray, " samples"], bits: int, height: int
) -> tuple[UInt16[np.ndarray, " samples"], int]:
    """Return columns of a lower height if there are fewer bits than that, which is the same.

    Weights in bits beyond the last have no effect, so a search need not tell states apart by them.
    """
    least = next((each for each in FEW if bits < each), height)
    if least >= height:
        return columns, height
    last = np.uint16(1 << (least - 1))
    return columns & (last - np.uint16(1)) | last, least


class Buffers:
    """Memory of a thread, used for segment after segment."""

    _own = threading.local()

    def __init__(self, samples: int, height: int) -> None:
        self.size = samples, height
        self.path = np.empty((samples, (1 << height) // 32), np.uint32)
        self.order = np.empty(samples, np.int32)
        self.rows = np.empty(samples, np.int32)
        self.costs = {kind: _aligned(1 << height, kind) for kind in (np.uint8, np.uint16)}

    @classmethod
    def of_thread(cls, samples: int, height: int) -> Buffers:
        """Return this thread's memory, for so many samples or more."""
        kept = cast("dict[bool, Buffers]", vars(cls._own).setdefault("buffers", {}))
        found = kept.get(height in FEW)
        if found is None or found.size[0] < samples or found.size[1] != height:
            found = kept[height in FEW] = cls(samples, height)
        return found

    def search(
        self,
        columns: NDArray[np.uint16],
        prices: NDArray[np.unsignedinteger],
        lengths: NDArray[np.int64],
        target: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Find the flips at the least sum of prices."""
        loops, rows = plain if _INTERPRETED.get() else compiled(), self.rows[: len(lengths)]
        cost = self.costs[prices.dtype.type]
        in_turn = prices.dtype == np.uint8
        forward = loops.forward_in_turn if in_turn else loops.forward_cheapest_first
        forward(columns, prices, lengths, target, cost, self.path, self.order, rows)
        flips = np.zeros(len(columns), dtype=np.bool_)
        last = int(np.argmin(cost[: len(cost) // 2]))
        loops.backward(columns, target, last, len(cost) - 1, self.path, self.order, rows, flips)
        return flips


def _aligned(count: int, kind: type[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    """Return memory that begins at a multiple of 64 bytes, as vector instructions need it."""
    size = count * np.dtype(kind).itemsize
    raw = np.zeros(size + 64, np.uint8)
    begin = -raw.ctypes.data % 64
    return raw[begin : begin + size].view(kind)


@cache
def compiled() -> ModuleType:
    """Return the module of the inner loops, of machine code if possible."""
    try:
        from stegfield.fixednet.exact import loops
    except Exception:  # not installed, or it does not work with this numpy or machine
        return plain
    return loops


@contextmanager
def interpreted() -> Iterator[None]:
    """Search in numpy in this context, as where numba is missing."""
    token = _INTERPRETED.set(True)
    try:
        yield
    finally:
        _INTERPRETED.reset(token)


def parallel(work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
    """Do jobs on all cores and yield the results in order; if closed, drop those not begun."""
    jobs = list(jobs)
    if min(len(jobs), cores()) < 2:  # threads would only cost time
        yield from map(work, jobs)
        return
    with ThreadPoolExecutor(cores()) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        try:
            for job in waiting:
                yield job.result()
        finally:
            pool.shutdown(cancel_futures=True)
