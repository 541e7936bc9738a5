"""Secrets and covers of different media in one field."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegfield import fields, signals
from stegfield.config import FitConfig
from stegfield.errors import ConfigError, UnreadableError
from stegfield.hiding import Secret, hide_functions, reveal_function
from stegfield.keys import Key
from stegfield.metrics import SoundQuality
from stegfield.signals import Signal, ball, blob, chords, clip, globe, waves

ALICE, BOB = Key(b"a" * 32), Key(b"b" * 32)
SIZES = {"width": 40, "depth": 3}
TRAINING = FitConfig(steps=250, batch=512, seed=4)
SIGNALS: dict[str, Signal] = {
    "image": waves(20, 32, phase=1.0),
    "grey image": waves(24, 20, channels=1),
    "sound": chords(600, rate=8000.0),
    "stereo sound": chords(500, channels=2, rate=44_100.0),
    "climate": globe(13, 24),
    "video": clip(4, 10, 12, rate=30_000 / 1001),
    "volume": blob(9),
    "shape": ball(9),
}
PAIRS = {
    "image": ("sound", "stereo sound", "climate", "video", "volume", "shape"),
    "stereo sound": ("image", "sound"),
    "climate": ("image", "sound"),
    "video": ("image", "climate"),
    "volume": ("grey image", "sound", "video"),
    "shape": ("sound",),
}


@pytest.mark.parametrize(
    ("cover", "secret"), [(cover, secret) for cover in PAIRS for secret in PAIRS[cover]]
)
def test_a_key_reveals_a_secret_of_any_medium(cover: str, secret: str) -> None:
    shown, hidden = SIGNALS[cover], SIGNALS[secret]
    result = hide_functions(shown, [Secret(hidden, ALICE)], sizes=SIZES, training=TRAINING)
    field = fields.from_bytes(fields.to_bytes(result.field))
    revealed = reveal_function(field, ALICE)
    assert revealed.certain
    assert revealed.signal.medium is hidden.medium
    assert revealed.signal.values.shape == hidden.values.shape
    assert revealed.signal.rate == (hidden.rate and pytest.approx(hidden.rate))
    quality = signals.quality(revealed.signal, hidden)
    assert quality == result.secrets[0].quality
    assert quality.psnr_db > 20
    assert result.cover.psnr_db > 20
    with pytest.raises(UnreadableError):
        reveal_function(field, BOB)


@pytest.mark.parametrize("cover", PAIRS)
def test_a_field_shows_nothing_of_the_medium_that_it_hides(cover: str) -> None:
    shown, training = SIGNALS[cover], FitConfig(steps=2, seed=1)
    clean = fields.fit(shown, sizes=SIZES, training=training).field
    secrets = [Secret(SIGNALS["sound"], ALICE), Secret(SIGNALS["climate"], BOB)]
    stego = hide_functions(shown, secrets, sizes=SIZES, training=training).field
    assert stego.header() == clean.header()
    assert len(fields.to_bytes(stego)) == len(fields.to_bytes(clean))
    shapes = [
        {name: tensor.shape for name, tensor in field.state_dict().items()}
        for field in (stego, clean)
    ]
    assert shapes[0] == shapes[1]


def test_a_quiet_sound_is_shown_as_well_as_a_loud_one() -> None:
    loud = chords(600)
    quiet = signals.decode(
        signals.encode(Signal(loud.values / 64, signals.SOUND, rate=8000.0), ".wav"), Path("x.wav")
    )
    shown = [fields.fit(each, sizes=SIZES, training=TRAINING) for each in (loud, quiet)]
    ratios = [each.quality.to_json()["snr_db"] or 0 for each in shown]
    assert ratios[1] > ratios[0] - 2
    field = fields.from_bytes(fields.to_bytes(shown[1].field))
    assert fields.render(field).range == quiet.range


def test_a_quiet_sound_is_revealed_as_well_as_a_loud_one() -> None:
    loud = chords(600)
    whole = Signal(loud.values / 64, signals.SOUND, rate=loud.rate)
    quiet = signals.decode(signals.encode(whole, ".wav"), Path("x.wav"))
    ratios = []
    for sound in (loud, quiet):
        result = hide_functions(
            waves(20, 32), [Secret(sound, ALICE)], sizes=SIZES, training=TRAINING
        )
        quality = result.secrets[0].quality
        assert isinstance(quality, SoundQuality)
        ratios.append(quality.snr_db)
    assert ratios[1] > ratios[0] - 1.5


def test_a_sound_in_a_sounds_field_has_any_length() -> None:
    secret = chords(300, rate=8000.0, phase=1.0)
    result = hide_functions(chords(600), [Secret(secret, ALICE)], sizes=SIZES, training=TRAINING)
    longer = reveal_function(result.field, ALICE, size=(600,)).signal
    assert longer.size == (600,)
    assert longer.rate == 16_000.0


def test_a_folded_secret_has_one_size() -> None:
    result = hide_functions(
        waves(20, 32),
        [Secret(chords(300), ALICE)],
        sizes=SIZES,
        training=FitConfig(steps=2, seed=1),
    )
    with pytest.raises(ConfigError, match="one size"):
        reveal_function(result.field, ALICE, size=(200,))
    with pytest.raises(ConfigError, match="2 numbers"):
        reveal_function(result.field, BOB, size=(200,))
