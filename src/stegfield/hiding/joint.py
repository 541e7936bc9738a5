"""Hiding functions: a cover and several secrets become one field, and each has its own key.

All targets share every weight except their own slots. They are trained together, on the
weighted sum of their mean squared errors (Eq. 7-10 of Dong et al., 2024); then each key's record
is written into the mantissas, and the result is measured as a receiver would see it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stegfield.config import FitConfig, HideConfig
from stegfield.fields.field import Field, render
from stegfield.fields.schedule import left
from stegfield.fields.store import load
from stegfield.fields.training import FitWatch, Training, train
from stegfield.hiding.caution import cautions
from stegfield.hiding.plan import Plan, make_plan
from stegfield.hiding.positions import positions_entropy_bits
from stegfield.hiding.revealing import reveal_function
from stegfield.hiding.secrets import HiddenSecret, HideResult, Secret
from stegfield.hiding.slots import slot_counts
from stegfield.hiding.start import Start, begin
from stegfield.keys import KeyFile
from stegfield.signals import Source, quality, read


def hide_functions(
    cover: Source,
    secrets: Sequence[Secret],
    *,
    architecture: str | None = None,
    sizes: Mapping[str, Any] | None = None,
    config: HideConfig | None = None,
    training: FitConfig | None = None,
    watch: FitWatch | None = None,
    checkpoint: Path | None = None,
    like: Field | Path | str | None = None,
) -> HideResult:
    """Train a field that shows the cover to everyone, and each secret to its key.

    Args:
        cover: What everyone sees: a signal, or whatever `stegfield.signals.read` makes one of.
        secrets: Signals of any size and medium, each with its own key. Those of another medium
            than the cover's are folded; what shows of them is a field of the cover's medium.
        architecture: ``siren``, ``fourier``, ``grid`` or that of another package [default: as
            `stegfield.fields.choosing` chooses]; a grid shows traces of the secrets to everyone.
        sizes: Entries of the architecture's sizes that differ from its defaults.
        config: How to hide.
        training: How to train. Its seconds count from this call, and include all that is done here.
        watch: Called after every step, with the PSNR of the cover first, then of each secret.
        checkpoint: File to write the state to, and to resume from.
        like: A clean field of the cover, from `fit`, or the path of its file; never to be published
            itself. Training starts from it, takes its architecture and sizes, and keeps its sorted
            weights and, nearly, its singular values. That costs several dB, and does not conceal
            from every detector.

    Raises:
        ConfigError: There is no secret, two secrets have one key, or a setting is out of range.
        KeyFileError: A key file already holds the slot positions of another field.
        CapacityError: The field has too few weights for its records.
        InputError: The cover is a file that cannot be read, or the checkpoint belongs to another
            run.
        DivergedError: The error grew beyond all numbers.

    Example:
        >>> from stegfield.hiding import Secret, hide_functions, reveal_function
        >>> from stegfield.keys import Key
        >>> from stegfield.signals import waves
        >>> photo, secret = waves(8, 8), waves(8, 8, phase=1.0)
        >>> key = Key.generate()
        >>> training = FitConfig(target_db=30.0)
        >>> result = hide_functions(photo, [Secret(secret, key)], training=training)
        >>> reveal_function(result.field, key).signal.size
        (8, 8)
    """
    began, training = time.monotonic(), training or FitConfig()
    plan = make_plan(
        read(cover),
        secrets,
        config or HideConfig(),
        training,
        architecture=architecture,
        sizes=sizes,
        checkpoint=checkpoint,
        like=None if like is None else load(like),
    )
    training = left(training, began)
    start = begin(
        plan.rule,
        plan.field,
        plan.cover,
        plan.scheme,
        training,
        watch=watch,
        checkpoint=checkpoint,
    )
    key_files = [KeyFile(key, start.packed) for key in plan.keys]
    run = train(
        plan.field,
        plan.targets(start.cover_slots, key_files),
        start.training,
        after_step=plan.after_step,
        watch=watch,
        checkpoint=checkpoint,
        note=start.note,
    )
    plan.publish(start.cover_slots)
    return _measured(plan, start, key_files, run)


def _measured(plan: Plan, start: Start, key_files: Sequence[KeyFile], run: Training) -> HideResult:
    """Measure a published field as its receivers will see it."""
    positions, counts = start.positions, slot_counts(plan.field)
    return HideResult(
        field=plan.field,
        cover=quality(render(plan.field), plan.cover),
        secrets=tuple(
            HiddenSecret(
                None if secret.is_decoy else key_file,
                quality(reveal_function(plan.field, key_file).signal, secret.signal),
            )
            for secret, key_file in zip(plan.secrets, key_files, strict=True)
        ),
        steps=start.steps + run.steps,
        seconds=start.seconds + run.seconds,
        stopped=run.stopped,
        cautions=cautions(plan.field, plan.signals),
        positions_bits=8 * len(start.packed),
        positions_entropy_bits=positions_entropy_bits(positions, counts) if positions else 0.0,
        mask_bits=sum(counts) if positions else 0,
    )
