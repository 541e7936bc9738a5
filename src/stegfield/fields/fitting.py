"""Fitting: a signal becomes a field."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stegfield.config import FitConfig
from stegfield.errors import ConfigError
from stegfield.fields import checkpoints
from stegfield.fields.architectures import ARCHITECTURES
from stegfield.fields.field import Field, render
from stegfield.fields.header import Public
from stegfield.fields.training import FitWatch, Target, train
from stegfield.keys import KEY_BYTES, SALT_BYTES, KeyStream
from stegfield.metrics import AnyQuality
from stegfield.signals import IMAGE, Signal, Source, quality, read, to_levels


@dataclass(frozen=True, eq=False)
class FitResult:
    """A fitted field and its quality, measured on the integers of a file."""

    field: Field
    quality: AnyQuality
    steps: int
    seconds: float
    stopped: bool
    """Whether the run was asked to end before its plan was done."""


def fit(
    signal: Source,
    *,
    architecture: str | None = None,
    sizes: Mapping[str, Any] | None = None,
    training: FitConfig | None = None,
    watch: FitWatch | None = None,
    checkpoint: Path | None = None,
) -> FitResult:
    """Train a new field to show one signal, without secrets.

    Args:
        signal: What to show: a signal, or whatever `stegfield.signals.read` makes one of.
        architecture: ``siren``, ``fourier``, ``grid`` or that of another package [default: siren;
            fourier for robust training].
        sizes: Entries of the architecture's sizes that differ from its defaults.
        training: How to train.
        watch: Called after every step; returning True ends the run early.
        checkpoint: File to write the state to, and to resume from.

    Raises:
        ConfigError: An unknown architecture, or a size out of range.
        InputError: The signal is a file that cannot be read, or the checkpoint belongs to another
            run.

    Example:
        >>> from stegfield.signals import waves
        >>> training = FitConfig(target_db=30.0)
        >>> result = fit(waves(16, 16), sizes={"width": 32, "depth": 2}, training=training)
        >>> result.quality.psnr_db > 30
        True
    """
    signal, training = read(signal), training or FitConfig()
    field = new_field(
        signal,
        architecture=architecture,
        sizes=sizes,
        seed=training.seed,
        robust=training.robust,
        checkpoint=checkpoint,
    )
    run = train(field, [Target(signal)], training, watch=watch, checkpoint=checkpoint)
    shown = quality(render(field), signal)
    return FitResult(field, shown, run.steps, run.seconds, run.stopped)


def new_field(
    cover: Signal,
    *,
    architecture: str | None = None,
    sizes: Mapping[str, Any] | None = None,
    seed: int | None = None,
    robust: bool = False,
    checkpoint: Path | None = None,
) -> Field:
    """Draw an untrained field for a signal.

    Without a seed, both its weights and the salt in its header are random. With a seed, the seed
    and the signal decide both, so that a run can be repeated to the bit. With an existing
    checkpoint, both are those of the run that wrote it. Robust training has its own default
    architecture and sizes.

    Raises:
        ConfigError: The architecture is unknown, or a size is out of range.
        InputError: The checkpoint is damaged.
    """
    if architecture is None:
        architecture = "fourier" if robust else "siren"
    kind = ARCHITECTURES.find(architecture)
    ranges = kind.sizes_type.RANGES
    if sizes is not None and not sizes.keys() <= ranges.keys():
        raise ConfigError(f"the sizes of {architecture} are: {', '.join(ranges)}")
    suited = kind.sizes_type.suited_to(cover.size, robust=robust and cover.medium is IMAGE)
    known_sizes = kind.sizes_type(**(suited | dict(sizes or {})))
    if checkpoint is not None and checkpoint.exists():
        draw, salt = checkpoints.start(checkpoint)
    elif seed is None:
        draw, salt = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(SALT_BYTES)
    else:
        draw = hashlib.sha256(f"{seed}".encode()).digest()
        text = f"{seed} {architecture} {known_sizes} {cover.size}".encode()
        salt = hashlib.sha256(text + to_levels(cover).tobytes()).digest()[:SALT_BYTES]
    public = Public(
        size=cover.size,
        channels=cover.channels,
        medium=cover.medium,
        rate=cover.rate,
        range=cover.range,
        seed=salt,
    )
    field = kind(known_sizes, public, KeyStream(draw))
    field.draw = draw
    return field
