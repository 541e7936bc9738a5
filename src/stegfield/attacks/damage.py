"""Damage to fields: pruned, noisy, rounded or fine-tuned copies, and what they show.

Pruning and 8-bit integers change matrices and grids, as tools for networks do. Noise changes biases
as well, and half precision every number in the file. The receiver puts their own slot values, which
an adversary cannot damage, into the field. Records are in the lowest bits of weights and rarely
survive: the receiver must then know the size of the secret and the slot scheme.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor

from stegfield.config import FitConfig
from stegfield.errors import ConfigError
from stegfield.fields import Field, Target, damage, render, train
from stegfield.hiding import SlotScheme, read_record, reveal_function
from stegfield.keys import Key, KeyFile, Passphrase, unlock_file
from stegfield.metrics import Quality, Samples, quality
from stegfield.signals import Signal, to_samples

FINE_TUNING_RATE = 1e-4
"""Adam's step length for fine-tuning, a tenth of what fields are usually fitted with."""


def pruned(field: Field, share: float, *, globally: bool = False) -> Field:
    """Zero a share of the weights, those of least magnitude (L1 unstructured pruning).

    Args:
        field: The field, which stays as it is.
        share: Share of the weights of each matrix, or of all matrices together.
        globally: Compare the weights of all matrices, so that layers of small weights lose more.
            The default compares the weights of each matrix, as `l1_unstructured` of
            `torch.nn.utils.prune` does.

    Raises:
        ConfigError: The share is not from 0 to 1.
    """
    _check_share(share)
    if not globally:
        return _changed(field, lambda weight: damage.pruned(weight, share))
    every = torch.cat([weight.flatten() for weight in _matrices(field)])
    counts = [weight.numel() for weight in _matrices(field)]
    masks = iter(torch.split(damage.smallest(every, share), counts))
    return _changed(field, lambda weight: weight.masked_fill(next(masks).view_as(weight), 0.0))


def pruned_units(field: Field, share: float) -> Field:
    """Zero the weights of a share of each layer's outputs, those of least norm.

    This is Ln structured pruning with n = 2, along the first axis of each matrix; grids have no
    units and stay as they are. The count is rounded: of the last layer's 3 outputs, shares from one
    sixth on take one, and a colour is lost.

    Raises:
        ConfigError: The share is not from 0 to 1.
    """
    _check_share(share)

    def without_units(weight: Tensor) -> Tensor:
        if weight.ndim != 2:
            return weight
        return weight.masked_fill(damage.smallest(weight.norm(dim=1), share)[:, None], 0.0)

    return _changed(field, without_units)


def noisy(field: Field, share: float, *, seed: int = 0) -> Field:
    """Add Gaussian noise to every tensor: its deviation is a share of the tensor's own.

    Raises:
        ConfigError: The share is below 0.
    """
    if not share >= 0:
        raise ConfigError(f"noise must be at least 0, got {share:g}")
    generator = torch.Generator().manual_seed(seed)
    return _changed(field, lambda weight: damage.noisy(weight, share, generator), biases=True)


def cast(field: Field, precision: torch.dtype) -> Field:
    """Round every number in the file to a shorter float, fixed frequencies included."""
    changed = copy.deepcopy(field)
    return changed.to(precision).to(torch.float32)


def rounded(field: Field) -> Field:
    """Round every matrix to 8-bit integers with one scale, the same on both sides of zero."""
    return _changed(field, damage.rounded)


def fine_tuned(field: Field, cover: Signal, steps: int) -> Field:
    """Train on the cover alone with Adam, as an informed adversary can."""
    changed = copy.deepcopy(field)
    if steps:
        training = FitConfig(
            steps=steps,
            optimizer="adam",
            learning_rate=FINE_TUNING_RATE,
            decay=0.0,
            warm_up=0,
            seed=0,
        )
        train(changed, [Target(cover)], training)
    return changed


@dataclass(frozen=True)
class WeightDamage:
    """One kind of damage, at rising levels."""

    title: str
    across: str
    """Name of the levels."""
    levels: tuple[int | float, ...]
    apply: Callable[[Field, Signal, int | float], Field]
    """Damages a field; takes the cover as well."""


