from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegfield.errors import UnreadableError
from stegfield.fixednet.robust.sealing import LENGTHS, LONGEST, TAG, unseal
from stegfield.fixednet.robust.sealing import seal as seal_to
from stegfield.keys import Key
from stegfield.payload import Content

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))


def seal(content: Content, key: Key, context: str) -> bytes:
    length = min(each for each in LENGTHS if each >= len(content.data))
    return seal_to(content, key, context, length)


messages = st.binary(max_size=LONGEST)


@given(messages)
def test_a_sealed_message_comes_back_and_takes_eight_bytes_more(message: bytes) -> None:
    content = Content.of(message)
    sealed = seal(content, KEY, "48/3")
    assert len(sealed) - TAG == min(each for each in LENGTHS if each >= len(content.data))
    assert unseal(sealed, KEY, "48/3") == message


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 512])
def test_messages_that_end_like_the_filling_come_back(length: int) -> None:
    for message in (b"\0" * length, b"\x80" * length, (b"\x80" + b"\0" * length)[:length]):
        assert unseal(seal(Content(message, False), KEY, ""), KEY, "") == message


@given(messages, st.integers(0, 8 * (16 + TAG) - 1))
def test_any_altered_bit_another_key_and_another_network_are_refused(
    message: bytes, bit: int
) -> None:
    sealed = seal(Content.of(message[:16]), KEY, "48/3")
    altered = bytearray(sealed)
    altered[bit // 8] ^= 1 << bit % 8
    for data, key, context in (
        (bytes(altered), KEY, "48/3"),
        (sealed, OTHER, "48/3"),
        (sealed, KEY, "48/4"),
        (sealed[:-1], KEY, "48/3"),
    ):
        with pytest.raises(UnreadableError):
            unseal(data, key, context)


def test_one_message_in_two_networks_has_unrelated_ciphertexts() -> None:
    first, second = (seal(Content(bytes(512), False), KEY, f"128/{index}") for index in (1, 2))
    same = sum(a == b for a, b in zip(first, second, strict=True))
    assert same < 12  # two on average
