"""Measuring: seconds, peak memory of whole commands, and the machine.

Times depend on other work of the machine, so each is a median of several runs after a warm-up. Two
methods that are compared run in one job, and the figure is their ratio.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import stegfield
from stegfield.machine import cores

PRODUCTS = 200
POINTS, WIDTH = 2048, 128
ALONE = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, capture_output=True)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a command in a process of its own, and prints its seconds and its peak in kibibytes."""


def timed(times: int, call: Callable[[], object]) -> float:
    """Return the median of several calls' seconds, after one to warm up."""
    call()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


@dataclass(frozen=True)
class Measured:
    """Seconds and memory of a command, start and imports included."""

    seconds: float
    peak_megabytes: float


def command(*arguments: str | Path, times: int = 1) -> Measured:
    """Run ``stegfield`` with these arguments as a command.

    Args:
        arguments: Arguments of the command line.
        times: How many runs; the result is the one of median time.

    Raises:
        subprocess.CalledProcessError: the command fails.
    """
    words = [sys.executable, "-m", "stegfield", *map(str, arguments)]
    runs = sorted((_alone(words) for _ in range(times)), key=lambda run: run.seconds)
    return runs[len(runs) // 2]


def _alone(words: Sequence[str]) -> Measured:
    done = subprocess.run(  # noqa: S603 - the command is ours
        [sys.executable, "-c", ALONE, *words], check=True, capture_output=True, text=True
    )
    seconds, kibibytes = map(float, done.stdout.split())
    return Measured(seconds, kibibytes * 1024 / 1e6)


def machine() -> dict[str, Any]:
    """Return the machine's name and software, and how fast it is now."""
    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    points, weight = torch.randn(POINTS, WIDTH), torch.randn(WIDTH, WIDTH)
    seconds = timed(PRODUCTS, lambda: points @ weight)
    return {
        "processor": model,
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "vector_unit": torch.backends.cpu.get_cpu_capability(),
        "matmul_gflop_a_second": round(2e-9 * POINTS * WIDTH * WIDTH / seconds, 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "stegfield": stegfield.__version__,
    }