DAMAGES: Mapping[str, WeightDamage] = MappingProxyType(
    {
        "pruning": WeightDamage(
            "L1 pruning of each layer",
            "share of weights",
            (0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
            lambda field, _, share: pruned(field, share),
        ),
        "global-pruning": WeightDamage(
            "L1 pruning of all layers together",
            "share of weights",
            (0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
            lambda field, _, share: pruned(field, share, globally=True),
        ),
        "unit-pruning": WeightDamage(
            "Ln structured pruning",
            "share of units",
            (0.0, 0.01, 0.02, 0.05, 0.1),
            lambda field, _, share: pruned_units(field, share),
        ),
        "noise": WeightDamage(
            "weight noise",
            "share of a layer's standard deviation",
            (0.0, 0.01, 0.02, 0.05, 0.1),
            lambda field, _, share: noisy(field, share),
        ),
        "fine-tuning": WeightDamage(
            "training on the cover",
            "Adam steps",
            (0, 10, 50, 200),
            lambda field, cover, steps: fine_tuned(field, cover, int(steps)),
        ),
    }
)
"""Damage that has levels, by the name of its curve."""

ROUNDINGS: Mapping[str, Callable[[Field], Field]] = MappingProxyType(
    {
        "float16": lambda field: cast(field, torch.float16),
        "bfloat16": lambda field: cast(field, torch.bfloat16),
        "int8": rounded,
    }
)
"""Damage without levels, by its name."""


@dataclass(frozen=True, eq=False)
class Witness:
    """A secret, and what the receiver of a damaged field has: its key and slot scheme."""

    secret: Signal
    key: KeyFile
    scheme: SlotScheme

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the secret."""
        rows, columns = self.secret.size
        return rows, columns


def witness(field: Field, secret: Signal, key: Key | KeyFile | Passphrase) -> Witness:
    """Read from an undamaged field how a secret was hidden in it.

    Raises:
        UnreadableError: No secret belongs to this key.
        ConfigError: The secret of this key has another size.
    """
    opened = unlock_file(key, field.public.seed)
    record = read_record(field, opened.key)
    if record.size != secret.size:
        raise ConfigError(
            "the key reveals an image of another size", hint="name each secret with its own key"
        )
    slots = opened.slots if record.shared_slots else b""
    return Witness(secret, KeyFile(opened.key, slots), record.scheme)


@dataclass(frozen=True, eq=False)
class Remains:
    """What a field shows after damage: the cover first, then each secret."""

    samples: tuple[Samples, ...] = field(repr=False)
    quality: tuple[Quality, ...]
    certain: tuple[bool, ...]
    """Whether each key's record was found."""

    @property
    def psnr_db(self) -> tuple[float, ...]:
        """PSNR in dB of each image."""
        return tuple(each.psnr_db for each in self.quality)


def show(field: Field, cover: Signal, witnesses: Sequence[Witness]) -> Remains:
    """Render a field for everyone, and reveal it with every key, with or without records."""
    revealed = [reveal_function(field, w.key, size=w.size, scheme=w.scheme) for w in witnesses]
    shown = [render(field), *(each.signal for each in revealed)]
    expected = [cover, *(each.secret for each in witnesses)]
    pairs = [samples_of(*pair) for pair in zip(shown, expected, strict=True)]
    return Remains(
        samples=tuple(samples for samples, _ in pairs),
        quality=tuple(quality(*pair) for pair in pairs),
        certain=tuple(each.certain for each in revealed),
    )


def samples_of(shown: Signal, expected: Signal) -> tuple[Samples, Samples]:
    """Return the samples of two images, both grey if the expected one is."""
    if shown.channels > expected.channels:
        shown = Signal(shown.values.mean(-1, keepdims=True))
    return to_samples(shown), to_samples(expected)


def _changed(field: Field, change: Callable[[Tensor], Tensor], *, biases: bool = False) -> Field:
    """Return a copy in which every matrix and grid is changed, and every bias if ``biases``."""
    changed = copy.deepcopy(field)
    with torch.no_grad():
        for parameter in changed.parameters() if biases else _matrices(changed):
            parameter.copy_(change(parameter))
    return changed


def _matrices(field: Field) -> list[Tensor]:
    return [parameter for parameter in field.parameters() if parameter.ndim > 1]


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise ConfigError(f"a share to prune is from 0 to 1, got {share:g}")
