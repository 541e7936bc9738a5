from __future__ import annotations

import time
from functools import cache
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data

from stegfield import channel
from stegfield.errors import CapacityError, UnreadableError
from stegfield.fixednet.progress import EmbedProgress
from stegfield.fixednet.robust import coding, search
from stegfield.fixednet.robust import long as robust
from stegfield.fixednet.robust.blocks import (
    BlockNetwork,
    block_cosines,
    block_order,
    find_networks,
)
from stegfield.fixednet.robust.ecc import Code
from stegfield.fixednet.robust.sending import SAME_SIZE
from stegfield.keys import IMAGE_SALT, Key
from stegfield.metrics import Samples, luma, psnr_db
from stegfield.payload import TAG, Content, Header, Sealed

PHOTOGRAPHS: Any = data
KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
MESSAGE = b"meet me at noon"
SALT = bytes(range(16))
SIDE = 264  # the least with room for a sentence


def photo(side: int = SIDE) -> Samples:
    return np.array(PHOTOGRAPHS.astronaut()[:side, 100 : 100 + side])


def embedded(levels: Samples, message: bytes = MESSAGE, salt: bytes = SALT) -> Samples:
    return robust.embed(levels, Content.of(message), KEY, salt=salt)[0]


def test_cosines_do_not_depend_on_how_many_rows_are_read_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    levels = photo()[:, :200]
    at_once = block_cosines(luma(levels))
    monkeypatch.setattr(search, "BAND", 200 * 43)
    assert np.allclose(search.cosines(levels), at_once, rtol=0, atol=1e-9)
    assert search.cosines(levels[:7]).shape == (0, 8)


@cache
def sent() -> Samples:
    return embedded(photo())


