from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from numpy.typing import NDArray

from stegfield import signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments import HIDERS
from stegfield.bench.experiments.settings import HidingSettings
from stegfield.bench.peers import baluja, blocks, mis_dnn
from stegfield.errors import ConfigError, InputError

SIDE = 12
NETWORKS = {
    "Baluja": (
        baluja.WEIGHTS,
        {
            "encoder": [
                (baluja.PREPARE, 3),
                (baluja.HIDE, 3 + 65),
                ([["encoder.output_C"]], 65),
            ],
            "decoder": [(baluja.REVEAL, 3), ([["decoder.output_S"]], 65)],
        },
    ),
    "MIS-DNN": (
        mis_dnn.WEIGHTS,
        {
            "encoder": [
                *((mis_dnn._blocks(f"encoder.prep_network{at}", 2), 3) for at in (1, 2, 3)),
                (mis_dnn._whole("encoder.hiding_network"), 3 + 3 * 65),
            ],
            "decoder": [(mis_dnn._whole(f"decoder.reveal_network_{at}"), 3) for at in (1, 2, 3)],
        },
    ),
}
"""Where the weights lie, and each chain of blocks with the channels that it starts from."""


def random_weights(method: str) -> dict[str, NDArray[np.float32]]:
    """Return random tensors of the shapes that the published ones have."""
    random, tensors = np.random.default_rng(0), {}
    for names, channels in chain.from_iterable(NETWORKS[method][1].values()):
        taken = channels
        for block in names:
            filters = [50, 10, 5] if len(block) > 1 else [3]
            for name, out in zip(block, filters, strict=True):
                side = 4 if "4x4" in name else 5 if out == 5 else 3
                bound = (6 / (taken * side * side)) ** 0.5
                shape = (out, taken, side, side)
                tensors[f"{name}.weight"] = random.uniform(-bound, bound, shape).astype(np.float32)
                tensors[f"{name}.bias"] = np.full(out, 0.1, dtype=np.float32)
            taken = sum(filters)
    return tensors


@pytest.fixture(params=NETWORKS)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write(folder: Path, method: str, tensors: dict[str, NDArray[np.float32]]) -> Datasets:
    path = folder.joinpath(*NETWORKS[method][0])
    path.parent.mkdir(parents=True)
    path.write_bytes(safetensors.numpy.save(tensors))
    return Datasets(folder)


def images(count: int) -> list[signals.Signal]:
    random = np.random.default_rng(1)
    levels = random.integers(0, 256, (count, SIDE, SIDE + 3, 3), dtype=np.uint8)
    return [signals.from_samples(each) for each in levels]


def test_every_published_tensor_has_an_effect(tmp_path: Path, method: str) -> None:
    secrets = 1 if method == "Baluja" else 3
    settings = HidingSettings(dataset="none", method=method, secrets=secrets)
    tensors, hide = random_weights(method), HIDERS.find(method)
    whole = hide(write(tmp_path / "all", method, tensors), images(secrets + 1), settings)
    assert whole.stego.shape == (SIDE, SIDE + 3, 3)
    assert [each.shape for each in whole.recovered] == [whole.stego.shape] * secrets
    for at, layer in enumerate(sorted({name.rpartition(".")[0] for name in tensors})):
        less = dict(tensors)
        del less[f"{layer}.weight"]
        with pytest.raises(KeyError, match=layer):
            hide(write(tmp_path / str(at), method, less), images(secrets + 1), settings)


def test_the_receiver_has_the_8_bit_image_alone(tmp_path: Path, method: str) -> None:
    secrets = 1 if method == "Baluja" else 3
    settings = HidingSettings(dataset="none", method=method, secrets=secrets)
    exchange = HIDERS.find(method)(
        write(tmp_path, method, random_weights(method)), images(secrets + 1), settings
    )
    tensors = blocks.published(tmp_path.joinpath(*NETWORKS[method][0]))
    first, *last = NETWORKS[method][1]["decoder"]
    chained = [*first[0], *(last[0][0] if method == "Baluja" else [])]
    shown = blocks.through(blocks.from_8_bits(exchange.stego), tensors, chained)
    assert (blocks.to_8_bits(shown) == exchange.recovered[0]).all()


def test_an_even_kernel_reaches_one_further_below_and_right() -> None:
    weight = torch.zeros(1, 1, 4, 4)
    weight[0, 0, 0, 0] = weight[0, 0, 3, 3] = 1
    picture = torch.zeros(1, 1, 7, 7)
    picture[0, 0, 3, 3] = 1
    tensors = {"layer.weight": weight, "layer.bias": torch.zeros(1)}
    out = blocks.convolve(picture, tensors, "layer")
    assert out.shape == picture.shape
    assert out[0, 0].nonzero().tolist() == [[1, 1], [4, 4]]


def test_other_numbers_of_secrets_and_broken_files_are_refused(tmp_path: Path, method: str) -> None:
    settings = HidingSettings(dataset="none", method=method)
    data = Datasets(tmp_path)
    with pytest.raises(ConfigError, match="got 2"):
        HIDERS.find(method)(data, images(3), settings)
    path = tmp_path.joinpath(*NETWORKS[method][0])
    path.parent.mkdir()
    path.write_bytes(b"no tensors")
    with pytest.raises(InputError, match="does not hold a network"):
        HIDERS.find(method)(data, images(2 if method == "Baluja" else 4), settings)
