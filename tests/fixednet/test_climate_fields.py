"""Messages in climate fields: in the integers of NetCDF files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegfield import fixednet, signals
from stegfield.config import EmbedConfig
from stegfield.errors import CapacityError, ConfigError, NotEmbeddedError, UnreadableError
from stegfield.keys import Key
from stegfield.metrics import KelvinQuality
from stegfield.signals import Packing, Signal, globe

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
MESSAGE = b"Third bench from the gate; bring nobody."
FIELD = globe(46, 90)
FAST = EmbedConfig(constraint_height=6)
DATA = os.environ.get("STEGFIELD_DATA")
MEASURED = sorted((Path(DATA) / "climate").glob("*.npz")) if DATA else []


def written(file: bytes) -> Signal:
    return signals.decode(file, Path("field.nc"))


@settings(max_examples=5)
@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32).map(Key))
def test_extract_undoes_embed_on_the_written_file(message: bytes, key: Key) -> None:
    result = fixednet.embed(FIELD, message, key, config=FAST)
    assert fixednet.extract(written(result.file), key) == message
    assert np.array_equal(signals.to_levels(written(result.file)), signals.to_levels(result.stego))


@pytest.mark.parametrize("bpp", [None, 1.0])
def test_a_message_costs_millikelvins(bpp: float | None) -> None:
    message = np.random.default_rng(1).bytes(100)
    result = fixednet.embed(FIELD, message, KEY, config=EmbedConfig(bpp=bpp))
    assert isinstance(result.quality, KelvinQuality)
    assert result.quality.rmse_kelvin < (0.001 if bpp is None else 0.0017)
    assert result.quality.largest_kelvin <= 3 * Packing().scale + 1e-9
    assert result.luma_psnr_db is None
    assert result.to_json()["rmse_kelvin"] == result.quality.rmse_kelvin


def test_another_key_reads_nothing() -> None:
    result = fixednet.embed(FIELD, MESSAGE, KEY, config=FAST)
    with pytest.raises(UnreadableError):
        fixednet.extract(result.stego, OTHER)
    with pytest.raises(UnreadableError):
        fixednet.extract(FIELD, KEY)


def test_poles_of_one_value_keep_it_even_at_the_highest_rate() -> None:
    longest = fixednet.capacity(FIELD)["exact"]["at most"]
    message = np.random.default_rng(2).bytes(longest)
    stego = fixednet.embed(FIELD, message, KEY, config=FAST).stego
    before, after = signals.to_levels(FIELD), signals.to_levels(stego)
    assert np.array_equal(after[[0, -1]], before[[0, -1]])
    assert (after[1:-1] != before[1:-1]).any()
    with pytest.raises(CapacityError):
        fixednet.embed(FIELD, message + b"!", KEY, config=FAST)


def test_poles_of_many_values_carry_bits_too() -> None:
    noise = np.random.default_rng(3).integers(-900, 900, (40, 60, 1))
    field = Signal(Packing().unpack(noise), signals.CLIMATE)
    assert (
        fixednet.capacity(field)["exact"]["at most"]
        > fixednet.capacity(globe(40, 60))["exact"]["at most"]
    )
    result = fixednet.embed(field, MESSAGE, KEY, config=EmbedConfig(bpp=1.0, constraint_height=6))
    assert (signals.to_levels(result.stego)[0] != noise[0]).any()
    assert fixednet.extract(written(result.file), KEY) == MESSAGE


@pytest.mark.parametrize("end", [-1, 1])
def test_samples_at_the_ends_of_the_packing_stay_within_it(end: int) -> None:
    packing = Packing(
        scale=0.002, offset=260.0, fill=-32768, name="air", ascending=True, west=-180.0
    )
    levels = np.full((40, 60, 1), end * 32767)
    levels[1:-1] -= end * np.random.default_rng(4).integers(0, 3, (38, 60, 1))
    field = Signal(packing.unpack(levels), signals.CLIMATE, packing=packing)
    result = fixednet.embed(field, MESSAGE, KEY, config=EmbedConfig(bpp=1.0, constraint_height=6))
    again = written(result.file)
    assert again.packing == packing
    assert fixednet.extract(again, KEY) == MESSAGE
    low, high = packing.bounds
    assert low <= signals.to_levels(again).min() <= signals.to_levels(again).max() <= high


def test_a_file_that_does_not_give_the_message_back_is_no_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encode = signals.encode

    def lossy(signal: Signal, suffix: str) -> bytes:
        return encode(signals.with_levels(signal, signals.to_levels(signal) // 2 * 2), suffix)

    monkeypatch.setattr(signals, "encode", lossy)
    with pytest.raises(NotEmbeddedError):
        fixednet.embed(FIELD, MESSAGE, KEY, config=FAST)


@pytest.mark.parametrize("profile", ["robust", "paper"])
def test_profiles_for_images_are_refused(profile: str) -> None:
    with pytest.raises(ConfigError, match="for images"):
        fixednet.embed(FIELD, MESSAGE, KEY, config=EmbedConfig(profile=profile))
    with pytest.raises(ConfigError, match="for images"):
        fixednet.extract(FIELD, KEY, profile=profile)


def test_only_climate_files_hold_climate_fields() -> None:
    with pytest.raises(ConfigError, match=r"\.nc"):
        fixednet.embed(FIELD, MESSAGE, KEY, suffix=".png")
    with pytest.raises(ConfigError, match="an image is written as"):
        fixednet.embed(signals.waves(48, 40), MESSAGE, KEY, suffix=".nc")


@pytest.mark.skipif(not MEASURED, reason="STEGFIELD_DATA does not name a folder with climate/*.npz")
@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.stem)
def test_measured_temperatures_carry_messages(path: Path) -> None:
    with np.load(path) as arrays:
        kelvin = arrays["temperature"][0].astype(np.float64)
        kelvin = kelvin if arrays["latitude"][0] > 0 else kelvin[::-1].copy()
    field = Signal(signals.to_values(kelvin[..., None]), signals.CLIMATE)
    message = np.random.default_rng(6).bytes(400)
    for config in (EmbedConfig(), EmbedConfig(bpp=1.0, flat=True)):
        result = fixednet.embed(field, message, KEY, config=config)
        assert fixednet.extract(written(result.file), KEY) == message
        assert isinstance(result.quality, KelvinQuality)
        assert result.quality.rmse_kelvin < 0.0017
