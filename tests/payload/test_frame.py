from __future__ import annotations

import dataclasses
import zlib

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305
from hypothesis import example, given
from hypothesis import strategies as st

from stegfield.errors import ConfigError, InputError, UnreadableError
from stegfield.keys import Key
from stegfield.payload import (
    HEADER_BYTES,
    LARGEST_MESSAGE,
    SETTINGS,
    TAG,
    Content,
    Header,
    bits_of,
    bytes_of,
    fill,
    longest_message,
    open_body,
)
from stegfield.payload import frame as frames

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
SALT = bytes(range(16))
MESSAGE = b"The moon rises at nine. Bring the second letter, and nobody else."

salts = st.binary(min_size=16, max_size=16)
headers = st.builds(
    Header,
    deflated=st.booleans(),
    length=st.integers(TAG, LARGEST_MESSAGE + TAG),
    settings=st.binary(min_size=SETTINGS, max_size=SETTINGS),
    salt=salts,
)


def sealed(message: bytes, salt: bytes = SALT) -> tuple[Header, bytes]:
    content = Content.of(message)
    header = Header(content.deflated, content.length, bytes(SETTINGS), salt)
    return header, content.seal(KEY, header)


# headers


@given(headers, salts)
def test_opening_a_header_undoes_sealing_it(header: Header, salt: bytes) -> None:
    data = header.seal(KEY, salt)
    assert len(data) == HEADER_BYTES
    assert Header.open(data, KEY, salt) == header


@given(headers, salts, salts)
def test_another_key_or_salt_opens_no_header(header: Header, salt: bytes, other: bytes) -> None:
    data = header.seal(KEY, salt)
    with pytest.raises(UnreadableError):
        Header.open(data, OTHER, salt)
    if other != salt:
        with pytest.raises(UnreadableError):
            Header.open(data, KEY, other)


def test_every_flipped_bit_of_a_header_is_noticed() -> None:
    header, _ = sealed(MESSAGE)
    data = header.seal(KEY, SALT)
    for bit in range(8 * len(data)):
        altered = bytearray(data)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(UnreadableError):
            Header.open(bytes(altered), KEY, SALT)


@pytest.mark.parametrize("length", [0, TAG - 1, LARGEST_MESSAGE + TAG + 1, 2**32 - 1])
def test_an_impossible_length_is_refused_even_from_who_has_the_key(length: int) -> None:
    header = Header(False, length, bytes(SETTINGS), SALT)
    with pytest.raises(UnreadableError):
        Header.open(header.seal(KEY, SALT), KEY, SALT)


def test_another_version_is_refused() -> None:
    facts = bytearray(Header(False, TAG, bytes(SETTINGS), SALT).to_bytes())
    facts[0] += 1
    data = AESSIV(KEY.derive("header", salt=SALT)).encrypt(bytes(facts), None)
    with pytest.raises(UnreadableError):
        Header.open(data, KEY, SALT)


def test_two_sealed_headers_have_no_bytes_in_common() -> None:
    # of 47 bytes of unrelated noise, 0.2 agree on average; 6 do once in 10^9 pairs
    first, second = (Header(False, TAG, bytes(SETTINGS), salt) for salt in (SALT, SALT[::-1]))
    alike = np.frombuffer(first.seal(KEY, SALT), np.uint8) == np.frombuffer(
        second.seal(KEY, SALT), np.uint8
    )
    assert alike.sum() < 6


def test_the_first_header_that_opens_is_taken_and_told() -> None:
    sealed_ones = [
        Header(False, TAG, bytes(SETTINGS), SALT).seal(key, SALT) for key in (OTHER, KEY)
    ]
    noise = [b"", bytes(HEADER_BYTES), bytes(HEADER_BYTES - 1)]
    index, header = Header.first([*noise, *sealed_ones, *noise], KEY, SALT)
    assert (index, header.salt) == (4, SALT)
    with pytest.raises(UnreadableError):
        Header.first(noise, KEY, SALT)


# messages


@given(st.binary(max_size=400))
@example(b"")
@example(bytes(400))
@example(bytes(range(256)))
def test_opening_a_body_undoes_sealing_it(message: bytes) -> None:
    header, body = sealed(message)
    assert len(body) == header.length == Content.of(message).length
    assert open_body(body, KEY, header) == message


@given(st.binary(max_size=100), st.integers(0, 9))
def test_a_message_is_deflated_only_where_that_is_shorter(start: bytes, repeats: int) -> None:
    message = start * repeats
    content = Content.of(message)
    assert content.deflated == (len(zlib.compress(message, 9)) < len(message))
    assert len(content.data) <= len(message)
    assert content.message() == message


