from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data

from stegfield import channel
from stegfield.fixednet.robust.blocks import (
    CELL,
    FREQUENCIES,
    GROUP,
    INDICES,
    KERNELS,
    SIDE,
    BlockNetwork,
    block_cosines,
    block_levels,
    block_order,
    find_networks,
    fold,
)
from stegfield.keys import IMAGE_SALT, Key
from stegfield.metrics import Samples, luma

PHOTOGRAPHS: Any = data
KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
GOLDEN = Path(__file__).parent.parent.parent / "golden" / "networks.json"
VECTORS: dict[str, Any] = json.loads(GOLDEN.read_text())["blocks"]

keys = st.binary(min_size=32, max_size=32).map(Key)
indices = st.integers(0, INDICES - 1)
sides = st.integers(1, 75)


def network_of(rows: int, columns: int, key: Key = KEY, index: int = 5) -> BlockNetwork:
    """Read all bits that there are."""
    order = block_order(key, rows, columns)
    return BlockNetwork(key, index, order, order.size)


def phases(network: BlockNetwork) -> NDArray[np.float64]:
    zeros: NDArray[np.float64] = np.zeros((network.order.max(initial=-1) + 1, KERNELS))
    return network.project(zeros)


def test_a_key_gives_the_committed_order_mixing_places_and_phases() -> None:
    key = Key(bytes.fromhex(VECTORS["key"]))
    order = block_order(key, *VECTORS["size"])
    network = BlockNetwork(key, VECTORS["index"], order, len(VECTORS["blocks"]))
    assert order.tolist() == VECTORS["order"]
    assert np.sign(network.mixing).astype(int).tolist() == VECTORS["signs_of_mixing"]
    assert [part.tolist() for part in network.places] == [VECTORS["blocks"], VECTORS["kernels"]]
    assert phases(network).tolist() == VECTORS["phases"]


def cosine(block: NDArray[np.float64], row: int, column: int) -> float:
    total = 0.0
    for x in range(8):
        for y in range(8):
            waves = math.cos((2 * x + 1) * row * math.pi / 16), (2 * y + 1) * column * math.pi / 16
            total += block[x, y] * waves[0] * math.cos(waves[1])
    return total * math.sqrt((2 if row else 1) * (2 if column else 1)) / 8


def sorted_places(integers: NDArray[np.uint64]) -> list[int]:
    return sorted(range(len(integers)), key=lambda at: (int(integers[at]), at))


