"""Engines: what becomes of the other jobs where a process dies."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from stegfield.jobs import apart
from stegfield.jobs.pool import DIED

PATIENCE_SECONDS = 30.0
MARKS = "STEGFIELD_TEST_MARKS"


def appears(name: str) -> bool:
    """Wait for another job's mark."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := (Path(os.environ[MARKS]) / name).exists()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def perform(job: str, again: bool) -> str:
    """Die, be there while another dies, or meet another that runs at the same time."""
    (Path(os.environ[MARKS]) / job).touch()
    if job == "dies":
        appears("bystander")
        os._exit(1)
    if job == "dies once":
        return os._exit(1) if not again else job
    if job == "bystander":
        return f"{job} was tried again" if again else job
    partner = {"one": "other", "other": "one"}.get(job)
    return job if partner is None or appears(partner) else f"{job} was alone"


def lost(job: str, reason: str) -> str:
    return f"{job}: {reason}"


@pytest.fixture(autouse=True)
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MARKS, str(tmp_path))
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # where workers find this file


def test_only_the_job_of_a_process_that_died_is_tried_again_and_last() -> None:
    jobs = ["dies", "bystander", "dies once", "one", "other", "last"]
    outcomes = list(apart(jobs, perform, lost, 2))
    assert set(outcomes[:4]) == {"bystander", "last", "one", "other"}
    assert set(outcomes[4:]) == {f"dies: {DIED}", "dies once"}
