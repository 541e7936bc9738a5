from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from stegfield import fixednet
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import ConfigError, InputError, UnreadableError
from stegfield.fixednet.paper.gradient import descend, read_bits
from stegfield.fixednet.paper.published import PublishedNetwork
from stegfield.keys import Key
from stegfield.metrics import psnr_db
from stegfield.signals import waves

WIDTH, DEPTH = 8, 3
NAME = "networks.safetensors"
needs_released = pytest.mark.skipif(
    "STEGFIELD_DATA" not in os.environ,
    reason="STEGFIELD_DATA does not name a folder with weights/steganogan-*.safetensors",
)


def group(name: str, inputs: int, outputs: int, *rest: str) -> list[dict[str, Any]]:
    """List a group of layers as the released descriptions do."""
    kinds: dict[str, dict[str, Any]] = {
        "Conv2d": {
            "in_channels": inputs,
            "out_channels": outputs,
            "kernel_size": [3, 3],
            "padding": [1, 1],
        },
        "LeakyReLU": {"negative_slope": 0.01, "inplace": True},
        "BatchNorm2d": {"eps": 1e-5, "momentum": 0.1},
        "Tanh": {},
    }
    layers = [
        {"name": f"{name}.{at}", "type": kind, **kinds[kind]}
        for at, kind in enumerate(("Conv2d", *rest))
    ]
    return [{"name": name, "type": "Sequential"}, *layers]


UNIT = ("LeakyReLU", "BatchNorm2d")
DECODER = [
    *group("conv1", 3, WIDTH, *UNIT),
    *group("conv2", WIDTH, WIDTH, *UNIT),
    *group("conv3", 2 * WIDTH, DEPTH),
]
TANH_ENCODER = [
    *group("features", 3, WIDTH, *UNIT),
    *group("layers", WIDTH + DEPTH, 3, "Tanh"),
]
ADDING_ENCODER = [
    *group("conv1", 3, WIDTH, *UNIT),
    *group("conv2", WIDTH + DEPTH, WIDTH, *UNIT),
    *group("conv3", 2 * WIDTH + DEPTH, 3),
]


def description(encoder: list[dict[str, Any]] = ADDING_ENCODER) -> dict[str, Any]:
    parts = {"data_depth": DEPTH, "encoder": {"layers": encoder}, "decoder": {"layers": DECODER}}
    return copy.deepcopy(parts)


