"""Fields on the sphere: one function at every size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stegfield import fields, hiding, signals
from stegfield.config import FitConfig
from stegfield.errors import ConfigError, FieldFileError, UnreadableError
from stegfield.fields import Field, Public
from stegfield.keys import Key
from stegfield.metrics import KelvinQuality
from stegfield.signals import CLIMATE, globe

SIZES: dict[str, dict[str, Any]] = {
    "siren": {"width": 32, "depth": 2, "w0": 10.0},
    "fourier": {"width": 32, "depth": 2},
}


def fitted(architecture: str, steps: int = 60) -> Field:
    training = FitConfig(steps=steps, seed=1)
    sizes = SIZES[architecture]
    return fields.fit(
        globe(13, 24), architecture=architecture, sizes=sizes, training=training
    ).field


@pytest.mark.parametrize("architecture", SIZES)
def test_a_field_on_the_sphere_agrees_with_itself_at_every_size(
    architecture: str, tmp_path: Path
) -> None:
    path = tmp_path / "field.safetensors"
    fields.save(path, fitted(architecture))
    field = fields.load(path)
    assert field.public.medium is CLIMATE
    assert field.public.axes == 3
    coarse = fields.render(field)
    assert coarse.medium is CLIMATE
    assert coarse.size == (13, 24)
    for down, across in ((1, 2), (2, 1), (3, 3), (5, 4)):
        fine = fields.render(field, (12 * down + 1, 24 * across))
        assert np.allclose(fine.values[::down, ::across], coarse.values, atol=1e-5)
        # each pole is one point, whatever the longitude
        for row in (0, -1):
            assert np.allclose(fine.values[row], coarse.values[row, :1], atol=1e-5)


def test_a_fit_is_measured_in_kelvin() -> None:
    training = FitConfig(target_db=45.0, seed=1)
    result = fields.fit(globe(13, 24), sizes=SIZES["siren"], training=training)
    assert isinstance(result.quality, KelvinQuality)
    assert result.quality.psnr_db >= 45
    assert result.quality == signals.quality(fields.render(result.field), globe(13, 24))
    assert result.quality.rmse_kelvin < 160 / 10 ** (45 / 20)


def test_grids_do_not_go_around_the_globe() -> None:
    with pytest.raises(ConfigError, match="grid fields show images"):
        fields.new_field(globe(13, 24), architecture="grid")


def test_a_field_of_the_globe_has_one_channel() -> None:
    public = Public(size=(13, 24), channels=3, medium=CLIMATE, seed=bytes(16))
    sizes = fields.ARCHITECTURES["siren"].sizes_type(**SIZES["siren"])
    coloured = fields.ARCHITECTURES["siren"](sizes, public, Key(bytes(32)).stream("x", salt=b"y"))
    with pytest.raises(FieldFileError, match="channels"):
        fields.from_bytes(fields.to_bytes(coloured))


def test_an_innocent_field_of_the_globe_reveals_nothing() -> None:
    with pytest.raises(UnreadableError):
        hiding.reveal_function(fields.new_field(globe(9, 12), seed=1), Key(bytes(32)))
