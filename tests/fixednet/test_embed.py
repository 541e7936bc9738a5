from __future__ import annotations

import dataclasses
import json
import math
from contextlib import suppress
from dataclasses import fields
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from stegfield import channel, fixednet, signals
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import (
    CapacityError,
    ConfigError,
    NotEmbeddedError,
    PluginError,
    StegfieldError,
    UnreadableError,
)
from stegfield.fixednet import PROFILES
from stegfield.fixednet.exact.profile import Exact
from stegfield.fixednet.robust import profile as robust
from stegfield.fixednet.robust import sending
from stegfield.keys import Key, Passphrase
from stegfield.metrics import Samples, luma, mean_psnr_db, quality
from stegfield.signals import Signal, waves

PHOTOGRAPHS: Any = data
KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
MESSAGE = b"Third bench from the gate; bring nobody."
NOISE = np.random.default_rng(3).bytes(40_000)
GOLDEN = Path(__file__).parent.parent / "golden" / "stego"
VECTORS: list[dict[str, Any]] = json.loads((GOLDEN / "stego.json").read_text())
SMALL = signals.waves(48, 40)
FAST = EmbedConfig(constraint_height=6)


def photo(side: int = 264, channels: int = 3) -> Signal:
    levels = PHOTOGRAPHS.astronaut()[:side, 100 : 100 + side, :channels]
    return signals.from_samples(np.array(levels))


def decoded(file: bytes, suffix: str = ".png") -> Signal:
    return signals.decode(file, Path(f"image{suffix}"))


# files


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["file"])
def test_the_committed_stego_images_are_still_read(vector: dict[str, Any]) -> None:
    stego = signals.read(GOLDEN / vector["file"])
    key = Passphrase(vector["passphrase"]) if "passphrase" in vector else None
    message = fixednet.extract(
        stego,
        key or Key(bytes.fromhex(vector["key"])),
        profile=vector.get("profile"),
        cover=signals.read(GOLDEN / vector["cover"]) if "cover" in vector else None,
    )
    assert message == bytes.fromhex(vector["message"])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", [*signals.IMAGE.lossless, ".PNG"])
def test_a_message_survives_every_kind_of_file_that_keeps_samples(
    suffix: str, channels: int
) -> None:
    cover = signals.waves(48, 40, channels=channels)
    result = fixednet.embed(cover, MESSAGE, KEY, config=FAST, suffix=suffix)
    stego = decoded(result.file, suffix)
    assert fixednet.extract(stego, KEY) == MESSAGE
    assert result.stego.size == cover.size
    assert result.stego.channels == channels  # though WebP files have three in any case
    assert np.array_equal(stego.values, np.broadcast_to(result.stego.values, stego.values.shape))


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
def test_jpeg_files_are_refused_where_they_would_lose_the_message(suffix: str) -> None:
    with pytest.raises(ConfigError, match="lost") as caught:
        fixednet.embed(SMALL, MESSAGE, KEY, suffix=suffix, config=EmbedConfig(profile="paper"))
    assert caught.value.hint is not None
    assert 'profile="robust"' in caught.value.hint
    result = fixednet.embed(
        photo(), MESSAGE, KEY, config=EmbedConfig(profile="robust"), suffix=suffix
    )
    assert result.file[:2] == b"\xff\xd8"
    assert fixednet.extract(decoded(result.file, suffix), KEY) == MESSAGE
    assert all(result.survived.values())


@pytest.mark.parametrize("suffix", ["", ".gif", "png", ".txt"])
@pytest.mark.parametrize("profile", ["exact", "robust"])
def test_other_kinds_of_file_are_refused(suffix: str, profile: str) -> None:
    with pytest.raises(ConfigError, match="an image is written as"):
        fixednet.check(signals.IMAGE, suffix, EmbedConfig(profile=profile))


@settings(max_examples=6)
@given(st.binary(max_size=100), st.binary(min_size=32, max_size=32).map(Key))
def test_extract_undoes_embed(message: bytes, key: Key) -> None:
    assert fixednet.extract(fixednet.embed(SMALL, message, key, config=FAST).stego, key) == message


def test_a_passphrase_is_a_key() -> None:
    result = fixednet.embed(SMALL, MESSAGE, Passphrase("a b c"), config=FAST)
    assert fixednet.extract(result.stego, Passphrase("a b c")) == MESSAGE
    with pytest.raises(UnreadableError):
        fixednet.extract(result.stego, Passphrase("a b d"))


def test_a_profile_that_is_named_is_the_only_one_read() -> None:
    result = fixednet.embed(SMALL, MESSAGE, KEY, config=FAST)
    assert fixednet.extract(result.stego, KEY, profile="exact") == MESSAGE
    with pytest.raises(UnreadableError):
        fixednet.extract(result.stego, KEY, profile="robust")


