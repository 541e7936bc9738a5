from __future__ import annotations

import numpy as np
import pytest
import reedsolo
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield.errors import ConfigError, UnreadableError
from stegfield.fixednet.robust.ecc import LONGEST, Code

parities = st.sampled_from([0, 1, 2, 3, 8, 32, 64, 126, 254])
seeds = st.integers(0, 99)
codes = st.builds(Code, st.integers(0, 700), parities)


def bytes_like(seed: int, count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, count, dtype=np.uint8)


def word_of(code: Code) -> NDArray[np.int64]:
    """Tell which codeword each coded byte belongs to, as the module's drawing has it."""
    at = np.arange(code.coded_length)
    return np.where(at < code.length, at, at - code.length) % code.words


def damaged(code: Code, coded: bytes, wrong: int, seed: int) -> tuple[bytes, NDArray[np.bool_]]:
    """Alter so many bytes of every codeword, or all of a shorter one; tell which."""
    rng = np.random.default_rng(seed)
    words, altered = word_of(code), np.zeros(code.coded_length, dtype=bool)
    for word in range(code.words):
        at = np.flatnonzero(words == word)
        altered[rng.choice(at, min(wrong, len(at)), replace=False)] = True
    noise = np.where(altered, rng.integers(1, 256, code.coded_length), 0).astype(np.uint8)
    return (np.frombuffer(coded, np.uint8) ^ noise).tobytes(), altered


def decoded(code: Code, coded: bytes) -> bytes | None:
    try:
        return code.decode(coded)
    except UnreadableError:
        return None


# lengths


@given(st.integers(1, 247), st.sampled_from([2, 8]), seeds)
@example(247, 8, 0)
def test_a_single_codeword_is_reedsolos(length: int, parity: int, seed: int) -> None:
    data = bytes_like(seed, length).tobytes()
    expected = reedsolo.RSCodec(parity).encode(data)
    assert Code(length, parity).encode(data) == bytes(expected)


@given(codes, seeds)
@example(Code(0, 8), 0)
@example(Code(1, 8), 0)
@example(Code(247, 8), 0)
@example(Code(248, 8), 0)
@example(Code(494, 8), 0)
@example(Code(300, 0), 0)
def test_decode_undoes_encode(code: Code, seed: int) -> None:
    data = bytes_like(seed, code.length).tobytes()
    coded = code.encode(data)
    assert len(coded) == code.coded_length
    assert coded[: code.length] == data  # the parity comes behind
    assert code.decode(coded) == data
    assert code.decode(coded, np.ones(len(coded))) == data


@given(codes)
def test_no_codeword_is_longer_than_a_codeword_can_be(code: Code) -> None:
    counts = np.bincount(word_of(code), minlength=code.words)
    assert counts.max() <= LONGEST
    assert code.words == 1 or code.length > (code.words - 1) * (LONGEST - code.parity)


@given(st.integers(0, 3000), parities)
def test_the_longest_data_of_a_room_fits_and_no_more(room: int, parity: int) -> None:
    length = Code.longest(room, parity)
    assert length == 0 or Code(length, parity).coded_length <= room
    assert Code(length + 1, parity).coded_length > room


@pytest.mark.parametrize(("length", "parity"), [(10, 255), (10, -1), (-1, 8)])
def test_impossible_codes_are_refused(length: int, parity: int) -> None:
    with pytest.raises(ConfigError, match="no code"):
        Code(length, parity)


# damage


@given(st.builds(Code, st.integers(0, 700), st.sampled_from([0, 1, 2, 3, 8, 32])), seeds)
@example(Code(494, 8), 0)
@example(Code(129, 126), 0)
def test_half_the_parity_may_be_wrong_in_every_codeword(code: Code, seed: int) -> None:
    data = bytes_like(seed, code.length).tobytes()
    received, altered = damaged(code, code.encode(data), code.parity // 2, seed)
    assert code.corrects(altered)
    assert code.decode(received) == data


@given(st.builds(Code, st.integers(0, 700), st.sampled_from([2, 3, 8, 32])), seeds)
def test_one_wrong_byte_more_never_gives_the_data(code: Code, seed: int) -> None:
    # decoding may land on another codeword then, which the seals refuse: it cannot land on this one
    data = bytes_like(seed, max(code.length, 40)).tobytes()
    code = Code(len(data), code.parity)
    received, altered = damaged(code, code.encode(data), code.parity // 2 + 1, seed)
    assert not code.corrects(altered)
    altered_data = any(
        altered[: code.length][word_of(code)[: code.length] == word].any()
        for word in range(code.words)
    )
    assert not altered_data or decoded(code, received) != data


@given(st.builds(Code, st.integers(1, 200), st.sampled_from([32, 64])), seeds, st.data())
@settings(max_examples=15)
def test_wrong_and_doubted_bytes_are_corrected_while_2e_and_f_fit_the_parity(
    code: Code, seed: int, draw: st.DataObject
) -> None:
    # bytes are erased in steps, and the third one erases half of the parity; with less parity than
    # the profiles have that use reliabilities, a step before it may find a wrong codeword
    erased = code.parity // 2
    wrong = draw.draw(st.integers(0, (code.parity - erased) // 2))
    data = bytes_like(seed, code.length).tobytes()
    rng = np.random.default_rng(seed)
    words = word_of(code)
    received = np.frombuffer(code.encode(data), np.uint8).copy()
    reliability = np.ones(code.coded_length)
    for word in range(code.words):
        at = rng.permutation(np.flatnonzero(words == word))
        doubted, trusted = at[:erased], at[erased : erased + wrong]
        reliability[doubted] = rng.uniform(0, 0.1, len(doubted))
        for place in (doubted, trusted):
            received[place] ^= rng.integers(1, 256, len(place), dtype=np.uint8)
    assert code.decode(received.tobytes(), reliability) == data


def test_reliabilities_correct_what_is_lost_without_them() -> None:
    code = Code(129, 126)
    data = bytes_like(0, 129).tobytes()
    received, altered = damaged(code, code.encode(data), 94, 0)
    assert code.decode(received, np.where(altered, 0.1, 1.0)) == data
    assert decoded(code, received) != data


def test_wrong_reliabilities_do_no_harm_within_half_the_parity() -> None:
    code = Code(400, 32)
    data = bytes_like(0, 400).tobytes()
    received, altered = damaged(code, code.encode(data), 16, 0)
    assert code.decode(received, np.where(altered, 1.0, 0.1)) == data


@given(st.integers(1, 2000), st.sampled_from([2, 8, 32]), st.data())
def test_a_burst_of_half_the_parity_of_all_codewords_is_corrected(
    length: int, parity: int, draw: st.DataObject
) -> None:
    code = Code(length, parity)
    data = bytes_like(length, length).tobytes()
    received = bytearray(code.encode(data))
    # the burst lies in the data or in the parity: their rows may meet in the middle of one
    burst = code.words * (parity // 2)
    first, last = draw.draw(
        st.sampled_from([(0, length), (length, code.coded_length)]), label="part"
    )
    at = draw.draw(st.integers(first, max(first, last - burst)))
    for place in range(at, min(at + burst, last)):
        received[place] ^= 0x5A
    assert code.decode(bytes(received)) == data


@given(codes, seeds)
@settings(max_examples=20)
def test_noise_gives_the_one_error_or_other_data(code: Code, seed: int) -> None:
    noise = bytes_like(seed, code.coded_length)
    found = decoded(code, noise.tobytes())
    assert found is None or len(found) == code.length
