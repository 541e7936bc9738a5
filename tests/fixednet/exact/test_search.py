from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield.bench.experiments.viterbi import least_flips
from stegfield.fixednet.exact import loops, plain, search
from stegfield.fixednet.exact.search import COARSE, FINE, Rounding, cheapest_flips
from stegfield.fixednet.exact.sine import parities, stretches

COSTS = ("alike", "exponential", "wild", "some free", "some forbidden", "all forbidden")
heights = st.integers(6, 12)


class Instance:
    """A segment with random columns, costs and bits."""

    def __init__(self, seed: int, samples: int, bits: int, height: int, kind: str) -> None:
        rng = np.random.default_rng(seed)
        self.height, bits = height, min(bits, samples)
        drawn = rng.integers(0, 1 << height, samples) | 1 | 1 << (height - 1)
        self.columns = drawn.astype(np.uint16)
        found = {
            "alike": np.ones(samples),
            "exponential": rng.exponential(4, samples),
            "wild": 10.0 ** rng.uniform(-5, 5, samples),
            "some free": rng.choice([0.0, 1.0], samples),
            "some forbidden": rng.choice([0.1, 1.0, 3.0, np.inf], samples),
            "all forbidden": np.full(samples, np.inf),
        }
        self.costs = found[kind].astype(np.float32)
        self.target = rng.integers(0, 2, bits) == 1
        self.lengths = stretches(samples, bits)

    def flips(self) -> NDArray[np.bool_]:
        return cheapest_flips(self.columns, self.costs, self.lengths, self.target, self.height)

    def least(self) -> NDArray[np.bool_]:
        return least_flips(self.columns, self.costs, self.lengths, self.target, self.height)

    def paid(self, flips: NDArray[np.bool_]) -> float:
        return float(self.costs[flips].sum(dtype=np.float64))


instances = st.builds(
    Instance,
    st.integers(0, 1 << 30),
    st.integers(1, 80),
    st.integers(1, 80),
    heights,
    st.sampled_from(COSTS),
)


