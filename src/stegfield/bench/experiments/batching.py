"""Batching: messages a second that `stegfield batch` embeds, by number of processes."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from stegfield import signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.results import Figure
from stegfield.errors import StegfieldError
from stegfield.keys import Key, KeyFile
from stegfield.machine import cores


def batching(
    data: Datasets,
    *,
    dataset: str,
    jobs: int = 150,
    resolution: int = 256,
    message_bytes: int = 1000,
    ray: bool = True,
) -> Found:
    """Run one file of jobs by one process on one core, then in other ways on all cores.

    Args:
        data: Where the covers come from.
        dataset: A set of them.
        jobs: Messages to embed.
        resolution: Rows and columns of the covers.
        message_bytes: Length of the random message.
        ray: Also run the jobs on Ray, if it is installed.
    """
    many = cores()
    ways = {"one_core": (1, "local", 1), "one_process": (1, "local", many)}
    ways["processes"] = (many, "local", many)
    if ray and importlib.util.find_spec("ray") is not None:
        ways["ray"] = (many, "ray", many)
    figures: dict[str, Figure] = {"cores": many, "message_bytes": message_bytes}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        KeyFile(Key(bytes(range(32)))).write(folder / "a.key")
        message = np.random.default_rng(0).bytes(message_bytes)
        (folder / "message.bin").write_bytes(message)
        for number in range(min(jobs, data.count(dataset))):
            cover = data.image(dataset, number, resolution)
            (folder / f"cover-{number}.png").write_bytes(signals.to_png(cover))
        alone = 0.0
        for way, (workers, engine, on) in ways.items():
            a_second = jobs / _run(folder, jobs, workers, engine, on)
            alone = alone or a_second
            figures[f"{way}_a_second"] = a_second
            figures[f"{way}_times_one_core"] = a_second / alone
    return Found(figures)


def _run(folder: Path, jobs: int, workers: int, engine: str, on: int) -> float:
    """Return the seconds of the whole command, with the start of its processes."""
    covers = sorted(folder.glob("cover-*.png"))
    with tempfile.TemporaryDirectory(dir=folder) as out:
        lines = [f'[all]\ncommand = "embed"\nkey = "{folder}/a.key"']
        lines += [f'message = "{folder}/message.bin"']
        for number in range(jobs):
            cover = covers[number % len(covers)]
            lines += ["[[jobs]]", f'cover = "{cover}"', f'output = "{out}/{number}.png"']
        path = Path(out) / "jobs.toml"
        path.write_text("\n".join(lines))
        how = ["--workers", str(workers), "--engine", engine, "--json"]
        start = time.perf_counter()
        done = subprocess.run(  # noqa: S603 - the command is ours; the pin calls no lock
            [sys.executable, "-m", "stegfield", "batch", str(path), *how],
            check=True,
            capture_output=True,
            preexec_fn=_pin(on),
        )
        seconds = time.perf_counter() - start
    if json.loads(done.stdout)["done"] != jobs:
        raise StegfieldError("some jobs were not done")
    return seconds


def _pin(on: int) -> Callable[[], None] | None:
    """Return a function that limits a process to some cores, or None if the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    return partial(os.sched_setaffinity, 0, set(sorted(os.sched_getaffinity(0))[:on]))
