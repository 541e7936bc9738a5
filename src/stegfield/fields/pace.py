"""Pace: how many times as long as two quiet cores this machine takes for a training step now.

`stegfield.fields.choosing` expects what was measured on two quiet cores. A machine with one core,
or with much else to do, takes fewer steps in the same time. A few steps of a real training tell
how many, as long as the machine stays as busy as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from stegfield.config import FitConfig
from stegfield.fields.choosing import CONCEALING, method_of
from stegfield.fields.fitting import new_field
from stegfield.fields.run import Run
from stegfield.fields.targets import Target
from stegfield.signals import IMAGE, Medium, waves

FIRST, TIMED = 2, 8
"""Steps before the first that is timed, which take longer, and those that are timed."""
LONGEST = 1.0
"""Seconds after which no further step is timed."""
SIDE = 64


def slowness_for(medium: Medium, training: FitConfig) -> float:
    """Return the slowness where seconds decide which field is chosen, else 1 without any work."""
    decides = medium is IMAGE and training.max_seconds is not None and not training.robust
    return slowness() if decides else 1.0


def slowness(clock: Callable[[], float] = time.monotonic) -> float:
    """Time some training steps.

    Args:
        clock: Tells the time in seconds.

    Returns:
        The time of a step in units of two quiet cores; 1 at least, so that a machine that is
        faster promises no more than was measured.
    """
    cover = waves(SIDE, SIDE)
    field = new_field(cover, architecture=CONCEALING, seed=0)
    run = Run(field, [Target(cover)], FitConfig(seed=0), {})
    for _ in range(FIRST):
        run.advance(1.0)
    began, steps = clock(), 0
    while True:
        run.advance(1.0)
        steps, passed = steps + 1, clock() - began
        if steps == TIMED or passed > LONGEST:
            return max(1.0, passed / steps / (method_of(CONCEALING).seconds * run.batch))
