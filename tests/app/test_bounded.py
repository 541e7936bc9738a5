"""Work in a process of its own ends in time, and its errors come back."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from stegfield import fixednet, signals
from stegfield.app import bounded
from stegfield.errors import StegfieldError, UnreadableError
from stegfield.keys import Key


def test_the_result_comes_back() -> None:
    assert bounded.call(sorted, [2, 1], seconds=60.0) == [1, 2]


def test_what_takes_too_long_is_killed() -> None:
    began = time.monotonic()
    with pytest.raises(bounded.TooLongError, match=r"longer than the 0\.01 seconds"):
        bounded.call(time.sleep, 600, seconds=0.01)
    with pytest.raises(bounded.TooLongError):
        bounded.call(time.sleep, 600, seconds=600.0, waited_for=lambda: False)
    assert time.monotonic() - began < 300
    assert multiprocessing.active_children() == []


def test_errors_come_back_with_their_hints() -> None:
    with pytest.raises(StegfieldError, match="is not an image") as raised:
        bounded.call(signals.decode, b"\x89PNG", Path("x.png"), seconds=60.0)
    with pytest.raises(StegfieldError) as read:
        bounded.call(fixednet.extract, signals.waves(48, 64), Key(bytes(32)), seconds=60.0)
    assert str(read.value) == str(UnreadableError())
    assert raised.value.hint is None or raised.value.hint


def test_a_process_that_ends_by_itself_is_told() -> None:
    with pytest.raises(MemoryError):
        bounded.call(os._exit, 3, seconds=60.0)


def test_other_errors_are_defects() -> None:
    with pytest.raises(RuntimeError, match="TypeError"):
        bounded.call(len, 3, seconds=60.0)
