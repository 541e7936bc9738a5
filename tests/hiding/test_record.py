from __future__ import annotations

import copy
import math
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reedsolo import RSCodec

from stegfield import fields
from stegfield.errors import CapacityError, ConfigError, PluginNeededError, UnreadableError
from stegfield.fields import Field
from stegfield.hiding import SecretRecord, SlotScheme, read_record, write_records
from stegfield.hiding import record as records
from stegfield.hiding.record import RECORD_BYTES
from stegfield.keys import Key
from stegfield.signals import MEDIA, waves

FIELD = fields.new_field(waves(8, 8), architecture="siren", seed=1)
SMALL = fields.new_field(waves(8, 8), architecture="siren", sizes={"width": 8, "depth": 2}, seed=1)
FIRST = copy.deepcopy(SMALL)
"""As the first format has fields, whose weights were not drawn."""
for each in (FIELD, SMALL):
    fields.draw(each)

# dictionaries: beartype looks at an entry of a tuple at random, which a strategy may not
kinds = st.sampled_from(list(MEDIA.values())).flatmap(
    lambda medium: st.fixed_dictionaries(
        {
            "medium": st.just(medium),
            "size": st.tuples(*[st.integers(1, 400)] * medium.axes),
            "channels": st.sampled_from(medium.channels),
            "rate": st.floats(1, 1e6) if medium.timed else st.none(),
        }
    )
)
schemes = st.builds(
    SlotScheme,
    ratio=st.integers(1, 999_999).map(lambda millionths: millionths / 1_000_000),
    values=st.sampled_from(["matched", "xavier"]),
)
ranges = st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=2, unique=True).map(sorted)
RECORD = SecretRecord(size=(12, 34), channels=3, scheme=SlotScheme(ratio=0.05))


@given(kinds, schemes, st.booleans(), ranges)
def test_decoding_facts_undoes_encoding(
    kind: dict[str, Any], scheme: SlotScheme, shared: bool, values: list[float]
) -> None:
    record = SecretRecord(
        **kind, scheme=scheme, shared_slots=shared, lowest=values[0], highest=values[1]
    )
    assert SecretRecord.from_bytes(record.to_bytes()) == record


@given(st.binary(min_size=0, max_size=40))
def test_any_facts_are_understood_or_unreadable(data: bytes) -> None:
    try:
        record = SecretRecord.from_bytes(data)
    except (UnreadableError, PluginNeededError):  # the sender had the key, and another package
        return
    assert math.prod(record.size) > 0
    assert len(record.size) == record.medium.axes


def test_more_axes_than_a_record_tells_are_refused() -> None:
    with pytest.raises(ConfigError, match="tells 3 axes, and images have 4"):
        replace(RECORD, size=(2, 2, 2, 2)).to_bytes()


def test_facts_of_the_first_version_are_of_an_image() -> None:
    facts = struct.pack("<BBBB?III", 1, 0, 3, 1, True, 12, 34, 50_000)
    assert SecretRecord.from_bytes(facts) == SecretRecord(
        size=(12, 34),
        channels=3,
        scheme=SlotScheme(ratio=0.05, values="xavier"),
        shared_slots=True,
    )


def test_records_of_the_first_version_are_found() -> None:
    """Written as the first version wrote them, with 65 bytes at 65 places."""
    field, key = copy.deepcopy(FIRST), Key(b"k" * 32)
    salt = field.public.seed
    facts = struct.pack("<BBBB?III", 1, 0, 3, 0, False, 12, 34, 50_000)
    sealed = AESSIV(key.derive("record", salt=salt)).encrypt(facts, None)
    coded = np.frombuffer(bytes(RSCodec(32).encode(sealed)), np.uint8)
    hidden = coded ^ np.frombuffer(key.stream("record-whitening", salt=salt).bytes(65), np.uint8)
    words = words_of(field)
    at = key.stream("record-positions", salt=salt).choose(65, len(words))
    words[at] = (words[at] & ~np.uint32(0xFF)) | hidden
    put_back(field, words)
    assert read_record(field, key) == RECORD


@pytest.mark.parametrize(
    ("at", "value"), [(0, 3), (1, 9), (2, 2), (3, 2), (13, 1), (21, 255), (25, 1), (29, 0)]
)
def test_facts_out_of_range_are_unreadable(at: int, value: int) -> None:
    facts = bytearray(RECORD.to_bytes())
    facts[at] = value
    facts[29:33] = struct.pack("<f", math.nan) if at == 29 else facts[29:33]
    with pytest.raises(UnreadableError):
        SecretRecord.from_bytes(bytes(facts))


@settings(max_examples=5)
@given(st.lists(st.binary(min_size=32, max_size=32), min_size=32, max_size=32, unique=True))
def test_thirty_two_records_share_one_field(secrets: list[bytes]) -> None:
    field = copy.deepcopy(FIELD)
    expected = [
        (Key(secret), SecretRecord(size=(8 + i, 9), channels=3, scheme=SlotScheme(ratio=0.05)))
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
        assert torch.allclose(before, after, rtol=0, atol=2**-10 * float(before.detach().std()))
    assert 0.9 * RECORD_BYTES < changed <= RECORD_BYTES


@given(st.sets(st.integers(0, RECORD_BYTES - 1), max_size=16))
def test_up_to_sixteen_destroyed_bytes_are_mended(destroyed: set[int]) -> None:
    field, key = copy.deepcopy(SMALL), Key(b"k" * 32)
    write_records(field, [(key, RECORD)])
    low = records._low(field)
    noise = key.stream("record-positions", salt=field.public.seed)
    low[noise.choose(RECORD_BYTES, len(low))[sorted(destroyed)]] ^= 0x55
    records._store(field, low)
    assert read_record(field, key) == RECORD


def words_of(field: Field) -> NDArray[np.uint32]:
    parameters = sorted(field.named_parameters())
    return np.concatenate([p.detach().flatten().numpy() for _, p in parameters]).view(np.uint32)


def put_back(field: Field, words: NDArray[np.uint32]) -> None:
    start = 0
    with torch.no_grad():
        for _, parameter in sorted(field.named_parameters()):
            stop = start + parameter.numel()
            part = torch.from_numpy(words[start:stop].view(np.float32).copy())
            parameter.copy_(part.view_as(parameter))
            start = stop


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
