"""Carriers of all media: their order, their bounds, and the way back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stegfield import carriers, signals
from stegfield.carriers import CARRIERS, costs
from stegfield.errors import ConfigError
from stegfield.signals import Packing, Signal

PACKED = replace(signals.globe(12, 20), packing=Packing(scale=1e-5, offset=288.0))
COVERS = {
    "grey": signals.waves(20, 30, channels=1),
    "colour": signals.waves(20, 30),
    "mono": signals.chords(500),
    "stereo": signals.chords(500, channels=2),
    "globe": signals.globe(12, 20),
    "packed globe": PACKED,
}
named = pytest.mark.parametrize("cover", COVERS.values(), ids=list(COVERS))


@named
def test_levels_are_within_bounds_and_in_the_order_of_the_file(cover: Signal) -> None:
    carrier = carriers.of(cover)
    low, high = carrier.bounds
    assert low <= carrier.levels.min() <= carrier.levels.max() <= high
    levels = signals.to_levels(cover)
    if cover.medium is signals.CLIMATE:  # both poles are a single value
        levels = levels[1:-1]
    assert np.array_equal(carrier.levels, levels.reshape(-1))


@named
def test_a_change_goes_back_where_it_came_from(cover: Signal) -> None:
    carrier = carriers.of(cover)
    rng = np.random.default_rng(0)
    low, high = carrier.bounds
    change = rng.integers(-3, 4, carrier.levels.size).astype(np.int8)
    inside = (carrier.levels.astype(int) + change).clip(low, high) - carrier.levels.astype(int)
    stego = carrier.apply(inside.astype(np.int8))
    assert np.array_equal(carriers.of(stego).levels, carrier.levels.astype(int) + inside)
    assert (stego.medium, stego.size, stego.channels) == (cover.medium, cover.size, cover.channels)
    unchanged = carrier.apply(np.zeros_like(change))
    assert np.array_equal(signals.to_levels(unchanged), signals.to_levels(cover))


@named
def test_costs_are_those_of_the_medium_for_senders_who_ask(
    cover: Signal, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = carriers.of(cover)
    assert carrier.costs.shape == carrier.levels.shape
    assert carrier.costs.dtype == np.float32
    assert carrier.costs.std() > 0
    assert (carriers.of(cover, flat=True).costs == 1).all()
    asked = []
    for name in ("hill", "along"):
        monkeypatch.setattr(costs, name, lambda *_, **__: asked.append(1))
    assert carriers.of(cover).levels.size == carrier.levels.size
    assert not asked


def test_grey_in_colour_samples_is_one_channel_and_stays_grey() -> None:
    grey = signals.to_samples(COVERS["grey"])
    cover = signals.from_samples(np.repeat(grey, 3, axis=2))
    carrier = carriers.of(cover)
    assert np.array_equal(carrier.levels, grey.reshape(-1))
    change = np.ones(grey.size, dtype=np.int8)
    stego = signals.to_samples(carrier.apply(change))
    assert np.array_equal(stego, np.repeat(grey + 1, 3, axis=2))


def test_poles_of_many_values_carry_too() -> None:
    noise = np.random.default_rng(3).integers(-900, 900, (12, 20, 1))
    field = Signal(Packing().unpack(noise), signals.CLIMATE)
    assert carriers.of(field).levels.size == noise.size
    noise[0] = 5
    half = Signal(Packing().unpack(noise), signals.CLIMATE)
    assert np.array_equal(carriers.of(half).levels, signals.to_levels(half)[1:].reshape(-1))


def test_other_media_carry_nothing() -> None:
    assert set(CARRIERS) == {"image", "sound", "climate"}
    for cover in (signals.clip(4, 16, 16), signals.ball(8)):
        with pytest.raises(ConfigError, match="carries no messages"):
            carriers.of(cover)


@named
def test_side_information_is_known_until_a_file_is_read(cover: Signal) -> None:
    found, levels = carriers.side_information(cover), signals.to_levels(cover)
    assert found is not None
    assert found.shape == levels.shape
    asked = carriers.of(cover).side_information
    assert asked is not None
    assert asked.shape == carriers.of(cover).levels.shape
    exact = signals.with_levels(cover, levels)
    assert carriers.side_information(exact) is None
    assert carriers.of(exact).side_information is None
    moved = replace(exact, values=exact.values - 0.4 * carriers.step(exact))
    found = carriers.side_information(moved)
    assert found is not None
    assert np.median(found) == pytest.approx(0.4, abs=0.1)
