"""Readings: a file may hold its samples in several ways, and a message is in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from stegfield.errors import ConfigError, UnreadableError
from stegfield.signals import Signal


def first_read(read: Callable[[Signal], bytes], readings: Iterable[Signal]) -> bytes:
    """Read the message from the first of a file's readings that has one.

    Args:
        read: Returns the message of one reading.
        readings: As `signals.stored` yields them, one at least.

    Raises:
        UnreadableError: None of them has a message. It is the error of the first one, the file as
            it is.
    """
    left = iter(readings)
    try:
        return read(next(left))
    except UnreadableError:
        for other in left:
            with suppress(UnreadableError, ConfigError):  # turned, it may not fit a known cover
                return read(other)
        raise
