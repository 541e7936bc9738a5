"""Experiments: functions from data and settings to figures and pictures.

A new one is a function in a file here and a line in `EXPERIMENTS`: its first parameter takes the
data, and all others are settings that a suite gives by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial

from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.attacking import damaging, guessing_keys, sending
from stegfield.bench.experiments.detecting import detecting, learning_curve
from stegfield.bench.experiments.drawing import drawing
from stegfield.bench.experiments.embedding import embedding
from stegfield.bench.experiments.found import Found
from stegfield.bench.experiments.hiding import hiding
from stegfield.bench.experiments.knowing import knowing
from stegfield.bench.experiments.peers import peers
from stegfield.bench.experiments.showing import showing
from stegfield.bench.experiments.weighing import weighing
from stegfield.bench.results import Setting
from stegfield.errors import ConfigError

__all__ = ["EXPERIMENTS", "Found", "find"]

EXPERIMENTS: dict[str, Callable[..., Found]] = {
    "damaging": damaging,
    "detecting": detecting,
    "drawing": drawing,
    "embedding": embedding,
    "guessing_keys": guessing_keys,
    "hiding": hiding,
    "knowing": knowing,
    "learning_curve": learning_curve,
    "peers": peers,
    "sending": sending,
    "showing": showing,
    "weighing": weighing,
}


def find(name: str, settings: Mapping[str, Setting]) -> Callable[[Datasets], Found]:
    """Give an experiment that waits for its data alone.

    Raises:
        ConfigError: There is none of this name, or it takes other settings.
    """
    if name not in EXPERIMENTS:
        raise ConfigError(
            f"there is no experiment {name}", hint=f"known are {', '.join(sorted(EXPERIMENTS))}"
        )
    try:
        inspect.signature(EXPERIMENTS[name]).bind(None, **settings)
    except TypeError as error:
        raise ConfigError(f"experiment {name}: {error}") from None
    return partial(EXPERIMENTS[name], **settings)
