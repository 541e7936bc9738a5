from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stegfield import fields
from stegfield.errors import CapacityError, UnreadableError
from stegfield.hiding import Record, SlotScheme, read_record, write_records
from stegfield.hiding.record import RECORD_BYTES
from stegfield.keys import Key
from stegfield.signals import waves

FIELD = fields.new_field(waves(8, 8), architecture="siren", seed=1)
SMALL = fields.new_field(waves(8, 8), architecture="siren", sizes={"width": 8, "depth": 2}, seed=1)

records = st.builds(
    Record,
    size=st.tuples(st.integers(1, 8000), st.integers(1, 8000)),
    channels=st.sampled_from([1, 3]),
    scheme=st.builds(
        SlotScheme,
        ratio=st.integers(1, 999_999).map(lambda millionths: millionths / 1_000_000),
        values=st.sampled_from(["matched", "xavier"]),
    ),
    shared_slots=st.booleans(),
)
RECORD = Record(size=(12, 34), channels=3, scheme=SlotScheme(ratio=0.05))


@given(records)
def test_decoding_facts_undoes_encoding(record: Record) -> None:
    assert Record.from_bytes(record.to_bytes()) == record


@given(st.binary(min_size=0, max_size=40))
def test_any_facts_are_understood_or_unreadable(data: bytes) -> None:
    try:
        record = Record.from_bytes(data)
    except UnreadableError:
        return
    assert record.size[0] * record.size[1] > 0


@settings(max_examples=5)
@given(st.lists(st.binary(min_size=32, max_size=32), min_size=32, max_size=32, unique=True))
def test_thirty_two_records_share_one_field(secrets: list[bytes]) -> None:
    field = copy.deepcopy(FIELD)
    expected = [
        (Key(secret), Record(size=(8 + i, 9), channels=3, scheme=SlotScheme(ratio=0.05)))
        for i, secret in enumerate(secrets)
    ]
    write_records(field, expected)
    for key, record in expected:
        assert read_record(field, key) == record


def test_a_second_record_does_not_disturb_the_first() -> None:
    field = copy.deepcopy(FIELD)
    alice, bob = Key(b"a" * 32), Key(b"b" * 32)
    write_records(field, [(alice, RECORD)])
    write_records(field, [(bob, RECORD)])
    assert read_record(field, alice) == read_record(field, bob) == RECORD


def test_a_record_changes_few_weights_and_those_very_little() -> None:
    field = copy.deepcopy(FIELD)
    write_records(field, [(Key(b"a" * 32), RECORD)])
    changed = 0
    for before, after in zip(FIELD.parameters(), field.parameters(), strict=True):
        changed += int((before != after).sum())
        assert torch.allclose(before, after, rtol=2**-15, atol=0)
    assert 0.9 * RECORD_BYTES < changed <= RECORD_BYTES


@given(st.sets(st.integers(0, RECORD_BYTES - 1), max_size=16))
def test_up_to_sixteen_destroyed_bytes_are_mended(destroyed: set[int]) -> None:
    field, key = copy.deepcopy(SMALL), Key(b"k" * 32)
    write_records(field, [(key, RECORD)])
    count = field.weight_count()
    noise = key.noise("record-positions", salt=field.public.seed)
    at = noise.choose(RECORD_BYTES, count)[sorted(destroyed)]
    words = np.concatenate(
        [p.detach().flatten().numpy() for _, p in sorted(field.named_parameters())]
    ).view(np.uint32)
    words[at] ^= 0x55
    start = 0
    with torch.no_grad():
        for _, parameter in sorted(field.named_parameters()):
            stop = start + parameter.numel()
            part = torch.from_numpy(words[start:stop].view(np.float32).copy())
            parameter.copy_(part.view_as(parameter))
            start = stop
    assert read_record(field, key) == RECORD


def test_wrong_keys_damage_and_innocent_fields_give_one_error() -> None:
    key, hiding_field = Key(b"k" * 32), copy.deepcopy(FIELD)
    write_records(hiding_field, [(key, RECORD)])
    damaged = copy.deepcopy(hiding_field)
    damaged.half().float()
    tiny = fields.new_field(
        waves(8, 8, channels=1), architecture="siren", sizes={"width": 4, "depth": 1}
    )
    messages = set()
    for field, used in (
        (hiding_field, Key(b"x" * 32)),
        (damaged, key),
        (FIELD, key),
        (tiny, key),
    ):
        with pytest.raises(UnreadableError) as caught:
            read_record(field, used)
        messages.add((str(caught.value), caught.value.hint))
    assert len(messages) == 1


def test_too_many_records_are_refused() -> None:
    field = copy.deepcopy(SMALL)
    with pytest.raises(CapacityError, match="weights"):
        write_records(field, [(Key(bytes([i]) * 32), RECORD) for i in range(40)])
    tiny = fields.new_field(
        waves(8, 8, channels=1), architecture="siren", sizes={"width": 4, "depth": 1}
    )
    with pytest.raises(CapacityError, match="weights"):
        write_records(tiny, [(Key(bytes(32)), RECORD)])
