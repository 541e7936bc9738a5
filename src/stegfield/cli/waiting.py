"""Before a long wait: what was chosen, what to expect, and how many seconds are left.

Seconds that a command may take count from its start, imports included.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegfield.config import FitConfig

if TYPE_CHECKING:
    from stegfield.signals import Signal

BEGAN: ContextVar[float | None] = ContextVar("began", default=None)
"""When the command began, by ``time.monotonic``."""

SLOWNESS: ContextVar[float] = ContextVar("slowness", default=1.0)
"""Times as long as two quiet cores that the machine takes, as far as it was timed."""
LEAVING = 0.7
"""Seconds that the program takes to end on two quiet cores: it drops what it had imported."""
OTHERWISE = "--field, --sizes and --max-seconds choose otherwise"


def begin(began: float | None = None) -> float:
    """Let the wait of a command begin, now unless another time is given, and return the time."""
    now = time.monotonic() if began is None else began
    BEGAN.set(now)
    SLOWNESS.set(1.0)
    return now


def waited(training: FitConfig) -> FitConfig:
    """Take what has passed since the command began, and its end, off the seconds it may take."""
    from stegfield.fields.schedule import left

    began = BEGAN.get()
    if began is None:
        return training
    return left(training, began - LEAVING * SLOWNESS.get())


def chosen(
    cover: Signal,
    training: FitConfig,
    checkpoint: Path | None = None,
    *,
    architecture: str | None,
    sizes: Mapping[str, Any] | None,
    shared: bool = False,
) -> tuple[str | None, str | None]:
    """Choose the field that a cover gets.

    Args:
        cover: The cover.
        training: How the field will be trained.
        checkpoint: Of the run; one that exists has its architecture already.
        architecture: What the user named, if anything.
        sizes: What the user named, if anything.
        shared: Whether secrets will share the field as functions.

    Returns:
        The architecture, and what to say of it.
    """
    from stegfield.fields.choosing import choose
    from stegfield.fields.pace import slowness_for

    if checkpoint is not None and checkpoint.exists():
        return architecture, None
    SLOWNESS.set(slowness_for(cover.medium, training))
    choice = choose(
        cover.size,
        cover.medium,
        waited(training),
        architecture=architecture,
        sizes=sizes,
        shared=shared,
        slowness=SLOWNESS.get(),
    )
    if architecture is None:
        return choice.architecture, f"chosen: {choice.words} ({OTHERWISE})"
    return architecture, None if choice.expected_db is None else choice.words
