from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from stegfield import fields
from stegfield.fields import drawing, finishing, header
from stegfield.fields.drawing import Grain
from stegfield.signals import waves

FLOATS = st.floats(-1e6, 1e6, width=32)
TENSORS = arrays(np.float32, st.integers(1, 60), elements=FLOATS)
GRAINS = st.builds(Grain, st.integers(-40, 0), st.integers(1, drawing.HELD_BITS))


def low_of(grain: Grain, count: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, 1 << grain.bits, count)


def read(grain: Grain, weights: NDArray[np.float32]) -> NDArray[np.int64]:
    low = grain.low(weights)
    assert low is not None
    return low


@given(TENSORS, st.integers(0, 9))
def test_reading_undoes_drawing(theta: NDArray[np.float32], seed: int) -> None:
    grain = Grain.suited_to(theta)
    if grain is None:
        return
    low = low_of(grain, theta.size, seed)
    drawn = grain.draw(theta, low)
    assert np.array_equal(read(grain, drawn), low)
    assert drawn.dtype == np.float32
    cell = 2.0 ** (grain.exponent + grain.bits)
    assert np.abs(drawn.astype(np.float64) - theta).max() <= cell


@given(TENSORS, st.integers(0, 9))
def test_a_drawn_tensor_is_drawn_again_as_if_from_what_was_trained(
    theta: NDArray[np.float32], seed: int
) -> None:
    grain = Grain.suited_to(theta)
    if grain is None:
        return
    first, second = (low_of(grain, theta.size, each) for each in (seed, seed + 10))
    again = grain.draw(grain.draw(theta, first), second)
    assert np.array_equal(again, grain.draw(theta, second))


@given(GRAINS, st.data())
def test_whatever_can_be_read_can_be_drawn_again(grain: Grain, data: st.DataObject) -> None:
    far = 1 << drawing.MANTISSA
    places = data.draw(arrays(np.int64, 9, elements=st.integers(-far, far)))
    weights = np.ldexp(places.astype(np.float32), grain.exponent)
    if grain.low(weights) is None:
        return
    low = low_of(grain, 9, 1)
    assert np.array_equal(read(grain, grain.draw(weights, low)), low)


def test_low_bits_are_independent_of_what_was_trained() -> None:
    """All draws of one weight: each U once, whatever theta is, and all in one cell."""
    grain = Grain(-6, 3)
    for theta in (0.0, 0.0625, -0.3, 0.5):
        value = np.full(8, theta, np.float32)
        drawn = grain.draw(value, np.arange(8))
        assert Counter(read(grain, drawn).tolist()) == Counter(range(8))
        assert np.ptp(drawn) == 7 * 2.0**-6


def test_tensors_without_room_for_noise_stay_out() -> None:
    assert Grain.suited_to(np.zeros(100, np.float32)) is None
    assert Grain.suited_to(np.full(100, 0.3, np.float32)) is None
    assert Grain.suited_to(np.arange(7, dtype=np.float32)) is None
    assert Grain.suited_to(np.arange(8, dtype=np.float32)) is not None
    outlier = np.r_[np.full(99, 1.0), 1.0000001].astype(np.float32)
    assert Grain.suited_to(outlier) is None
    assert Grain.suited_to(np.linspace(0, 1e-38, 99, dtype=np.float32)) is None
    assert Grain.suited_to(np.linspace(0, 3e38, 99, dtype=np.float32)) is None


def test_a_far_weight_takes_bits_from_its_tensor() -> None:
    noise = np.random.default_rng(0).normal(size=1 << 14).astype(np.float32)
    bits = []
    for farthest in (0, 30, 100, 300):
        noise[0] = farthest
        found = Grain.suited_to(noise)
        assert found is not None
        bits.append(found.bits)
    assert bits[0] == drawing.MOST_BITS > bits[-1]
    assert bits == sorted(bits, reverse=True)


