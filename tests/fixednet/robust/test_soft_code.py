from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield.fixednet.robust import survivors
from stegfield.fixednet.robust.soft_code import (
    GENERATORS,
    MEMORY,
    RATE,
    decode,
    encode,
    spread,
)

lengths = st.integers(MEMORY, 200)
seeds = st.integers(0, 999)


def bits_like(seed: int, count: int) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).integers(0, 2, count).astype(np.bool_)


def soft(bits: NDArray[np.bool_]) -> NDArray[np.float32]:
    return (1 - 2.0 * encode(bits)).astype(np.float32)


def test_a_single_bit_gives_the_generators() -> None:
    bits = np.zeros(20, np.bool_)
    bits[0] = True
    coded = encode(bits).reshape(RATE, 20)
    for row, generator in zip(coded, GENERATORS, strict=True):
        assert row.tolist() == [bool(generator >> delay & 1) for delay in spread(20)]


@given(seeds, lengths, st.integers(0, 199))
def test_the_code_is_linear_and_goes_round(seed: int, count: int, turn: int) -> None:
    first, second = bits_like(seed, count), bits_like(seed + 1, count)
    assert np.array_equal(encode(first ^ second), encode(first) ^ encode(second))
    back = np.argsort(spread(count))
    turned, coded = (
        encode(each).reshape(RATE, count)[:, back] for each in (np.roll(first, turn), first)
    )
    assert np.array_equal(turned, np.roll(coded, turn, axis=1))


@given(st.integers(1, 5000), st.floats(0.02, 1))
def test_every_part_of_the_order_is_spread_evenly(count: int, share: float) -> None:
    order = spread(count)
    assert np.array_equal(np.sort(order), np.arange(count))
    part = np.sort(order[: max(1, int(share * count))])
    gaps = np.diff(np.append(part, part[0] + count))
    assert gaps.max() <= 4 * count / len(part) + 1


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(1, 120), st.floats(0, 1), st.sampled_from([0.0, 0.3, 1.0, 40.0]))
def test_machine_code_and_numpy_give_the_same_bits(
    seed: int, count: int, missing: float, noise: float
) -> None:
    rng = np.random.default_rng(seed)
    received = soft(bits_like(seed, count)) + rng.normal(0, noise, RATE * count)
    received[rng.random(len(received)) < missing] = 0
    values = received.astype(np.float32)
    fast = decode(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survivors, "fastest", survivors.plain)
        assert np.array_equal(decode(values), fast)


@settings(max_examples=4)
@given(seeds, st.sampled_from([192, 320]))
def test_bits_come_back_from_noise_and_gaps(seed: int, count: int) -> None:
    bits = bits_like(seed, count)
    rng = np.random.default_rng(seed)
    received = soft(bits) + rng.normal(0, 1.0, RATE * count).astype(np.float32)
    received[rng.random(RATE * count) < 0.3] = 0
    assert (np.sign(received) != soft(bits)).mean() > 0.3
    assert np.array_equal(decode(received.astype(np.float32)), bits)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_scale_of_the_soft_values_does_not_matter(scale: float) -> None:
    received = soft(bits_like(0, 192)) + np.random.default_rng(0).normal(0, 2, RATE * 192)
    assert np.array_equal(
        decode(received.astype(np.float32)), decode((received * scale).astype(np.float32))
    )
