"""Guessing: what an adversary without the key gets out of a field that hides a secret.

Each attack gets more than its adversary would have: the positions of the slots, which only the key
gives, and the size of the secret. Its guesses are compared with the secret. So are two pictures
that need no key: the cover, and a flat one in the secret's mean colours, which is the best guess by
an adversary who knows nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.func import functional_call

from stegfield.attacks.damage import Witness, samples_of
from stegfield.errors import ConfigError
from stegfield.fields import Field, SlotValues, render, substitute
from stegfield.hiding import key_slots
from stegfield.keys import KEY_BYTES, Key
from stegfield.metrics import Samples, psnr_db, quality

Values = Mapping[str, tuple[Tensor, Tensor]]
"""`SlotValues`, named apart for functions with two of them whose layers differ in size."""
RATE = 0.03
"""Adam's step length in a descent, as a share of the range that keys draw from."""
SIDE = 64
"""Most pixels of the longer side of the picture in a descent: a reduced picture shows as well how
smooth the secret is, in a fraction of the time."""


@dataclass(frozen=True, eq=False)
class Guesses:
    """The pictures of some guesses, compared with the secret."""

    psnr_db: tuple[float, ...]
    """PSNR of each guess."""
    ssim: tuple[float, ...]
    """SSIM of each guess; 0 where an image is smaller than the window."""
    best: tuple[Samples, ...] = field(repr=False)
    """The pictures with the highest PSNR, the highest first."""
    flat_psnr_db: float
    """PSNR of a flat picture in the secret's mean colours."""
    cover_psnr_db: float
    """PSNR of what the field shows to everyone."""
    cover_ssim: float

    @property
    def best_psnr_db(self) -> float:
        """The highest PSNR of all guesses."""
        return max(self.psnr_db)

    @property
    def best_ssim(self) -> float:
        """The highest SSIM of all guesses."""
        return max(self.ssim)


def random_keys(
    field: Field,
    target: Witness,
    *,
    count: int,
    pictures: int = 8,
    seed: int = 0,
) -> Guesses:
    """Put the values of random keys into the slots of the right key.

    Args:
        field: A field that hides the secret.
        target: The secret that guesses are compared with; only the positions of its key are used.
        count: How many keys to try.
        pictures: How many pictures to keep.
        seed: Decides the keys.
    """
    positions = key_slots(field, target.key, target.scheme)
    generator = np.random.default_rng(seed)

    def guess(_: int) -> Values:
        other = key_slots(field, Key(generator.bytes(KEY_BYTES)), target.scheme)
        return {name: (at, other[name][1]) for name, (at, _) in positions.items()}

    return _judged(field, target, map(guess, range(count)), pictures)


def natural_values(
    field: Field,
    target: Witness,
    *,
    steps: int,
    tries: int,
    holding: SlotValues | None = None,
    seed: int = 0,
) -> Guesses:
    """Search for slot values with which the field shows a smooth picture, like a natural one.

    The adversary knows everything but the values. They start from random ones and descend along the
    gradient of the picture's roughness (see `roughness`), within the range that keys draw from.

    Args:
        field: A field that hides the secret.
        target: The secret that guesses are compared with; only the positions of its key are used.
        steps: Steps of each descent.
        tries: Descents, each from values of its own.
        holding: The slots of another secret, for an adversary with its key. They search with its
            values in the field, and the first descent starts from them.
        seed: Decides where descents start.
    """
    whole = substitute(dict(field.decoder.named_parameters()), holding or {})
    weights = {name: weight.detach() for name, weight in whole.items()}
    positions = key_slots(field, target.key, target.scheme)
    reduction = max(1.0, max(target.size) / SIDE)
    rows, columns = (max(2, round(side / reduction)) for side in target.size)
    generator = np.random.default_rng(seed)

    def guess(trial: int) -> Values:
        start = key_slots(field, Key(generator.bytes(KEY_BYTES)), target.scheme)
        bounds = {name: float(put.abs().max()) for name, (_, put) in start.items()}
        slots = {
            name: (at, weights[name].flatten()[at] if holding and trial == 0 else start[name][1])
            for name, (at, _) in positions.items()
        }
        found = _descend(field, weights, slots, bounds=bounds, size=(rows, columns), steps=steps)
        return found if holding is None else _over(holding, found)

    return _judged(field, target, map(guess, range(tries)), tries)


@dataclass(frozen=True)
class Differences:
    """What the difference of two fields of one cover reveals, one of which hides secrets."""

    weights_auc: float
    """AUC of finding slots by how much weights differ; 0.5 is chance."""
    correlations: tuple[float, ...]
    """Correlation of each secret with the difference of what the two fields show; 0 is chance, and
    stands where either is flat."""


