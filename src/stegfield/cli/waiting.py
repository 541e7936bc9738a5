"""Before a long wait: what was chosen, what to expect, and how many seconds are left.

Seconds that a command may take count from its start, imports included.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from stegfield.cli.terminal import say
from stegfield.config import FitConfig

if TYPE_CHECKING:
    from stegfield.signals import Signal

BEGAN: ContextVar[float | None] = ContextVar("began", default=None)
"""When the command began, by ``time.monotonic``."""


def begin(began: float | None = None) -> float:
    """Let the wait of a command begin, now unless another time is given, and return the time."""
    now = time.monotonic() if began is None else began
    BEGAN.set(now)
    return now


def waited(training: FitConfig) -> FitConfig:
    """Take what has passed since the command began off the seconds that it may take."""
    from stegfield.fields.schedule import left

    began = BEGAN.get()
    return training if began is None else left(training, began)


def tell_choice(
    cover: Signal,
    training: FitConfig,
    *,
    architecture: str | None,
    sizes: Mapping[str, Any] | None,
    shared: bool = False,
) -> str:
    """Say which field a cover gets, and what to expect of it; return its architecture.

    Args:
        cover: The cover.
        training: How the field will be trained.
        architecture: What the user named, if anything.
        sizes: What the user named, if anything.
        shared: Whether secrets will share the field as functions.
    """
    from stegfield.fields.choosing import choose

    choice = choose(
        cover.size, cover.medium, training, architecture=architecture, sizes=sizes, shared=shared
    )
    if architecture is None:
        say(f"chosen: {choice.words} (choose with --field, --sizes and --max-seconds)")
    elif choice.expected_db is not None:
        say(choice.words)
    return choice.architecture
