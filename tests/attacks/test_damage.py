from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stegfield.attacks import damage
from stegfield.attacks.damage import DAMAGES, ROUNDINGS, Witness, show, witness
from stegfield.config import FitConfig
from stegfield.errors import ConfigError, UnreadableError
from stegfield.fields import Field
from stegfield.hiding import Secret, hide_functions
from stegfield.keys import Key
from stegfield.signals import waves

KEY = Key(bytes(32))
COVER, SECRET = waves(16, 20), waves(14, 12, phase=1.0)
SIZES = {"width": 24, "depth": 2, "frequencies": 12}


def made(*, robust: bool = False, steps: int = 60) -> Field:
    training = FitConfig(steps=steps, batch=64, warm_up=10, seed=1, robust=robust)
    secrets = [Secret(SECRET, KEY)]
    return hide_functions(
        COVER, secrets, architecture="fourier", sizes=SIZES, training=training
    ).field


FIELD = made()
WITNESS = witness(FIELD, SECRET, KEY)


def numbers(field: Field) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in field.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("kind", [*DAMAGES, *ROUNDINGS])
def test_damage_leaves_the_field_itself_alone(kind: str) -> None:
    before = numbers(FIELD)
    if kind in DAMAGES:
        damaged = DAMAGES[kind].apply(FIELD, COVER, DAMAGES[kind].levels[-1])
    else:
        damaged = ROUNDINGS[kind](FIELD)
    assert same(numbers(FIELD), before)
    assert not same(numbers(damaged), before)
    assert damaged.header() == FIELD.header()


@pytest.mark.parametrize("kind", DAMAGES)
def test_no_damage_at_level_0_changes_nothing(kind: str) -> None:
    assert DAMAGES[kind].levels[0] == 0
    assert same(numbers(DAMAGES[kind].apply(FIELD, COVER, 0.0)), numbers(FIELD))


@given(st.floats(0, 1))
def test_pruning_takes_the_smallest_of_each_layer(share: float) -> None:
    after = numbers(damage.pruned(FIELD, share))
    for name, weight in numbers(FIELD).items():
        gone = (after[name] == 0) & (weight != 0)
        if weight.ndim < 2 or "frequencies" in name:
            assert not gone.any()
            continue
        assert int(gone.sum()) == round(share * weight.numel())
        if gone.any() and not gone.all():
            assert weight[gone].abs().max() <= weight[~gone].abs().min()


def test_global_pruning_takes_more_from_layers_of_small_weights() -> None:
    uneven = copy.deepcopy(FIELD)
    matrices = [p for p in uneven.parameters() if p.ndim > 1]
    with torch.no_grad():
        matrices[1].mul_(0.01)
    after = [p for p in damage.pruned(uneven, 0.3, globally=True).parameters() if p.ndim > 1]
    zeros = [int((weight == 0).sum()) for weight in after]
    assert sum(zeros) == round(0.3 * sum(weight.numel() for weight in after))
    assert zeros[1] > 0.9 * sum(zeros)


def test_whole_units_are_pruned() -> None:
    after = damage.pruned_units(FIELD, 0.25)
    for weight in (p for p in after.parameters() if p.ndim > 1):
        dead = (weight == 0).all(dim=1)
        assert int(dead.sum()) == round(0.25 * len(weight))
        assert (weight[~dead] != 0).any(dim=1).all()


def test_noise_is_in_proportion_to_each_tensor() -> None:
    after = dict(damage.noisy(FIELD, 0.1).named_parameters())
    for name, weight in FIELD.named_parameters():
        if weight.numel() > 200:
            ratio = (after[name] - weight).std() / weight.std()
            assert ratio.item() == pytest.approx(0.1, rel=0.15)
    assert not same(numbers(damage.noisy(FIELD, 0.1, seed=1)), numbers(damage.noisy(FIELD, 0.1)))


def test_8_bit_weights_have_at_most_255_values_and_stay_within_half_a_step() -> None:
    after = dict(damage.rounded(FIELD).named_parameters())
    for name, weight in FIELD.named_parameters():
        if weight.ndim > 1:
            assert len(set(after[name].flatten().tolist())) <= 255
            step = weight.abs().max().item() / 127
            assert (after[name] - weight).abs().max().item() <= step * 0.5001


def test_half_precision_is_what_a_cast_leaves() -> None:
    after = damage.cast(FIELD, torch.float16).state_dict()
    for name, value in FIELD.state_dict().items():
        assert torch.equal(after[name], value.half().float())


def test_the_key_still_shows_a_secret_whose_record_is_gone() -> None:
    shown = show(damage.cast(FIELD, torch.float16), COVER, [WITNESS])
    before = show(FIELD, COVER, [WITNESS])
    assert before.certain == (True,)
    assert shown.certain == (False,)
    assert shown.psnr_db == pytest.approx(before.psnr_db, abs=0.5)


def test_fine_tuning_on_the_cover_helps_the_cover() -> None:
    early = made(steps=15)
    early_witness = witness(early, SECRET, KEY)
    after = show(damage.fine_tuned(early, COVER, 50), COVER, [early_witness])
    assert after.psnr_db[0] > show(early, COVER, [early_witness]).psnr_db[0]


def test_a_field_trained_robustly_outlasts_what_it_was_trained_for() -> None:
    plain, robust = (made(robust=robust, steps=400) for robust in (False, True))
    losses = []
    for field in (plain, robust):
        told = [witness(field, SECRET, KEY)]
        before = show(field, COVER, told).psnr_db
        after = show(damage.pruned(field, 0.2), COVER, told).psnr_db
        losses.append(max(b - a for a, b in zip(after, before, strict=True)))
    assert losses[1] < 1
    assert losses[0] > 3


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_from_0_to_1(share: float) -> None:
    for change in (damage.pruned, damage.pruned_units):
        with pytest.raises(ConfigError, match="from 0 to 1"):
            change(FIELD, share)


def test_a_wrong_key_and_a_wrong_image_make_no_witness() -> None:
    with pytest.raises(UnreadableError):
        witness(FIELD, SECRET, Key(b"x" * 32))
    with pytest.raises(ConfigError, match="another size"):
        witness(FIELD, COVER, KEY)
    assert isinstance(WITNESS, Witness)
