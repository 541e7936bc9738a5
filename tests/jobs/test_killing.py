"""Runs of the real commands that are ended at every stage, by every signal, and gone on with.

A run is held at a stage until the test has read a line from it; a job is held within its work by a
pipe that it reads its message from. The last process that lives has stderr open: reading it to its
end is to wait until parent and workers have all ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from stegfield import cli
from stegfield.bench.results import Results
from stegfield.keys import Key, KeyFile
from stegfield.steganalysis import pools

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
PATIENCE_SECONDS = 300
STAGES = """
import signal, sys
from stegfield import cli
from stegfield.jobs import Ledger

def stop():
    print("there", flush=True)
    signal.pause()

def begun(ledger, job, begin=Ledger.begin):
    stage == "before" and stop()
    told = begin(ledger, job)
    stage == "begun" and stop()
    return told

def added(ledger, entry, add=Ledger.add):
    stage == "written" and stop()
    add(ledger, entry)
    stage == "recorded" and stop()

stage = sys.argv.pop(1)
Ledger.begin, Ledger.add = begun, added
cli.main()
"""
JOBS = """
[[jobs]]
command = "embed"
cover = "*.png"
message = "letter"
key = "a.key"
output = "{name}.bmp"
flat = true
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name in ("one", "two"):
        Image.fromarray(random.integers(60, 180, (32, 32, 3), np.uint8)).save(f"{name}.png")
    Path("letter").write_bytes(b"Dear Bob")
    Path("a.key").write_bytes(KeyFile(Key(bytes(range(32)))).to_bytes())
    Path("jobs.toml").write_text(JOBS)


def started(stage: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", STAGES, stage, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )


def ended(process: subprocess.Popen[bytes], number: int) -> str:
    """End a run, and give what it said when the last of its processes has ended."""
    process.send_signal(number)
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 1), told
    return told.decode()


def held(stage: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a run and wait until it is at a stage."""
    process = started(stage, *arguments)
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    return process


def within(message: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a batch and wait until a worker is within its first job; give the pipe it reads."""
    process = started("", "batch", "jobs.toml", "--json")
    return process, os.open(message, os.O_WRONLY)


def leave(pipe: int) -> None:
    """Close a pipe once nobody reads it any more: the worker has ended."""
    poll = select.poll()
    poll.register(pipe, select.POLLERR)
    assert poll.poll(1000 * PATIENCE_SECONDS)
    os.close(pipe)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_batch_that_is_ended_at_any_stage_is_gone_on_with(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = Path("letter")
    told = [ended(held(stage, "batch", "jobs.toml"), number) for stage in ("before", "begun")]
    letter.unlink()
    os.mkfifo(letter)
    process, pipe = within(letter)
    told.append(ended(process, number))
    leave(pipe)
    assert not Path("one.bmp").exists()
    letter.unlink()
    letter.write_bytes(b"Dear Bob")
    told.append(ended(held("written", "batch", "jobs.toml"), number))
    assert Path("one.bmp").exists()
    told.append(ended(held("recorded", "batch", "jobs.toml"), number))
    if number != signal.SIGKILL:
        assert all("error: stopped after " in each for each in told)
        assert all("Traceback" not in each for each in told)
    assert cli.run(["batch", "jobs.toml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"jobs": 2, "done": 1, "kept": 1, "failed": {}}
    assert sorted(path.name for path in Path.cwd().iterdir()) == sorted(
        ["a.key", "jobs.jsonl", "jobs.toml", "letter", "one.bmp", "one.png", "two.bmp", "two.png"]
    )
    for name in ("one", "two"):
        assert cli.run(["extract", f"{name}.bmp", "-o", name, "--key", "a.key"]) == 0
        assert Path(name).read_bytes() == b"Dear Bob"


def test_a_worker_that_is_killed_within_a_job_costs_nothing() -> None:
    Path("two.png").unlink()
    Path("letter").unlink()
    os.mkfifo("letter")
    process, pipe = within(Path("letter"))
    workers = [
        child
        for child in psutil.Process(process.pid).children()
        if "spawn_main" in " ".join(child.cmdline())
    ]
    for worker in workers:
        worker.kill()
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE_SECONDS)
    assert not alive
    with Path("letter").open("wb") as again:  # as soon as another worker reads it
        os.close(pipe)
        again.write(b"Dear Bob")
    out, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, told
    assert json.loads(out) == {"jobs": 1, "done": 1, "kept": 0, "failed": {}}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_batch_on_ray_that_is_ended_leaves_no_worker(number: int) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    Path("letter").unlink()
    os.mkfifo("letter")
    process = started("", "batch", "jobs.toml", "--engine", "ray")
    pipe = os.open("letter", os.O_WRONLY)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_SECONDS)
    leave(pipe)
    Path("letter").unlink()
    Path("letter").write_bytes(b"Dear Bob")
    assert cli.run(["batch", "jobs.toml"]) == 0


SUITE = """
title = "Rates"
experiment = "embedding"
[settings]
dataset = "photographs"
resolution = 32
method = "ours"
[vary]
rate = [1, 2, 3]
[table]
rows = ["rate"]
"""


def test_a_suite_that_is_ended_is_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    Path("rates.toml").write_text(SUITE)
    command = ["bench", "rates.toml", "-o", "out", "--json"]
    told = ended(held("recorded", *command, "--workers", "2"), signal.SIGTERM)
    assert "error: stopped; the jobs that ended are kept" in told
    assert len(Results(Path("out"))) == 1
    assert cli.run(command) == 0
    assert json.loads(capsys.readouterr().out)["failed"] == 0
    assert len(Results(Path("out"))) == 3


POOL = """
import signal, sys
from pathlib import Path
import numpy as np
from stegfield.config import FitConfig
from stegfield.steganalysis import pools

def stop(*_):
    print("there", flush=True)
    signal.pause()

covers = [np.full((12, 14, 3), at, np.uint8) for at in (60, 90, 120)]
training = FitConfig(steps=3, batch=64, seed=5)
config = pools.PoolConfig(sizes={"width": 16, "depth": 2}, training=training, secrets=1)
told = stop if "hold" in sys.argv else None
if __name__ == "__main__":
    print(pools.build(Path("pool"), covers, ["clean"], config, told=told))
"""


def test_a_pool_whose_maker_is_killed_leaves_whole_fields_and_nobody() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", POOL, "hold"], stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    left = pools.read(Path("pool"), "clean")
    assert left
    assert {path.suffix for path in Path("pool/clean").iterdir()} == {".safetensors"}
    done = subprocess.run([sys.executable, "-c", POOL], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Built(made={3 - len(left)}, kept={len(left)}, failed={{}})")
