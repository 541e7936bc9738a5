"""Experiments: functions from data and settings to figures and pictures.

A new experiment is a function in a file here and a line in `EXPERIMENTS`. Its first parameter takes
the data; all others are settings that a suite gives by name. Settings that several experiments
share are a dataclass, in a parameter ``settings``. Other packages add experiments by an entry point
of the group ``stegfield.experiments``. They add methods to compare, which become columns, to
`EMBEDDERS` and `HIDERS` by entry points of ``stegfield.embedders`` and ``stegfield.hiders``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import get_type_hints

from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.embedders import EMBEDDERS
from stegfield.bench.experiments.found import Found
from stegfield.bench.experiments.hiders import HIDERS
from stegfield.bench.results import Setting
from stegfield.errors import ConfigError
from stegfield.registry import Registry

__all__ = ["EMBEDDERS", "EXPERIMENTS", "HIDERS", "Found", "find"]

_HERE = __name__
_FILES = {
    "attacking": ("damaging", "guessing_keys", "sending"),
    "batching": ("batching",),
    "commands": ("embedding_commands", "generating_covers", "hiding_command", "revealing"),
    "detecting": ("detecting", "learning_curve"),
    "embedding": ("embedding", "filling"),
    "fitting": ("fitting",),
    "generating": ("generating",),
    "hiding": ("hiding",),
    "jpegs": ("detecting_jpegs",),
    "knowing": ("knowing", "learning_generated"),
    "media": ("hiding_media", "pairing", "sounding"),
    "models": ("knowing_covers", "training_models"),
    "racing": ("racing",),
    "reusing": ("reusing",),
    "sharing": ("sharing", "sharing_critic"),
    "showing": ("showing",),
    "suspecting": ("choosing", "judging", "suspecting"),
    "timing": ("searching", "training_step"),
    "weighing": ("weighing",),
}
EXPERIMENTS: Registry[Callable[..., Found]] = Registry(
    "stegfield.experiments",
    "experiment",
    {name: f"{_HERE}.{file}:{name}" for file, names in _FILES.items() for name in names},
)


def find(name: str, settings: Mapping[str, Setting]) -> Callable[[Datasets], Found]:
    """Return an experiment that waits for its data alone.

    Raises:
        ConfigError: No experiment has this name, or it takes other settings.
    """
    experiment = EXPERIMENTS.find(name)
    shared = get_type_hints(experiment).get("settings")
    try:
        if shared is not None:
            return partial(experiment, settings=shared(**settings))
        inspect.signature(experiment).bind(None, **settings)
    except TypeError as error:
        raise ConfigError(f"experiment {name}: {error}") from None
    return partial(experiment, **settings)
