from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from stegfield import channel, signals
from stegfield.channel import Channel
from stegfield.config import EmbedConfig
from stegfield.errors import CapacityError, UnreadableError
from stegfield.fixednet.progress import EmbedProgress
from stegfield.fixednet.robust import lattice, pilot, profile, sealing, sending, short
from stegfield.fixednet.robust.canonical import Frame, Grid, plane_of
from stegfield.keys import Key
from stegfield.metrics import Samples, psnr_db
from stegfield.payload import Content

PHOTOGRAPHS: Any = data
KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
MESSAGE = b"meet me at noon"
FORM = short.Format(16, 32, 48.0)


def photo(side: int = 256) -> Samples:
    return np.array(PHOTOGRAPHS.astronaut()[:side, 100 : 100 + side])


@cache
def sent() -> Samples:
    hard = [channel.jpeg(50), channel.webp(75)]
    return short.embed(photo(), Content.of(MESSAGE), KEY, FORM, channels=hard, index=5)[0]


CHANNELS = {
    "as it is": lambda levels: levels,
    "JPEG 50": channel.jpeg(50),
    "WebP 75": channel.webp(75),
    "noise": channel.noisy(5.0),
    "half the size, JPEG 80": channel.chain(channel.resized(0.5), channel.jpeg(80)),
    "larger": channel.resized(1.37),
    "more contrast": channel.toned(contrast=1.04),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_a_message_survives(name: str) -> None:
    assert short.extract(CHANNELS[name](sent()), KEY) == MESSAGE


def test_the_stego_image_looks_like_the_cover() -> None:
    assert psnr_db(sent(), photo()) > 45


@pytest.mark.parametrize("kind", ["white", "black", "grey", "wide", "tall", "small"])
def test_covers_of_any_kind_carry_a_message(kind: str) -> None:
    levels = {
        "white": np.full((256, 256, 3), 255, np.uint8),
        "black": np.zeros((256, 256, 1), np.uint8),
        "grey": photo()[..., :1],
        "wide": photo()[:171],
        "tall": photo()[:, :171],
        "small": photo(128),
    }[kind]
    stego, _ = short.embed(levels, Content.of(MESSAGE), KEY, short.Format(16, 32, 56.0))
    assert stego.shape == levels.shape
    assert short.extract(channel.jpeg(90)(stego), KEY) == MESSAGE


def test_wrong_keys_innocent_and_tiny_images_are_refused() -> None:
    refused: list[tuple[Samples, Key]] = [
        (sent(), OTHER),
        (photo(), KEY),
        (photo(100), KEY),
        (np.zeros((1, 1, 3), np.uint8), KEY),
        (np.zeros((3, 900, 1), np.uint8), KEY),
        (np.full((256, 256, 1), 7, np.uint8), KEY),
    ]
    for levels, key in refused:
        with pytest.raises(UnreadableError):
            short.extract(levels, key)


def test_each_image_takes_a_network_at_random() -> None:
    embed = partial(short.embed, photo(), Content.of(MESSAGE), KEY, FORM)
    assert not np.array_equal(embed(index=1)[0], embed(index=2)[0])
    assert np.array_equal(embed(index=5)[0], embed(index=5)[0])
    plane = plane_of(np.array(PHOTOGRAPHS.astronaut()))
    drawn = {
        pilot.choose(KEY, plane, Key(bytes([at] * 32)).stream("x", salt=bytes(16)))
        for at in range(20)
    }
    assert 1 < len(drawn) <= pilot.CHOICE


def test_phases_without_the_key_are_uniform_for_known_and_other_blocks() -> None:
    plane = plane_of(sent())
    grid = Grid.of(plane, 32)
    network = lattice.Lattice(OTHER, 5, grid)
    phases = network.phases(network.sums(grid.cosines(plane)), FORM.step) % 1
    known = lattice.known_blocks(grid)
    for some in (phases[known], phases[~known]):
        counts, _ = np.histogram(some, bins=8, range=(0, 1))
        assert np.square(counts - counts.mean()).sum() / counts.mean() < 30  # chi-square, 7 of it


@given(st.integers(100, 3000), st.integers(100, 3000), st.integers(0, 600))
def test_what_fits_is_what_the_longest_message_tells(rows: int, columns: int, length: int) -> None:
    form = short.format_for(rows, columns, length)
    assert (form is None) == (
        length > short.longest(rows, columns) or short.longest(rows, columns) == 0
    )
    if form is not None:
        assert form.length >= length
        assert form.blocks in short.GRIDS[form.length]
        assert max(rows, columns) >= short.NARROWEST * form.blocks


def test_the_network_of_another_index_is_unrelated() -> None:
    grid = Grid(64, 64, 32, Frame.whole(64, 64))
    signs, dither = lattice.drawn_for(KEY, grid)
    assert len(signs) == len(dither) == lattice.INDICES
    assert abs(float((signs[0] * signs[1]).sum())) < 60
    assert (np.abs(dither[0] - dither[1]) < 0.01).mean() < 0.04


# the profile: which format, and what is told


def test_long_messages_take_the_other_format_and_both_are_read() -> None:
    levels = np.array(PHOTOGRAPHS.astronaut())
    message = np.random.default_rng(0).bytes(short.longest(*levels.shape[:2]) + 1)
    stego, bits = profile.embed(levels, Content.of(message), KEY)
    assert bits > 8 * (len(message) + sealing.TAG)
    assert profile.extract(stego, KEY) == message
    assert profile.extract(sent(), KEY) == MESSAGE


def test_a_message_that_fits_neither_format_is_refused_with_both_numbers() -> None:
    noise = np.random.default_rng(0).bytes(25)
    with pytest.raises(CapacityError, match=r"\b25 bytes .*\b24\b"):
        profile.embed(photo(128), Content.of(noise), KEY)
    with pytest.raises(CapacityError, match="bits"):
        profile.embed(photo(64), Content.of(b""), KEY)


def test_a_message_is_embedded_more_strongly_until_it_survives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[EmbedProgress] = []

    def hard(quality: int) -> Callable[[Samples, int], list[Channel]]:
        return lambda levels, blocks: [channel.jpeg(quality)]

    monkeypatch.setattr(sending, "hoped_for", hard(95))
    gentle, bits = profile.embed(photo(), Content.of(MESSAGE), KEY, watch=told.append)
    assert (bits, len(told)) == (8 * (16 + sealing.TAG), 1)
    monkeypatch.setattr(sending, "hoped_for", hard(2))
    monkeypatch.setattr(sending, "promised_for", hard(2))
    strong, _ = profile.embed(photo(), Content.of(MESSAGE), KEY, watch=told.append)
    assert psnr_db(strong, photo()) < psnr_db(gentle, photo()) - 2
    assert [each.fraction for each in told[1:]] == sorted({each.fraction for each in told[1:]})


def test_places_are_changed_more_where_an_encoder_would_lose_them_and_only_then() -> None:
    embed = partial(short.embed, photo(), Content.of(MESSAGE), KEY, FORM, index=5)
    harsh = channel.webp(40)
    plain, steered = (embed(channels=each)[0] for each in ([lambda levels: levels], [harsh]))
    assert psnr_db(steered, photo()) < psnr_db(plain, photo()) - 0.5
    assert short.extract(harsh(steered), KEY) == MESSAGE
    with pytest.raises(UnreadableError):
        short.extract(harsh(plain), KEY)
    assert np.array_equal(embed()[0], plain)


@pytest.mark.parametrize("lost", [-0.7, 0.4])
def test_a_shorter_side_that_was_rounded_is_found(lost: float) -> None:
    wide = np.array(PHOTOGRAPHS.astronaut())[:340]
    form = short.Format(64, 48, 40.0)
    levels, _ = short.embed(wide, Content.of(bytes(range(60))), KEY, form)
    rows = 133
    squeezed = Image.fromarray(levels).resize((200, rows), Image.Resampling.LANCZOS)
    turned = Frame.whole(rows, 200, lost=lost), Frame.whole(200, rows, lost=lost)
    assert turned[0].tall == pytest.approx(rows / (rows + lost))
    assert turned[1].tall == pytest.approx((rows + lost) / rows)
    assert short.extract(np.array(squeezed), KEY) == bytes(range(60))  # 132.8 rows


def test_what_the_file_makes_of_samples_comes_before_all_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    def named(name: str) -> Channel:
        def tried(levels: Samples) -> Samples:
            seen.append(name)
            return levels

        return tried

    for kind in ("hoped_for", "promised_for"):
        monkeypatch.setattr(sending, kind, lambda *_: [named("sent")])
    profile.embed(photo(), Content.of(MESSAGE), KEY, written=named("written"))
    assert seen[:2] == ["written", "sent"]
    lossy, _ = profile.PROFILE.for_file(signals.from_samples(photo()), ".jpg", EmbedConfig())
    assert isinstance(lossy, profile.Robust)
    assert lossy.written is not None
    assert 35 < psnr_db(lossy.written(photo()), photo()) < 60
    assert lossy.written(photo()[..., :1]).shape == (256, 256, 1)
    same, _ = profile.PROFILE.for_file(signals.from_samples(photo()), ".png", EmbedConfig())
    assert same is profile.PROFILE


def test_what_survived_is_what_comes_back() -> None:
    found = profile.survived(sent(), KEY, MESSAGE)
    assert found == dict.fromkeys(sending.channels_for(sent()), True)
    assert not any(profile.survived(sent(), KEY, b"another message").values())


def test_large_images_are_tried_reduced() -> None:
    assert all("pixels" in name for name in sending.channels_for(np.zeros((9, 4000, 1), np.uint8)))
    assert "JPEG 70" in sending.channels_for(photo())