def compare_fields(other: Field, stego: Field, witnesses: Sequence[Witness]) -> Differences:
    """Look for slots and secrets in the difference of two fields of one cover.

    Args:
        other: Hides nothing, or other secrets; its sizes are those of ``stego``.
        stego: Hides the secrets.
        witnesses: The secrets, to measure what the adversary finds.

    Raises:
        ConfigError: The fields cannot be compared.
    """
    check_comparable(other, stego)
    others = dict(other.decoder.named_parameters())
    scores, slots = [], []
    for name in stego.slot_bounds():
        weight = stego.decoder.get_parameter(name)
        scores.append((weight - others[name]).detach().abs().flatten())
        slots.append(torch.zeros(weight.numel(), dtype=torch.bool))
        for each in witnesses:
            slots[-1][key_slots(stego, each.key, each.scheme)[name][0]] = True
    correlations = []
    for each in witnesses:
        seen = render(stego, each.size).values - render(other, each.size).values
        secret = np.broadcast_to(each.secret.values, seen.shape).copy()
        correlations.append(_correlation(torch.from_numpy(seen), torch.from_numpy(secret)))
    return Differences(_auc(torch.cat(scores), torch.cat(slots)), tuple(correlations))


def check_comparable(other: Field, stego: Field) -> None:
    """Refuse two fields whose difference says nothing.

    Raises:
        ConfigError: The fields differ in architecture, sizes or the kind of signal that they
            show, or have the same weights.
    """
    one, two = (field.header() | {"seed": None, "grain": None} for field in (other, stego))
    if one != two:
        differ = ", ".join(name for name in two if one.get(name) != two[name])
        raise ConfigError(
            f"the two fields cannot be compared: they differ in {differ}",
            hint="take fields of one cover that were made with the same settings",
        )
    weights = dict(other.named_parameters())
    if all(torch.equal(weight, weights[name]) for name, weight in stego.named_parameters()):
        raise ConfigError("the two fields have the same weights", hint="name another field")


def roughness(picture: Float[Tensor, "rows columns channels"]) -> Float[Tensor, ""]:
    """Return the mean step between neighbours, in units of the picture's own standard deviation.

    Natural pictures are smooth, noise is not: white noise has 1.13. Dividing by the deviation keeps
    a search from ending at a flat picture.
    """
    steps = [picture.diff(dim=axis).abs().mean() for axis in (0, 1)]
    return (steps[0] + steps[1]) / 2 / (picture.std(dim=(0, 1)).mean() + 1e-3)


def _descend(
    field: Field,
    weights: Mapping[str, Tensor],
    start: Values,
    *,
    bounds: Mapping[str, float],
    size: tuple[int, int],
    steps: int,
) -> Values:
    """Search for slot values of a smooth picture; return those of the smoothest one seen."""
    values = {name: put.clone().requires_grad_() for name, (_, put) in start.items()}
    optimizer = torch.optim.Adam(
        [{"params": [put], "lr": RATE * bounds[name]} for name, put in values.items()]
    )
    features = field.encoder(field.coordinates(size)).detach()
    best, smoothest = start, math.inf
    for _ in range(steps):
        slots = {name: (at, values[name]) for name, (at, _) in start.items()}
        shown = functional_call(field.decoder, substitute(weights, slots), (features,))
        rough = roughness(shown.view(*size, -1))
        if rough.item() < smoothest:
            smoothest = rough.item()
            best = {name: (at, put.detach().clone()) for name, (at, put) in slots.items()}
        optimizer.zero_grad()
        rough.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            for name, put in values.items():
                put.clamp_(-bounds[name], bounds[name])
    return best


def _judged(field: Field, target: Witness, guesses: Iterable[Values], pictures: int) -> Guesses:
    """Render every guess and compare it with the secret."""
    public, secret = samples_of(render(field, target.size), target.secret)
    psnr, similar = [], []
    best: list[tuple[float, Samples]] = []
    for slots in guesses:
        shown, _ = samples_of(render(field, target.size, slots), target.secret)
        seen = quality(shown, secret)
        psnr.append(seen.psnr_db)
        similar.append(seen.ssim or 0.0)
        best = sorted([*best, (psnr[-1], shown)], key=lambda each: -each[0])[:pictures]
    return Guesses(
        psnr_db=tuple(psnr),
        ssim=tuple(similar),
        best=tuple(shown for _, shown in best),
        flat_psnr_db=flat_psnr_db(secret),
        cover_psnr_db=psnr_db(public, secret),
        cover_ssim=quality(public, secret).ssim or 0.0,
    )


def flat_psnr_db(samples: Samples) -> float:
    """Return the PSNR of a flat picture in an image's mean colours."""
    mean = samples.mean(axis=(0, 1)).round().astype(np.uint8)
    return psnr_db(np.broadcast_to(mean, samples.shape), samples)


def _over(held: Values, found: Values) -> Values:
    """Merge two sets of slot values; those found win where both have a value."""
    joined = {}
    for name, (at, put) in found.items():
        held_at, held_put = held[name]
        free = ~torch.isin(held_at, at)
        joined[name] = (torch.cat([held_at[free], at]), torch.cat([held_put[free], put]))
    return joined


def _auc(scores: Float[Tensor, " n"], positive: Bool[Tensor, " n"]) -> float:
    """Return the area under the ROC curve, by ranks (Mann and Whitney), ignoring ties."""
    ranks = torch.empty_like(scores, dtype=torch.float64)
    ranks[scores.argsort()] = torch.arange(1, len(scores) + 1, dtype=torch.float64)
    hits = int(positive.sum())
    above = ranks[positive].sum() - hits * (hits + 1) / 2
    return float(above / (hits * (len(scores) - hits)))


def _correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1].nan_to_num(0.0))
