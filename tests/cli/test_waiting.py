"""The seconds of a command are those of the whole wait, its beginning and its end included."""

from __future__ import annotations

import time

import pytest

from stegfield.cli.waiting import BEGAN, begin, waited
from stegfield.config import FitConfig


def test_what_a_command_took_to_begin_and_will_take_to_end_is_taken_off() -> None:
    token = BEGAN.set(None)
    try:
        timed = FitConfig(max_seconds=60.0)
        assert waited(timed) is timed
        begin(time.monotonic() - 10)
        assert waited(timed).max_seconds == pytest.approx(45, abs=2)
        assert waited(FitConfig()).max_seconds is None
    finally:
        BEGAN.reset(token)
