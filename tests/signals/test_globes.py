from __future__ import annotations

import numpy as np
import pytest

from stegfield.errors import ConfigError
from stegfield.signals import CLIMATE, Signal, waves
from stegfield.signals import globe as temperatures
from stegfield.signals.globes import PAPER, globe, world

WARM_NORTH = Signal(np.linspace(0.5, -0.5, 19)[:, None, None].repeat(36, 1), CLIMATE)


@pytest.mark.parametrize("draw", [globe, world])
@pytest.mark.parametrize("width", [120, 481])
def test_a_picture_has_the_width_that_it_is_given(draw: object, width: int) -> None:
    assert callable(draw)
    drawn = draw(temperatures(10, 14), width=width)
    assert drawn.dtype == np.uint8
    assert drawn.shape[1:] == (width, 3)
    assert (drawn[0] == PAPER).all()
    assert np.array_equal(drawn, draw(temperatures(10, 14), width=width))


def test_north_is_up_and_warm_is_red() -> None:
    chart = world(WARM_NORTH, width=200).astype(int)
    top, bottom = chart[12, 100], chart[92, 100]
    assert top[0] > top[2]
    assert bottom[2] > bottom[0]
    ball = globe(WARM_NORTH, width=400).astype(int)
    assert ball[20, 105, 0] > ball[20, 105, 2]
    assert ball[185, 295, 2] > ball[185, 295, 0]


def test_the_seam_of_longitudes_does_not_show() -> None:
    field = temperatures(46, 90)
    turned = Signal(np.roll(field.values, 45, axis=1), CLIMATE)
    here, there = globe(field, width=300, centre=0.0), globe(turned, width=300, centre=180.0)
    assert np.abs(here.astype(int) - there).max() <= 1


def test_a_field_of_one_temperature_is_drawn() -> None:
    assert globe(Signal(np.zeros((5, 8, 1)), CLIMATE), width=200).any()


def test_given_temperatures_make_pictures_comparable() -> None:
    field = temperatures(10, 14)
    own, wide = world(field, width=200), world(field, width=200, between=(180.0, 340.0))
    assert not np.array_equal(own, wide)


def test_images_have_no_globe() -> None:
    with pytest.raises(ConfigError, match="climate"):
        globe(waves(8, 8))
