from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield.errors import CapacityError, ConfigError
from stegfield.fixednet.exact.header import (
    BITS,
    HEIGHT,
    LARGEST_GROUP,
    NETWORKS,
    POOL,
    HeaderNetwork,
    HeaderNetworks,
    header_samples,
)
from stegfield.fixednet.exact.order import segments
from stegfield.keys import IMAGE_SALT, Key
from stegfield.payload import Content, bits_of
from stegfield.steganalysis.ranks import rank

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
SIZES = [752, 753, 4096, 12_032, 12_288, 70_001, 262_145, 1_179_648]


def levels_of(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, count, dtype=np.uint8)


@pytest.mark.parametrize("count", SIZES)
def test_reading_all_networks_at_once_is_reading_each(count: int) -> None:
    networks, levels = HeaderNetworks(KEY, count), levels_of(count)
    found = list(networks.read(levels))
    assert len(found) == NETWORKS
    for index in (0, 1, 63, 64, 500, NETWORKS - 1):
        bits = networks.network(index).read(levels)
        assert np.packbits(bits).tobytes() == found[index]


@given(st.integers(752, 400_000))
def test_a_header_takes_one_sample_in_16_or_32_for_each_bit(count: int) -> None:
    taken = header_samples(count)
    assert taken % BITS == 0
    assert BITS <= taken <= LARGEST_GROUP * BITS
    assert taken == BITS or taken <= count / 16
    assert taken == LARGEST_GROUP * BITS or taken + BITS > count / 16


@given(st.integers(0, 751))
def test_covers_too_small_for_a_header_are_refused(count: int) -> None:
    with pytest.raises(CapacityError, match="752 samples"):
        HeaderNetworks(KEY, count)


@given(st.integers(752, 2_000_000), st.integers(0, NETWORKS - 1))
@settings(max_examples=12)
def test_a_network_reads_samples_of_its_keys_pool_once_each(count: int, index: int) -> None:
    networks = HeaderNetworks(KEY, count)
    [at] = networks.network(index).order
    assert len(set(at.tolist())) == header_samples(count)
    assert len(set(at % segments(count, POOL))) == 1
    assert set(at.tolist()) <= set(networks.groups.reshape(-1).tolist())


def test_places_change_from_network_to_network_and_are_all_taken_as_often() -> None:
    networks = HeaderNetworks(KEY, 4096)  # 4,096 groups of one sample
    counts = np.zeros(4096)
    for start in networks.starts:
        counts[(start + np.arange(BITS)) % 4096] += 1
    assert counts.min() > 0.5 * NETWORKS * BITS / 4096
    assert counts.max() < 1.6 * NETWORKS * BITS / 4096
    assert len(set(networks.starts.tolist())) > 0.85 * NETWORKS


def test_networks_and_keys_have_unrelated_weights() -> None:
    grown = [
        HeaderNetworks(key, 12_288).network(index).drawn(0, 0)[:600]
        for key in (KEY, OTHER)
        for index in (0, 1, NETWORKS - 1)
    ]
    for at, first in enumerate(grown):
        for second in grown[:at]:
            same = (first ^ second) >> 1 & 0xFF == 0  # eight random bits agree in 1 of 256
            assert same.mean() < 0.03


@pytest.mark.parametrize("index", [-1, NETWORKS])
def test_indices_that_no_network_has_are_refused(index: int) -> None:
    with pytest.raises(ConfigError, match="0 to 1023"):
        HeaderNetworks(KEY, 4096).network(index)


# many headers of one key


def carrying(network: HeaderNetwork, sealed: bytes, count: int, seed: int) -> NDArray[np.bool_]:
    """Return low bits that are uniform among those from which a network reads a header."""
    bits: NDArray[np.bool_] = levels_of(count, seed) & 1 == 1
    [at] = network.order
    wrong = network.read(bits.astype(np.uint8)) ^ bits_of(sealed)
    columns = network.drawn(0, 0).astype(np.int64)
    for bit in range(BITS):  # every group is one sample here, which decides its own bit
        if wrong[bit]:
            bits[at[bit]] ^= True
            reached = columns[bit] >> np.arange(min(HEIGHT, BITS - bit)) & 1 == 1
            wrong[bit : bit + len(reached)] ^= reached
    return bits


def test_many_headers_by_one_key_have_the_rank_of_unrelated_bits() -> None:
    # a parity check that held in all of them would lower it; format 1 had 64
    count, networks = 752, HeaderNetworks(KEY, 752)
    some = [networks.network(index) for index in (5, 700)]  # two are easier to tell than 1,024
    rows = []
    for seed in range(800):
        header = Content.of(b"noon").header(bytes(9))
        network, sealed = some[seed % 2], header.seal(KEY, IMAGE_SALT)
        rows.append(carrying(network, sealed, count, seed))
        if seed < 20:
            assert np.packbits(network.read(rows[-1].astype(np.uint8))).tobytes() == sealed
    assert rank(np.array(rows)) == count


def test_the_rank_is_that_of_the_matrix() -> None:
    draws = np.random.default_rng(0)
    for rows, columns, expected in ((40, 60, 25), (60, 40, 40), (5, 5, 0)):
        left, right = (
            draws.integers(0, 2, size) for size in ((rows, expected), (expected, columns))
        )
        left[:expected, :expected] |= np.eye(expected, dtype=np.int64)
        found = rank(left @ right % 2 == 1)
        assert found <= expected
        assert found > expected - 8
