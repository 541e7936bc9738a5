"""Covers for messages: by default nobody can generate them again."""

from __future__ import annotations

import numpy as np
import pytest

from stegfield import generative
from stegfield.errors import ConfigError
from stegfield.generative import Model, cover_for_message
from stegfield.generative.model import GRAIN
from stegfield.generative.seeds import SEEDS, check_seed
from stegfield.keys import Key

KEY = Key(bytes(range(32)))


@pytest.fixture(scope="module")
def digits() -> Model:
    return generative.load("digits")


def test_a_cover_for_a_message_is_another_each_time_in_function_and_noise(
    digits: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (cover_for_message(digits, 24).values for _ in range(2))
    assert np.abs(one - other).mean() > 4 * GRAIN["image"] / 127.5
    monkeypatch.setattr("stegfield.generative.covers.new_seed", lambda: 7)
    one, other = (cover_for_message(digits, 24).values for _ in range(2))
    assert not np.array_equal(one, other)  # an adversary who finds the seed lacks the noise
    assert not np.array_equal(one, digits.cover(7, (24, 24)).values)


def test_a_known_cover_is_the_one_that_its_receiver_generates(digits: Model) -> None:
    cover = cover_for_message(digits, (24, 20), key=KEY, known_cover=True)
    assert np.array_equal(generative.cover_of(digits, KEY, cover).values, cover.values)


def test_a_key_alone_makes_no_cover_known(digits: Model) -> None:
    cover = cover_for_message(digits, 24, key=KEY)
    assert not np.array_equal(generative.cover_of(digits, KEY, cover).values, cover.values)


def test_a_public_seed_takes_an_argument_and_has_a_caution(digits: Model) -> None:
    cover = cover_for_message(digits, 24, seed=7)
    assert np.array_equal(cover.values, digits.cover(7, (24, 24)).values)
    caution = generative.public_seed_caution(7)
    assert caution.text == "an adversary who tries seed 7 sees what the message changed"
    assert "leave seed=... out" in caution.hint


def test_a_known_cover_takes_the_key_and_no_seed(digits: Model) -> None:
    with pytest.raises(ConfigError, match=r"key=\.\.\., which decides"):
        cover_for_message(digits, known_cover=True)
    with pytest.raises(ConfigError, match="the key decides"):
        cover_for_message(digits, key=KEY, known_cover=True, seed=7)


def test_the_easy_call_is_a_cover_for_a_message_unless_a_seed_is_given(digits: Model) -> None:
    one, other = (generative.generate("digits").values for _ in range(2))
    assert not np.array_equal(one, other)
    given = generative.generate(digits, size=24, seed=7)
    assert np.array_equal(given.values, digits.cover(7, (24, 24)).values)
    assert generative.generate("digits").size == digits.size


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
