"""Engines: what becomes of the other jobs where a process dies."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from stegfield.engines import DIED, apart

PATIENCE_SECONDS = 30.0
MARKS = "STEGFIELD_TEST_MARKS"


def appears(name: str) -> bool:
    """Wait for another job's mark."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := (Path(os.environ[MARKS]) / name).exists()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def perform(job: str) -> str:
    """Die, be there while another dies, or meet another that runs at the same time."""
    mark = Path(os.environ[MARKS]) / job
    tried = mark.exists()
    mark.touch()
    if job == "dies":
        appears("bystander")
        os._exit(1)
    if job == "bystander" and not tried:
        time.sleep(PATIENCE_SECONDS)
        return "bystander was left alone"
    partner = {"one": "other", "other": "one"}.get(job)
    return job if partner is None or appears(partner) else f"{job} was alone"


def lost(job: str, reason: str) -> str:
    return f"{job}: {reason}"


@pytest.fixture(autouse=True)
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(__file__).parents[1]
    monkeypatch.setenv(MARKS, str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(home), str(home / "src")]))


def test_only_what_ran_as_a_process_died_is_tried_alone() -> None:
    jobs = ["dies", "bystander", "one", "other", "last"]
    outcomes = list(apart(jobs, perform, lost, 2))
    assert sorted(outcomes) == sorted(["bystander", f"dies: {DIED}", "last", "one", "other"])
    # who waits for those under suspicion is told of all others first
    assert set(outcomes[:3]) == {"last", "one", "other"}
