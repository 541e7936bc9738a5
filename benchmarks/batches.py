"""Batches: how many messages a second are embedded, by how many processes.

    python benchmarks/batches.py --data FOLDER [--jobs N]

The covers are 256x256 crops of DIV2K. One process on one core is the measure for others on as many
cores as they have; times are those of the whole command, with the start of its processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from measure import arguments, run
from stegfield.fixednet.exact.search import cores

MESSAGE_BYTES = 1000
JOBS = 1000


def batch(data: Path, *, jobs: int) -> dict[str, Any]:
    """Embed a message in many covers, by one process on one core, then by more on all cores."""
    facts: dict[str, Any] = {"message_bytes": MESSAGE_BYTES}
    ways = {
        "1 process on 1 core": (1, "local", 1),
        "1 process": (1, "local", cores()),
        f"{cores()} processes": (cores(), "local", cores()),
        f"{cores()} processes of Ray": (cores(), "ray", cores()),
    }
    for name, (workers, engine, on) in ways.items():
        facts[name] = embedded(data, jobs=jobs, workers=workers, engine=engine, cores_used=on)
        print(name, facts[name], flush=True)
    alone = facts["1 process on 1 core"]["a_second"]
    for name in ways:
        facts[name]["times_one_core"] = round(facts[name]["a_second"] / alone, 2)
    return facts


def embedded(
    data: Path, *, jobs: int, workers: int, engine: str, cores_used: int
) -> dict[str, float]:
    """Run the command on a file of jobs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "message.bin").write_bytes(os.urandom(MESSAGE_BYTES))
        stegfield = [sys.executable, "-m", "stegfield"]
        subprocess.run([*stegfield, "keygen", str(folder / "a.key")], check=True)
        covers = sorted((data / "images" / "div2k_valid_256").glob("*.png"))
        lines = [f'[all]\ncommand = "embed"\nkey = "{folder}/a.key"']
        lines += [f'message = "{folder}/message.bin"']
        for number in range(jobs):
            cover = covers[number % len(covers)].absolute()
            lines += ["[[jobs]]", f'cover = "{cover}"', f'output = "{folder}/{number}.png"']
        (folder / "jobs.toml").write_text("\n".join(lines))
        how = ["--workers", str(workers), "--engine", engine, "--json"]
        start = time.perf_counter()
        pinned = partial(os.sched_setaffinity, 0, set(sorted(os.sched_getaffinity(0))[:cores_used]))
        done = subprocess.run(
            [*stegfield, "batch", str(folder / "jobs.toml"), *how],
            check=True,
            stdout=subprocess.PIPE,
            preexec_fn=pinned,
        )
        seconds = time.perf_counter() - start
        if json.loads(done.stdout)["done"] != jobs:
            raise RuntimeError("some jobs were not done")
    return {"jobs": jobs, "seconds": round(seconds, 1), "a_second": round(jobs / seconds, 2)}


def main() -> None:
    """Measure, and write what came of it."""
    parser = arguments(
        __doc__, {"embed_256": partial(batch, jobs=JOBS)}, Path("results/batches.json")
    )
    parser.add_argument("--jobs", type=int, default=JOBS)
    given = parser.parse_args()
    run({"embed_256": partial(batch, jobs=given.jobs)}, given.only, given.data, given.output)


if __name__ == "__main__":
    main()
