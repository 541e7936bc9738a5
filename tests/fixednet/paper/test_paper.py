from __future__ import annotations

import numpy as np
import pytest

from stegfield import fixednet, signals
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import CapacityError, ConfigError, NotEmbeddedError, UnreadableError
from stegfield.fixednet import EmbedProgress
from stegfield.keys import Key
from stegfield.payload import longest_message

KEY = Key(bytes(32))
COVER = signals.from_samples(
    np.random.default_rng(2).integers(60, 200, (24, 24, 3), dtype=np.uint8)
)
PAPER = EmbedConfig(profile="paper")
ROOM = longest_message(24 * 24)


@pytest.mark.parametrize("start", ["cover", "noise"])
def test_the_papers_network_gives_the_message_back(start: str) -> None:
    told: list[EmbedProgress] = []
    result = fixednet.embed(
        COVER,
        b"noon",
        KEY,
        config=PAPER,
        descent=DescentConfig(start=start),  # type: ignore[arg-type]
        watch=told.append,
    )
    assert result.bits == 24 * 24
    assert result.rate_bpp == 1
    assert told[-1].bits_left == 0
    assert fixednet.extract(result.stego, KEY, profile="paper") == b"noon"
    with pytest.raises(UnreadableError):
        fixednet.extract(result.stego, Key(bytes([1]) * 32), profile="paper")


def test_more_than_the_rate_carries_is_refused() -> None:
    with pytest.raises(CapacityError, match=f"room for {ROOM}"):
        fixednet.embed(COVER, bytes(range(ROOM + 1)), KEY, config=PAPER)


def test_a_bit_left_wrong_is_no_success() -> None:
    hasty = DescentConfig(restarts=1, inner=1, repair=0, networks=1)
    with pytest.raises(NotEmbeddedError):
        fixednet.embed(COVER, b"noon", KEY, config=PAPER, descent=hasty)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match='start="encoder" needs'):
        DescentConfig(start="encoder")
    with pytest.raises(ConfigError, match="1, 2, 3 or 4"):
        fixednet.check(signals.IMAGE, ".png", EmbedConfig(profile="paper", bpp=1.5))
