"""What the benchmarks share: how long and how large, on what machine, written case by case."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

import stegfield
from stegfield.fixednet.exact.search import cores

Case = Callable[[Path], dict[str, Any]]


def timed(times: int, call: Callable[[], Any]) -> float:
    """Give the median of several calls' seconds, after one to warm up."""
    call()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds), 6)


def measured(command: list[str]) -> dict[str, float]:
    """Run a command in a process of its own; give its seconds and its peak memory."""
    script = (
        "import resource, subprocess, sys, time; start = time.perf_counter(); "
        "subprocess.run(sys.argv[1:], check=True, capture_output=True); "
        "print(time.perf_counter() - start, "
        "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command], check=True, capture_output=True, text=True
    )
    seconds, kibibytes = map(float, done.stdout.split())
    return {"seconds": round(seconds, 2), "peak_megabytes": round(kibibytes * 1024 / 1e6)}


def machine() -> dict[str, Any]:
    """Name the machine and what it runs, and tell how fast it is just now."""
    points, weight = torch.randn(2048, 128), torch.randn(128, 128)

    def product() -> torch.Tensor:
        return points @ weight

    model = platform.processor()
    if (info := Path("/proc/cpuinfo")).exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    return {
        "processor": model,
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "vector_unit": torch.backends.cpu.get_cpu_capability(),
        "matmul_gflop_a_second": round(2e-9 * 2048 * 128 * 128 / timed(200, product), 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "stegfield": stegfield.__version__,
    }


def arguments(
    about: str | None, cases: Mapping[str, Case], output: Path
) -> argparse.ArgumentParser:
    """Give what every benchmark is told: where its data are, where to write, and which cases."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=output)
    parser.add_argument("--only", nargs="*", choices=cases, default=list(cases))
    return parser


def run(cases: Mapping[str, Case], only: list[str], data: Path, output: Path) -> None:
    """Measure some cases, and write each as it is done."""
    results = json.loads(output.read_text()) if output.exists() else {}
    for name in only:
        print(name, flush=True)
        before = machine()
        results[name] = {**cases[name](data), "machine": before}
        output.write_text(json.dumps(results, indent=1) + "\n")
        print(json.dumps(results[name])[:400], flush=True)
