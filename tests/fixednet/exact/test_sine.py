from __future__ import annotations

import json
import runpy
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield.errors import ConfigError
from stegfield.fixednet.exact import search
from stegfield.fixednet.exact.order import SEGMENT, KeyedOrder, keyed_order, segments
from stegfield.fixednet.exact.sine import (
    PLANES,
    SineNetwork,
    parities,
    planes,
    stretches,
)
from stegfield.keys import Key

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
GOLDEN = Path(__file__).parent.parent.parent / "golden"
VECTORS: dict[str, Any] = json.loads((GOLDEN / "networks.json").read_text())

sizes = st.tuples(st.integers(1, 400), st.integers(0, 400), st.integers(0, 400))
heights = st.integers(6, 14)


def network_of(
    samples: int, bits: tuple[int, int], height: int = 10, key: Key = KEY, label: str = "test"
) -> SineNetwork:
    return SineNetwork(key, label, keyed_order(key, samples), bits, height)


def drawn(size: tuple[int, int, int], height: int) -> SineNetwork:
    samples, below, above = size
    return network_of(samples, (min(below, samples), min(above, samples)), height)


class Weights(NamedTuple):
    stretch: NDArray[np.int64]
    columns: NDArray[np.int64]


def weights_of(network: SineNetwork, segment: int = 0, plane: int = 0) -> Weights:
    """Return the bit that owns each sample, and its column, cut at the last bit."""
    samples, bits = network.lengths[segment], network.shares[plane][segment]
    if bits == 0:
        return Weights(*np.zeros((2, samples), dtype=np.int64))
    stretch = np.repeat(np.arange(bits), stretches(samples, bits))
    room = np.minimum(bits - stretch, network.constraint_height)
    return Weights(stretch, network.drawn(segment, plane).astype(np.int64) & ((1 << room) - 1))


def levels_of(samples: int, seed: int = 0, top: int = 256) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, top, samples)


# the committed format


def test_the_committed_networks_are_what_the_script_makes() -> None:
    assert runpy.run_path(str(GOLDEN / "make_networks.py"))["vectors"]() == VECTORS


def test_a_key_gives_the_committed_weights_and_bits() -> None:
    golden = VECTORS["sine"]
    key = Key(bytes.fromhex(golden["key"]))
    order = keyed_order(key, golden["samples"])
    assert [part.tolist() for part in order] == golden["order"]
    network = SineNetwork(key, golden["label"], order, tuple(golden["bits"]), golden["span"])
    for plane, expected in enumerate(golden["weights"]):
        assert network.drawn(0, plane).tolist() == expected["columns"]
        assert stretches(golden["samples"], golden["bits"][plane]).tolist() == expected["stretches"]
    read = network.read(np.arange(golden["samples"]) * 7 % 256)
    assert "".join(str(int(bit)) for bit in read) == golden["read"]


# the network as sines


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("top", [256, 1 << 16])
def test_planes_are_the_signs_of_sines(dtype: torch.dtype, top: int) -> None:
    at = np.arange(top)
    for plane in range(PLANES):
        wave = torch.sin(2 * torch.pi * (torch.tensor(at, dtype=dtype) + 0.5) / 2 ** (plane + 1))
        assert wave.abs().min() > 0.6
        assert np.array_equal((wave < 0).numpy(), planes(at, plane))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(sizes, heights, st.integers(0, 99))
@settings(max_examples=15)
@example((300, 300, 300), 14, 0)
@example((1, 1, 1), 6, 0)
def test_reading_integers_is_the_network_of_real_sines(
    dtype: torch.dtype, size: tuple[int, int, int], height: int, seed: int
) -> None:
    network = drawn(size, height)
    levels = levels_of(size[0], seed)
    [order] = network.order
    inputs = torch.tensor(levels[order], dtype=dtype)
    logits = []
    for plane in range(PLANES):
        weights, bits = weights_of(network, 0, plane), network.bits[plane]
        dense = torch.zeros(bits + height, size[0], dtype=dtype)
        for offset in range(height):
            has = torch.tensor(weights.columns >> offset & 1, dtype=dtype)
            dense[torch.tensor(weights.stretch) + offset, torch.arange(size[0])] = has
        assert not dense[bits:].any()  # no weight beyond the last bit
        first = torch.sin(2 * torch.pi * (inputs + 0.5) / 2 ** (plane + 1))
        z = dense[:bits] @ (first < 0).to(dtype)
        logits.append(torch.sin(torch.pi * (z + 0.5)))
    found = network.logits(levels)
    assert np.allclose(torch.cat(logits).numpy(), found, rtol=0, atol=1e-3)
    assert np.array_equal(found < 0, network.read(levels))


