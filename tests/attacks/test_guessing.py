from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from stegfield.attacks.damage import witness
from stegfield.attacks.guessing import compare_fields, natural_values, random_keys, roughness
from stegfield.config import FitConfig
from stegfield.errors import ConfigError
from stegfield.fields import fit, new_field
from stegfield.hiding import Secret, hide_functions, key_slots
from stegfield.keys import Key
from stegfield.metrics import psnr_db
from stegfield.signals import Signal, to_samples, waves

KEYS = [Key(bytes([i]) * 32) for i in range(2)]
COVER, SECRETS = waves(16, 20), [waves(14, 12, phase=1.0), waves(16, 16, phase=2.0)]
SIZES = {"width": 48, "depth": 2, "w0": 10.0}
TRAINING = FitConfig(steps=250, batch=64, warm_up=10, seed=1)
FIELD = hide_functions(
    COVER,
    [Secret(secret, key) for secret, key in zip(SECRETS, KEYS, strict=True)],
    sizes=SIZES,
    training=TRAINING,
).field
WITNESSES = [witness(FIELD, s, k) for s, k in zip(SECRETS, KEYS, strict=True)]


def test_random_keys_are_told_with_their_best_pictures_first() -> None:
    found = random_keys(FIELD, WITNESSES[0], count=6, pictures=3)
    assert len(found.psnr_db) == len(found.ssim) == 6
    wanted = to_samples(SECRETS[0])
    told = [psnr_db(shown, wanted) for shown in found.best]
    assert told == sorted(found.psnr_db, reverse=True)[:3]
    assert found.best_psnr_db == told[0]
    assert found.best_ssim == max(found.ssim)


def test_who_holds_a_key_starts_from_what_it_shows() -> None:
    found = random_keys(FIELD, WITNESSES[0], count=6)
    right = key_slots(FIELD, KEYS[0], WITNESSES[0].scheme)
    held = natural_values(FIELD, WITNESSES[0], steps=1, tries=1, holding=right)
    assert held.best_psnr_db > found.best_psnr_db + 5


def test_other_seeds_try_other_keys() -> None:
    a, b = (random_keys(FIELD, WITNESSES[0], count=2, seed=seed) for seed in (0, 1))
    assert set(a.psnr_db).isdisjoint(b.psnr_db)


def test_a_search_finds_smoother_pictures_than_it_starts_from() -> None:
    def rough(steps: int) -> float:
        (shown,) = natural_values(FIELD, WITNESSES[1], steps=steps, tries=1).best
        return float(roughness(torch.from_numpy(shown).float()))

    assert rough(40) < rough(1)


def test_roughness_tells_pictures_from_noise() -> None:
    noise = torch.randn(200, 200, 3, generator=torch.Generator().manual_seed(0))
    assert float(roughness(noise)) == pytest.approx(2 / torch.pi**0.5, rel=0.01)
    assert float(roughness(3 * noise)) == pytest.approx(2 / torch.pi**0.5, rel=0.01)
    assert float(roughness(torch.from_numpy(waves(200, 200).values))) < 0.2


def test_fields_fitted_apart_differ_in_slots_as_anywhere() -> None:
    clean = fit(COVER, sizes=SIZES, training=replace(TRAINING, seed=2)).field
    apart = compare_fields(clean, FIELD, WITNESSES)
    assert apart.weights_auc == pytest.approx(0.5, abs=0.12)
    assert len(apart.correlations) == 2


def test_only_fields_of_one_kind_with_other_weights_are_compared() -> None:
    with pytest.raises(ConfigError, match="same weights"):
        compare_fields(FIELD, FIELD, WITNESSES)
    for cover, sizes, told in (
        (COVER, {**SIZES, "width": 40}, "sizes"),
        (waves(16, 24), SIZES, "size"),
    ):
        with pytest.raises(ConfigError, match=f"they differ in {told}$"):
            compare_fields(new_field(cover, sizes=sizes, seed=1), FIELD, WITNESSES)


def test_flat_secrets_correlate_with_nothing() -> None:
    flat = Signal(np.zeros((14, 12, 3)))
    other = new_field(COVER, sizes=SIZES, seed=1)
    found = compare_fields(other, FIELD, [replace(WITNESSES[0], secret=flat)])
    assert found.correlations == (0.0,)


def test_weights_that_differ_in_slots_alone_are_found() -> None:
    changed = hide_functions(
        COVER,
        [Secret(secret, key) for secret, key in zip(SECRETS, KEYS, strict=True)],
        sizes=SIZES,
        training=TRAINING,
    ).field
    with torch.no_grad():
        for each in WITNESSES:
            for name, (at, _) in key_slots(FIELD, each.key, each.scheme).items():
                changed.decoder.get_parameter(name).view(-1)[at] += 1.0
    found = compare_fields(FIELD, changed, WITNESSES)
    assert found.weights_auc > 0.99