CHANNELS = {
    "as it is": lambda levels: levels,
    "JPEG 60": channel.jpeg(60),
    "JPEG 70": channel.jpeg(70),
    "JPEG 80": channel.jpeg(80),
    "JPEG 95": channel.jpeg(95),
    "WebP 80": channel.webp(80),
    "noise": channel.noisy(2.0),
    "a tenth lost": channel.covered(0.95),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_a_message_survives(name: str) -> None:
    assert robust.extract(CHANNELS[name](sent()), KEY) == MESSAGE


def test_a_message_survives_two_encoders_in_turn() -> None:
    seen = channel.webp(85)(channel.jpeg(80)(sent()))
    assert robust.extract(seen, KEY) == MESSAGE


def test_the_stego_image_looks_like_the_cover() -> None:
    assert psnr_db(sent(), photo()) > 39  # a run measured 40.5 dB


@pytest.mark.parametrize("kind", ["white", "black", "grey", "uneven"])
def test_covers_of_any_kind_carry_a_message(kind: str) -> None:
    levels = {
        "white": np.full((SIDE, SIDE, 3), 255, np.uint8),
        "black": np.zeros((SIDE, SIDE, 1), np.uint8),
        "grey": photo()[..., :1],
        "uneven": photo(SIDE + 7)[: SIDE + 3],
    }[kind]
    stego = embedded(levels)
    assert stego.shape == levels.shape
    assert robust.extract(channel.jpeg(80)(stego), KEY) == MESSAGE


@pytest.mark.parametrize("seen", [channel.jpeg(5), channel.scaled(0.2), channel.covered(0.3)])
def test_what_is_destroyed_is_refused(seen: channel.Channel) -> None:
    with pytest.raises(UnreadableError):
        robust.extract(seen(sent()), KEY)


def test_a_receiver_who_has_the_cover_reads_what_others_cannot() -> None:
    cover = photo()
    stego, _ = robust.embed(cover, Content.of(MESSAGE), KEY, salt=SALT, known_cover=True)
    damage = channel.jpeg(30)
    assert psnr_db(stego, cover) > psnr_db(sent(), cover) - 0.5
    assert robust.extract(damage(stego), KEY, cover) == MESSAGE
    for seen, known in ((damage(sent()), None), (stego, None), (stego, cover[::-1])):
        with pytest.raises(UnreadableError):
            robust.extract(seen, KEY, known)


def test_wrong_keys_innocent_and_small_images_are_refused() -> None:
    with pytest.raises(UnreadableError):
        robust.extract(sent(), OTHER)
    for levels in (photo(), photo(100), np.zeros((1, 1, 3), np.uint8), sent()[8:]):
        with pytest.raises(UnreadableError):
            robust.extract(levels, KEY)


def test_the_longest_message_fits_and_one_byte_more_is_refused_with_both_numbers() -> None:
    noise = np.random.default_rng(0).bytes(1000)
    room = coding.net_bytes(coding.fullest(SIDE, SIDE))
    assert robust.extract(embedded(photo(), noise[:room]), KEY) == noise[:room]
    with pytest.raises(CapacityError, match=rf"\b{room + 1} bytes .*\b{room}\b"):
        embedded(photo(), noise[: room + 1])


def test_an_image_without_room_for_a_header_is_refused() -> None:
    assert coding.net_bytes(coding.fullest(64, 64)) == 0
    with pytest.raises(CapacityError):
        embedded(photo(64), b"")


def test_the_same_salt_gives_the_same_image_and_another_does_not() -> None:
    assert np.array_equal(embedded(photo()), sent())
    assert not np.array_equal(embedded(photo(), salt=SALT[::-1]), sent())


def found_in(levels: Samples) -> int:
    """Find the index of an image's network."""
    order, cosines = block_order(KEY, SIDE, SIDE), block_cosines(luma(levels))
    bits, copies = coding.HEADER_BITS, coding.HEADER_COPIES
    return find_networks(KEY, order, cosines, bits=bits, copies=copies, count=1)[0].index


def test_two_images_by_one_key_have_different_networks() -> None:
    found = []
    for salt in (SALT, SALT[::-1], bytes(16)):
        seen = channel.jpeg(70)(embedded(photo(), salt=salt))
        found.append(found_in(seen))
        assert robust.extract(seen, KEY) == MESSAGE
    assert len(set(found)) == 3


def test_images_without_a_salt_have_different_networks() -> None:
    found = {found_in(robust.embed(photo(), Content.of(MESSAGE), KEY)[0]) for _ in range(3)}
    assert len(found) > 1  # all three the same: once in a million


def test_the_search_is_quick() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (512, 768, 3), dtype=np.uint8)
    began = time.process_time()
    with pytest.raises(UnreadableError):
        robust.extract(levels, KEY)
    assert time.process_time() - began < 5  # a run took 0.4 s, without the tests' type checks


# copies and parity


def crafted(copies: int, parity: int, rest: bytes = bytes(7)) -> Samples:
    """Let a sender with the key, but not this program, choose the header."""
    content = Content(MESSAGE, deflated=False)
    header = Header(False, content.length, bytes([copies, parity]) + rest, SALT)
    body = coding.BodyCode(Code(content.length, min(parity, 254)), max(copies, 1))
    sealed = Sealed(
        salt=SALT,
        header=coding.HEADER_CODE.encode(header.seal(KEY, IMAGE_SALT)),
        body=body.code.encode(content.seal(KEY, header)),
    )
    network = BlockNetwork(KEY, 0, block_order(KEY, SIDE, SIDE), body.bits)
    return search.solve(photo(), network, body, sealed, least_db=0.0, watch=lambda _: None)


def test_what_a_sender_would_write_is_read() -> None:
    for copies, parity in ((1, 126), (2, 48)):
        assert robust.extract(crafted(copies, parity), KEY) == MESSAGE


@pytest.mark.parametrize(
    ("copies", "parity", "rest"),
    [
        (0, 126, bytes(7)),
        (1, 125, bytes(7)),
        (1, 225, bytes(7)),
        (2, 47, bytes(7)),
        (5, 48, bytes(7)),
        (1, 126, b"\1" * 7),
    ],
)
def test_a_header_that_no_sender_would_write_is_unreadable(
    copies: int, parity: int, rest: bytes
) -> None:
    with pytest.raises(UnreadableError):
        robust.extract(crafted(copies, parity, rest), KEY)