@given(sizes, heights, st.integers(0, 99))
def test_the_planes_above_the_second_are_not_read(
    size: tuple[int, int, int], height: int, seed: int
) -> None:
    network, levels = drawn(size, height), levels_of(size[0], seed)
    above = np.random.default_rng(seed).integers(0, 64, size[0]) * 4
    assert np.array_equal(network.read(levels % 4 + above), network.read(levels))


# its weights


@given(sizes, heights)
@example((400, 400, 1), 10)
def test_each_bit_owns_samples_whose_first_weight_is_one(
    size: tuple[int, int, int], height: int
) -> None:
    network = drawn(size, height)
    for plane in range(PLANES):
        bits, weights = network.bits[plane], weights_of(network, 0, plane)
        if bits == 0:
            assert not weights.columns.any()
            continue
        assert (weights.columns & 1).all()
        assert set(weights.stretch) == set(range(bits))
        assert (np.diff(weights.stretch) >= 0).all()
        counts = np.bincount(weights.stretch)
        assert counts.max() - counts.min() <= 1
        # the window has its full length where the bits do not end before
        inside = weights.stretch + height <= bits
        assert (weights.columns[inside] >> (height - 1) == 1).all()


def test_half_of_the_other_weights_are_one() -> None:
    columns = weights_of(network_of(20_000, (1000, 0))).columns[:19_000]
    for offset in range(1, 9):
        assert (columns >> offset & 1).mean() == pytest.approx(0.5, abs=0.02)  # 5 sigma: 0.018


def test_other_keys_labels_segments_and_planes_have_unrelated_weights() -> None:
    samples = 2 * 3000
    halves = [np.arange(3000, dtype=np.int32), np.arange(3000, samples, dtype=np.int32)]
    grown = [
        weights_of(SineNetwork(key, label, halves, (1000, 1000)), segment, plane).columns[:2700]
        for key in (KEY, OTHER)
        for label in ("body", "header")
        for segment in (0, 1)
        for plane in (0, 1)
    ]
    for at, first in enumerate(grown):
        for second in grown[:at]:
            same = (first ^ second) >> 1 & 0xFF == 0  # eight random bits agree in 1 of 256
            assert same.mean() < 0.02


@given(st.lists(st.integers(1, 500), min_size=1, max_size=6), st.data())
def test_segments_share_the_bits_by_their_size(parts: list[int], draw: st.DataObject) -> None:
    ends = np.cumsum([0, *parts])
    order = [np.arange(a, b, dtype=np.int32) for a, b in pairwise(ends)]
    bits = tuple(draw.draw(st.integers(0, int(ends[-1]))) for _ in range(PLANES))
    network = SineNetwork(KEY, "test", order, (bits[0], bits[1]))
    for plane in range(PLANES):
        shares = network.shares[plane]
        assert sum(shares) == bits[plane]
        for part, share in zip(parts, shares, strict=True):
            assert abs(share - part * bits[plane] / ends[-1]) < 1
            assert share <= part


@pytest.mark.parametrize("bits", [(101, 0), (0, 101), (-1, 5), (1 << 31, 1 << 31)])
def test_more_bits_than_samples_are_refused(bits: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="100 samples"):
        network_of(100, bits)


@pytest.mark.parametrize("height", [0, 5, 15, 255])
def test_constraint_heights_without_a_solver_are_refused(height: int) -> None:
    with pytest.raises(ConfigError, match="height"):
        network_of(100, (5, 5), height)


# the order


@given(st.integers(0, 3000))
def test_a_keyed_order_has_every_sample_once(samples: int) -> None:
    [order] = keyed_order(KEY, samples)
    assert sorted(order.tolist()) == list(range(samples))


