"""Hide: a cover and several secrets become one field, and each secret gets its own key.

All targets share every weight that is not a slot of theirs. They are trained together, on the
weighted sum of their mean squared errors (Eq. 7-10 of Dong et al., 2024); then each key's record
is written into the mantissas, and the result is measured as a receiver would see it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stegfield.config import FitConfig, HideConfig, SlotRule
from stegfield.errors import ConfigError
from stegfield.fields import (
    Field,
    SlotValues,
    Target,
    Training,
    Watch,
    checkpoints,
    new_field,
    render,
    substitute,
    train,
)
from stegfield.hiding.likeness import Likeness, check_alike
from stegfield.hiding.record import write_records
from stegfield.hiding.reveal import reveal
from stegfield.hiding.showing import describe, to_show
from stegfield.hiding.slots import (
    SlotScheme,
    key_slots,
    largest_positions,
    own_values,
    pack_positions,
    positions_entropy_bits,
    random_positions,
    unpack_positions,
)
from stegfield.keys import Key, Passphrase, unlock
from stegfield.metrics import AnyQuality
from stegfield.signals import Signal, quality

PRETRAINING_SHARE = 2 / 7
"""Of a run with magnitude slots, the share that fits the cover alone; the paper's 20,000 steps of
70,000."""
EXPECTED_AT_ONE_DB, LOST_PER_DOUBLING_DB = 44.0, 3.5
"""A cautious line: PSNR with one sample a weight, and what each doubling of the samples costs."""


@dataclass(frozen=True, eq=False)
class Secret:
    """What to hide, of any medium, and the key that reveals it."""

    signal: Signal
    key: Key | Passphrase


@dataclass(frozen=True, eq=False)
class HiddenSecret:
    """One secret of a finished field."""

    key: Key
    """What the receiver needs; with shared slots, its positions are in it now."""
    quality: AnyQuality
    """Of the signal that the key reveals, against the secret."""


@dataclass(frozen=True, eq=False)
class HideResult:
    """A field that hides secrets, measured on what files of what it shows would hold."""

    field: Field
    cover: AnyQuality
    secrets: tuple[HiddenSecret, ...]
    steps: int
    seconds: float
    stopped: bool
    """The run was asked to end before its plan was done."""
    positions_bits: int = 0
    """Size of the slot positions in each key; 0 where the key itself decides them."""
    positions_entropy_bits: float = 0.0
    """The entropy of as many positions at random, n H(ratio): no code is shorter on average."""
    mask_bits: int = 0
    """Size of the dense mask that the positions stand for, a bit a weight."""


def hide(
    cover: Signal,
    secrets: Sequence[Secret],
    *,
    architecture: str | None = None,
    sizes: Mapping[str, Any] | None = None,
    config: HideConfig | None = None,
    training: FitConfig | None = None,
    watch: Watch | None = None,
    checkpoint: Path | None = None,
    like: Field | None = None,
) -> HideResult:
    """Train a field that shows the cover to everyone, and each secret to its key.

    Args:
        cover: What everyone sees.
        secrets: Signals of any size and medium, each with its own key. Those of another medium
            than the cover's are folded; what shows of them is a field of the cover's medium.
        architecture: ``siren``, ``fourier`` or ``grid`` [default: siren; fourier for robust
            training]; the grids of the last show traces of the secrets to everyone.
        sizes: Entries of the architecture's sizes that differ from its defaults.
        config: How to hide.
        training: How to train.
        watch: Is told of every step; PSNR of the cover first, then of each secret.
        checkpoint: File to write the state to, and to go on from.
        like: A clean field of the cover, from `fit`, never to be published itself: training starts
            from it, takes its architecture and sizes, and keeps its sorted weights and, nearly, its
            singular values. That costs several dB, and does not conceal from every detector.

    Raises:
        ConfigError: No secrets, one key twice, or a setting out of range.
        CapacityError: The field has too few weights for its records.
        InputError: The checkpoint belongs to another run.
        DivergedError: The error grew beyond all numbers.

    Example:
        >>> from stegfield.hiding import Secret, hide, reveal
        >>> from stegfield.keys import Key
        >>> dark, light = Signal(np.full((8, 8, 1), -0.5)), Signal(np.full((8, 8, 1), 0.5))
        >>> key = Key.generate()
        >>> result = hide(dark, [Secret(light, key)], training=FitConfig(target_db=30.0))
        >>> reveal(result.field, key).signal.size
        (8, 8)
    """
    config = HideConfig() if config is None else config
    training = FitConfig() if training is None else training
    _check_secrets(secrets, config.slots)
    cover = _wide_enough(cover, [secret.signal for secret in secrets])
    if like is not None:
        _check_like(like, cover, config, training)
        architecture, sizes = like.architecture, asdict(like.sizes)
    field = new_field(
        cover,
        architecture=architecture,
        sizes=sizes,
        seed=training.seed,
        robust=training.robust,
        checkpoint=checkpoint,
    )
    likeness = None if like is None else Likeness(like, field)
    keys = [unlock(secret.key, field.public.seed) for secret in secrets]
    if len({key.secret for key in keys}) < len(keys):
        raise ConfigError("two secrets have the same key", hint="give each secret its own key")
    scheme = SlotScheme(ratio=config.ratio or field.slot_ratio, values=config.values)
    records = [
        describe(secret.signal, scheme, shared_slots=config.slots != "keyed") for secret in secrets
    ]
    # where records go is known before training: find out now whether they fit
    write_records(copy.deepcopy(field), list(zip(keys, records, strict=True)))

    cover_slots: SlotValues = {}
    note: dict[str, Any] = {}
    if config.slots == "magnitude":
        before, training = _split(training)
        if checkpoint is not None and checkpoint.exists():
            note = checkpoints.note(checkpoint)
        if checkpoint is not None and note:
            with checkpoints.distrusting(checkpoint):
                cover_slots = _from_note(field, note)
        else:
            fitted = train(field, [Target(cover)], before, watch=watch, checkpoint=checkpoint)
            if checkpoint is not None:
                checkpoint.unlink(missing_ok=True)  # the next one is of the joint training
            cover_slots = own_values(field, largest_positions(field, scheme))
            note = _to_note(cover_slots, fitted)
    elif config.slots == "random":
        noise = Key(field.draw).noise("shared-slots", salt=field.public.seed)
        cover_slots = own_values(field, random_positions(field, scheme, noise))
    positions = [at.numpy() for at, _ in cover_slots.values()]
    packed = pack_positions(positions)
    keys = [replace(key, slots=packed) for key in keys]

    run = train(
        field,
        [
            Target(cover, cover_slots, config.cover_weight),
            *(
                Target(
                    to_show(secret.signal, record, field.public),
                    key_slots(field, key, scheme),
                    config.secret_weight,
                )
                for secret, record, key in zip(secrets, records, keys, strict=True)
            ),
        ],
        training,
        watch=watch if likeness is None else likeness.watching(watch),
        checkpoint=checkpoint,
        note=note,
    )
    _publish(field, cover_slots, likeness)
    write_records(field, list(zip(keys, records, strict=True)))
    counts = [field.decoder.get_parameter(name).numel() for name in field.slot_bounds()]
    return HideResult(
        field=field,
        cover=quality(render(field), cover),
        secrets=tuple(
            HiddenSecret(key, quality(reveal(field, key).signal, secret.signal))
            for secret, key in zip(secrets, keys, strict=True)
        ),
        steps=note.get("steps", 0) + run.steps,
        seconds=note.get("seconds", 0.0) + run.seconds,
        stopped=run.stopped,
        positions_bits=8 * len(packed),
        positions_entropy_bits=positions_entropy_bits(positions, counts) if positions else 0.0,
        mask_bits=sum(counts) if positions else 0,
    )


def expected_psnr_db(field: Field, signals: Sequence[Signal]) -> float:
    """Guess what PSNR a field can reach for these signals.

    A rule of thumb for photographs, from how many samples share a weight. It is there to warn of
    fields that are far too small; smooth images and long runs come out 5 to 10 dB better.
    """
    medium = field.public.medium
    samples = sum(
        signal.points * (field.channels if signal.medium is medium else signal.channels)
        for signal in signals
    )
    doublings = math.log2(samples / field.weight_count())
    return EXPECTED_AT_ONE_DB - LOST_PER_DOUBLING_DB * doublings


def _to_note(cover_slots: SlotValues, fitted: Training) -> dict[str, Any]:
    """Keep in checkpoints what the cover's own fit came to: it is gone from the joint training."""
    values = torch.cat([values for _, values in cover_slots.values()])
    return {
        "positions": pack_positions([at.numpy() for at, _ in cover_slots.values()]).hex(),
        "values": values.numpy().astype("<f4").tobytes().hex(),
        "steps": fitted.steps,
        "seconds": fitted.seconds,
    }