@pytest.fixture(params=[loops, plain], ids=["machine code", "numpy"])
def own(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(search, "compiled", lambda: request.param)
    module: ModuleType = request.param
    return module


# every message


@pytest.mark.parametrize("kind", COSTS)
def test_bits_become_the_target_in_2000_instances_of_every_shape(kind: str) -> None:
    rng = np.random.default_rng(sum(map(ord, kind)))
    for seed in range(2000):
        samples = int(rng.integers(1, 80))
        bits = int(rng.integers(1, samples + 1)) if seed % 2 else int(rng.integers(1, 6))
        instance = Instance(seed, samples, bits, int(rng.integers(6, 13)), kind)
        read = parities(instance.columns, instance.flips(), len(instance.target))
        assert np.array_equal(read, instance.target)


def test_bits_become_the_target_without_numba(own: ModuleType) -> None:
    for seed in range(60):
        instance = Instance(seed, 1 + seed, 1 + seed // 3, 6 + seed % 7, COSTS[seed % len(COSTS)])
        read = parities(instance.columns, instance.flips(), len(instance.target))
        assert np.array_equal(read, instance.target)


# machine code and numpy


@given(instances, st.sampled_from([COARSE, FINE]))
@settings(max_examples=150)
def test_numpy_follows_the_paths_of_machine_code_to_the_last_bit(
    instance: Instance, rounding: Rounding
) -> None:
    prices = rounding.prices(instance.costs)
    found = []
    for module in (loops, plain):
        samples, states = len(prices), 1 << instance.height
        cost = search._aligned(states, rounding.kind)
        path = np.zeros((samples, states // 32), np.uint32)
        order, rows = np.zeros(samples, np.int32), np.zeros(len(instance.lengths), np.int32)
        forward = module.forward_in_turn if rounding is COARSE else module.forward_cheapest_first
        forward(
            instance.columns, prices, instance.lengths, instance.target, cost, path, order, rows
        )
        flips, last = np.zeros(samples, np.bool_), int(np.argmin(cost[: states // 2]))
        module.backward(
            instance.columns, instance.target, last, states - 1, path, order, rows, flips
        )
        used = int(rows.sum())
        found.append([cost, path[:used], order[:used], rows, flips])
    for one, other in zip(*found, strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


@pytest.mark.parametrize("text", ["raise SystemError('built for another numpy')", "njit = None"])
def test_a_numba_that_does_not_work_is_done_without(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numba.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in list(sys.modules):
        if name.partition(".")[0] in ("numba", "llvmlite") or name in (
            "stegfield.fixednet.exact.loops",
            "stegfield.fixednet.exact.vectors",
        ):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("stegfield.fixednet.exact.loops")
    assert runpy.run_path(str(search.__file__))["compiled"]() is plain


# the least cost


@given(st.integers(1, 10), st.integers(1, 10), st.integers(0, 999), st.sampled_from([6, 8, 12]))
@example(10, 1, 0, 6)
@example(10, 10, 0, 6)
@example(10, 5, 0, 12)
@example(10, 6, 0, 12)
def test_no_choice_of_flips_costs_less(samples: int, bits: int, seed: int, height: int) -> None:
    instance = Instance(seed, samples, bits, height, "alike")
    # of these, no digits are lost when they are rounded
    drawn = np.random.default_rng(seed).integers(0, 60, samples)
    instance.costs = (drawn / 4).astype(np.float32)
    every = (np.arange(1 << samples)[:, None] >> np.arange(samples) & 1).astype(np.uint8)
    bits = len(instance.target)
    alone = [parities(instance.columns, flip, bits) for flip in np.eye(samples, dtype=np.bool_)]
    right = ((every @ np.array(alone, dtype=np.uint8) & 1) == instance.target).all(axis=1)
    least = float((every[right] @ instance.costs.astype(np.float64)).min())
    assert instance.paid(instance.flips()) == least
    assert instance.paid(instance.least()) == pytest.approx(least, abs=1e-5)


RATES = [1.5, 2, 3, 6, 9, 25, 60, 400]


@pytest.mark.parametrize("each", RATES)
@pytest.mark.parametrize("height", [6, 10, 12])
def test_the_cost_is_within_a_thousandth_of_the_least(each: float, height: int) -> None:
    ours = theirs = 0.0
    for seed in range(4):
        instance = Instance(seed, 12_000, int(12_000 / each), height, "alike")
        costs = np.random.default_rng(seed).gamma(0.5, 1, 12_000) + 1e-3
        instance.costs = (costs * scale_of(costs, 1 / each)).astype(np.float32)
        ours += instance.paid(instance.flips())
        theirs += instance.paid(instance.least())
    assert 1 - 1e-6 < ours / theirs < 1.001


def scale_of(costs: NDArray[np.float64], rate: float) -> float:
    """Return the lambda of flips whose entropy is a rate in bits a sample."""
    low, high = -20.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        chance = 1 / (1 + np.exp(np.minimum(costs * np.exp(middle), 500)))
        entropy = -(chance * np.log2(chance) + (1 - chance) * np.log2(1 - chance)).mean()
        low, high = (middle, high) if entropy > rate else (low, middle)
    return float(np.exp(low))


def test_a_sample_that_must_not_flip_does_so_only_where_no_other_can() -> None:
    for seed in range(300):
        instance = Instance(seed, 60, 10, 6 + seed % 7, "some forbidden")
        assert np.isfinite(instance.paid(instance.flips()))
    alone = Instance(1, 5, 5, 6, "all forbidden")
    assert np.isinf(alone.paid(alone.flips())) == alone.target.any()


# threads


def test_jobs_come_in_turn_and_an_error_comes_through() -> None:
    assert list(search.parallel(lambda job: job * job, range(50))) == [n * n for n in range(50)]
    with pytest.raises(ZeroDivisionError):
        list(search.parallel(lambda job: 1 // job, [1, 0, 1]))