def tensors(described: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Draw tensors for a description."""
    generator = torch.Generator().manual_seed(5)
    drawn = {}
    for part in ("encoder", "decoder"):
        width = 0
        for layer in described[part]["layers"]:
            name = f"{part}.{layer['name']}"
            if layer["type"] == "Conv2d":
                inputs, width = layer["in_channels"], layer["out_channels"]
                drawn[f"{name}.weight"] = torch.randn(width, inputs, 3, 3, generator=generator) / 6
                drawn[f"{name}.bias"] = torch.randn(width, generator=generator) / 9
            elif layer["type"] == "BatchNorm2d":
                for entry in ("weight", "bias", "running_mean"):
                    drawn[f"{name}.{entry}"] = torch.randn(width, generator=generator) / 5
                drawn[f"{name}.weight"] += 1
                drawn[f"{name}.running_var"] = torch.rand(width, generator=generator) + 0.5
                drawn[f"{name}.num_batches_tracked"] = torch.tensor(7)
    return drawn


def write(
    folder: Path,
    described: dict[str, Any] | None = None,
    drawn: dict[str, torch.Tensor] | None = None,
) -> Path:
    described = description() if described is None else described
    path = folder / NAME
    path.with_suffix(".json").write_text(json.dumps(described))
    path.write_bytes(safetensors.torch.save(tensors(described) if drawn is None else drawn))
    return path


def picture(side: int = 10) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    return np.random.default_rng(2).integers(60, 200, (side, side, 3), dtype=np.uint8)


def values(levels: np.ndarray[Any, np.dtype[np.uint8]]) -> torch.Tensor:
    return torch.tensor(levels) / 255


def convolve(drawn: dict[str, torch.Tensor], name: str, features: torch.Tensor) -> torch.Tensor:
    weight, bias = drawn[f"{name}.0.weight"], drawn[f"{name}.0.bias"]
    return torch.nn.functional.conv2d(features, weight, bias, padding=1)


def unit(drawn: dict[str, torch.Tensor], name: str, features: torch.Tensor) -> torch.Tensor:
    """Write out a convolution, leaky ReLU and batch normalisation with learned statistics."""
    features = convolve(drawn, name, features)
    features = torch.where(features > 0, features, 0.01 * features)
    weight, bias, mean, variance = (
        drawn[f"{name}.2.{entry}"][:, None, None]
        for entry in ("weight", "bias", "running_mean", "running_var")
    )
    return (features - mean) / (variance + 1e-5).sqrt() * weight + bias


def test_a_released_network_reads_colour_images_only(tmp_path: Path) -> None:
    key, path = Key(bytes(32)), write(tmp_path)
    grey, colour = waves(32, 32, channels=1), waves(32, 32)
    settings = EmbedConfig(profile="paper"), DescentConfig(weights=path)
    with pytest.raises(ConfigError, match="colour"):
        fixednet.embed(grey, b"noon", key, config=settings[0], descent=settings[1])
    with pytest.raises(ConfigError, match="colour"):
        fixednet.extract(grey, key, profile="paper", weights=path)
    with pytest.raises(UnreadableError):
        fixednet.extract(colour, key, profile="paper", weights=path)


def test_a_decoder_sees_all_groups_before(tmp_path: Path) -> None:
    drawn, image = tensors(description()), values(picture())
    batch = (2 * image - 1).movedim(-1, 0)[None]
    first = unit(drawn, "decoder.conv1", batch)
    second = unit(drawn, "decoder.conv2", first)
    expected = convolve(drawn, "decoder.conv3", torch.cat([first, second], dim=1))[0]
    strongest = drawn["decoder.conv3.0.weight"].square().sum(dim=(1, 2, 3)).argsort(descending=True)
    network = PublishedNetwork(write(tmp_path))
    torch.testing.assert_close(
        network(image), expected[strongest].movedim(0, -1), rtol=1e-4, atol=1e-4
    )


def test_an_encoder_adds_to_the_cover_and_sees_the_message_last(tmp_path: Path) -> None:
    drawn, image = tensors(description()), values(picture())
    network = PublishedNetwork(write(tmp_path))
    bits = np.random.default_rng(0).integers(0, 2, 100 * DEPTH).astype(bool)
    planes = torch.empty(10, 10, DEPTH)
    planes[..., network.order] = torch.tensor(bits).reshape(10, 10, DEPTH).float()
    message = planes.movedim(-1, 0)[None]
    cover = (2 * image - 1).movedim(-1, 0)[None]
    first = unit(drawn, "encoder.conv1", cover)
    second = unit(drawn, "encoder.conv2", torch.cat([first, message], dim=1))
    change = convolve(drawn, "encoder.conv3", torch.cat([first, second, message], dim=1))
    expected = ((cover + change)[0].movedim(0, -1).clamp(-1, 1) + 1) / 2
    torch.testing.assert_close(network.encode(image, bits), expected, rtol=1e-4, atol=1e-5)


def test_an_encoder_with_a_tanh_gives_the_image_itself(tmp_path: Path) -> None:
    described = description(TANH_ENCODER)
    drawn = tensors(described)
    drawn["encoder.layers.0.weight"].zero_()
    drawn["encoder.layers.0.bias"].fill_(0.3)
    stego = PublishedNetwork(write(tmp_path, described, drawn)).encode(
        values(picture()), np.zeros(0, dtype=bool)
    )
    torch.testing.assert_close(stego, torch.full_like(stego, (np.tanh(0.3) + 1) / 2))


def test_what_a_message_leaves_free_is_what_the_cover_says(tmp_path: Path) -> None:
    network = PublishedNetwork(write(tmp_path))
    image = values(picture())
    said = (network(image) > 0).numpy().ravel()
    whole = network.encode(image, said)
    assert torch.equal(network.encode(image, said[:40]), whole)
    other = network.encode(image, ~said[:40])
    assert not torch.equal(other, whole)


@pytest.mark.parametrize("depth", range(1, DEPTH))
def test_a_depth_is_the_first_channels_of_all(tmp_path: Path, depth: int) -> None:
    image = values(picture())
    whole = PublishedNetwork(write(tmp_path))(image)
    network = PublishedNetwork(tmp_path / NAME, depth=depth)
    assert torch.equal(network(image), whole[..., :depth])
    assert network.data_depth == DEPTH


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("encoder", [ADDING_ENCODER, TANH_ENCODER], ids=["adds", "tanh"])
def test_a_descent_starts_from_the_encoders_image(
    tmp_path: Path, encoder: list[dict[str, Any]]
) -> None:
    network = PublishedNetwork(write(tmp_path, description(encoder)), depth=1)
    bits = np.random.default_rng(1).integers(0, 2, 40).astype(bool)
    start = network.encode(values(picture()), bits)
    levels = (start * 255).round().to(torch.uint8).numpy()
    wrong_at_first = int((read_bits(network, levels)[:40] != bits).sum())
    config = DescentConfig(eps=1.0, restarts=20, repair=0)
    result = descend(network, bits, picture(), config=config, start=start)
    assert result.errors < wrong_at_first / 2
    assert result.errors >= (read_bits(network, result.levels)[:40] != bits).sum()
    # an untrained encoder is far from the cover, and a descent stays near its start
    assert psnr_db(result.levels, levels) > psnr_db(result.levels, picture())


Change = Callable[[dict[str, Any]], object]
CHANGES: dict[str, Change] = {
    "no depth": lambda d: d.pop("data_depth"),
    "depth 0": lambda d: d.update(data_depth=0),
    "another depth": lambda d: d.update(data_depth=DEPTH + 1),
    "huge depth": lambda d: d.update(data_depth=10**9),
    "a depth in words": lambda d: d.update(data_depth="3"),
    "a depth that is true": lambda d: d.update(data_depth=True),
    "no decoder": lambda d: d.pop("decoder"),
    "a decoder in words": lambda d: d.update(decoder="DenseDecoder"),
    "no layers": lambda d: d["decoder"].update(layers=[]),
    "layers by name": lambda d: d["decoder"].update(layers={"conv1": {}}),
    "a layer in words": lambda d: d["decoder"]["layers"].insert(0, "conv0"),
    "a nameless layer": lambda d: d["decoder"]["layers"][1].pop("name"),
    "an unknown group": lambda d: d["decoder"]["layers"][0].update(name="training"),
    "an unknown layer": lambda d: d["decoder"]["layers"][2].update(type="Sigmoid"),
    "a layer before its group": lambda d: d["decoder"]["layers"].pop(0),
    "a group twice": lambda d: d["decoder"]["layers"].extend(
        group("conv1", 2 * WIDTH + DEPTH, DEPTH)
    ),
    "an empty group": lambda d: d["decoder"]["layers"].append(
        {"name": "conv4", "type": "Sequential"}
    ),
    "a layer left out": lambda d: d["decoder"]["layers"].pop(2),
    "a large kernel": lambda d: d["decoder"]["layers"][1].update(kernel_size=[5, 5]),
    "no padding": lambda d: d["decoder"]["layers"][1].update(padding=[0, 0]),
    "other inputs": lambda d: d["decoder"]["layers"][1].update(in_channels=WIDTH),
    "huge outputs": lambda d: d["decoder"]["layers"][1].update(out_channels=1 << 40),
    "no slope": lambda d: d["decoder"]["layers"][2].pop("negative_slope"),
    "no eps": lambda d: d["decoder"]["layers"][3].update(eps=0.0),
    "an eps that is no number": lambda d: d["decoder"]["layers"][3].update(eps=float("nan")),
    "an encoder without the message": lambda d: d["encoder"].update(layers=group("conv1", 3, 3)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_crafted_descriptions_are_refused(tmp_path: Path, change: Change) -> None:
    drawn, crafted = tensors(description()), description()
    change(crafted)
    with pytest.raises(InputError, match="networks that can be trusted") as caught:
        PublishedNetwork(write(tmp_path, crafted, drawn))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "{", "[" * 60_000, "\x00", '{"data_depth": 3}', '"decoder"', '{"eps": NaN}'],
)
def test_other_descriptions_are_refused(tmp_path: Path, text: str) -> None:
    path = write(tmp_path)
    path.with_suffix(".json").write_text(text)
    with pytest.raises(InputError, match="networks that can be trusted"):
        PublishedNetwork(path)


FIRST = "decoder.conv1.0.weight"


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("more", torch.zeros(2)),
        (FIRST, torch.zeros(WIDTH, 3, 3)),
        (FIRST, torch.zeros(WIDTH, 3, 3, 3, dtype=torch.float64)),
        (FIRST, torch.full((WIDTH, 3, 3, 3), torch.nan)),
        (FIRST, torch.full((WIDTH, 3, 3, 3), torch.inf)),
        ("decoder.conv1.2.running_var", torch.full((WIDTH,), -1.0)),
        ("decoder.conv1.2.num_batches_tracked", torch.tensor(7.0)),
    ],
)
def test_crafted_tensors_are_refused(tmp_path: Path, name: str, tensor: torch.Tensor) -> None:
    drawn = {**tensors(description()), name: tensor}
    with pytest.raises(InputError, match="networks that can be trusted"):
        PublishedNetwork(write(tmp_path, drawn=drawn))


def test_a_missing_tensor_is_noticed(tmp_path: Path) -> None:
    drawn = tensors(description())
    drawn.pop(FIRST)
    with pytest.raises(InputError, match="tensors are not those of its description"):
        PublishedNetwork(write(tmp_path, drawn=drawn))


@given(st.binary(max_size=200) | st.integers(0, 500))
def test_other_bytes_are_refused(tmp_path: Path, data: bytes | int) -> None:
    path = write(tmp_path)
    path.write_bytes(path.read_bytes()[:data] if isinstance(data, int) else data)
    with pytest.raises(InputError, match="networks that can be trusted"):
        PublishedNetwork(path)


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_missing_files_are_told(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path)
    path.with_suffix(suffix).unlink()
    with pytest.raises(InputError, match="does not exist"):
        PublishedNetwork(path)


@pytest.mark.parametrize("depth", [0, DEPTH + 1])
def test_depths_that_were_not_trained_are_refused(tmp_path: Path, depth: int) -> None:
    with pytest.raises(ConfigError, match=f"depth must be from 1 to {DEPTH} bits a pixel"):
        PublishedNetwork(write(tmp_path), depth=depth)


@needs_released
@pytest.mark.parametrize(("name", "depth"), [("basic", 5), ("dense", 8), ("residual", 8)])
def test_the_released_networks_read_what_they_wrote(name: str, depth: int) -> None:
    folder = Path(os.environ["STEGFIELD_DATA"]) / "weights"
    network = PublishedNetwork(folder / f"steganogan-{name}.safetensors")
    assert network.depth == depth
    rows, columns, channel = np.indices((64, 64, 3))
    image = values(
        np.round(128 + 60 * np.sin(rows / 7 + channel) * np.cos(columns / 9)).astype("u1")
    )
    bits = np.random.default_rng(0).integers(0, 2, 64 * 64 * depth).astype(bool)
    stego = (network.encode(image, bits) * 255).round().to(torch.uint8).numpy()
    wrong = (read_bits(network, stego) != bits).reshape(-1, depth).mean(axis=0)
    # the first channel is one of the well learned ones; over all of them, a few are guesses
    assert wrong[0] < 0.1
    assert wrong.mean() < 0.35


@needs_released
@pytest.mark.parametrize("start", ["cover", "noise", "encoder"])
def test_the_basic_network_carries_a_message(start: str) -> None:
    path = Path(os.environ["STEGFIELD_DATA"], "weights/steganogan-basic.safetensors")
    key = Key(bytes(32))
    result = fixednet.embed(
        waves(32, 32),
        b"noon",
        key,
        config=EmbedConfig(profile="paper"),
        descent=DescentConfig(weights=path, start=start),  # type: ignore[arg-type]
    )
    assert fixednet.extract(result.stego, key, profile="paper", weights=path) == b"noon"
