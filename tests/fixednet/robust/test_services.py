from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from skimage import data

from stegfield import fixednet, signals
from stegfield.config import EmbedConfig
from stegfield.config.embed import Target
from stegfield.errors import ConfigError
from stegfield.fixednet.robust import services as table
from stegfield.fixednet.robust.services import Service, services
from stegfield.keys import Key

PHOTOGRAPHS: Any = data
KEY = Key(bytes(range(32)))


def test_every_target_has_an_entry_with_source_and_date() -> None:
    assert tuple(services()) == get_args(Target)
    for name, each in services().items():
        assert each.name == name
        assert 640 <= each.side <= 4096
        assert 50 <= each.quality <= 95
        assert each.source
        assert "20" in each.date


def test_a_picture_is_reduced_to_what_a_service_leaves_and_the_message_outlasts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = Service("mail", 300, 75, "a test", "2026")
    monkeypatch.setattr("stegfield.fixednet.robust.profile.services", lambda: {"mail": small})
    cover = signals.from_samples(np.array(PHOTOGRAPHS.astronaut())[:340])
    config = EmbedConfig(target="mail")
    result = fixednet.embed(cover, b"noon", KEY, config=config, suffix=".jpg")
    assert result.profile == "robust"
    assert result.stego.size == (199, 300)
    assert result.survived["mail (300 pixels, JPEG 75)"]
    sent = small.channel(signals.to_samples(result.stego))
    assert fixednet.extract(signals.from_samples(sent), KEY) == b"noon"
    assert table.services() == services()


def test_a_target_has_no_meaning_for_other_profiles() -> None:
    with pytest.raises(ConfigError, match="no meaning"):
        fixednet.embed(
            signals.waves(64, 64), b"", KEY, config=EmbedConfig(profile="exact", target="mail")
        )
