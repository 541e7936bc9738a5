"""Covers for messages: by default nobody can generate them again."""

from __future__ import annotations

import numpy as np
import pytest

from stegfield import fixednet, generative
from stegfield.config import GRAIN
from stegfield.errors import ConfigError
from stegfield.generative import Model, function_shown, generate, generate_stego, known_cover
from stegfield.generative.seeds import SEEDS, check_seed
from stegfield.keys import Key

KEY, OTHER = Key(bytes(range(32))), Key(bytes(32))


@pytest.fixture(scope="module")
def digits() -> Model:
    return generative.load("digits")


def test_a_cover_is_another_each_time_and_with_a_seed_in_grain_alone(digits: Model) -> None:
    one, other = (generate(digits, size=24).values for _ in range(2))
    assert np.abs(one - other).mean() > 4 * GRAIN / 127.5
    one, other = (generate(digits, size=24, seed=7).values for _ in range(2))
    assert 0 < np.abs(one - other).mean() < 2 * GRAIN / 127.5
    assert generate("digits").size == digits.size


@pytest.mark.parametrize("grain", [1.0, 4.0])
def test_grain_is_as_coarse_as_asked_for(digits: Model, grain: float) -> None:
    shown = function_shown(digits, 64, seed=7)
    inside = np.abs(shown.values) < 0.7
    noise = (generate(digits, size=64, seed=7, grain=grain).values - shown.values)[inside]
    assert 127.5 * noise.std() == pytest.approx(np.sqrt(grain**2 + 1 / 12), rel=0.1)
    with pytest.raises(ConfigError, match="grain"):
        generate(digits, grain=0.5)


def test_messages_are_in_the_grain(digits: Model) -> None:
    sent = generate_stego(digits, b"to Alice", KEY, also=[(b"to Bob", OTHER)], size=80, seed=7)
    assert fixednet.extract(sent.file, KEY) == b"to Alice"
    assert fixednet.extract(sent.file, OTHER) == b"to Bob"
    shown = function_shown(digits, 80, seed=7)
    assert np.abs(sent.stego.values - shown.values).max() < 12 / 127.5


def test_a_known_cover_is_the_one_that_its_receiver_generates(digits: Model) -> None:
    cover = known_cover(digits, (24, 20), key=KEY)
    assert np.array_equal(generative.cover_of(digits, KEY, cover).values, cover.values)


def test_a_public_seed_has_a_caution_where_covers_are_changed_afterwards() -> None:
    caution = generative.public_seed_caution(7)
    assert caution.text == "an adversary who tries seed 7 sees what the message changed"
    assert "leave seed=... out" in caution.hint


def test_a_size_has_the_aspect_of_the_examples_or_its_own() -> None:
    climate = generative.load("climate")
    rows, columns = climate.size
    assert generative.size_at(climate, columns * 2) == (rows * 2, columns * 2)
    assert generative.size_at(climate, (5, 7)) == (5, 7)
    for size in (0, -3, (0, 5), (1 << 17, 5), (60_000, 60_000)):
        with pytest.raises(ConfigError):
            generative.size_at(climate, size)


@pytest.mark.parametrize(("seed", "count"), [(-1, 1), (SEEDS, 1), (SEEDS - 3, 4)])
def test_seeds_out_of_range_are_refused(seed: int, count: int, digits: Model) -> None:
    with pytest.raises(ConfigError, match=r"seed=\.\.\. must be from 0"):
        check_seed(seed, count)
    if count == 1:
        with pytest.raises(ConfigError, match=r"seed=\.\.\. must be from 0"):
            generative.generate(digits, seed=seed)


def test_new_seeds_are_in_range_and_differ() -> None:
    seeds = [generative.new_seed(1024) for _ in range(8)]
    assert len(set(seeds)) == 8
    for seed in seeds:
        check_seed(seed, 1024)