def test_z_is_what_the_page_on_formats_says() -> None:
    rows, columns, index = 27, 75, 321
    levels = np.random.default_rng(0).uniform(0, 255, (rows, columns))
    places = [(row, column) for row in range(rows // 8) for column in range(columns // 8)]
    places.sort(key=lambda place: (place[0] // 2, place[1], place[0]))
    groups = len(places) // 8
    noise = KEY.stream("blocks/order", salt=IMAGE_SALT)
    orders = [sorted_places(noise.integers(groups)) for _ in range(8)]
    noise = KEY.stream(f"blocks/{index}", salt=IMAGE_SALT)
    signs = [1 if byte % 2 else -1 for byte in noise.bytes(8)]
    order = sorted_places(noise.integers(8))
    starts = [int(draw) % groups for draw in noise.integers(8)]
    expected = []
    for bit, u in enumerate(np.frombuffer(noise.bytes(4 * 64 * groups), "<u4").tolist()):
        kernel, turn = divmod(bit // 8, groups)
        group = orders[kernel][(turn + starts[kernel]) % groups]
        row, column = places[8 * group + bit % 8]
        block = levels[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        if bit % 37 == 0:
            level = sum(
                (-1) ** (order[kernel] & at).bit_count() * signs[at] * cosine(block, *frequency)
                for at, frequency in enumerate(FREQUENCIES)
            )
            expected.append(level / math.sqrt(8) / 18 + (u + 0.5) / 2**31 - 1)
    network = network_of(rows, columns, index=index)
    assert np.allclose(network.project(block_cosines(levels))[::37], expected, rtol=0, atol=1e-9)


# what a key and an index decide


@given(keys, indices)
def test_kernels_are_orthonormal_and_without_mean(key: Key, index: int) -> None:
    mixing = network_of(8, 64, key, index).mixing
    assert np.allclose(mixing @ mixing.T, np.eye(KERNELS), rtol=0, atol=1e-12)
    shown = np.array([block_levels(kernel[None], SIDE, SIDE).ravel() for kernel in mixing])
    assert np.allclose(shown @ shown.T, np.eye(KERNELS), rtol=0, atol=1e-12)
    assert np.abs(shown.sum(axis=1)).max() < 1e-12  # a block's brightness does not matter


@pytest.mark.parametrize(("key", "index"), [(OTHER, 5), (KEY, 6)])
def test_other_keys_and_other_indices_have_unrelated_networks(key: Key, index: int) -> None:
    first, second = network_of(160, 160), network_of(160, 160, key, index)
    assert not np.array_equal(first.mixing, second.mixing)
    assert (first.places[0] == second.places[0]).mean() < 0.1
    assert (np.abs(phases(first) - phases(second)) < 0.01).mean() < 0.02  # 1 in 100 on average


def test_phases_are_spread_over_a_whole_period() -> None:
    spread = phases(network_of(400, 400))
    counts, _ = np.histogram(spread, bins=20, range=(-1, 1))
    assert counts.sum() == len(spread)
    assert np.square(counts / counts.mean() - 1).sum() * counts.mean() < 60  # chi-square, 19 of it


@given(sides, sides, keys, indices)
@example(8, 64, KEY, 0)
def test_bits_go_kernel_by_kernel_through_all_blocks_but_seven_at_most(
    rows: int, columns: int, key: Key, index: int
) -> None:
    blocks = (rows // SIDE) * (columns // SIDE)
    network = network_of(rows, columns, key, index)
    assert blocks - GROUP < network.bits / KERNELS <= blocks
    at, kernels = network.places
    assert (np.diff(kernels) >= 0).all()
    assert len(set(zip(at.tolist(), kernels.tolist(), strict=True))) == network.bits
    for kernel in range(KERNELS):
        assert set(at[kernels == kernel]) == set(network.order.ravel())


@given(st.integers(0, 60))
def test_a_network_reads_the_first_bits_of_a_longer_one(count: int) -> None:
    long = network_of(80, 80)
    short = BlockNetwork(KEY, 5, long.order, 8 * count)
    cosines = np.random.default_rng(count).normal(0, 50, (100, KERNELS))
    assert np.array_equal(short.project(cosines), long.project(cosines)[: 8 * count])


def test_the_bits_of_a_byte_lie_in_neighbouring_blocks() -> None:
    at, _ = network_of(320, 480).places
    row, column = np.divmod(at.reshape(-1, GROUP), 480 // SIDE)
    assert set(np.ptp(row, axis=1)) == {1}
    assert set(np.ptp(column, axis=1)) == {3}


# reading and moving


@given(st.integers(16, 75), st.integers(32, 75), keys, st.integers(0, 99))
@example(16, 32, KEY, 0)
@example(23, 35, KEY, 0)
def test_every_z_moves_as_wanted_and_the_rest_of_the_image_does_not(
    rows: int, columns: int, key: Key, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    network = network_of(rows, columns, key, seed)
    levels = rng.uniform(0, 255, (rows, columns))
    moves = rng.uniform(-1, 1, network.bits)
    cosines = block_cosines(levels)
    change = block_levels(network.unproject(moves, len(cosines)), rows, columns)
    moved = network.project(block_cosines(levels + change)) - network.project(cosines)
    assert np.allclose(moved, moves, rtol=0, atol=1e-9)
    assert not change[rows // 8 * 8 :].any()
    assert not change[:, columns // 8 * 8 :].any()
    # the least change: by Parseval, its norm is that of the moves
    assert np.linalg.norm(change) == pytest.approx(CELL * np.linalg.norm(moves))


@given(st.integers(0, 99))
def test_a_logit_tells_the_parity_of_the_cell_and_how_far_its_edge_is(seed: int) -> None:
    levels = np.random.default_rng(seed).integers(0, 256, (24, 31, 3), dtype=np.uint8)
    network, cosines = network_of(24, 31), block_cosines(luma(levels))
    z, logits = network.project(cosines), network.logits(cosines)
    sure = np.abs(z - np.rint(z)) < 0.49
    assert np.array_equal((logits < 0)[sure], (np.rint(z) % 2 == 1)[sure])
    assert np.allclose(logits, np.sin(np.pi * (z + 0.5)), atol=1e-9)


def test_what_a_block_outside_the_whole_ones_holds_is_not_read() -> None:
    rng = np.random.default_rng(0)
    levels = rng.uniform(0, 255, (20, 27))
    other = levels.copy()
    other[16:] = rng.uniform(0, 255, other[16:].shape)
    other[:, 24:] = rng.uniform(0, 255, other[:, 24:].shape)
    assert np.array_equal(block_cosines(levels), block_cosines(other))


# the search for the network


def carrying(levels: Samples, index: int, count: int, copies: int) -> Samples:
    """Put random bits into an image, several times."""
    order = block_order(KEY, *levels.shape[:2])
    network = BlockNetwork(KEY, index, order, count * copies)
    cosines = block_cosines(luma(levels))
    z = network.project(cosines)
    bits = np.tile(np.random.default_rng(index).integers(0, 2, count), copies)
    change = network.unproject(2 * np.rint((z - bits) / 2) + bits - z, len(cosines))
    moved = levels + block_levels(change, *levels.shape[:2])[..., None]
    stego: Samples = np.rint(np.clip(moved, 0, 255)).astype(np.uint8)
    return stego


@pytest.mark.parametrize("index", [0, 500, INDICES - 1])
@pytest.mark.parametrize("seen", [channel.jpeg(50), channel.jpeg(70), channel.noisy(8.0)])
def test_the_network_of_an_image_is_found_after_lossy_encoders(
    index: int, seen: channel.Channel
) -> None:
    levels = np.array(PHOTOGRAPHS.astronaut()[:256, 100:356])
    stego = seen(carrying(levels, index, 400, copies=3))
    order = block_order(KEY, *stego.shape[:2])
    cosines = block_cosines(luma(stego))
    found = find_networks(KEY, order, cosines, bits=1200, copies=3, count=3)
    assert found[0].index == index
    assert len({network.index for network in found}) == 3


# copies


@given(st.integers(1, 20), st.integers(1, 5), st.integers(0, 99))
def test_copies_that_agree_are_read_as_they_are(count: int, copies: int, seed: int) -> None:
    logits = np.random.default_rng(seed).uniform(0.6, 1, 8 * count)
    logits *= np.random.default_rng(seed).choice([-1, 1], 8 * count)
    folded = fold(np.tile(logits, copies), copies)
    assert np.array_equal(folded < 0, logits < 0)
    assert np.allclose(folded, copies * fold(logits, 1))


@given(st.integers(0, 99))
def test_a_lost_copy_does_not_outvote_one_that_is_sure(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bits = rng.choice([-1.0, 1.0], 800)
    kept, lost = bits * rng.uniform(0.9, 1, 800), np.cos(np.pi * rng.uniform(-1, 1, 800))
    wrong = (fold(np.concatenate([kept, lost]), 2) < 0) != (bits < 0)
    assert wrong.mean() < 0.03
    assert (np.add(kept, lost) * bits < 0).mean() > 0.05  # as their plain sum does


@given(st.integers(0, 1 << 32))
def test_moves_of_a_known_cover_tell_bits_however_far_they_go(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cover, order = rng.normal(0, 100, (16, KERNELS)), block_order(KEY, 32, 32)
    network = BlockNetwork(KEY, 3, order, order.size, cover)
    assert np.abs(network.logits(cover)).max() < 1e-9  # as it is, it says nothing
    moves = rng.choice([-1.0, 1.0], order.size) * rng.uniform(0.5, 5, order.size)
    logits = network.logits(cover + network.unproject(moves, len(cover)))
    np.testing.assert_allclose(logits, -np.sign(moves))
