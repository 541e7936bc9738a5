"""Settings of a generator's training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from stegfield.config.settings import SEED, Range, Settings, checked
from stegfield.errors import ConfigError, Wording

NEVER = 1 << 62
"""The step that ends the last size."""
GENERATOR_RANGES = {
    "latent": Range(1, 4096),
    "hidden": Range(1, 65_536),
    "rank": Range(0, 64),
    "width": Range(4, 2048),
    "depth": Range(1, 32),
    "frequencies": Range(2, 2048),
    "std": Range(0.01, 1000),
}
"""Ranges of a generator's sizes, in training and in a model's file."""
MOST_HIDDEN = 16
"""Layers between the random vector and the heads."""
COUNT, LONGEST_SHOWN = re.compile(r"\s*\d{1,15}\s*"), 60
_SHARE, _MEMORY, _RATE = Range(0, 1), Range(0, 0.999999), Range(0, above=True)


@dataclass(frozen=True, kw_only=True)
class GanConfig(Settings):
    """How a generator of fields is trained against its critic.

    The defaults are for images at 64x64 on a CPU; `PRESETS` has what differs by what is learned.
    """

    size: Annotated[int, Range(8, 1024)] = 64
    """Points along a side of images at the end of the training; of the globe, the square root."""

    grow: str = ""
    """Smaller sizes to begin with, each with the step that ends it, like 16:2000,32:20000."""

    steps: Annotated[int, Range(1)] = 100_000
    """Training steps to plan for."""

    max_seconds: Annotated[float | None, _RATE] = None
    """Seconds to train for in this run, at most; --resume continues it later."""

    warm_up: Annotated[int, Range(0)] = 1000
    """Steps that first fit the generator to the examples, with random vectors from their principal
    components (an auto-decoder); 0 leaves this out."""

    batch: Annotated[int, Range(2, 65_536)] = 64
    """Examples in a step, over all processes."""

    points: Annotated[int, Range(0, 1 << 20)] = 0
    """Points chosen at random in each step; 0 takes all of them."""

    latent: Annotated[int, GENERATOR_RANGES["latent"]] = 64
    """Length of the random vector."""

    hidden: str = "256,512"
    """Units of the layers between the random vector and the heads."""

    rank: Annotated[int, GENERATOR_RANGES["rank"]] = 4
    """Rank of the products that modulate shared weights; with 0, heads put out every weight."""

    width: Annotated[int, GENERATOR_RANGES["width"]] = 128
    """Units of the field's layers."""

    depth: Annotated[int, GENERATOR_RANGES["depth"]] = 3
    """Layers of the field."""

    frequencies: Annotated[int, GENERATOR_RANGES["frequencies"]] = 128
    """Random frequencies of the field."""

    std: Annotated[float, GENERATOR_RANGES["std"]] = 2.0
    """Standard deviation of the frequencies."""

    channels: Annotated[int, Range(4, 1024)] = 64
    """Channels of the critic's finest level; coarser levels have up to four times as many."""

    generator_rate: Annotated[float, _RATE] = 1e-4
    """Step length of the generator."""

    critic_rate: Annotated[float, _RATE] = 6e-4
    """Step length of the critic."""

    beta1: Annotated[float, _MEMORY] = 0.0
    """Adam's decay rate of the mean gradient."""

    beta2: Annotated[float, _MEMORY] = 0.99
    """Adam's decay rate of the mean squared gradient."""

    r1: Annotated[float, Range(0)] = 0.1
    """Weight of the gradient penalty R1."""

    r1_every: Annotated[int, Range(1)] = 16
    """Steps between two penalties; each counts that many times."""

    average: Annotated[float, _SHARE] = 0.998
    """Decay rate of the generator's moving average."""

    mirror: bool = True
    """Mirror every second image."""

    augment: Annotated[float, _SHARE] = 0.0
    """Share of images that are shifted, and of those whose colours change, real and generated ones
    alike, before the critic sees them: for few examples."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """Number format of matrix products; bfloat16 is faster on processors that have it."""

    seed: Annotated[int, SEED] = 0
    """Makes a run repeatable on one machine."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for units in self.hidden_units:
            GENERATOR_RANGES["hidden"].check(units, owner="GanConfig", name="hidden")
        if len(self.hidden_units) > MOST_HIDDEN:
            raise _wrong(
                "{hidden} must be at most {most} layers, got {count}",
                most=MOST_HIDDEN,
                count=len(self.hidden_units),
            )
        for size, _ in self.stages:
            if size < 8 or size & (size - 1):
                raise _wrong(
                    "{size} and the sizes of {grow} must be powers of two from 8, got {one}",
                    one=size,
                )

    @property
    def hidden_units(self) -> list[int]:
        """Return the units of each layer between the random vector and the heads."""
        if not all(map(COUNT.fullmatch, self.hidden.split(","))):
            raise _wrong(
                "{hidden} is written like 256,512, got {text}",
                text=repr(self.hidden[:LONGEST_SHOWN]),
            )
        return [int(units) for units in self.hidden.split(",")]

    @property
    def stages(self) -> list[tuple[int, int]]:
        """Return the sizes to train at, each with the step that ends it."""
        stages: list[tuple[int, int]] = []
        for entry in filter(None, self.grow.split(",")):
            size, _, end = entry.partition(":")
            if not (COUNT.fullmatch(size) and COUNT.fullmatch(end)):
                raise _wrong(
                    "{grow} is written like 16:2000,32:20000, got {text}",
                    text=repr(self.grow[:LONGEST_SHOWN]),
                )
            stages.append((int(size), int(end)))
        stages.append((self.size, NEVER))
        if stages != sorted(stages) or len({size for size, _ in stages}) < len(stages):
            raise _wrong("{grow} must name rising sizes below {last}", last=self.size)
        return stages


def _wrong(template: str, **values: object) -> ConfigError:
    return ConfigError(Wording(template, owner="GanConfig", **values))


def gan_config(entries: Mapping[str, Any], base: GanConfig | None = None) -> GanConfig:
    """Return settings of a file, over a base.

    Raises:
        ConfigError: A setting is unknown, of another type, or out of its range.
    """
    return replace(base or GanConfig(), **checked(GanConfig, entries))
