"""LSB: the upper bits of secrets, where the cover's lower bits were."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from stegfield import signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.hiders import Exchange
from stegfield.bench.experiments.settings import HidingSettings
from stegfield.errors import ConfigError
from stegfield.signals import Signal

BITS = 8


def lsb(data: Datasets, images: Sequence[Signal], settings: HidingSettings) -> Exchange:
    """Put the upper bits of one to four secrets into the cover's lower four.

    Raises:
        ConfigError: There are more than four secrets.
    """
    began = time.perf_counter()
    cover, *secrets = map(signals.to_samples, images)
    bits = BITS // 2 // len(secrets)
    if not bits:
        raise ConfigError(f"LSB takes one to four secrets here, got {len(secrets)}")
    stego = cover >> BITS // 2 << BITS // 2
    for at, secret in enumerate(secrets):
        stego |= secret >> (BITS - bits) << (at * bits)
    mask = (1 << bits) - 1
    recovered = [(stego >> (at * bits) & mask) << (BITS - bits) for at in range(len(secrets))]
    seconds = time.perf_counter() - began
    return Exchange(stego, [np.asarray(each, np.uint8) for each in recovered], {"seconds": seconds})
