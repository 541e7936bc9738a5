"""The sampler: its low bits are those given, and its law is the one that the docstring states."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegfield.errors import ConfigError
from stegfield.fixednet.drawn.sampler import FRACTIONS, Sampler

SIGMAS = (1.0, 1.5, 2.9, 3.0, 6.0)
WHOLE = 1 << 64


def drawn(
    sampler: Sampler, f: float, low: int, random: list[int], bounds: tuple[int, int] = (0, 255)
) -> list[int]:
    count = len(random)
    levels: list[int] = sampler.draw(
        np.full(count, round(f * FRACTIONS)),
        np.full(count, low),
        np.array(random, np.uint64),
        bounds,
    ).tolist()
    return levels


def chance(sigma: float, f: float, level: int) -> float:
    def below(edge: float) -> float:
        return 0.5 * math.erfc((f - edge) / sigma / math.sqrt(2))

    return below(level + 0.5) - below(level - 0.5)


@given(
    sigma=st.sampled_from(SIGMAS),
    f=st.integers(0, 255 * FRACTIONS),
    low=st.integers(0, 3),
    random=st.integers(0, WHOLE - 1),
)
def test_low_bits_are_those_given_and_levels_fit_the_file(
    sigma: float, f: int, low: int, random: int
) -> None:
    sampler = Sampler(sigma)
    low %= 1 << sampler.bits
    (level,) = drawn(sampler, f / FRACTIONS, low, [random])
    assert 0 <= level <= 255
    assert level % (1 << sampler.bits) == low
    assert abs(level - f / FRACTIONS) <= sampler.reach + (1 << sampler.bits)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("f", [100.0, 100.25, 127.5, 100 + 1023 / 1024])
def test_the_law_is_that_of_a_rounded_normal_given_its_low_bits(sigma: float, f: float) -> None:
    """Every threshold stands where the exact cumulative chance is: no level is off by 1e-12."""
    sampler = Sampler(sigma)
    kinds = 1 << sampler.bits
    for low in range(kinds):
        levels = [
            level
            for level in range(math.floor(f) - sampler.reach, math.floor(f) + sampler.reach + kinds)
            if level % kinds == low
        ]
        chances = np.array([chance(sigma, f, level) for level in levels])
        ends = np.cumsum(chances / chances.sum())
        for level, following, end in zip(levels, levels[1:], ends, strict=False):
            if not 1e-9 < end < 1 - 1e-9:
                continue
            before, after = int((end - 1e-12) * WHOLE), int((end + 1e-12) * WHOLE)
            assert drawn(sampler, f, low, [before, after]) == [level, following]


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("share", [10**3, 10**6, 10**9])
def test_both_tails_are_as_long(sigma: float, share: int) -> None:
    """Up to seven standard deviations, where doubles near 1 are too coarse."""
    sampler = Sampler(sigma)
    kinds = 1 << sampler.bits
    for low in range(kinds):
        lowest, highest = drawn(sampler, 100.0, low, [20 * share, WHOLE - 1 - 20 * share])
        mirrored = drawn(sampler, 100.0, (200 - low) % kinds, [WHOLE - 1 - 20 * share, 20 * share])
        assert [200 - lowest, 200 - highest] == mirrored
        assert highest - 100 > 4 * sigma


def test_low_bits_are_nearly_as_likely_as_each_other_at_the_usual_grain() -> None:
    for sigma, kinds in ((1.5, 2), (3.0, 4)):
        for f in (100.0, 100.3, 100.5):
            own = [
                sum(chance(sigma, f, level) for level in range(100 - 40 + low, 141, kinds))
                for low in range(kinds)
            ]
            assert np.ptp(own) * kinds < 1e-4


@pytest.mark.parametrize(("f", "low", "expected"), [(0.0, 1, 1), (0.0, 0, 0)])
def test_beyond_black_the_nearest_level_with_the_low_bits_is_taken(
    f: float, low: int, expected: int
) -> None:
    assert drawn(Sampler(1.5), f, low, [0]) == [expected]
    assert drawn(Sampler(1.5), 255 - f, 1 - low, [WHOLE - 1]) == [255 - expected]


def test_levels_below_zero_have_low_bits_as_well() -> None:
    sampler = Sampler(6.0)
    for low in range(4):
        level = drawn(sampler, -1000.5, low, [WHOLE // 3], (-32767, 32767))[0]
        assert level & 3 == low


@settings(max_examples=20)
@given(cut=st.integers(0, 500), seed=st.integers(0, 1 << 32))
def test_bands_of_any_size_give_the_same_samples(cut: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sampler, count = Sampler(1.5), 500
    f, low = rng.integers(0, 255 * FRACTIONS, count), rng.integers(0, 2, count)
    random = rng.integers(0, WHOLE, count, dtype=np.uint64)
    whole = sampler.draw(f, low, random, (0, 255))
    parts = [
        sampler.draw(f[a:b], low[a:b], random[a:b], (0, 255)) for a, b in ((0, cut), (cut, count))
    ]
    assert np.array_equal(whole, np.concatenate(parts))


def test_samples_look_normal() -> None:
    """A sanity check only: no such test can see what the proof is about."""
    rng = np.random.default_rng(0)
    count = 200_000
    levels = Sampler(1.5).draw(
        np.full(count, 100 * FRACTIONS + 300),
        rng.integers(0, 2, count),
        rng.integers(0, WHOLE, count, dtype=np.uint64),
        (0, 255),
    )
    middle = 100 + 300 / FRACTIONS
    values = np.arange(90, 111)
    expected = count * np.array([chance(1.5, middle, int(level)) for level in values])
    counts = np.array([(levels == level).sum() for level in values])
    enough = expected > 20
    statistic = float((np.square(counts - expected) / expected)[enough].sum())
    assert statistic < enough.sum() + 5 * math.sqrt(2 * enough.sum())


@pytest.mark.parametrize("sigma", [0.0, 0.99, 16.1, math.nan, math.inf])
def test_grain_out_of_range_is_refused(sigma: float) -> None:
    with pytest.raises(ConfigError, match="from 1 to 16"):
        Sampler(sigma)
