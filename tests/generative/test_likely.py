from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from torch import Tensor

from stegfield import generative
from stegfield.generative import ModelFileError, store
from stegfield.generative.likely import DRAWS, SIDE, Likely
from stegfield.keys import Key


@pytest.fixture(scope="module")
def smooth() -> Likely:
    """Learn from smooth images; half of the draws to be judged are noisy."""
    generator = torch.Generator().manual_seed(0)
    ramp = torch.linspace(-1, 1, SIDE)
    slopes, levels = torch.randn(2, 1200, 3, 1, 1, generator=generator) / 4
    examples = (slopes * ramp + levels).expand(-1, -1, SIDE, SIDE)
    examples = (examples + 0.01 * torch.randn(examples.shape, generator=generator)).movedim(1, -1)

    def draw(count: int) -> Tensor:
        noise = 0.5 * torch.randn(count, SIDE, SIDE, 3, generator=generator)
        drawn: Tensor = examples[:count] + noise * (torch.arange(count) % 2)[:, None, None, None]
        return drawn

    return Likely.of(examples, draw, accepted=0.5)


def test_noise_is_unlikely_and_examples_are_likely(smooth: Likely) -> None:
    flat = torch.full((1, SIDE, SIDE, 3), 0.2)
    noise = torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(1)) * 2 - 1
    assert smooth.accepts(flat)
    assert not smooth.accepts(noise)
    assert smooth.accepts(flat.repeat_interleave(2, 1).repeat_interleave(2, 2))


def test_mirror_images_are_alike(smooth: Likely) -> None:
    samples = torch.rand(8, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(2)) * 2 - 1
    both = smooth.excess(samples), smooth.excess(samples.flip(2))
    assert torch.allclose(*both, atol=0.02)


def test_the_share_that_is_asked_for_is_accepted() -> None:
    model = generative.load("faces")
    seeds = range(60)
    kept = sum(model.accepts(model.latent(seed, first=True)) for seed in seeds)
    assert 36 <= kept <= 58  # 48 expected, standard deviation 3
    assert all(model.accepts(model.latent(seed)) for seed in range(8))


def test_a_seed_whose_first_draw_is_whole_names_the_face_that_it_did() -> None:
    model, plain = generative.load("faces"), generative.load("faces-1")
    assert plain.likely is None
    for seed in range(12):
        first = plain.latent(seed)
        assert (model.latent(seed, first=True) == first).all()
        assert bool((model.latent(seed) == first).all()) == model.accepts(first)


def test_a_model_that_accepts_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    model = generative.load("faces")
    tried = []

    def refuse(self: object, latent: Tensor) -> bool:
        tried.append(latent)
        return False

    monkeypatch.setattr(generative.Model, "accepts", refuse)
    assert (model.latent(0) == tried[-1]).all()
    assert len(tried) == DRAWS


def test_what_a_key_decides_does_not_depend_on_what_is_torn() -> None:
    model, key = generative.load("faces"), Key(bytes(32))
    one = generative.generate_keyed(model, key, 3)
    other = generative.generate_keyed(replace(model, likely=None), key, 3)
    at = torch.zeros(1, 2)
    assert (one(at) == other(at)).all()


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({}, 0.5),
        ({}, [0.25]),
        ({}, [0.25, "much"]),
        ({"likely.mean": None}, [0.25, 0.5]),
        ({"likely.axes": None}, [0.25, 0.5]),
        ({"likely.mean": np.zeros(7, np.float16)}, [0.25, 0.5]),
        ({"likely.axes": np.zeros((2, 7), np.float16)}, [0.25, 0.5]),
        ({"likely.axes": np.zeros(1728, np.float16)}, [0.25, 0.5]),
    ],
)
def test_what_tells_torn_samples_is_checked(changes: dict[str, Any], numbers: Any) -> None:
    model = generative.load("digits")
    values = SIDE * SIDE
    likely = Likely(torch.zeros(values), torch.zeros(2, values), 0.25, 0.5)
    data = generative.to_bytes(replace(model, likely=likely))
    again = generative.from_bytes(data)
    assert again.likely is not None
    assert (again.likely.slope, again.likely.limit) == (0.25, 0.5)
    tensors = {**safetensors.numpy.load(data), **changes}
    tensors = {name: held for name, held in tensors.items() if held is not None}
    header = store_header(data) | {store.LIKELY: numbers}
    with pytest.raises(ModelFileError, match="torn samples"):
        generative.from_bytes(packed(tensors, header))


def store_header(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    held: dict[str, Any] = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][store.ENTRY])
    return held


def packed(tensors: dict[str, Any], header: dict[str, Any]) -> bytes:
    return safetensors.numpy.save(tensors, {store.ENTRY: json.dumps(header)})
