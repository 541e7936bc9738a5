from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from stegfield import fields
from stegfield.config import FitConfig, SlotRule
from stegfield.hiding.slot_rules import POSITION_RULES
from stegfield.hiding.slots import SlotScheme, largest_positions, slot_counts
from stegfield.hiding.start import begin
from stegfield.signals import waves

COVER, SCHEME = waves(8, 8), SlotScheme(ratio=0.05)
SHARED = [name for name, rule in POSITION_RULES.items() if rule.shared]


def field_of(seed: int = 1) -> fields.Field:
    return fields.new_field(COVER, sizes={"width": 16, "depth": 2}, seed=seed)


def test_there_is_a_rule_for_every_name_that_the_settings_take() -> None:
    assert set(POSITION_RULES) == set(get_args(SlotRule))
    assert set(SHARED) == {"magnitude", "random"}


@pytest.mark.parametrize("name", SHARED)
def test_shared_positions_are_a_share_of_each_layer(name: str) -> None:
    field = field_of()
    positions = POSITION_RULES[name].positions(field, SCHEME)
    assert [len(at) for at in positions] == [SCHEME.count(n) for n in slot_counts(field)]


def test_random_positions_follow_from_what_the_weights_were_drawn_from() -> None:
    rule = POSITION_RULES["random"]
    first, again, other = (rule.positions(field_of(seed), SCHEME) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("name", POSITION_RULES)
def test_only_a_rule_that_looks_at_the_cover_trains_before_the_start(name: str) -> None:
    rule, field, training = POSITION_RULES[name], field_of(), FitConfig(steps=14, batch=64)
    before = fields.to_bytes(field)
    start = begin(rule, field, COVER, SCHEME, training)
    assert (fields.to_bytes(field) != before) == rule.fits_cover == (name == "magnitude")
    assert start.steps + (start.training.steps or 0) == 14
    assert start.steps == (4 if rule.fits_cover else 0)
    assert bool(start.packed) == bool(start.cover_slots) == rule.shared
    if name == "magnitude":
        chosen = largest_positions(field, SCHEME)
        assert all(np.array_equal(a, b) for a, b in zip(start.positions, chosen, strict=True))
