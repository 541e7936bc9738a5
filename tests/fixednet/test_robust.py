from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from skimage import data

from stegfield import channel
from stegfield.errors import CapacityError, UnreadableError
from stegfield.fixednet import robust
from stegfield.fixednet.progress import Progress
from stegfield.keys import Key
from stegfield.metrics import Samples, psnr_db
from stegfield.payload import Content

PHOTOGRAPHS: Any = data
KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
MESSAGE = b"meet me at noon"
SALT = bytes(range(16))
SIDE = 216  # the least with room for a sentence


def photo(side: int = SIDE) -> Samples:
    return np.array(PHOTOGRAPHS.astronaut()[:side, 100 : 100 + side])


def embedded(levels: Samples, message: bytes = MESSAGE) -> robust.Robust:
    return robust.embed(levels, Content.of(message), KEY, salt=SALT)


@cache
def sent() -> robust.Robust:
    return embedded(photo())


CHANNELS = {
    "as it is": lambda levels: levels,
    "JPEG 60": channel.jpeg(60),
    "JPEG 70": channel.jpeg(70),
    "JPEG 80": channel.jpeg(80),
    "JPEG 95": channel.jpeg(95),
    "WebP 80": channel.webp(80),
    "noise": channel.noisy(2.0),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_a_message_survives(name: str) -> None:
    assert robust.extract(CHANNELS[name](sent().levels), KEY) == MESSAGE


def test_a_message_survives_two_encoders_in_turn() -> None:
    seen = channel.webp(85)(channel.jpeg(80)(sent().levels))
    assert robust.extract(seen, KEY) == MESSAGE


def test_the_stego_image_looks_like_the_cover_and_its_figures_are_true() -> None:
    assert psnr_db(sent().levels, photo()) > 37  # a run measured 40.5 dB
    assert sent().survived == dict.fromkeys(robust.CHANNELS, True)
    assert robust.HEADER_BITS < sent().bits <= robust.fullest(SIDE, SIDE)


@pytest.mark.parametrize("kind", ["white", "black", "grey", "uneven"])
def test_covers_of_any_kind_carry_a_message(kind: str) -> None:
    levels = {
        "white": np.full((SIDE, SIDE, 3), 255, np.uint8),
        "black": np.zeros((SIDE, SIDE, 1), np.uint8),
        "grey": photo()[..., :1],
        "uneven": photo(SIDE + 7)[: SIDE + 3],
    }[kind]
    stego = embedded(levels).levels
    assert stego.shape == levels.shape
    assert robust.extract(channel.jpeg(80)(stego), KEY) == MESSAGE


def test_what_is_too_much_for_it_is_refused_and_told() -> None:
    noise = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (SIDE, SIDE, 3))
    stego = embedded(noise)  # every change is cut off at an end of the range
    assert not all(stego.survived.values())
    for name, survived in stego.survived.items():
        seen = robust.CHANNELS[name](stego.levels)
        if survived:
            assert robust.extract(seen, KEY) == MESSAGE
        else:
            with pytest.raises(UnreadableError):
                robust.extract(seen, KEY)


@pytest.mark.parametrize("seen", [channel.jpeg(5), channel.scaled(0.2), channel.covered(0.3)])
def test_what_is_destroyed_is_refused(seen: channel.Channel) -> None:
    with pytest.raises(UnreadableError):
        robust.extract(seen(sent().levels), KEY)


def test_wrong_keys_innocent_and_small_images_are_refused() -> None:
    with pytest.raises(UnreadableError):
        robust.extract(sent().levels, OTHER)
    for levels in (photo(), photo(100), np.zeros((1, 1, 3), np.uint8), sent().levels[8:]):
        with pytest.raises(UnreadableError):
            robust.extract(levels, KEY)


def test_the_longest_message_fits_and_one_byte_more_is_refused_with_both_numbers() -> None:
    noise = np.random.default_rng(0).bytes(1000)
    room = robust.net_bytes(robust.fullest(SIDE, SIDE))
    assert robust.extract(embedded(photo(), noise[:room]).levels, KEY) == noise[:room]
    with pytest.raises(CapacityError, match=rf"\b{room + 1} bytes .*\b{room}\b"):
        embedded(photo(), noise[: room + 1])


def test_an_image_without_room_for_a_header_is_refused() -> None:
    assert robust.net_bytes(robust.fullest(64, 64)) == 0
    with pytest.raises(CapacityError):
        embedded(photo(64), b"")


def test_the_same_salt_gives_the_same_image_and_another_does_not() -> None:
    assert np.array_equal(embedded(photo()).levels, sent().levels)
    other = robust.embed(photo(), Content.of(MESSAGE), KEY, salt=SALT[::-1])
    assert not np.array_equal(other.levels, sent().levels)


def test_a_watch_sees_every_round() -> None:
    seen: list[Progress] = []
    robust.embed(photo(), Content.of(MESSAGE), KEY, watch=seen.append)
    assert [step.fraction for step in seen] == [
        (done + 1) / robust.ROUNDS for done in range(robust.ROUNDS)
    ]
    assert all(step.psnr_db > 30 for step in seen)
