"""The plan of hiding: all that is known and checked before the training begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stegfield.config import FitConfig, HideConfig
from stegfield.errors import ConfigError, KeyFileError
from stegfield.fields.field import Field, SlotValues, substitute
from stegfield.fields.finishing import draw, trial
from stegfield.fields.fitting import new_field
from stegfield.fields.training import AfterStep, Target
from stegfield.hiding.likeness import Likeness, check_alike
from stegfield.hiding.record import SecretRecord, write_records
from stegfield.hiding.secrets import Secret
from stegfield.hiding.showing import describe, to_show
from stegfield.hiding.slot_rules import POSITION_RULES, PositionRule
from stegfield.hiding.slots import SlotScheme, key_slots
from stegfield.keys import Key, KeyFile, Passphrase, unlock
from stegfield.signals import Signal


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """An untrained field, and what it will show to everyone and to each key."""

    config: HideConfig
    rule: PositionRule
    cover: Signal
    """The cover as it is shown: in RGB if a secret is."""
    secrets: Sequence[Secret]
    field: Field
    scheme: SlotScheme
    keys: Sequence[Key]
    """The record of each secret."""
    records: Sequence[SecretRecord]
    likeness: Likeness | None

    @property
    def after_step(self) -> AfterStep | None:
        """The function that ends every step of the joint training, if any."""
        return None if self.likeness is None else self.likeness.after_step

    @property
    def signals(self) -> list[Signal]:
        """Return the cover and the secrets."""
        return [self.cover, *(secret.signal for secret in self.secrets)]

    def targets(self, cover_slots: SlotValues, key_files: Sequence[KeyFile]) -> list[Target]:
        """Return the targets of the joint training: the cover, then each secret."""
        secrets = zip(self.secrets, self.records, key_files, strict=True)
        return [
            Target(self.cover, cover_slots, self.config.cover_weight),
            *(
                Target(
                    to_show(secret.signal, record, self.field.public),
                    key_slots(self.field, key_file, self.scheme),
                    self.config.secret_weight,
                )
                for secret, record, key_file in secrets
            ),
        ]

    def publish(self, cover_slots: SlotValues) -> None:
        """Turn the trained field into the one to publish.

        The cover's slot values become the field's own, bit for bit, and the likeness becomes exact.
        Then the field is drawn, as all fields are, and the records are written.
        """
        if self.likeness is not None:
            self.likeness.keep()
        shown = substitute(dict(self.field.decoder.named_parameters()), cover_slots)
        with torch.no_grad():
            for name, parameter in self.field.decoder.named_parameters():
                parameter.copy_(shown[name])
        if self.likeness is not None:
            self.field.grains = self.likeness.grains
        draw(self.field)
        write_records(self.field, list(zip(self.keys, self.records, strict=True)))


def make_plan(
    cover: Signal,
    secrets: Sequence[Secret],
    config: HideConfig,
    training: FitConfig,
    *,
    architecture: str | None,
    sizes: Mapping[str, Any] | None,
    checkpoint: Path | None,
    like: Field | None,
) -> Plan:
    """Check secrets, keys and settings, and draw the field.

    Raises:
        ConfigError: There is no secret, two secrets have one key, or settings conflict.
        KeyFileError: A key file already holds the slot positions of another field.
        CapacityError: The field has too few weights for its records.
        InputError: The checkpoint is damaged.
    """
    rule = POSITION_RULES[config.slot_rule]
    _check_secrets(secrets, config, checkpoint)
    cover = _wide_enough(cover, [secret.signal for secret in secrets])
    if like is not None:
        _check_like(like, cover, config, training)
        if sizes or architecture not in (None, like.architecture):
            raise ConfigError(
                "architecture and sizes cannot be combined with a clean field, which has its own",
                hint="leave out architecture and sizes",
            )
        architecture, sizes = like.architecture, asdict(like.sizes)
    field = new_field(
        cover,
        architecture=architecture,
        sizes=sizes,
        training=training,
        shared=True,
        checkpoint=checkpoint,
    )
    likeness = None if like is None else Likeness(like, field)
    keys = [unlock(secret.key, field.public.seed) for secret in secrets]
    if len(set(keys)) < len(keys):
        raise ConfigError("two secrets have the same key", hint="give each secret its own key")
    scheme = SlotScheme(ratio=config.ratio or field.slot_ratio, values=config.value_rule)
    records = [describe(each.signal, scheme, shared_slots=rule.shared) for each in secrets]
    # the places of records are known before training: check now whether they fit
    write_records(trial(field), list(zip(keys, records, strict=True)))
    return Plan(
        config=config,
        rule=rule,
        cover=cover,
        secrets=secrets,
        field=field,
        scheme=scheme,
        keys=keys,
        records=records,
        likeness=likeness,
    )


def _check_secrets(secrets: Sequence[Secret], config: HideConfig, checkpoint: Path | None) -> None:
    if not secrets:
        raise ConfigError("there is no secret to hide", hint="name at least one and its key")
    if checkpoint is not None and any(secret.is_decoy for secret in secrets):
        raise ConfigError(
            "a run with decoys cannot be resumed: their keys are not kept",
            hint="leave out the checkpoint, or give each decoy a key file",
        )
    if POSITION_RULES[config.slot_rule].shared:
        _check_key_files(secrets, config, checkpoint)


def _check_key_files(
    secrets: Sequence[Secret], config: HideConfig, checkpoint: Path | None
) -> None:
    """Refuse keys that cannot hold shared slot positions."""
    if any(isinstance(secret.key, Passphrase) for secret in secrets):
        raise ConfigError(
            f"{config.slot_rule} slots cannot be combined with a passphrase: their positions need "
            "a key file",
            hint="give key files, or take keyed slots",
        )
    resumed = checkpoint is not None and checkpoint.exists()
    for number, secret in enumerate(secrets, 1):
        # a run that was wound down has already written its slot positions
        if isinstance(secret.key, KeyFile) and secret.key.slots and not resumed:
            raise KeyFileError(
                f"the key file of secret {number} holds the slots of another field",
                hint="name a new key file",
            )


def _check_like(like: Field, cover: Signal, config: HideConfig, training: FitConfig) -> None:
    check_alike(like, cover)
    if POSITION_RULES[config.slot_rule].shared:
        raise ConfigError(
            f"a clean field cannot be combined with {config.slot_rule} slots",
            hint="take keyed slots",
        )
    if training.robust:
        raise ConfigError(
            "a clean field cannot be combined with robust training", hint="leave one of them out"
        )
    if training.polish:
        raise ConfigError(
            "a clean field cannot be combined with L-BFGS at the end", hint="leave one of them out"
        )


def _wide_enough(cover: Signal, secrets: list[Signal]) -> Signal:
    """Return a grey cover as RGB if a secret is an RGB image."""
    if not cover.medium.grey_is_colour:
        return cover
    alike = [secret for secret in secrets if secret.medium is cover.medium]
    channels = max(signal.channels for signal in [cover, *alike])
    return replace(cover, values=np.broadcast_to(cover.values, (*cover.size, channels)))
