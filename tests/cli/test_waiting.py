"""The seconds of a command are those of the whole wait, its beginning and its end included."""

from __future__ import annotations

import time

import pytest

from stegfield.cli.waiting import BEGAN, LEAVING, SLOWNESS, begin, chosen, waited
from stegfield.config import FitConfig
from stegfield.fields import pace
from stegfield.signals import waves


def test_what_a_command_took_to_begin_and_will_take_to_end_is_taken_off() -> None:
    token = BEGAN.set(None)
    try:
        timed = FitConfig(max_seconds=60.0)
        assert waited(timed) is timed
        begin(time.monotonic() - 10)
        assert waited(timed).max_seconds == pytest.approx(50 - LEAVING, abs=2)
        SLOWNESS.set(20.0)
        assert waited(timed).max_seconds == pytest.approx(50 - 20 * LEAVING, abs=2)
        assert waited(FitConfig()).max_seconds is None
    finally:
        BEGAN.reset(token)
        SLOWNESS.set(1.0)


def test_what_is_promised_is_of_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "slowness", lambda: 1.0)
    token = BEGAN.set(None)
    try:
        told = []
        for passed in (0, 50):
            begin(time.monotonic() - passed)
            cover, timed = waves(512, 512), FitConfig(max_seconds=60.0)
            told.append(chosen(cover, timed, architecture=None, sizes=None)[1] or "")
        promised = [int(each.partition("expect ")[2].split()[0]) for each in told]
        assert promised[1] < promised[0] - 10
    finally:
        BEGAN.reset(token)