@pytest.mark.parametrize("architecture", fields.ARCHITECTURES)
def test_a_field_is_drawn_in_place_and_its_file_tells_how(architecture: str) -> None:
    field = fields.new_field(waves(20, 20), architecture=architecture, seed=1)
    theta = {name: tensor.clone() for name, tensor in field.state_dict().items()}
    fields.draw(field)
    found = header.decode(fields.to_bytes(field))
    grains = found.header.grains
    assert grains
    assert grains == field.grains == fields.from_bytes(fields.to_bytes(field)).grains
    assert list(grains) == [name for name in found.tensors if name in grains]
    assert {name for name, tensor in theta.items() if tensor.numel() >= 8} == grains.keys()
    plane = drawing.plane_of(found.tensors, grains)
    assert plane is not None
    assert 0.45 < plane.mean() < 0.55
    for name, tensor in field.state_dict().items():
        assert torch.equal(tensor, theta[name]) == (name not in grains)
        assert (tensor - theta[name]).std() <= 2**-10 * theta[name].std()


def test_drawing_again_changes_low_bits_and_nothing_else() -> None:
    field = fields.new_field(waves(20, 20), sizes={"width": 16, "depth": 2}, seed=1)
    fields.draw(field)
    before = header.decode(fields.to_bytes(field))
    fields.draw(field)
    after = header.decode(fields.to_bytes(field))
    assert before.header == after.header
    assert before.header.grains is not None
    for name, grain in before.header.grains.items():
        zero = np.zeros(before.tensors[name].size, np.int64)
        assert not np.array_equal(before.tensors[name], after.tensors[name])
        assert np.array_equal(
            grain.draw(before.tensors[name], zero), grain.draw(after.tensors[name], zero)
        )


def test_a_trial_repeats_and_leaves_the_field_alone() -> None:
    field = fields.new_field(waves(20, 20), sizes={"width": 16, "depth": 2}, seed=1)
    data = fields.to_bytes(field)
    tried = [fields.to_bytes(finishing.trial(field)) for _ in range(2)]
    assert tried[0] == tried[1] != data
    assert fields.to_bytes(field) == data


def test_the_plane_has_the_order_that_the_format_tells() -> None:
    tensors = {"b": np.zeros(8, np.float32), "a": np.zeros((2, 4), np.float32)}
    grains = {"b": Grain(-3, 2), "a": Grain(-5, 3)}
    plane = np.zeros(drawing.plane_bits(tensors, grains), bool)
    assert len(plane) == 8 * 2 + 8 * 3
    plane[[1, 2]] = True  # U is 01 of the first weight of b, 10 of the second
    plane[16 + 3 * 7] = True  # U is 100 of the last weight of a
    drawn = drawing.draw(tensors, grains, plane)
    assert read(grains["b"], drawn["b"]).tolist() == [1, 2, 0, 0, 0, 0, 0, 0]
    assert read(grains["a"], drawn["a"]).tolist() == [0, 0, 0, 0, 0, 0, 0, 4]
    found = drawing.plane_of(drawn, grains)
    assert found is not None
    assert np.array_equal(found, plane)


@pytest.mark.parametrize(("change", "bits"), list(product(["nudge", "far"], [4, 10])))
def test_weights_that_were_changed_have_no_plane(change: str, bits: int) -> None:
    grain = Grain(-20, bits)
    theta = np.random.default_rng(0).normal(size=100).astype(np.float32)
    drawn = grain.draw(theta, low_of(grain, 100, 0))
    if change == "nudge":
        drawn[5] += np.float32(2.0**-22)
    else:
        drawn[5] = 16.0
    assert drawing.plane_of({"w": drawn}, {"w": grain}) is None


def test_half_precision_destroys_low_bits() -> None:
    grain = Grain(-20, 10)
    drawn = grain.draw(
        np.random.default_rng(0).normal(size=100).astype(np.float32), low_of(grain, 100, 0)
    )
    half = drawn.astype(np.float16).astype(np.float32)
    assert np.mean(read(grain, half) == read(grain, drawn)) < 0.2
