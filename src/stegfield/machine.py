"""The machine: how many cores there are for this process."""

from __future__ import annotations

import os

_share: list[int] = []


def cores() -> int:
    """Count the cores that this process may use: all, or its share of them."""
    if _share:
        return _share[-1]
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_cores(count: int) -> None:
    """Leave the other cores to other processes from now on."""
    _share[:] = [count]