def _from_note(field: Field, note: Mapping[str, Any]) -> SlotValues:
    counts = [field.decoder.get_parameter(name).numel() for name in field.slot_bounds()]
    positions = unpack_positions(bytes.fromhex(note["positions"]), counts)
    data = np.frombuffer(bytes.fromhex(note["values"]), "<f4").astype(np.float32)
    values = torch.split(torch.from_numpy(data), [len(chosen) for chosen in positions])
    return {
        name: (torch.from_numpy(at), put)
        for name, at, put in zip(field.slot_bounds(), positions, values, strict=True)
    }


def _check_secrets(secrets: Sequence[Secret], slots: SlotRule) -> None:
    if not secrets:
        raise ConfigError("there is no secret to hide", hint="name at least one and its key")
    if slots != "keyed" and any(isinstance(secret.key, Passphrase) for secret in secrets):
        raise ConfigError(
            f"with {slots} slots a passphrase is not enough: the positions need a key file",
            hint="give key files, or take keyed slots",
        )


def _check_like(like: Field, cover: Signal, config: HideConfig, training: FitConfig) -> None:
    check_alike(like, cover)
    if config.slots != "keyed":
        raise ConfigError(
            f"a likeness cannot be kept with {config.slots} slots", hint="take keyed slots"
        )
    if training.robust:
        raise ConfigError("a likeness cannot be kept in robust training", hint="leave one out")
    if training.polish:
        raise ConfigError("a likeness cannot be kept while L-BFGS polishes", hint="leave it out")


