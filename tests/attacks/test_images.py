from __future__ import annotations

from dataclasses import replace

import pytest

from stegfield import fixednet
from stegfield.attacks.images import CHANGES, SentImage, survival
from stegfield.config import EmbedConfig
from stegfield.keys import Key
from stegfield.signals import waves

KEY = Key(bytes(32))
MESSAGE = b"noon"


@pytest.fixture(scope="module")
def exact() -> SentImage:
    return SentImage(fixednet.embed(waves(48, 64), MESSAGE, KEY).stego, MESSAGE, KEY)


@pytest.mark.parametrize("kind", CHANGES)
def test_a_curve_has_a_point_for_every_level(kind: str, exact: SentImage) -> None:
    curve = survival([exact], CHANGES[kind])
    assert tuple(each.level for each in curve) == CHANGES[kind].levels
    assert all(each.share in (0.0, 1.0) for each in curve)


def test_the_exact_profile_survives_none_of_the_stronger_changes(exact: SentImage) -> None:
    for kind in ("jpeg", "webp", "rounding", "bit-planes"):
        assert survival([exact], CHANGES[kind])[-1].share == 0


def test_the_robust_profile_survives_jpeg() -> None:
    config = EmbedConfig(profile="robust")
    stego = fixednet.embed(waves(256, 256), MESSAGE, KEY, config=config).stego
    change = replace(CHANGES["jpeg"], levels=(90, 70))
    high, low = survival([SentImage(stego, MESSAGE, KEY), SentImage(stego, b"dusk", KEY)], change)
    assert high.share == low.share == 0.5  # the second was never sent
    assert high.psnr_db > low.psnr_db


def test_another_key_extracts_nothing(exact: SentImage) -> None:
    other = SentImage(exact.stego, MESSAGE, Key(b"x" * 32))
    assert all(each.share == 0 for each in survival([other], CHANGES["noise"]))