def test_a_profile_that_does_not_exist_is_refused_with_those_that_do() -> None:
    for action in (
        lambda name: fixednet.embed(SMALL, MESSAGE, KEY, config=EmbedConfig(profile=name)),
        lambda name: fixednet.extract(SMALL, KEY, profile=name),
    ):
        with pytest.raises(ConfigError, match="no profile 'exct'") as caught:
            action("exct")
        assert caught.value.hint == "try drawn, exact, robust, paper"
        with pytest.raises(ConfigError, match="no profile 'jpeg'") as caught:
            action("jpeg")
        assert caught.value.hint == "it is called robust now"


def test_every_profile_is_found_by_its_name_and_knows_settings_that_exist() -> None:
    known = {entry.name for kind in (EmbedConfig, DescentConfig) for entry in fields(kind)}
    assert list(PROFILES) == ["drawn", "exact", "robust", "paper"]
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert profile.heeds <= known - {"profile"}
        assert profile.takes(signals.IMAGE)


class Quiet(Exact):
    """A profile that another package might bring."""

    name = "quiet"
    tried = False


QUIET = Quiet()


def test_other_packages_bring_profiles_and_a_broken_one_harms_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    brought = {
        "broken": EntryPoint("broken", "no_such_package:thing", "stegfield.profiles"),
        "quiet": EntryPoint("quiet", f"{__name__}:QUIET", "stegfield.profiles"),
    }
    monkeypatch.setattr(PROFILES, "plugins", brought)
    config = EmbedConfig(profile="quiet", constraint_height=6)
    result = fixednet.embed(SMALL, MESSAGE, KEY, config=config)
    assert result.profile == "quiet"
    assert fixednet.extract(result.stego, KEY, profile="quiet") == MESSAGE
    assert list(fixednet.capacity(SMALL).profiles) == ["drawn", "exact", "robust", "paper", "quiet"]
    with pytest.raises(PluginError, match="broken"):
        fixednet.extract(SMALL, KEY, profile="broken")


@pytest.mark.parametrize(
    ("config", "descent", "profiles"),
    [
        (EmbedConfig(profile="robust", flat=True), DescentConfig(), '"exact"'),
        (EmbedConfig(profile="robust", bpp=1.0), DescentConfig(), '"exact" and profile="paper"'),
        (EmbedConfig(known_cover=True), DescentConfig(), '"robust"'),
        (EmbedConfig(), DescentConfig(restarts=3), '"paper"'),
    ],
)
def test_a_setting_that_the_profile_does_not_heed_is_refused(
    config: EmbedConfig, descent: DescentConfig, profiles: str
) -> None:
    with pytest.raises(ConfigError, match="no meaning") as caught:
        fixednet.embed(photo(), MESSAGE, KEY, config=config, descent=descent)
    assert caught.value.hint == f"it goes with profile={profiles}"


def test_receivers_try_what_suits_medium_and_cover() -> None:
    def names(medium: str, **given: Any) -> list[str]:
        return [each.name for each in fixednet.readers(signals.MEDIA[medium], **given)]

    assert names("image") == ["drawn", "exact", "robust"]
    assert names("sound") == names("climate") == ["drawn", "exact"]
    assert names("image", known_cover=True) == ["robust"]
    assert names("image", profile="paper", weights=Path("w")) == ["paper"]
    refused: list[tuple[str, dict[str, Any]]] = [
        ("video", {}),
        ("sound", {"profile": "robust"}),
        ("sound", {"known_cover": True}),
        ("image", {"profile": "exact", "known_cover": True}),
        ("image", {"weights": Path("w")}),
    ]
    for medium, options in refused:
        with pytest.raises(ConfigError):
            names(medium, **options)


def test_a_receivers_cover_must_be_of_the_same_size() -> None:
    with pytest.raises(ConfigError, match="of one medium and size"):
        fixednet.extract(SMALL, KEY, cover=photo())


