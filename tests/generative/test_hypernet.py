from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from stegfield import fields
from stegfield.config import GanConfig
from stegfield.generative import Model
from stegfield.generative.hypernet import Generator
from stegfield.generative.model import GeneratorSizes, new_generator
from stegfield.signals import IMAGE, coordinates

RANKS = (0, 3)
"""Of full heads and of compact ones."""


def new_model(rank: int, *, channels: int = 3) -> Model:
    """An untrained model of tiny fields."""
    config = GanConfig(
        size=8, latent=5, hidden="7,9", rank=rank, width=6, depth=2, frequencies=4, std=1.0
    )
    sizes = GeneratorSizes.of(config)
    torch.manual_seed(3)
    return Model(
        name="tiny",
        generator=new_generator(IMAGE, channels, sizes),
        sizes=sizes,
        medium=IMAGE,
        channels=channels,
        size=(8, 8),
        steps=0,
        examples=16,
    )


def with_weights_of(generator: Generator, weights: dict[str, Tensor], at: Tensor) -> Tensor:
    """What the shared decoder shows with these weights."""
    (decoder,) = generator._decoder
    shown: Tensor = functional_call(decoder, weights, (generator.encoder(at),))
    return shown


@pytest.mark.parametrize("rank", RANKS)
def test_a_batch_shows_what_each_of_its_fields_shows(rank: int) -> None:
    generator = new_model(rank).generator
    latents, at = torch.randn(4, 5), torch.rand(11, 2) * 2 - 1
    batch = generator(latents, at)
    assert batch.shape == (4, 11, 3)
    for sample, latent in enumerate(latents):
        weights = {name: t[0] for name, t in generator.weights(latent[None]).items()}
        assert torch.allclose(with_weights_of(generator, weights, at), batch[sample], atol=1e-5)


@pytest.mark.parametrize("rank", RANKS)
def test_weights_fill_the_whole_decoder(rank: int) -> None:
    generator = new_model(rank).generator
    weights = generator.weights(torch.randn(4, 5))
    wanted = {name: (4, *t.shape) for name, t in generator._decoder[0].state_dict().items()}
    assert {name: tuple(t.shape) for name, t in weights.items()} == wanted


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_generated_field_shows_what_the_generator_shows(rank: int, channels: int) -> None:
    model = new_model(rank, channels=channels)
    field = model.field(7)
    at = torch.rand(11, 2) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(field(at), model.generator(model.latent(7)[None], at)[0], atol=1e-5)
    shown = model.sample(model.latent(7)[None], (8, 8))[0]
    assert np.allclose(fields.render(field).values, shown, atol=1e-5)


@pytest.mark.parametrize("rank", RANKS)
def test_different_latents_give_different_fields(rank: int) -> None:
    shown = new_model(rank).sample(torch.randn(6, 5), (8, 8)).flatten(1)
    apart = torch.cdist(shown, shown) + torch.eye(6)
    assert float(apart.min()) > 0.01


@pytest.mark.parametrize("rank", RANKS)
def test_a_latent_gives_one_field_whatever_its_batch(rank: int) -> None:
    model = new_model(rank)
    latents = torch.randn(20, 5)
    together = model.sample(latents, (6, 9))
    for sample in (0, 7, 8, 19):
        alone = model.sample(latents[sample : sample + 1], (6, 9))[0]
        assert torch.allclose(alone, together[sample], atol=1e-5)


def test_a_seed_gives_the_same_field_again_and_another_seed_another() -> None:
    model = new_model(3)
    assert fields.to_bytes(model.field(7)) == fields.to_bytes(model.field(7))
    one, other = fields.render(model.field(7)), fields.render(model.field(8))
    assert not np.allclose(one.values, other.values, atol=0.01)
    assert model.field(7).public.seed != model.field(8).public.seed


@pytest.mark.parametrize("rank", RANKS)
def test_a_generated_field_is_saved_and_loaded_like_any_other(rank: int) -> None:
    field = new_model(rank).field(7)
    loaded = fields.from_bytes(fields.to_bytes(field))
    for size in (None, (13, 21)):
        assert np.array_equal(fields.render(loaded, size).values, fields.render(field, size).values)


def test_points_that_two_sizes_share_have_the_same_values() -> None:
    model, latents = new_model(3), torch.randn(2, 5)
    small, large = model.sample(latents, (8, 8)), model.sample(latents, (24, 24))
    shared = coordinates((24, 24)).reshape(24, 24, 2)[1::3, 1::3]
    assert np.allclose(shared.reshape(-1, 2), coordinates((8, 8)), atol=1e-6)
    assert torch.allclose(large[:, 1::3, 1::3], small, atol=1e-5)


@pytest.mark.parametrize("rank", RANKS)
def test_heads_have_as_many_parameters_as_their_kind_says(rank: int) -> None:
    generator = new_model(rank).generator
    layers = [(8, 6), (6, 6), (6, 3)]  # sines and cosines of 4 frequencies, two layers, RGB
    if rank:
        wanted = [n * m + (9 + 1) * ((n + m) * rank + m) for n, m in layers]
    else:
        wanted = [(9 + 1) * (n * m + m) for n, m in layers]
    assert [sum(p.numel() for p in head.parameters()) for head in generator.heads] == wanted


def test_compact_heads_are_the_smaller_ones() -> None:
    counts = []
    for rank in (0, 4):
        heads = new_generator(IMAGE, 3, GeneratorSizes.of(GanConfig(rank=rank))).heads
        counts.append(sum(p.numel() for p in heads.parameters()))
    assert counts[1] < counts[0] / 10


@pytest.mark.parametrize("rank", RANKS)
def test_gradients_reach_all_parameters(rank: int) -> None:
    generator = new_model(rank).generator
    generator(torch.randn(4, 5), torch.randn(11, 2)).square().sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any()


@pytest.mark.parametrize("rank", RANKS)
def test_activations_of_new_fields_keep_their_size(rank: int) -> None:
    torch.manual_seed(3)
    config = GanConfig(size=8, hidden="64,64", rank=rank, width=64, depth=3)
    generator = new_generator(IMAGE, 3, GeneratorSizes.of(config))
    shown = generator(torch.randn(32, 64), torch.from_numpy(coordinates((8, 8))))
    assert 0.2 < float(shown.detach().std()) < 0.95
