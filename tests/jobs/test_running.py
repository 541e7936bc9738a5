"""Runs: each job is recorded, and what a process that died has left is cleaned up."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import torch

from stegfield import files
from stegfield.errors import InputError, OutputExistsError
from stegfield.jobs import ENGINES, Engine, Job, JobProgress, Ledger, LedgerKind, apart, local, run
from stegfield.jobs.pool import limit_threads
from stegfield.machine import cores


@dataclass(frozen=True)
class Facts:
    threads: str = ""


KIND = LedgerKind("a test", "task", Facts)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # where workers find this file


def ledger() -> Ledger[Facts]:
    return Ledger(Path("ledger"), KIND)


def job(what: str, *written: str) -> Job:
    return Job(what, {"files": list(written)}, writes=tuple(map(Path, written)))


def perform(job: Job) -> Facts:
    """Write the files of a job; then die the first time, or each time, or fail."""
    if job.name == "fails":
        raise InputError("it cannot be", hint="try another")
    if job.name == "breaks":
        raise ZeroDivisionError("unforeseen")
    files.write_all_new([files.Output(path, job.name.encode()) for path in job.writes])
    first = not Path("tried").exists()
    Path("tried").touch()
    if job.name == "dies" or (job.name == "dies once" and first):
        for path in job.writes:  # as if it were at the next file
            Path(f"{files._prefix(path)}half").touch()
        os._exit(1)
    return Facts(os.environ.get("OMP_NUM_THREADS", ""))


@pytest.mark.parametrize("engine", [local, apart])
def test_failures_are_recorded_and_stop_nothing(engine: Engine) -> None:
    jobs = [job("fails", "a"), job("breaks", "b"), job("writes", "c")]
    told: list[JobProgress[Facts]] = []
    ended = run(jobs, ledger(), perform, engine=engine, watch=told.append)
    assert [(each.name, each.error, each.hint) for each in ended] == [
        ("fails", "it cannot be", "try another"),
        ("breaks", "ZeroDivisionError: unforeseen", None),
        ("writes", None, None),
    ]
    assert [(each.done, each.jobs, each.failed) for each in told] == [
        (1, 3, 1),
        (2, 3, 2),
        (3, 3, 2),
    ]
    assert [each.latest for each in told] == ended
    assert [ledger().done(each) for each in jobs] == [False, False, True]
    assert [each.name for each in run(jobs, ledger(), perform)] == ["fails", "breaks"]


def test_a_job_that_is_named_twice_is_run_once() -> None:
    assert len(run([job("writes", "a")] * 2, ledger(), perform)) == 1


def test_what_a_dead_worker_wrote_is_replaced_in_the_same_run() -> None:
    (entry,) = run([job("dies once", "a", "b")], ledger(), perform, engine=apart)
    assert entry.error is None
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["a", "b", "ledger", "tried"]


def test_what_a_job_wrote_that_kills_its_worker_is_replaced_in_the_next_run() -> None:
    (entry,) = run([job("dies", "a")], ledger(), perform, engine=apart)
    assert entry.lost
    assert "the process died" in str(entry.error)
    assert Path("a").exists()
    died = job("dies", "a")
    (entry,) = run([died], ledger(), _write_over)
    assert entry.error is None
    assert Path("a").read_bytes() == b"new"
    assert not list(Path.cwd().glob(".*"))


def _write_over(job: Job) -> Facts:
    files.write_new(job.writes[0], b"new")
    return Facts()


class Cut(BaseException):
    """The end of a process, as its jobs see it."""


def _cut(job: Job, *, after: bool) -> Facts:
    if after:
        files.write_new(job.writes[0], b"old")
    raise Cut


@pytest.mark.parametrize("after", [False, True])
def test_only_what_was_not_there_before_is_replaced(after: bool) -> None:
    wanted = job("writes", "a")
    with pytest.raises(Cut):
        run([wanted], ledger(), partial(_cut, after=after))
    assert Path("a").exists() == after
    (entry,) = run([wanted], ledger(), _write_over)
    assert entry.error is None
    # a file of the user's, of whom nobody knows whether they still need it
    Path("ledger").unlink()
    Path("a").write_bytes(b"mine")
    for _ in range(2):
        with pytest.raises(Cut):
            run([wanted], ledger(), partial(_cut, after=False))
    (entry,) = run([wanted], ledger(), _write_over)
    assert entry.error == str(OutputExistsError(Path("a")))
    assert Path("a").read_bytes() == b"mine"


def test_workers_share_the_cores_before_they_import_anything() -> None:
    engine = partial(apart, threads=3)
    (entry,) = run([job("writes", "a")], ledger(), perform, engine=engine)
    assert entry.facts.threads == "3"


@pytest.mark.usefixtures("one_thread")
def test_threads_of_torch_are_limited_where_it_was_imported_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr("stegfield.machine._share", [])
    limit_threads(2)
    assert cores() == 2
    assert torch.get_num_threads() == 2
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_jobs_import_nothing_heavy() -> None:
    script = (
        "import sys; from stegfield import jobs;"
        "sys.exit([name for name in ('torch', 'numpy') if name in sys.modules] or 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_engines_are_known_by_name() -> None:
    assert set(ENGINES) == {"local", "ray"}


LAUNCHER = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""
LAUNCHED = """
import signal
from stegfield.jobs.parents import ended_with_launcher

def ended(number, frame):
    print("in order", flush=True)
    raise SystemExit

signal.signal(signal.SIGTERM, ended)
with ended_with_launcher():
    print("there", flush=True)
    signal.pause()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_what_a_launcher_started_ends_in_order_when_it_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, LAUNCHED], stdout=subprocess.PIPE, text=True
    ) as launcher:
        assert launcher.stdout is not None
        assert launcher.stdout.readline() == "there\n"
        launcher.kill()
        assert launcher.stdout.read() == "in order\n"  # and then everybody has closed it
