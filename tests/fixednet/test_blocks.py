from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stegfield.fixednet.blocks import CELL, KERNELS, SIDE, UNIT, BlockNetwork, luma
from stegfield.keys import Key

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
GOLDEN = Path(__file__).parent.parent / "golden" / "networks.json"
VECTORS: dict[str, Any] = json.loads(GOLDEN.read_text())["blocks"]

keys = st.binary(min_size=32, max_size=32).map(Key)
sides = st.integers(1, 45)


def test_a_key_gives_the_committed_kernels_order_and_phases() -> None:
    network = BlockNetwork(Key(bytes.fromhex(VECTORS["key"])), *VECTORS["size"])
    assert network.kernels().tolist() == VECTORS["kernels"]
    assert network.order().tolist() == VECTORS["order"]
    assert network.project(np.zeros(VECTORS["size"])).tolist() == VECTORS["phases"]


# kernels


@given(keys)
def test_kernels_are_orthogonal_integers_without_mean(key: Key) -> None:
    kernels = BlockNetwork(key, 8, 8).kernels()
    assert kernels.dtype == np.int64
    assert kernels.shape == (KERNELS, SIDE, SIDE)
    flat = kernels.reshape(KERNELS, -1) / UNIT
    assert np.abs(flat @ flat.T - np.eye(KERNELS)).max() < 1e-3
    assert np.abs(flat.sum(axis=1)).max() < 0.01  # a block's brightness does not matter


def test_other_keys_have_other_kernels_phases_and_orders() -> None:
    first, second = (BlockNetwork(key, 80, 80) for key in (KEY, OTHER))
    assert not np.array_equal(first.kernels(), second.kernels())
    assert (first.order() == second.order()).mean() < 0.05
    plain = np.zeros((80, 80))
    near = np.abs(first.project(plain) - second.project(plain)) < 0.01
    assert near.mean() < 0.05  # 1 in 100 on average


def test_phases_are_spread_over_a_whole_period() -> None:
    phases = BlockNetwork(KEY, 400, 400).project(np.zeros((400, 400)))
    counts, _ = np.histogram(phases, bins=20, range=(-1, 1))
    assert counts.sum() == len(phases)
    assert np.square(counts / counts.mean() - 1).sum() * counts.mean() < 60  # chi-square, 19 of it


@given(sides, sides)
def test_bits_go_through_all_blocks_kernel_by_kernel(rows: int, columns: int) -> None:
    network = BlockNetwork(KEY, rows, columns)
    order = network.order()
    assert network.blocks == (rows // 8) * (columns // 8)
    assert sorted(order.tolist()) == list(range(network.bits))
    for kernel, part in enumerate(np.split(order, KERNELS)):
        assert (part // max(network.blocks, 1) == kernel).all()


# reading and moving


@given(st.integers(8, 45), st.integers(8, 45), keys, st.integers(0, 99))
@example(8, 8, KEY, 0)
@example(15, 17, KEY, 0)
def test_every_z_moves_as_wanted_and_the_rest_of_the_image_does_not(
    rows: int, columns: int, key: Key, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    network = BlockNetwork(key, rows, columns)
    levels = rng.uniform(0, 255, (rows, columns))
    moves = rng.uniform(-1, 1, network.bits)
    change = network.unproject(moves)
    moved = network.project(levels + change) - network.project(levels)
    assert np.allclose(moved, moves, rtol=0, atol=2e-3)  # as far as integers are orthogonal
    assert not change[rows // 8 * 8 :].any()
    assert not change[:, columns // 8 * 8 :].any()
    # the least change: by Parseval, its norm is that of the moves
    assert np.linalg.norm(change) == pytest.approx(CELL * np.linalg.norm(moves), rel=2e-3)


@given(st.integers(0, 99))
def test_a_logit_tells_the_parity_of_the_cell_and_how_far_its_edge_is(seed: int) -> None:
    levels = np.random.default_rng(seed).integers(0, 256, (24, 31, 3), dtype=np.uint8)
    network = BlockNetwork(KEY, 24, 31)
    z = network.project(luma(levels))
    logits = network.logits(levels)
    sure = np.abs(z - np.rint(z)) < 0.49
    assert np.array_equal((logits < 0)[sure], (np.rint(z) % 2 == 1)[sure])
    assert np.allclose(logits, np.sin(np.pi * (z + 0.5)), atol=1e-9)


def test_what_a_block_outside_the_whole_ones_holds_is_not_read() -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (20, 27, 3), dtype=np.uint8)
    other = levels.copy()
    other[16:] = rng.integers(0, 256, other[16:].shape)
    other[:, 24:] = rng.integers(0, 256, other[:, 24:].shape)
    network = BlockNetwork(KEY, 20, 27)
    assert np.array_equal(network.logits(levels), network.logits(other))


# luma


def test_luma_of_grey_is_grey() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (9, 7, 1), dtype=np.uint8)
    assert np.array_equal(luma(grey), grey[..., 0])
    assert np.allclose(luma(np.repeat(grey, 3, axis=2)), grey[..., 0])


def test_luma_weighs_as_bt_601_does() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert np.allclose(luma(colours), [[76.245, 149.685, 29.07]])
