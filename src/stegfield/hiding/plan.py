"""The plan of hiding: everything that is known, and checked, before the training begins."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stegfield.config import FitConfig, HideConfig
from stegfield.errors import ConfigError, KeyFileError
from stegfield.fields.field import Field, SlotValues, substitute
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
    """A field that is not trained yet, and what it will show to whom."""

    config: HideConfig
    rule: PositionRule
    cover: Signal
    """As it is shown: in colour, if any of the secrets is."""
    secrets: Sequence[Secret]
    field: Field
    scheme: SlotScheme
    keys: Sequence[Key]
    """Of each secret."""
    records: Sequence[SecretRecord]
    likeness: Likeness | None

    @property
    def after_step(self) -> AfterStep | None:
        """What ends every step of the joint training."""
        return None if self.likeness is None else self.likeness.after_step

    @property
    def signals(self) -> list[Signal]:
        """The cover and the secrets."""
        return [self.cover, *(secret.signal for secret in self.secrets)]

    def targets(self, cover_slots: SlotValues, key_files: Sequence[KeyFile]) -> list[Target]:
        """List what the joint training shows: the cover, then each secret."""
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
        """Make the trained field what everyone gets.

        The cover's slot values become the field's own, bit for bit; the likeness becomes exact, and
        the records are written.
        """
        if self.likeness is not None:
            self.likeness.keep()
        shown = substitute(dict(self.field.decoder.named_parameters()), cover_slots)
        with torch.no_grad():
            for name, parameter in self.field.decoder.named_parameters():
                parameter.copy_(shown[name])
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
    """Check what is asked for, and draw the field.

    Raises:
        ConfigError: there is no secret, two have one key, or settings conflict.
        KeyFileError: a key file holds the slots of another field, and new ones were to go there.
        CapacityError: the field has too few weights for its records.
        InputError: the checkpoint is damaged.
    """
    rule = POSITION_RULES[config.slots]
    _check_secrets(secrets, config, checkpoint)
    cover = _wide_enough(cover, [secret.signal for secret in secrets])
    if like is not None:
        _check_like(like, cover, config, training)
        if sizes or architecture not in (None, like.architecture):
            raise ConfigError(
                "architecture and sizes are those of the clean field",
                hint="leave out architecture and sizes",
            )
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
    if len(set(keys)) < len(keys):
        raise ConfigError("two secrets have the same key", hint="give each secret its own key")
    scheme = SlotScheme(ratio=config.ratio or field.slot_ratio, values=config.values)
    records = [describe(each.signal, scheme, shared_slots=rule.shared) for each in secrets]
    # where records go is known before training: find out now whether they fit
    write_records(copy.deepcopy(field), list(zip(keys, records, strict=True)))
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
    if POSITION_RULES[config.slots].shared:
        _check_key_files(secrets, config, checkpoint)


def _check_key_files(
    secrets: Sequence[Secret], config: HideConfig, checkpoint: Path | None
) -> None:
    """Refuse keys that shared positions cannot be put beside."""
    if any(isinstance(secret.key, Passphrase) for secret in secrets):
        raise ConfigError(
            f"with {config.slots} slots a passphrase is not enough: the positions need a key file",
            hint="give key files, or take keyed slots",
        )
    resumed = checkpoint is not None and checkpoint.exists()
    for number, secret in enumerate(secrets, 1):
        # a run that was wound down has written its slots already
        if isinstance(secret.key, KeyFile) and secret.key.slots and not resumed:
            raise KeyFileError(
                f"the key file of secret {number} holds the slots of another field",
                hint="name a new key file",
            )


def _check_like(like: Field, cover: Signal, config: HideConfig, training: FitConfig) -> None:
    check_alike(like, cover)
    if POSITION_RULES[config.slots].shared:
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