def _wide_enough(cover: Signal, secrets: list[Signal]) -> Signal:
    """Show a grey cover as RGB where any of the secrets is an RGB image."""
    if not cover.medium.grey_is_colour:
        return cover
    alike = [secret for secret in secrets if secret.medium is cover.medium]
    channels = max(signal.channels for signal in [cover, *alike])
    return replace(cover, values=np.broadcast_to(cover.values, (*cover.size, channels)))


def _split(training: FitConfig) -> tuple[FitConfig, FitConfig]:
    """Share a plan between the cover alone and the joint training."""
    steps, seconds = training.steps, training.max_seconds
    before = steps and max(1, round(PRETRAINING_SHARE * steps))
    return (
        replace(
            training,
            steps=before,
            max_seconds=seconds and PRETRAINING_SHARE * seconds,
            target_db=None,
            polish=0,
        ),
        replace(
            training,
            steps=before and steps and max(1, steps - before),
            max_seconds=seconds and (1 - PRETRAINING_SHARE) * seconds,
        ),
    )


def _publish(field: Field, cover_slots: Mapping[str, Any], likeness: Likeness | None) -> None:
    """Make the cover's slot values the field's own, bit for bit, and its statistics exact."""
    if likeness is not None:
        likeness.keep()
    shown = substitute(dict(field.decoder.named_parameters()), cover_slots)
    with torch.no_grad():
        for name, parameter in field.decoder.named_parameters():
            parameter.copy_(shown[name])