def test_an_order_that_is_made_as_it_is_asked_for_reads_the_same() -> None:
    samples = np.random.default_rng(0).integers(0, 256, 2 * SEGMENT + 3, dtype=np.uint8)
    order = KeyedOrder(KEY, len(samples), skipped=np.arange(7, 90_000, 11))
    assert order.lengths == [len(part) for part in order]
    lazy = SineNetwork(KEY, "test", order, (3000, 200))
    at_hand = SineNetwork(KEY, "test", order.at_once(), (3000, 200))
    assert np.array_equal(lazy.read(samples), at_hand.read(samples))


@given(st.sets(st.integers(0, 999)), st.binary(min_size=16, max_size=16))
def test_an_order_leaves_out_what_others_take(skipped: set[int], salt: bytes) -> None:
    [order] = KeyedOrder(KEY, 1000, salt, np.array(sorted(skipped), dtype=np.int64)).at_once()
    assert sorted(order.tolist()) == sorted(set(range(1000)) - skipped)


def test_orders_and_networks_of_other_salts_are_unrelated() -> None:
    [first], [second] = (KeyedOrder(KEY, 5000, bytes([at] * 16)).at_once() for at in (1, 2))
    assert (first == second).sum() < 10  # one place of 5000 agrees on average
    grown = [
        SineNetwork(KEY, "body", [first], (1000, 0), salt=bytes([at] * 16)).drawn(0, 0)
        for at in (1, 2)
    ]
    assert ((grown[0] ^ grown[1]) >> 1 & 0xFF == 0).mean() < 0.02


def test_many_samples_are_ordered_in_segments_from_everywhere() -> None:
    samples = 2 * SEGMENT + 3
    order = keyed_order(KEY, samples)
    assert len(order) == segments(samples) == 3
    assert np.array_equal(np.sort(np.concatenate(order)), np.arange(samples))
    for part in order:
        assert len(part) <= SEGMENT
        quarters = np.bincount(part // -(-samples // 4))
        assert quarters.min() > 0.2499 * len(part)
        assert abs(np.corrcoef(part, np.arange(len(part)))[0, 1]) < 0.02


def test_other_keys_have_another_order() -> None:
    [first], [second] = keyed_order(KEY, 5000), keyed_order(OTHER, 5000)
    assert (first == second).sum() < 10  # one place of 5000 agrees on average


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_number_of_threads_changes_nothing(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = 3 * SEGMENT
    levels = levels_of(samples)
    monkeypatch.setattr(search, "cores", lambda: threads)
    order = keyed_order(KEY, samples)
    read = SineNetwork(KEY, "test", order, (1000, 500)).read(levels)
    monkeypatch.setattr(search, "cores", lambda: 3)
    for part, again in zip(order, keyed_order(KEY, samples), strict=True):
        assert np.array_equal(part, again)
    assert np.array_equal(read, SineNetwork(KEY, "test", order, (1000, 500)).read(levels))


# parities


@given(sizes, heights, st.integers(0, 99))
def test_parities_are_those_of_the_weights(
    size: tuple[int, int, int], height: int, seed: int
) -> None:
    network = drawn(size, height)
    ones = levels_of(size[0], seed, top=2).astype(bool)
    for plane in range(PLANES):
        weights, bits = weights_of(network, 0, plane), network.bits[plane]
        expected = np.zeros(bits + height, dtype=bool)
        for first, column in zip(weights.stretch[ones], weights.columns[ones], strict=True):
            expected[first : first + height] ^= column >> np.arange(height) & 1 == 1
        if bits:
            assert np.array_equal(parities(network.drawn(0, plane), ones, bits), expected[:bits])


@pytest.mark.parametrize(("rows", "columns"), [(512, 512), (512, 768), (1024, 1024)])
def test_a_segment_meets_all_channels_and_columns(rows: int, columns: int) -> None:
    order = keyed_order(KEY, rows * columns * 3)
    for part in (order[0], order[-1]):
        assert set(part % 3) == {0, 1, 2}
        assert len(set(part // 3 % columns)) == columns