def test_a_long_text_is_deflated_and_noise_is_not() -> None:
    noise = np.random.default_rng(0).bytes(500)
    assert Content.of(MESSAGE * 20).deflated
    assert Content.of(noise) == Content(noise, deflated=False)


def test_every_flipped_bit_of_a_body_is_noticed() -> None:
    header, body = sealed(MESSAGE)
    for bit in range(8 * len(body)):
        altered = bytearray(body)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(UnreadableError):
            open_body(bytes(altered), KEY, header)


@given(st.integers(0, len(MESSAGE) + TAG - 1))
def test_a_body_cut_short_is_noticed(length: int) -> None:
    header, body = sealed(MESSAGE)
    with pytest.raises(UnreadableError):
        open_body(body[:length], KEY, header)


def test_a_body_opens_with_its_own_header_and_key_only() -> None:
    header, body = sealed(MESSAGE)
    swapped, _ = sealed(MESSAGE, SALT[::-1])
    others = [
        swapped,
        dataclasses.replace(header, deflated=not header.deflated),
        dataclasses.replace(header, length=header.length + 1),
        dataclasses.replace(header, settings=b"\x01" * SETTINGS),
    ]
    for other in others:
        with pytest.raises(UnreadableError):
            open_body(body, KEY, other)
    with pytest.raises(UnreadableError):
        open_body(body, OTHER, header)
    assert open_body(body, KEY, header) == MESSAGE


def test_the_same_message_is_sealed_anew_each_time() -> None:
    content = Content.of(MESSAGE)
    made = [content.header(bytes(SETTINGS)) for _ in range(8)]
    assert len({header.salt for header in made}) == 8
    assert len({content.seal(KEY, header) for header in made}) == 8


def test_nothing_of_a_message_stands_in_what_is_sealed() -> None:
    header, body = sealed(MESSAGE)
    assert not header.deflated
    for place in range(len(MESSAGE) - 3):
        assert MESSAGE[place : place + 4] not in body
    assert header.salt not in header.seal(KEY, SALT)


# deflated bodies by who has the key, but not this program


def crafted(data: bytes) -> tuple[Header, bytes]:
    header = Header(True, len(data) + TAG, bytes(SETTINGS), SALT)
    cipher = ChaCha20Poly1305(KEY.derive("message", salt=SALT))
    return header, cipher.encrypt(bytes(12), data, header.to_bytes())


@pytest.mark.parametrize("data", [b"", b"no zlib", zlib.compress(MESSAGE)[:-5]])
def test_what_does_not_inflate_is_refused(data: bytes) -> None:
    header, body = crafted(data)
    with pytest.raises(UnreadableError):
        open_body(body, KEY, header)


def test_what_inflates_beyond_the_largest_message_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frames, "LARGEST_MESSAGE", 1000)
    header, body = crafted(zlib.compress(bytes(1000)))
    assert open_body(body, KEY, header) == bytes(1000)
    header, body = crafted(zlib.compress(bytes(1001)))
    with pytest.raises(UnreadableError):
        open_body(body, KEY, header)


# bits


@given(st.binary(max_size=20), st.integers(0, 90))
def test_data_is_filled_with_bits_that_differ_each_time(data: bytes, more: int) -> None:
    bits = 8 * len(data) + more
    filled = [fill(data, bits) for _ in range(2)]
    assert all(bytes_of(each[: 8 * len(data)]) == data for each in filled)
    assert all(len(each) == bits for each in filled)
    if more > 64:
        assert not np.array_equal(filled[0], filled[1])


@given(st.integers(0, 3000))
def test_the_longest_message_just_fits(bits: int) -> None:
    longest = longest_message(bits)
    needed = 8 * (HEADER_BYTES + longest + TAG)
    assert longest == 0 or needed <= bits < needed + 8


@given(st.binary(max_size=100))
def test_bytes_of_undoes_bits_of(data: bytes) -> None:
    bits = bits_of(data)
    assert len(bits) == 8 * len(data)
    assert bytes_of(bits) == data


@given(st.lists(st.booleans(), max_size=50))
def test_the_highest_bit_comes_first_and_zeros_fill_the_last_byte(bits: list[bool]) -> None:
    filled = "".join("01"[bit] for bit in bits) + "0" * (-len(bits) % 8)
    expected = bytes(int(filled[at : at + 8], 2) for at in range(0, len(filled), 8))
    assert bytes_of(np.array(bits, dtype=bool)) == expected


def test_a_message_that_no_receiver_would_read_is_refused() -> None:
    with pytest.raises(InputError, match="has 268,435,457 bytes, more than 268,435,456"):
        Content.of(bytes(LARGEST_MESSAGE + 1))


@pytest.mark.parametrize("length", [0, 15, 17])
def test_a_salt_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ConfigError, match=f"16 bytes, got {length}"):
        Header(False, TAG, bytes(SETTINGS), bytes(length))
