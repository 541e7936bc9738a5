"""Settings of the long jobs; the command line takes its flags and their help from here.

This module imports nothing heavy, so that ``--help`` is quick.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from stegfield.errors import ConfigError

SlotRule = Literal["keyed", "magnitude", "random"]
LEAST_HEIGHT, MOST_HEIGHT = 3, 14
LARGEST_BPP = 6
ValueRule = Literal["matched", "xavier"]
MILLION = 1_000_000
NEVER = 1 << 62
GENERATOR_RANGES: dict[str, tuple[float, float]] = {
    "latent": (1, 4096),
    "hidden": (1, 65_536),
    "rank": (0, 64),
    "width": (4, 2048),
    "depth": (1, 32),
    "frequencies": (2, 2048),
    "std": (0.01, 1000.0),
}
"""What a generator may be made of, in training and in a model's file."""
MOST_HIDDEN = 16
"""Layers between the random vector and the heads."""
COUNT, LONGEST_SHOWN = re.compile(r"\s*\d{1,15}\s*"), 60
LARGEST_NETWORKS = 10
"""Fixed networks that a receiver tries, so more would not be read."""


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How a field is trained.

    Steps and seconds plan where the decay ends, whichever comes first; a PSNR ends the run when
    every signal has reached it. With none of them, 40 passes over the largest signal are planned,
    and at least 1,000 steps.
    """

    steps: int | None = None
    """Training steps to plan for."""

    max_seconds: float | None = None
    """Seconds to train for, at most; L-BFGS at the end gets a fifth of them."""

    target_db: float | None = None
    """PSNR at which to stop; without steps or seconds, ever longer runs try for it."""

    optimizer: Literal["muon", "adam"] = "muon"
    """What moves the matrices; Adam moves everything else in any case."""

    learning_rate: float | None = None
    """First step length [default: the architecture's for muon, 0.001 for adam]."""

    batch: int = 2048
    """Points of each signal in a step; 0 takes all of them."""

    decay: float = 3.0
    """How far the step length falls: by exp(-decay), then to nothing; 0 keeps it constant."""

    warm_up: int | None = None
    """Steps over which the step length rises first [default: the architecture's]."""

    loss: Literal["l2", "l1"] = "l2"
    """Squared or absolute error."""

    polish: int = 0
    """L-BFGS iterations on all points at the end."""

    robust: bool = False
    """Train under pruning and noise, so that the field outlasts them and rounding."""

    seed: int | None = None
    """Makes a run repeatable on one machine. Do not publish two fields of one cover with one seed:
    their keys would meet the same salt."""

    def __post_init__(self) -> None:
        for name, low in (("steps", 1), ("batch", 0), ("decay", 0), ("warm_up", 0), ("polish", 0)):
            value = getattr(self, name)
            if value is not None and not low <= value < math.inf:
                raise ConfigError(f"{_flag(name)} must be at least {low}, got {value}")
        for name in ("max_seconds", "target_db", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ConfigError(f"{_flag(name)} must be above 0, got {value}")
        if self.seed is not None and not 0 <= self.seed < 1 << 63:
            raise ConfigError(f"{_flag('seed')} must be from 0 to 2^63 - 1, got {self.seed}")
        if self.robust and self.polish:
            raise ConfigError(
                f"{_flag('polish')} has no meaning with {_flag('robust')}",
                hint="L-BFGS cannot follow a loss with noise in it",
            )


@dataclass(frozen=True, kw_only=True)
class HideConfig:
    """How secrets are hidden."""

    slots: SlotRule = "keyed"
    """Where slots are: drawn by each key, the cover's largest weights, or random and shared."""

    ratio: float | None = None
    """Share of the weights that are slots, between 0 and 1 [default: the architecture's]."""

    values: ValueRule = "matched"
    """How slot values are drawn; xavier is the paper's rule and trains badly in a SIREN."""

    cover_weight: float = 1.0
    """How much the cover's error counts."""

    secret_weight: float = 1.0
    """How much each secret's error counts."""

    def __post_init__(self) -> None:
        if self.ratio is not None:
            check_ratio(self.ratio)
        for name in ("cover_weight", "secret_weight"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{_flag(name)} must be above 0, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class AttackConfig:
    """How long an attack on a field's secrets goes on."""

    keys: int = 50
    """Random keys to try against each secret."""

    descents: int = 2
    """Searches for natural pictures, for each secret."""

    descent_steps: int = 200
    """Steps of each search."""

    def __post_init__(self) -> None:
        for name in ("keys", "descents", "descent_steps"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{_flag(name)} must be at least 1, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class EmbedConfig:
    """How a message is embedded in an image."""

    profile: str = "exact"
    """exact: for files that keep every sample; robust: survives JPEG and WebP; paper: the paper's
    network and solver, for comparison."""

    bpp: float | None = None
    """Bits a pixel, padding included [default: as few as the message needs; 1 for paper]."""

    flat: bool = False
    """Let all changes cost the same: the highest PSNR, but changes in plain areas too."""

    known_cover: bool = False
    """The receiver has the cover too, and names it: the message outlasts more."""

    constraint_height: int = 10
    """Bits that each sample has a say in, 3 to 14: one more gains little and doubles the time."""

    def __post_init__(self) -> None:
        if self.bpp is not None and not 0 < self.bpp <= LARGEST_BPP:
            raise ConfigError(
                f"{_flag('bpp')} must be above 0 and at most {LARGEST_BPP}, got {self.bpp:g}"
            )
        check_constraint_height(self.constraint_height)


@dataclass(frozen=True, kw_only=True)
class DescentConfig:
    """How the paper's solver changes an image until a fixed network reads the message."""

    eps: float = 0.3
    """Largest change of any value, on the image's scale of 0 to 1."""

    learning_rate: float = 0.1
    """Length of an L-BFGS step."""

    inner: int = 10
    """L-BFGS iterations between two restarts."""

    restarts: int = 100
    """Restarts before giving up; the image is put back within its bounds after each."""

    repair: int = 400
    """Steps of half an 8-bit level towards the bits that are wrong after that; 0 is the paper."""

    networks: int = 10
    """Fixed networks to try, while bits stay wrong or the PSNR is below 20 dB."""

    weights: Path | None = None
    """A released SteganoGAN to use in place of the key's networks: a safetensors file with its JSON
    description beside it. The receiver needs it too."""

    start: Literal["cover", "noise", "encoder"] = "cover"
    """Where a descent begins: noise makes it FNNS-D, the image of SteganoGAN's encoder FNNS-DE."""

    def __post_init__(self) -> None:
        if not 1 / 255 <= self.eps <= 1:
            raise ConfigError(
                f"{_flag('eps')} must be from 1/255 to 1, got {self.eps:g}",
                hint="1/255 is one step of an 8-bit image",
            )
        if not 0 < self.learning_rate < math.inf:
            raise ConfigError(f"{_flag('learning_rate')} must be above 0, got {self.learning_rate}")
        for name, low in (("inner", 1), ("restarts", 1), ("repair", 0)):
            if getattr(self, name) < low:
                raise ConfigError(
                    f"{_flag(name)} must be at least {low}, got {getattr(self, name)}"
                )
        if self.start == "encoder" and self.weights is None:
            raise ConfigError(
                f"{_flag('start')} encoder needs a network that has one",
                hint="name a released SteganoGAN with --weights",
            )
        if not 1 <= self.networks <= LARGEST_NETWORKS:
            raise ConfigError(
                f"{_flag('networks')} must be from 1 to {LARGEST_NETWORKS}, got {self.networks}"
            )


@dataclass(frozen=True, kw_only=True)
class GanConfig:
    """How a generator of fields is trained against its critic.

    The defaults are for images at 64x64 on a CPU; `PRESETS` has what differs by what is drawn.
    """

    size: int = 64
    """Points along a side of images at the end of the training; of the globe, the square root."""

    grow: str = ""
    """Smaller sizes to begin with, each with the step that ends it, like 16:2000,32:20000."""

    steps: int = 100_000
    """Training steps to plan for."""

    max_seconds: float | None = None
    """Seconds to train for in this run, at most; --resume goes on later."""

    warm_up: int = 1000
    """Steps that first fit the generator to the examples, each at its place by principal components
    (an auto-decoder); 0 starts from nothing."""

    batch: int = 64
    """Examples in a step, over all processes."""

    points: int = 0
    """Points drawn at random in each step; 0 takes all of them."""

    latent: int = 64
    """Length of the random vector."""

    hidden: str = "256,512"
    """Units of the layers between the random vector and the heads."""

    rank: int = 4
    """Of the products that modulate shared weights; 0 lets the heads say every weight."""

    width: int = 128
    """Units of the field's layers."""

    depth: int = 3
    """Layers of the field."""

    frequencies: int = 128
    """Random frequencies of the field."""

    std: float = 2.0
    """Their standard deviation."""

    channels: int = 64
    """Of the critic's finest level; they double up to four times as many."""

    generator_rate: float = 1e-4
    """Step length of the generator."""

    critic_rate: float = 6e-4
    """Step length of the critic."""

    beta1: float = 0.0
    """Adam's memory of gradients."""

    beta2: float = 0.99
    """Adam's memory of their squares."""

    r1: float = 0.1
    """Weight of the gradient penalty R1."""

    r1_every: int = 16
    """Steps between two penalties, which count so many times more."""

    average: float = 0.998
    """Share that the moving average of the generator keeps in each step."""

    mirror: bool = True
    """Show every second image mirrored."""

    augment: float = 0.0
    """Share of shifts and changes of colour, made to real and drawn images alike before the critic
    sees them: for few examples."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """Of products; bfloat16 is faster where the processor has it."""

    seed: int = 0
    """Makes a run repeatable on one machine."""

    def __post_init__(self) -> None:
        ranges: dict[str, tuple[float, float]]
        ranges = {"size": (8, 1024), "steps": (1, math.inf), "warm_up": (0, math.inf)}
        ranges |= {"batch": (2, 65_536), "points": (0, 1 << 20)}
        ranges |= {name: GENERATOR_RANGES[name] for name in GENERATOR_RANGES if name != "hidden"}
        ranges |= {"channels": (4, 1024), "r1": (0, math.inf), "r1_every": (1, math.inf)}
        ranges |= {"augment": (0, 1), "average": (0, 1), "beta1": (0, 0.999999)}
        ranges |= {"beta2": (0, 0.999999), "seed": (0, (1 << 63) - 1)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ConfigError(
                    f"{_flag(name)} must be from {low:,} to {high:,}, got {getattr(self, name)}"
                )
        for name in ("generator_rate", "critic_rate", "max_seconds"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ConfigError(f"{_flag(name)} must be above 0, got {value}")
        least, most = GENERATOR_RANGES["hidden"]
        if not all(least <= units <= most for units in self.hidden_units):
            raise ConfigError(f"{_flag('hidden')} must be from {least:,} to {most:,} units")
        if len(self.hidden_units) > MOST_HIDDEN:
            raise ConfigError(
                f"{_flag('hidden')} must be at most {MOST_HIDDEN} layers, "
                f"got {len(self.hidden_units)}"
            )
        for size, _ in self.stages:
            if size < 8 or size & (size - 1):
                raise ConfigError(
                    f"{_flag('size')} and the sizes of {_flag('grow')} must be powers of two "
                    f"from 8, got {size}"
                )

    @property
    def hidden_units(self) -> list[int]:
        """The units of each layer between the random vector and the heads."""
        if not all(map(COUNT.fullmatch, self.hidden.split(","))):
            raise ConfigError(
                f"{_flag('hidden')} is written like 256,512, got {self.hidden[:LONGEST_SHOWN]!r}"
            )
        return [int(units) for units in self.hidden.split(",")]

    @property
    def stages(self) -> list[tuple[int, int]]:
        """The sizes to train at, each with the step that ends it."""
        stages: list[tuple[int, int]] = []
        for entry in filter(None, self.grow.split(",")):
            size, _, end = entry.partition(":")
            if not (COUNT.fullmatch(size) and COUNT.fullmatch(end)):
                raise ConfigError(
                    f"{_flag('grow')} is written like 16:2000,32:20000, "
                    f"got {self.grow[:LONGEST_SHOWN]!r}"
                )
            stages.append((int(size), int(end)))
        stages.append((self.size, NEVER))
        if stages != sorted(stages) or len({size for size, _ in stages}) < len(stages):
            raise ConfigError(f"{_flag('grow')} must name rising sizes below {self.size}")
        return stages


def gan_config(entries: Mapping[str, Any], base: GanConfig | None = None) -> GanConfig:
    """Give settings that come from a file, over others: their names and types are checked.

    Raises:
        ConfigError: One is unknown, of another type, or out of its range.
    """
    base = GanConfig() if base is None else base
    defaults = {entry.name: entry.default for entry in fields(GanConfig)}
    taken: dict[str, Any] = {}
    for name, value in entries.items():
        if name not in defaults:
            raise ConfigError(f"there is no setting {name}")
        kind = float if name == "max_seconds" else type(defaults[name])
        whole = kind is float and type(value) is int and abs(value) <= MILLION
        if type(value) is not kind and not whole and (name, value) != ("max_seconds", None):
            raise ConfigError(f"{_flag(name)} is not of type {kind.__name__}")
        taken[name] = float(value) if whole else value
    if taken.get("precision", "float32") not in ("float32", "bfloat16"):
        raise ConfigError(f"{_flag('precision')} is float32 or bfloat16")
    return replace(base, **taken)


PRESETS = {
    "faces": GanConfig(grow="32:8500", steps=200_000, rank=8),
    "climate": GanConfig(
        size=64,
        grow="32:6000",
        steps=15_000,
        batch=16,
        latent=32,
        hidden="128,256",
        std=0.7,
        channels=24,
        mirror=False,
    ),
    "digits": GanConfig(
        size=8,
        steps=2500,
        warm_up=300,
        latent=32,
        hidden="64,64",
        width=64,
        depth=2,
        frequencies=32,
        std=1.0,
        generator_rate=2e-4,
        critic_rate=1e-3,
        r1=0.02,
        mirror=False,
    ),
}
"""What `train` takes for settings where no others are given, by what is to be drawn."""


def check_constraint_height(height: int) -> None:
    """Refuse a constraint height that is out of range.

    Raises:
        ConfigError: The height is below 3 or above 14.
    """
    if not LEAST_HEIGHT <= height <= MOST_HEIGHT:
        raise ConfigError(
            f"{_flag('constraint_height')} must be from {LEAST_HEIGHT} to {MOST_HEIGHT}, "
            f"got {height}"
        )


def check_ratio(ratio: float) -> None:
    """Refuse a share of slots that is not between 0 and 1 in the millionths that records tell.

    Raises:
        ConfigError: It is not.
    """
    if not (math.isfinite(ratio) and 0 < round(ratio * MILLION) < MILLION):
        raise ConfigError(
            f"{_flag('ratio')} must be between 0 and 1, got {ratio:g}",
            hint="0.05 takes five weights in a hundred",
        )


def changed(config: EmbedConfig | DescentConfig) -> list[str]:
    """Name the settings that are not their defaults."""
    return [each.name for each in fields(config) if getattr(config, each.name) != each.default]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


@dataclass(frozen=True, kw_only=True)
class AppConfig:
    """What one visitor of the web page may ask of the machine."""

    max_upload: int = 64
    """Largest file, in MB."""

    max_stored: int = 1000
    """All files of all visitors together, in MB; more are refused until some are gone."""

    max_seconds: float = 300.0
    """Longest run."""

    max_megapixels: float = 16.0
    """Largest picture."""

    jobs: int = 1
    """Runs at once; others wait for their turn."""

    def __post_init__(self) -> None:
        for entry in fields(self):
            if not getattr(self, entry.name) > 0:
                raise ConfigError(f"{entry.name.replace('_', '-')} must be above 0")