def test_a_body_beyond_the_fullest_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    room = coding.fullest(SIDE, SIDE)
    message = np.random.default_rng(0).bytes(coding.net_bytes(room))
    stego = embedded(photo(), message)
    assert robust.extract(stego, KEY) == message
    monkeypatch.setattr(robust, "fullest", lambda *_: room - 320)
    with pytest.raises(UnreadableError):
        robust.extract(stego, KEY)


@given(st.integers(TAG, 1500), st.integers(0, 30_000))
def test_copies_and_parity_fill_the_room(length: int, bits: int) -> None:
    body = coding.strongest(length, bits)
    if body is None:
        assert coding.BodyCode(Code(length, coding.LEAST_PARITY[0]), 1).bits > bits
        return
    assert body.bits <= bits
    parity = body.code.parity
    assert coding.LEAST_PARITY[body.copies - 1] <= parity <= coding.MOST_PARITY
    if parity < coding.MOST_PARITY:
        assert coding.BodyCode(Code(length, parity + 1), body.copies).bits > bits
    if body.copies < len(coding.LEAST_PARITY):
        least = Code(length, coding.LEAST_PARITY[body.copies])
        assert coding.BodyCode(least, body.copies + 1).bits > bits
    header = Header(False, length, body.settings, SALT)
    assert coding.BodyCode.from_header(header) == body


def test_a_short_message_survives_more() -> None:
    noise = np.random.default_rng(0).bytes(250)
    levels, destroyed = photo(392), channel.jpeg(40)
    assert robust.extract(destroyed(embedded(levels, noise[:10])), KEY) == noise[:10]
    with pytest.raises(UnreadableError):
        robust.extract(destroyed(embedded(levels, noise)), KEY)


def test_where_copies_would_cost_too_much_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    content = Content(bytes(range(100)), deflated=False)
    taken = []
    for copies_db in (0.0, 99.0):
        monkeypatch.setattr(robust, "COPIES_DB", copies_db)
        taken.append(robust.embed(photo(392), content, KEY)[1])
    least = coding.BodyCode(Code(content.length, coding.LEAST_PARITY[0]), 1)
    assert least.bits == taken[1] < taken[0]


def test_the_round_after_which_most_encoders_leave_the_message_is_the_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(robust, "LOADS", ())
    with monkeypatch.context() as patch:
        patch.setattr(search, "ROUNDS", 1)
        first = embedded(photo())
    outcomes = count()
    monkeypatch.setattr(search, "corrected", lambda *_: next(outcomes) <= len(SAME_SIZE))
    assert np.array_equal(embedded(photo()), first)  # though later ones have fewer wrong bits
    monkeypatch.setattr(search, "corrected", lambda *_: True)
    assert not np.array_equal(embedded(photo()), first)


def test_a_dear_cover_is_not_changed_beyond_what_all_encoders_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(robust, "LOADS", ())
    monkeypatch.setattr(search, "corrected", lambda *_: True)
    rounds = []
    for spare_db in (99.0, 0.0):
        monkeypatch.setattr(search, "SPARE_DB", spare_db)
        seen: list[EmbedProgress] = []
        robust.embed(photo(), Content.of(MESSAGE), KEY, salt=SALT, watch=seen.append)
        rounds.append(len(seen))
    assert rounds[0] == 1 < rounds[1]


def test_a_watch_sees_the_work_go_on() -> None:
    seen: list[EmbedProgress] = []
    robust.embed(photo(), Content.of(MESSAGE), KEY, watch=seen.append)
    fractions = [step.fraction for step in seen]
    assert fractions == sorted(set(fractions))
    assert 0 < fractions[0] < fractions[-1] <= 1
    assert all(step.psnr_db > 30 for step in seen)
