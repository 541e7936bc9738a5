"""Methods of hiding images in an image: ours, the paper's, and those of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stegfield import hiding as hide
from stegfield import signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.settings import HidingSettings
from stegfield.bench.results import Figure
from stegfield.config import FitConfig, HideConfig
from stegfield.errors import ConfigError
from stegfield.fields import render
from stegfield.hiding import HideResult, Secret
from stegfield.keys import Key
from stegfield.metrics import Samples
from stegfield.registry import Registry
from stegfield.signals import Signal


@dataclass(frozen=True, eq=False)
class Exchange:
    """What a method shows to everyone, and what its receivers reveal; 8-bit samples."""

    stego: Samples = field(repr=False)
    recovered: list[Samples] = field(repr=False)
    figures: dict[str, Figure] = field(default_factory=dict)
    """Other figures, such as seconds."""
    result: HideResult | None = None
    """The field, if the method makes a `Field`."""


Hider = Callable[[Datasets, Sequence[Signal], HidingSettings], Exchange]
"""A method: takes the data, the cover and then its secrets, and settings."""


def hide_images(
    images: Sequence[Signal],
    settings: HidingSettings,
    training: FitConfig,
    *,
    architecture: str,
    config: HideConfig,
    sizes: Mapping[str, int | float] | None = None,
) -> HideResult:
    """Hide all but the first image in a field of the first, each with a key of its own."""
    keys = [Key(index.to_bytes(32, "big")) for index in range(1, settings.secrets + 1)]
    return hide.hide_functions(
        images[0],
        [Secret(signal, key) for signal, key in zip(images[1:], keys, strict=True)],
        architecture=architecture,
        sizes=dict(sizes or {}),
        config=config,
        training=training,
    )


def ours(data: Datasets, images: Sequence[Signal], settings: HidingSettings) -> Exchange:
    """Hide as `stegfield hide` does without further options."""
    result = hide_images(
        images,
        settings,
        settings.training(),
        architecture=settings.field or "siren",
        config=_config(settings),
        sizes=settings.sizes(),
    )
    return exchanged(result, settings.resolution)


def robust(data: Datasets, images: Sequence[Signal], settings: HidingSettings) -> Exchange:
    """Hide as `stegfield hide --robust` does."""
    result = hide_images(
        images,
        settings,
        settings.training(robust=True),
        architecture=settings.field or "fourier",
        config=_config(settings),
    )
    return exchanged(result, settings.resolution)


def paper(data: Datasets, images: Sequence[Signal], settings: HidingSettings) -> Exchange:
    """Hide by the paper's procedure: its authors' field, magnitude slots, Xavier values, Adam."""
    result = hide_images(
        images,
        settings,
        settings.papers_training(),
        architecture="fourier",
        config=HideConfig(slots="magnitude", values="xavier", ratio=settings.ratio or None),
    )
    return exchanged(result, settings.resolution)


def _config(settings: HidingSettings) -> HideConfig:
    return HideConfig(slots=settings.slots, values=settings.values, ratio=settings.ratio or None)


def exchanged(result: HideResult, side: int) -> Exchange:
    """Return what everyone sees, and what each key reveals."""
    size = (side, side)
    keys = [each.key_file for each in result.secrets if each.key_file is not None]
    revealed = [hide.reveal_function(result.field, key, size=size).signal for key in keys]
    return Exchange(
        signals.to_samples(render(result.field, size=size)),
        [signals.to_samples(signal) for signal in revealed],
        {
            "seconds": result.seconds,
            "steps": result.steps,
            "weights": result.field.weight_count(),
        },
        result,
    )


def with_field(data: Datasets, images: Sequence[Signal], settings: HidingSettings) -> HideResult:
    """Hide by a method that makes a `Field`.

    Raises:
        ConfigError: The method makes no field.
    """
    result = HIDERS.find(settings.method)(data, images, settings).result
    if result is None:
        raise ConfigError(f"method {settings.method} makes no field")
    return result


HIDERS: Registry[Hider] = Registry(
    "stegfield.hiders",
    "method of hiding",
    {
        "ours": ours,
        "ours, robust": robust,
        "paper": paper,
        "LSB": "stegfield.bench.peers.lsb:lsb",
        "StegaINR": "stegfield.bench.peers.stegainr:stegainr",
        "Baluja": "stegfield.bench.peers.baluja:baluja",
        "MIS-DNN": "stegfield.bench.peers.mis_dnn:mis_dnn",
    },
)
"""Methods by name: a column each in the tables of suites."""