def test_a_file_that_does_not_give_the_message_back_is_no_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encode = signals.encode

    def lossy(signal: Signal, suffix: str) -> bytes:
        levels = signals.to_samples(signal)
        return encode(signals.from_samples(levels // 2 * 2), suffix)

    monkeypatch.setattr(signals, "encode", lossy)
    with pytest.raises(NotEmbeddedError):
        fixednet.embed(SMALL, MESSAGE, KEY, config=FAST)


def test_what_survived_is_measured_on_the_file_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def survived(
        levels: Samples, key: Key, message: bytes, cover: Samples | None, service: None
    ) -> dict[str, bool]:
        assert cover is None
        seen.append((levels, key, message))
        return {"one": False, "other": True}

    monkeypatch.setattr(robust, "survived", survived)
    config = EmbedConfig(profile="robust")
    result = fixednet.embed(photo(), MESSAGE, KEY, config=config, suffix=".jpg")
    [(levels, key, message)] = seen
    assert np.array_equal(levels, signals.to_samples(decoded(result.file, ".jpg")))
    assert (key, message) == (KEY, MESSAGE)
    assert result.survived == {"one": False, "other": True}


def test_a_message_that_no_encoder_leaves_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    hopeless = {"JPEG 3": channel.jpeg(3)}
    monkeypatch.setattr(sending, "channels_for", lambda _: hopeless)
    with pytest.raises(NotEmbeddedError) as caught:
        fixednet.embed(photo(), MESSAGE, KEY, config=EmbedConfig(profile="robust"))
    assert caught.value.hint is not None
    assert "shorter message" in caught.value.hint


# figures


@pytest.mark.parametrize("profile", ["exact", "robust"])
def test_the_figures_are_those_of_the_file(profile: str) -> None:
    cover = photo()
    result = fixednet.embed(cover, MESSAGE, KEY, config=EmbedConfig(profile=profile))
    before, after = signals.to_samples(cover), signals.to_samples(decoded(result.file))
    assert result.quality == quality(after, before)
    assert result.luma_psnr_db == pytest.approx(mean_psnr_db(luma(after), luma(before)))
    assert result.changed == (after != before).mean()
    assert result.profile == profile
    assert result.message_bytes == len(MESSAGE)
    assert result.bits > 8 * len(MESSAGE)
    assert result.rate_bpp == result.bits / 264**2
    plain = json.loads(json.dumps(result.to_json()))
    assert plain["psnr_db"] == result.quality.psnr_db
    assert plain["rate_bpp"] == result.rate_bpp


def test_an_infinite_luma_psnr_is_null_in_json() -> None:
    result = fixednet.embed(SMALL, MESSAGE, KEY, config=FAST)
    facts = dataclasses.replace(result, luma_psnr_db=math.inf).to_json()
    assert json.loads(json.dumps(facts, allow_nan=False))["luma_psnr_db"] is None


@pytest.mark.parametrize("bpp", [1.0, 2.5, 4.0])
def test_a_rate_is_met_and_the_message_padded(bpp: float) -> None:
    result = fixednet.embed(SMALL, MESSAGE, KEY, config=EmbedConfig(bpp=bpp, constraint_height=6))
    assert result.bits == round(bpp * 48 * 40)
    assert result.rate_bpp == pytest.approx(bpp, abs=1e-3)
    assert fixednet.extract(result.stego, KEY) == MESSAGE


def test_flat_costs_give_a_higher_psnr_and_others_spare_plain_places() -> None:
    levels = np.full((160, 160, 1), 100, np.uint8)
    levels[:, 80:] += np.random.default_rng(0).integers(0, 60, (160, 80, 1), dtype=np.uint8)
    cover = signals.from_samples(levels)
    flat, textured = (
        fixednet.embed(cover, NOISE[:100], KEY, config=EmbedConfig(flat=flat))
        for flat in (True, False)
    )
    assert flat.quality.psnr_db > textured.quality.psnr_db
    plain = [
        float((signals.to_samples(result.stego) != levels)[:, :64].mean())
        for result in (flat, textured)
    ]
    assert plain[1] < plain[0] / 4


def test_nothing_of_message_or_key_shows_in_results() -> None:
    result = fixednet.embed(SMALL, MESSAGE, KEY, config=FAST)
    shown = repr(result) + str(result) + json.dumps(result.to_json())
    for secret in (MESSAGE.decode(), repr(MESSAGE)[2:-1], KEY.secret.hex(), repr(KEY.secret)[2:-1]):
        assert secret[:12] not in shown


def test_nothing_of_message_or_key_shows_in_errors() -> None:
    text = (MESSAGE * 300)[:9000]
    message = bytes(a ^ b for a, b in zip(text, NOISE, strict=False))
    for action in (
        lambda: fixednet.embed(SMALL, message, KEY),
        lambda: fixednet.extract(SMALL, KEY),
        lambda: fixednet.embed(SMALL, message, KEY, suffix=".jpg"),
    ):
        with pytest.raises(StegfieldError) as caught:
            action()
        shown = repr(caught.value) + str(caught.value) + str(caught.value.hint)
        for secret in (repr(message)[2:12], message.hex()[:12], KEY.secret.hex()[:12]):
            assert secret not in shown


# capacity


@pytest.mark.parametrize("channels", [1, 3])
def test_what_capacity_tells_fits_and_one_byte_more_does_not(channels: int) -> None:
    cover = signals.waves(50, 41, channels=channels)
    room = fixednet.capacity(cover)["exact"]
    names = ["1 bpp", "2 bpp", "3 bpp", "4 bpp", "at most"]
    assert list(room) == (names if channels == 3 else ["1 bpp", "at most"])
    assert list(room.values()) == sorted(room.values())
    for name, longest in room.items():
        bpp = None if name == "at most" else float(name.split()[0])
        config = EmbedConfig(bpp=bpp, constraint_height=6)
        result = fixednet.embed(cover, NOISE[:longest], KEY, config=config)
        assert fixednet.extract(result.stego, KEY) == NOISE[:longest]
        with pytest.raises(CapacityError):
            fixednet.embed(cover, NOISE[: longest + 1], KEY, config=config)


def test_what_capacity_tells_of_the_robust_profile_fits_and_one_byte_more_does_not() -> None:
    longest, config = fixednet.capacity(photo())["robust"]["at most"], EmbedConfig(profile="robust")
    assert longest > 0
    result = fixednet.embed(photo(), NOISE[:longest], KEY, config=config)
    assert fixednet.extract(result.stego, KEY) == NOISE[:longest]
    with pytest.raises(CapacityError):
        fixednet.embed(photo(), NOISE[: longest + 1], KEY, config=config)


def test_what_deflating_removes_is_free() -> None:
    longest = fixednet.capacity(SMALL)["exact"]["at most"]
    text = MESSAGE * (10 * longest // len(MESSAGE))
    assert fixednet.extract(fixednet.embed(SMALL, text, KEY, config=FAST).stego, KEY) == text


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (12, 12), (8, 8)])
def test_an_image_too_small_for_anything_is_refused(size: tuple[int, int]) -> None:
    cover = signals.waves(*size)
    room = fixednet.capacity(cover).to_json()
    assert (room["exact"], room["robust"]) == ({"at most": 0}, {"at most": 0})
    for profile in ("exact", "robust"):
        with pytest.raises(CapacityError):
            fixednet.embed(cover, b"", KEY, config=EmbedConfig(profile=profile))
    with pytest.raises(UnreadableError):
        fixednet.extract(cover, KEY)


# innocent, foreign and damaged images


def test_innocent_images_wrong_keys_and_damage_give_one_error() -> None:
    stego = fixednet.embed(SMALL, MESSAGE, KEY, config=FAST).stego
    levels = signals.to_samples(stego)
    messages = set()
    for image, key in (
        (stego, OTHER),
        (signals.from_samples(levels // 2 * 2), KEY),
        (signals.from_samples(np.ascontiguousarray(levels[1:])), KEY),
        (SMALL, KEY),
        (photo(), KEY),
        (photo(channels=1), KEY),
        (signals.waves(3, 3), KEY),
    ):
        with pytest.raises(UnreadableError) as caught:
            fixednet.extract(image, key)
        assert caught.value.__cause__ is None
        messages.add((str(caught.value), caught.value.hint))
    assert len(messages) == 1


@cache
def file_of(suffix: str) -> bytes:
    return fixednet.embed(signals.waves(24, 20), b"x", KEY, config=FAST, suffix=suffix).file


@settings(max_examples=100)
@given(
    st.sampled_from([".png", ".bmp"]),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), min_size=1, max_size=4),
)
def test_a_damaged_file_is_read_or_refused(suffix: str, flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(file_of(suffix))
    for at, flip in flips:
        damaged[at % len(damaged)] ^= flip
    with suppress(StegfieldError):
        assert fixednet.extract(decoded(bytes(damaged), suffix), KEY) == b"x"


def test_progress_reaches_the_end() -> None:
    seen: list[fixednet.EmbedProgress] = []
    fixednet.embed(SMALL, MESSAGE, KEY, config=FAST, watch=seen.append)
    assert (seen[-1].fraction, seen[-1].bits_left) == (1, 0)
    assert math.isfinite(seen[-1].psnr_db)


@pytest.mark.parametrize("profile", ["exact", "robust"])
def test_a_grey_picture_in_colour_samples_stays_grey(profile: str) -> None:
    grey = signals.to_samples(waves(256, 256, channels=1))
    cover = signals.from_samples(np.repeat(grey, 3, axis=2))
    result = fixednet.embed(cover, b"noon", KEY, config=EmbedConfig(profile=profile))
    levels = signals.to_samples(result.stego)
    assert levels.shape == (256, 256, 3)
    assert (levels == levels[..., :1]).all()
    assert fixednet.extract(result.stego, KEY) == b"noon"
