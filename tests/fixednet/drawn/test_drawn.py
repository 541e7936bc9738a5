"""Drawn covers: what comes back, what is told apart, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegfield import fixednet, signals
from stegfield.config import EmbedConfig
from stegfield.errors import CapacityError, ConfigError, UnreadableError
from stegfield.fixednet import drawn
from stegfield.fixednet.drawn.samples import Samples
from stegfield.keys import Key, Passphrase
from stegfield.payload import law
from stegfield.signals import Signal

ALICE, BOB, EVE = (Key(bytes([n] * 32)) for n in (1, 2, 3))
GREY = signals.from_samples(
    np.repeat(np.random.default_rng(0).integers(0, 256, (80, 80, 1), np.uint8), 3, axis=2)
)
CHECKS = (255 * (np.indices((80, 80)).sum(0) % 2)).astype(np.uint8)[..., None]
COVERS = {
    "colour": signals.waves(56, 48),
    "grey": GREY,
    "one channel": signals.from_samples(GREY.samples[..., :1]),  # type: ignore[index]
    "black and white": signals.from_samples(CHECKS),
    "between levels": Signal(np.random.default_rng(0).uniform(-1, 1, (56, 48, 3))),
    "climate": signals.globe(60, 120),
    "sound": signals.chords(9000),
}
GRAINED = EmbedConfig(grain=1.5)


@pytest.mark.parametrize("name", COVERS)
@pytest.mark.parametrize("grain", [1.0, 1.5, 3.0, 6.0])
def test_each_key_reads_its_own_message_whatever_the_grain(name: str, grain: float) -> None:
    cover = COVERS[name]
    if cover.medium is signals.CLIMATE:
        pytest.importorskip("h5netcdf", reason="NetCDF files need stegfield[media]")
    config = EmbedConfig(grain=grain)
    sent = fixednet.embed(cover, b"to Alice", ALICE, also=[(b"to Bob", BOB)], config=config)
    written = signals.decode(sent.file, Path(f"stego{cover.medium.lossless[0]}"))
    assert fixednet.extract(written, ALICE) == b"to Alice"
    assert fixednet.extract(written, BOB) == b"to Bob"
    with pytest.raises(UnreadableError):
        fixednet.extract(written, EVE, profile="drawn")
    assert (sent.profile, sent.messages, sent.grain) == ("drawn", 2, grain)


@settings(max_examples=20, deadline=None)
@given(
    message=st.binary(max_size=300),
    size=st.tuples(st.integers(16, 40), st.integers(16, 40)),
    grain=st.sampled_from([1.0, 1.5, 3.0, 7.5]),
)
def test_extracting_undoes_embedding(message: bytes, size: tuple[int, int], grain: float) -> None:
    cover = signals.waves(*size)
    room = law.longest(drawn.places(cover, grain).bits)
    try:
        sent = fixednet.embed(cover, message, ALICE, config=EmbedConfig(grain=grain))
    except CapacityError:
        assert len(message) > room
    else:
        assert fixednet.extract(sent.stego, ALICE) == message


def test_a_full_cover_is_read_and_a_byte_more_is_refused() -> None:
    cover, noise = signals.waves(64, 64), np.random.default_rng(0).bytes(4000)
    room = fixednet.capacity(cover)["drawn"]
    assert room["grain 1.5"] > 1300
    assert room["grain 3"] > 2 * room["grain 1.5"]
    for grain, most in ((1.5, room["grain 1.5"]), (3.0, room["grain 3"])):
        config = EmbedConfig(grain=grain)
        sent = fixednet.embed(cover, noise[:most], ALICE, config=config)
        assert fixednet.extract(sent.stego, ALICE) == noise[:most]
        with pytest.raises(CapacityError):
            fixednet.embed(cover, noise[: most + 1], ALICE, config=config)


def test_every_kind_of_lossless_file_keeps_the_messages() -> None:
    for suffix in signals.IMAGE.lossless:
        for cover in (COVERS["colour"], COVERS["one channel"]):
            sent = fixednet.embed(cover, b"noon", ALICE, config=GRAINED, suffix=suffix)
            assert fixednet.extract(sent.file, ALICE) == b"noon"
    with pytest.raises(ConfigError, match="change samples"):
        fixednet.embed(COVERS["colour"], b"noon", ALICE, config=GRAINED, suffix=".jpg")
    with pytest.raises(ConfigError, match="change samples"):
        fixednet.grain(COVERS["colour"], suffix=".jpg")


def test_an_altered_sample_of_a_full_cover_is_noticed() -> None:
    cover, noise = signals.waves(24, 24), np.random.default_rng(0).bytes(2000)
    message = noise[: fixednet.capacity(cover)["drawn"]["grain 1.5"]]
    sent = fixednet.embed(cover, message, ALICE, config=GRAINED)
    levels = sent.stego.samples
    assert levels is not None
    other = levels.copy()
    other[20, 20, 0] ^= 1
    with pytest.raises(UnreadableError):
        fixednet.extract(signals.from_samples(other), ALICE)


def test_the_poles_of_a_globe_stay_as_they_are_and_one_value_each() -> None:
    cover = COVERS["climate"]
    before, after = (signals.to_levels(each) for each in (cover, drawn.draw(cover, 6.0)))
    for pole in (0, -1):
        assert np.ptp(after[pole]) == 0
        assert abs(int(after[pole, 0, 0]) - int(before[pole, 0, 0])) <= 1
    assert (before[1:-1] != after[1:-1]).mean() > 0.8


def test_grey_pictures_stay_grey() -> None:
    samples = drawn.draw(GREY, 1.5).samples
    assert samples is not None
    assert (samples == samples[..., :1]).all()
    assert Samples(GREY).count == GREY.points


def test_values_between_levels_decide_the_mean() -> None:
    """Of 16-bit pictures and functions nothing is rounded before the grain is drawn."""
    level = 100.37
    shown = Signal(np.full((256, 256, 1), level / 127.5 - 1))
    samples = drawn.draw(shown, 1.5).samples
    assert samples is not None
    assert float(samples.mean()) == pytest.approx(level, abs=5 * 1.6 / 256)


def test_grain_saturates_at_black_and_white_and_squeezes_nothing() -> None:
    for level in (0, 255):
        samples = drawn.draw(
            signals.from_samples(np.full((64, 64, 3), level, np.uint8)), 1.5
        ).samples
        assert samples is not None
        assert 0.3 < (samples == level).mean() < 0.7
        assert np.abs(samples.astype(int) - level).max() < 12


def test_without_grain_a_cover_takes_one_message_and_the_hint_says_how_to_get_more() -> None:
    with pytest.raises(ConfigError, match="carries one message, got 2") as caught:
        fixednet.embed(COVERS["colour"], b"a", ALICE, also=[(b"b", BOB)])
    assert caught.value.hint == "grain=1.5 makes room for several"


def test_two_messages_of_one_key_are_refused() -> None:
    with pytest.raises(ConfigError, match="same key"):
        fixednet.embed(COVERS["colour"], b"a", ALICE, also=[(b"b", ALICE)], config=GRAINED)


@pytest.mark.parametrize(
    "config", [{"bpp": 1.0}, {"flat": True}, {"known_cover": True}, {"constraint_height": 8}]
)
def test_settings_of_other_profiles_have_no_meaning_with_grain(config: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="no meaning"):
        fixednet.embed(COVERS["colour"], b"a", ALICE, config=EmbedConfig(grain=1.5, **config))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no meaning"):
        fixednet.embed(
            COVERS["colour"], b"a", ALICE, config=EmbedConfig(profile="exact", grain=1.5)
        )


def test_files_with_too_few_levels_for_the_grain_are_refused() -> None:
    cover = COVERS["climate"]
    coarse = replace(cover, packing=signals.Packing(scale=40.0, offset=260.0))
    with pytest.raises(ConfigError, match="needs more levels"):
        drawn.draw(coarse, 6.0)


def test_a_tiny_picture_carries_nothing_and_says_so() -> None:
    tiny = signals.from_samples(np.zeros((8, 8, 1), np.uint8))
    with pytest.raises(CapacityError, match="bits are needed"):
        fixednet.embed(tiny, b"", ALICE, config=GRAINED)
    assert fixednet.capacity(tiny)["drawn"] == {"grain 1.5": 0, "grain 3": 0}
    with pytest.raises(UnreadableError):
        drawn.find(tiny, ALICE)
    assert fixednet.grain(tiny).messages == 0


def test_the_suffix_of_a_file_goes_along(tmp_path: Path) -> None:
    letter = tmp_path / "Letter.PDF"
    letter.write_bytes(b"%PDF")
    sent = fixednet.embed(COVERS["colour"], letter, ALICE, config=GRAINED)
    found = drawn.find(sent.stego, ALICE)
    assert (found.data, found.suffix) == (b"%PDF", ".pdf")
    odd = tmp_path / "letter.~1~"
    odd.write_bytes(b"")
    sent = fixednet.embed(COVERS["colour"], odd, ALICE, config=GRAINED)
    assert drawn.find(sent.stego, ALICE).suffix == ""


def test_one_salt_serves_both_grains_so_a_passphrase_is_derived_once_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    derive = Passphrase.key

    def counted(self: Passphrase, salt: bytes) -> Key:
        asked.append(salt)
        return derive(self, salt)

    phrase = Passphrase("seven words that nobody would ever guess")
    for grain in (1.5, 3.0):
        sent = fixednet.embed(COVERS["colour"], b"noon", phrase, config=EmbedConfig(grain=grain))
        monkeypatch.setattr(Passphrase, "key", counted)
        asked.clear()
        assert fixednet.extract(sent.stego, phrase) == b"noon"
        assert len(asked) == 1
        asked.clear()
        with pytest.raises(UnreadableError):
            fixednet.extract(sent.stego, Passphrase("another one"))
        assert len(asked) == len(set(asked)) == 2  # the cover's salt, and that of all others
        monkeypatch.undo()
