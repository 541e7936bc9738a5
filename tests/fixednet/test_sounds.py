"""Messages in sounds: in the samples of 16-bit files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegfield import fixednet, signals
from stegfield.config import EmbedConfig
from stegfield.errors import CapacityError, ConfigError, UnreadableError
from stegfield.keys import Key
from stegfield.metrics import SoundQuality
from stegfield.signals import chords

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
MESSAGE = b"Third bench from the gate; bring nobody."
FAST = EmbedConfig(constraint_height=6)
SOUND = chords(9000)
DATA = os.environ.get("STEGFIELD_DATA")
RECORDED = sorted((Path(DATA) / "audio").rglob("*.wav")) if DATA else []


@settings(max_examples=5)
@given(
    st.binary(max_size=200),
    st.sampled_from([".wav", ".flac"]),
    st.sampled_from([SOUND, chords(9000, channels=2)]),
)
def test_extract_undoes_embed_on_the_written_sound(
    message: bytes, suffix: str, cover: signals.Signal
) -> None:
    result = fixednet.embed(cover, message, KEY, config=FAST, suffix=suffix)
    written = signals.decode(result.file, Path(f"stego{suffix}"))
    assert fixednet.extract(written, KEY) == message
    assert written.rate == cover.rate
    assert np.array_equal(signals.to_levels(written), signals.to_levels(result.stego))


def test_a_message_changes_samples_by_a_level_and_costs_no_loudness() -> None:
    result = fixednet.embed(SOUND, MESSAGE, KEY, config=EmbedConfig(bpp=0.2))
    assert isinstance(result.quality, SoundQuality)
    assert result.quality.largest <= 2
    assert result.quality.snr_db > 70
    assert result.luma_psnr_db is None
    assert result.rate_bpp == pytest.approx(0.2, rel=0.01)


def test_another_key_and_an_innocent_sound_give_nothing() -> None:
    result = fixednet.embed(SOUND, MESSAGE, KEY, config=FAST)
    for stego, key in ((result.stego, OTHER), (SOUND, KEY)):
        with pytest.raises(UnreadableError):
            fixednet.extract(stego, key)


def test_what_is_at_full_scale_stays_within_it() -> None:
    levels = np.where(np.arange(9000) % 40 < 20, 32767, -32768)[:, None].astype(np.int16)
    levels[::7] += np.where(levels[::7] > 0, -5, 5).astype(np.int16)
    cover = signals.with_levels(SOUND, levels)
    stego = fixednet.embed(
        cover, MESSAGE, KEY, config=EmbedConfig(bpp=1.0, constraint_height=6)
    ).stego
    assert np.abs(signals.to_levels(stego).astype(int) - levels).max() <= 3
    assert fixednet.extract(stego, KEY) == MESSAGE


def test_silence_stays_silent() -> None:
    noise = np.random.default_rng(1).integers(-900, 900, (60_000, 1)).astype(np.int16)
    noise[20_000:40_000] = 0
    cover = signals.with_levels(SOUND, noise)
    stego = signals.to_levels(fixednet.embed(cover, MESSAGE, KEY).stego)
    assert (stego[20_000:40_000] == 0).all()
    assert (stego != noise).any()


@pytest.mark.parametrize("profile", ["robust", "paper"])
def test_sounds_have_the_exact_profile_alone(profile: str) -> None:
    with pytest.raises(ConfigError, match="not for a sound"):
        fixednet.embed(SOUND, MESSAGE, KEY, config=EmbedConfig(profile=profile))
    with pytest.raises(ConfigError, match=r"\.wav or \.flac"):
        fixednet.embed(SOUND, MESSAGE, KEY, suffix=".png")


def test_capacity_is_what_fits() -> None:
    room = fixednet.capacity(SOUND)
    assert "robust" not in room.profiles
    longest = room["exact"]["at most"]
    message = np.random.default_rng(4).bytes(longest)
    stego = fixednet.embed(SOUND, message, KEY, config=FAST).stego
    assert fixednet.extract(stego, KEY) == message
    with pytest.raises(CapacityError):
        fixednet.embed(SOUND, message + b"!", KEY, config=FAST)
    assert fixednet.capacity(chords(200)).to_json() == {
        "drawn": {"grain 1.5": 0, "grain 3": 0},
        "exact": {"at most": 0},
    }


@pytest.mark.skipif(not RECORDED, reason="STEGFIELD_DATA does not name a folder with audio")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_sounds_carry_messages(path: Path) -> None:
    cover = signals.read(path)
    result = fixednet.embed(cover, MESSAGE, KEY)
    assert fixednet.extract(signals.decode(result.file, Path("x.wav")), KEY) == MESSAGE
    assert isinstance(result.quality, SoundQuality)
    assert result.quality.snr_db > 40
