from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stegfield import fields
from stegfield.config import HideConfig
from stegfield.errors import ConfigError, UnreadableError
from stegfield.fields import ARCHITECTURES
from stegfield.hiding import SlotScheme, key_slots
from stegfield.hiding.positions import pack_positions, positions_entropy_bits, unpack_positions
from stegfield.hiding.slots import largest_positions, own_values, random_positions
from stegfield.keys import Key, KeyFile, KeyStream
from stegfield.signals import waves

KEY = Key(bytes(range(32)))
GOLDEN = Path(__file__).parent.parent / "golden" / "slots.json"


def field_of(architecture: str = "siren") -> fields.Field:
    return fields.new_field(waves(8, 8), architecture=architecture, seed=1)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_key_takes_the_floor_of_its_share_of_each_layer(architecture: str) -> None:
    field, scheme = field_of(architecture), SlotScheme(ratio=0.05)
    slots = key_slots(field, KEY, scheme)
    assert list(slots) == list(field.slot_bounds())
    for name, (positions, values) in slots.items():
        count = field.decoder.get_parameter(name).numel()
        assert len(positions) == len(values) == max(1, math.floor(0.05 * count))
        assert positions.tolist() == sorted(set(positions.tolist()))
        assert 0 <= int(positions.min()) <= int(positions.max()) < count


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_matched_values_stay_in_the_range_of_the_first_draw(architecture: str) -> None:
    field = field_of(architecture)
    for name, (_, values) in key_slots(field, KEY, SlotScheme(ratio=0.3)).items():
        bound = field.slot_bounds()[name]
        assert values.abs().max() <= bound
        assert field.decoder.get_parameter(name).abs().max() <= bound
        if len(values) > 500:
            assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_xavier_values_have_the_variance_of_equation_6() -> None:
    field = field_of()
    slots = key_slots(field, KEY, SlotScheme(ratio=0.2, values="xavier"))
    values = slots["layers.3.weight"][1]
    assert values.std() == pytest.approx(math.sqrt(2 / 256), rel=0.05)
    # the finding in the module's docstring: twelve times the bound, whose spread is 1/sqrt(3) of it
    own = field.slot_bounds()["layers.3.weight"] / math.sqrt(3)
    assert values.std() / own == pytest.approx(12 * math.sqrt(3), rel=0.1)


def test_slots_are_what_they_were_when_the_vectors_were_written() -> None:
    vectors = json.loads(GOLDEN.read_text())
    for vector in vectors:
        sizes = vector["sizes"]
        field = fields.new_field(waves(8, 8), architecture=vector["architecture"], sizes=sizes)
        object.__setattr__(field.public, "seed", bytes.fromhex(vector["seed"]))
        scheme = SlotScheme(ratio=vector["ratio"], values=vector["values_rule"])
        slots = key_slots(field, Key(bytes.fromhex(vector["key"])), scheme)
        for name, expected in vector["slots"].items():
            positions, values = slots[name]
            assert positions.tolist() == expected["positions"]
            assert values.numpy().astype("<f4").tobytes().hex() == expected["values"]


@pytest.mark.usefixtures("one_thread")
def test_slots_do_not_depend_on_the_number_of_threads() -> None:
    field, scheme = field_of(), SlotScheme(ratio=0.05)
    one = key_slots(field, KEY, scheme)
    torch.set_num_threads(2)
    two = key_slots(field, KEY, scheme)
    for name in one:
        assert torch.equal(one[name][0], two[name][0])
        assert torch.equal(one[name][1], two[name][1])


def test_other_keys_and_other_fields_have_other_slots() -> None:
    scheme, name = SlotScheme(ratio=0.05), "layers.2.weight"
    first = key_slots(field_of(), KEY, scheme)[name][0]
    other_key = key_slots(field_of(), Key(bytes(32)), scheme)[name][0]
    other_field = key_slots(
        fields.new_field(waves(8, 8), architecture="siren", seed=2), KEY, scheme
    )[name][0]
    expected = 0.05 * len(first)  # two random sets share ratio * n positions
    for other in (other_key, other_field):
        assert len(set(first.tolist()) & set(other.tolist())) < 2.5 * expected


