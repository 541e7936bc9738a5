"""Fitting: a signal becomes a field."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stegfield.config import FitConfig
from stegfield.errors import ConfigError, Wording
from stegfield.fields import checkpoints
from stegfield.fields.architectures import ARCHITECTURES
from stegfield.fields.choosing import choose
from stegfield.fields.field import Field, render
from stegfield.fields.finishing import check_room
from stegfield.fields.finishing import draw as finish
from stegfield.fields.header import Public
from stegfield.fields.schedule import left
from stegfield.fields.training import FitWatch, Target, train
from stegfield.keys import KEY_BYTES, SALT_BYTES, KeyStream
from stegfield.metrics import AnyQuality
from stegfield.payload.law import Message
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
    draw: bool = True,
    messages: Sequence[Message] = (),
) -> FitResult:
    """Train a new field to show one signal, and draw it by the law of all fields.

    Messages lie in random bits that every field has (`stegfield.fields.drawing`). Nothing that is
    decided before the draw depends on them: neither the training nor what the header tells. A seed
    decides the training alone; what is drawn is never the same twice.

    Args:
        signal: What to show: a signal, or whatever `stegfield.signals.read` makes one of.
        architecture: ``siren``, ``fourier``, ``grid`` or that of another package [default: as
            `stegfield.fields.choosing` chooses].
        sizes: Entries of the architecture's sizes that differ from its defaults.
        training: How to train. Its seconds count from this call, and include all that is done here.
        watch: Called after every step; returning True ends the run early.
        checkpoint: File to write the state to, and to resume from.
        draw: Whether weights are drawn; else they stay as they were trained, for research. Such a
            field can carry nothing, and its header says so.
        messages: What the field carries; `stegfield.hiding.hide` makes them of files.

    Raises:
        ConfigError: An unknown architecture, or a size out of range; two messages with one key;
            messages for a field that is not drawn.
        CapacityError: The messages do not fit.
        InputError: The signal is a file that cannot be read, or the checkpoint belongs to another
            run.

    Example:
        >>> from stegfield.signals import waves
        >>> training = FitConfig(target_db=30.0)
        >>> result = fit(waves(16, 16), sizes={"width": 32, "depth": 2}, training=training)
        >>> result.quality.psnr_db > 30
        True
    """
    began = time.monotonic()
    if messages and not draw:
        raise ConfigError(
            "a field that is not drawn can carry nothing", hint=Wording("leave out {draw:False}")
        )
    signal, training = read(signal), training or FitConfig()
    field = new_field(
        signal,
        architecture=architecture,
        sizes=sizes,
        training=training,
        checkpoint=checkpoint,
    )
    training = left(training, began)  # before the keys: how long they take decides nothing
    check_room(field, messages)
    run = train(field, [Target(signal)], training, watch=watch, checkpoint=checkpoint)
    if draw:
        finish(field, messages)
    shown = quality(render(field), signal)
    return FitResult(field, shown, run.steps, run.seconds, run.stopped)


def new_field(
    cover: Signal,
    *,
    architecture: str | None = None,
    sizes: Mapping[str, Any] | None = None,
    seed: int | None = None,
    robust: bool = False,
    training: FitConfig | None = None,
    shared: bool = False,
    checkpoint: Path | None = None,
) -> Field:
    """Draw an untrained field for a signal.

    Without an architecture, size, medium and time choose it (`stegfield.fields.choosing`), or the
    checkpoint of the run that is resumed.

    Without a seed, both its weights and the salt in its header are random. With a seed, the seed
    and the signal decide both, so that a run can be repeated to the bit. With an existing
    checkpoint, both are those of the run that wrote it. Robust training has its own default
    architecture and sizes.

    Args:
        cover: What the field shows to everyone.
        architecture: Its name [default: chosen].
        sizes: Entries of its sizes that differ from their defaults.
        seed: Makes it repeatable.
        robust: Whether it will be trained under damage.
        training: How it will be trained, in place of ``seed`` and ``robust``.
        shared: Whether secrets will share the field as functions.
        checkpoint: Of the run, if there is one to resume.

    Raises:
        ConfigError: The architecture is unknown, or a size is out of range.
        InputError: The checkpoint is damaged.
    """
    training = FitConfig(seed=seed, robust=robust) if training is None else training
    seed, robust = training.seed, training.robust
    resumed = checkpoint if checkpoint is not None and checkpoint.exists() else None
    if architecture is None and resumed is not None:
        architecture = checkpoints.architecture(resumed)
    if architecture is None:
        from stegfield.fields.pace import slowness_for  # which makes a field itself

        architecture = choose(
            cover.size,
            cover.medium,
            training,
            sizes=sizes,
            shared=shared,
            slowness=slowness_for(cover.medium, training),
        ).architecture
    kind = ARCHITECTURES.find(architecture)
    ranges = kind.sizes_type.RANGES
    if sizes is not None and not sizes.keys() <= ranges.keys():
        raise ConfigError(f"the sizes of {architecture} are: {', '.join(ranges)}")
    suited = kind.sizes_type.suited_to(
        cover.size, robust=robust and cover.medium is IMAGE, shared=shared
    )
    known_sizes = kind.sizes_type(**(suited | dict(sizes or {})))
    if resumed is not None:
        draw, salt = checkpoints.start(resumed)
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
