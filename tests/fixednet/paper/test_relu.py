from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stegfield.errors import ConfigError
from stegfield.fixednet.paper.gradient import read_logits
from stegfield.fixednet.paper.relu import DEEPEST, ReluNetwork, normalise
from stegfield.keys import Key

KEY = Key(bytes(range(32)))
GOLDEN = Path(__file__).parent.parent.parent / "golden" / "relu.json"


def picture(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(seed))


def test_weights_and_logits_are_those_of_the_vectors() -> None:
    for vector in json.loads(GOLDEN.read_text()):
        levels = np.array(vector["levels"], dtype=np.uint8)
        network = ReluNetwork(
            Key(bytes.fromhex(vector["key"])),
            seed_index=vector["seed_index"],
            depth=DEEPEST,
            channels=levels.shape[2],
        )
        weights = {
            name: hashlib.sha256(tensor.numpy().astype("<f4").tobytes()).hexdigest()
            for name, tensor in network.state_dict().items()
        }
        assert weights == vector["sha256"]
        assert read_logits(network, levels) == pytest.approx(
            np.array(vector["logits"]), abs=1e-5, rel=0
        )


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_network_is_the_first_channels_of_the_deepest(depth: int) -> None:
    image = picture(9, 7, 3)
    deepest = ReluNetwork(KEY, depth=DEEPEST)(image)
    network = ReluNetwork(KEY, depth=depth)
    assert network(image).shape == (9, 7, depth)
    torch.testing.assert_close(network(image), deepest[..., :depth], rtol=1e-4, atol=1e-3)


def test_weights_are_standard_normal() -> None:
    for name, tensor in ReluNetwork(KEY, depth=DEEPEST).state_dict().items():
        error = 4 / tensor.numel() ** 0.5
        assert abs(float(tensor.mean())) < error, name
        assert float(tensor.var()) == pytest.approx(1, abs=1.5 * error), name


def test_the_same_key_gives_the_same_network() -> None:
    first, again = (ReluNetwork(Key(bytes(range(32))), seed_index=3) for _ in range(2))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


@pytest.mark.parametrize(
    "other",
    [ReluNetwork(Key(bytes(32))), ReluNetwork(KEY, seed_index=1)],
    ids=["another key", "another index"],
)
def test_others_have_unrelated_weights(other: ReluNetwork) -> None:
    own = ReluNetwork(KEY).state_dict()
    for name, tensor in other.state_dict().items():
        both = torch.stack([own[name].flatten(), tensor.flatten()])
        assert abs(float(both.corrcoef()[0, 1])) < 5 / tensor.numel() ** 0.5, name


def test_layers_have_unrelated_weights() -> None:
    weights = ReluNetwork(KEY).state_dict()
    both = torch.stack([weights["weight1"].flatten(), weights["weight2"].flatten()])
    assert abs(float(both.corrcoef()[0, 1])) < 0.02


def test_normalising_an_image_does_not_depend_on_those_beside_it() -> None:
    images = picture(3, 5, 6, 7) * torch.tensor([1.0, 20.0, 300.0])[:, None, None, None]
    together = normalise(images)
    for index in range(3):
        alone = normalise(images[index : index + 1])[0]
        torch.testing.assert_close(together[index], alone)
    assert together.mean(dim=(2, 3)).abs().max() < 1e-5
    torch.testing.assert_close(
        together.square().mean(dim=(2, 3)), torch.ones(3, 5), atol=1e-3, rtol=0
    )


def test_normalising_is_batch_normalisation_in_training_of_one_image() -> None:
    image = picture(1, 5, 6, 7)
    expected = torch.nn.functional.batch_norm(image, None, None, training=True, eps=1e-5)
    torch.testing.assert_close(normalise(image), expected)


def test_a_plain_image_has_finite_logits() -> None:
    for value in (0.0, 1.0):
        assert ReluNetwork(KEY)(torch.full((8, 8, 3), value)).isfinite().all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed_index": -1}, "seed index must be from 0 to 9, got -1"),
        ({"seed_index": 10}, "seed index must be from 0 to 9, got 10"),
        ({"depth": 0}, "depth must be from 1 to 4 bits a pixel, got 0"),
        ({"depth": 5}, "depth must be from 1 to 4 bits a pixel, got 5"),
        ({"channels": 2}, "must have 1 or 3 channels, got 2"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ReluNetwork(KEY, **settings)