def test_the_largest_weights_are_chosen_by_a_stable_order() -> None:
    field = fields.new_field(
        waves(8, 8), architecture="siren", sizes={"width": 4, "depth": 2}, seed=0
    )
    weight = field.decoder.get_parameter("layers.1.weight")
    with torch.no_grad():
        weight.fill_(0.5)
        weight[2, 1], weight[0, 3] = -9.0, 3.0
    chosen = largest_positions(field, SlotScheme(ratio=0.25))[1]
    assert chosen.tolist() == [0, 1, 3, 9]


def test_random_positions_depend_on_the_noise_alone() -> None:
    field, scheme = field_of(), SlotScheme(ratio=0.05)
    first, again, other = (
        random_positions(field, scheme, KeyStream(bytes([b]) * 32)) for b in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_covers_own_values_change_nothing() -> None:
    field = field_of()
    slots = own_values(field, largest_positions(field, SlotScheme(ratio=0.05)))
    assert np.array_equal(fields.render(field).values, fields.render(field, slots=slots).values)


layers = st.lists(
    st.integers(1, 600).flatmap(
        lambda n: st.tuples(
            st.just(n), st.sets(st.integers(0, n - 1), min_size=1, max_size=min(n, 80))
        )
    ),
    min_size=1,
    max_size=4,
)


@given(layers)
def test_unpacking_positions_undoes_packing(layers: list[tuple[int, set[int]]]) -> None:
    positions = [np.array(sorted(chosen), dtype=np.int64) for _, chosen in layers]
    counts = [count for count, _ in layers]
    again = unpack_positions(pack_positions(positions), counts)
    assert all(np.array_equal(a, b) for a, b in zip(positions, again, strict=True))


@given(st.binary(max_size=200), st.lists(st.integers(1, 1 << 22), min_size=1, max_size=3))
def test_any_bytes_are_positions_or_unreadable(packed: bytes, counts: list[int]) -> None:
    try:
        positions = unpack_positions(packed, counts)
    except UnreadableError:
        return
    for chosen, count in zip(positions, counts, strict=True):
        assert len(chosen) > 0
        assert np.all(np.diff(chosen) > 0)
        assert 0 <= chosen[0] <= chosen[-1] < count


def test_positions_for_another_field_are_unreadable() -> None:
    scheme = SlotScheme(ratio=0.05)
    small = fields.new_field(waves(8, 8), architecture="siren", sizes={"width": 16, "depth": 2})
    packed = pack_positions(largest_positions(field_of(), scheme))
    with pytest.raises(UnreadableError):
        key_slots(small, KeyFile(Key(bytes(32)), packed), scheme)


def test_packed_positions_come_close_to_their_entropy() -> None:
    field, scheme = field_of(), SlotScheme(ratio=0.05)
    positions = random_positions(field, scheme, KeyStream(bytes(32)))
    counts = [field.decoder.get_parameter(name).numel() for name in field.slot_bounds()]
    bits = 8 * len(pack_positions(positions))
    entropy = positions_entropy_bits(positions, counts)
    h = -0.05 * math.log2(0.05) - 0.95 * math.log2(0.95)
    assert entropy == pytest.approx(sum(counts) * h, rel=0.01)
    assert entropy < bits < 1.03 * entropy


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.1, 5.0, math.nan, math.inf, 1e-9])
def test_ratios_out_of_range_are_refused(ratio: float) -> None:
    with pytest.raises(ConfigError, match=r"\(ratio=\.\.\.\) must be between 0 and 1"):
        SlotScheme(ratio=ratio)
    with pytest.raises(ConfigError, match=r"\(ratio=\.\.\.\) must be between 0 and 1"):
        HideConfig(ratio=ratio)
