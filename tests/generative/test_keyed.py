from __future__ import annotations

import numpy as np
import pytest

from stegfield import fields, generative, signals
from stegfield.generative.keyed import COVERS
from stegfield.keys import Key, Passphrase

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))


@pytest.mark.parametrize("index", [0, 7, COVERS - 1])
def test_the_cover_of_an_image_is_found_again(index: int) -> None:
    model = generative.load("faces")
    cover = fields.render(generative.generate_keyed(model, KEY, index), (96, 80))
    noisy = cover.values + np.random.default_rng(0).normal(0, 0.05, cover.values.shape)
    found = generative.cover_of(model, KEY, signals.Signal(noisy.clip(-1, 1)))
    assert np.array_equal(found.values, cover.values)
    other = generative.cover_of(model, OTHER, cover)
    assert not np.array_equal(other.values, cover.values)


def test_a_passphrase_has_covers_too_and_a_key_different_ones_each_time() -> None:
    model = generative.load("digits")
    phrase = Passphrase("a long sentence")
    one, two = (fields.render(generative.generate_keyed(model, phrase, 5)).values for _ in range(2))
    assert np.array_equal(one, two)
    drawn = {generative.generate_keyed(model, KEY).public.seed for _ in range(8)}
    assert len(drawn) > 1
