"""Published networks: SteganoGAN's trained encoders and decoders, as baselines.

A safetensors file holds the tensors. A JSON file of the same name lists the layers of an encoder
and a decoder, and how many bits a pixel they were trained for. Both are rebuilt from plain data:
every shape is checked, and nothing is ever unpickled.

Layers come in groups. The input of the first group is the image; that of every later one is the
outputs of all groups before it, in order. Groups of the encoder also get the message, last. An
encoder that ends in a tanh returns the stego image, any other one the change of the cover.

Source: Zhang et al. (2019), SteganoGAN; FNNS-D and FNNS-DE of Kishore et al. (2022) use them as a
fixed network and as a place to start from.
Differs from the released code, which has batch normalisation in training mode and inputs in [0, 1]:
with the statistics of training and inputs in [-1, 1], the networks read far fewer bits wrong.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from stegfield import files
from stegfield.errors import ConfigError, InputError
from stegfield.fixednet.paper.network import FixedNetwork
from stegfield.tensor_files import DistrustError, finite_tensors, plain_json

LARGEST_FILE = 1 << 24
LARGEST_DESCRIPTION = 1 << 16
LARGEST_WIDTH = 1024
LARGEST_DEPTH = 16
CHANNELS = 3
GROUP = re.compile("features|layers|conv[1-9]")


class PublishedNetwork(FixedNetwork):
    """A trained decoder as a fixed network, with the encoder it was trained with.

    Args:
        path: The safetensors file; its description stands beside it.
        depth: Bits per pixel to read, of those that the networks were trained for [default: all of
            them]. Some were hardly learned; those with the largest last weights come first.

    Raises:
        InputError: A file is missing, or does not hold such networks.
        ConfigError: The networks read fewer bits than ``depth``.
    """

    def __init__(self, path: Path, *, depth: int | None = None) -> None:
        super().__init__()
        try:
            self.data_depth = self._load(path)
        except DistrustError as error:
            raise InputError(
                f"{path} does not hold networks that can be trusted: {error}",
                hint="it needs SteganoGAN's tensors, and their description beside it",
            ) from None
        self.depth = self.data_depth if depth is None else depth
        self.channels = CHANNELS
        last = [made for made in self.decoder.modules() if isinstance(made, torch.nn.Conv2d)][-1]
        strength = last.weight.double().square().sum(dim=(1, 2, 3))
        self.order = strength.argsort(descending=True, stable=True).tolist()
        if not 1 <= self.depth <= self.data_depth:
            raise ConfigError(
                f"the depth must be from 1 to {self.data_depth} bits a pixel, got {depth}"
            )

    def _load(self, path: Path) -> int:
        description = _description(
            files.read_bounded(path.with_suffix(".json"), LARGEST_DESCRIPTION)
        )
        data_depth = _whole(description, "data_depth", LARGEST_DEPTH)
        with torch.device("meta"):
            self.encoder = _build(description, "encoder", data_depth, CHANNELS)
            self.decoder = _build(description, "decoder", 0, data_depth)
        tensors = _tensors(files.read_bounded(path, LARGEST_FILE), self.state_dict())
        self.load_state_dict(tensors, assign=True)
        self.requires_grad_(requires_grad=False)
        self.eval()
        return data_depth

    def forward(
        self, image: Float[Tensor, "rows columns 3"]
    ) -> Float[Tensor, "rows columns depth"]:
        """Return the logits of an image with values in [0, 1]."""
        logits = _through(self.decoder, _to_batch(2 * image - 1))
        return logits[0, self.order[: self.depth]].movedim(0, -1)

    def encode(
        self, image: Float[Tensor, "rows columns 3"], bits: Bool[np.ndarray, " bits"]
    ) -> Float[Tensor, "rows columns 3"]:
        """Return the encoder's stego image, from which the decoder reads most of the bits.

        Args:
            image: The cover, with values in [0, 1].
            bits: The message, at most ``depth`` bits a pixel, pixel by pixel. The rest is filled
                with the bits that the decoder reads from the cover.
        """
        cover = _to_batch(2 * image - 1)
        with torch.no_grad():
            message = (_through(self.decoder, cover)[0] > 0).movedim(0, -1)
            read = self.order[: self.depth]
            filled = message[..., read].flatten()
            filled[: len(bits)] = torch.tensor(bits, device=image.device)
            message[..., read] = filled.reshape(*message.shape[:2], self.depth)
            stego = _through(self.encoder, cover, _to_batch(message.to(image.dtype)))
            if not isinstance(list(self.encoder.modules())[-1], torch.nn.Tanh):
                stego = cover + stego
        return ((stego[0].movedim(0, -1) + 1) / 2).clamp(0, 1)


def _to_batch(image: Tensor) -> Tensor:
    return image.movedim(-1, 0)[None]


def _through(groups: torch.nn.ModuleDict, image: Tensor, message: Tensor | None = None) -> Tensor:
    seen: list[Tensor] = []
    for group in groups.values():
        behind = [] if message is None else [message]
        seen.append(group(torch.cat([*seen, *behind], dim=1) if seen else image))
    return seen[-1]


def _description(data: bytes) -> dict[str, Any]:
    try:
        description = plain_json(data)
    except (ValueError, RecursionError):
        raise DistrustError("its description is not JSON") from None
    if not isinstance(description, dict):
        raise DistrustError("its description has no entries")
    return description


def _build(
    description: dict[str, Any], part: str, message: int, outputs: int
) -> torch.nn.ModuleDict:
    """Build an encoder or decoder from its list of layers."""
    entries = description.get(part)
    layers = entries.get("layers") if isinstance(entries, dict) else None
    if not isinstance(layers, list) or not layers:
        raise DistrustError(f"its description lists no layers of the {part}")
    groups: dict[str, torch.nn.Sequential] = {}
    group = torch.nn.Sequential()
    seen = 0  # channels that the groups before this one gave
    width = 0  # channels at this place
    for layer in layers:
        if not isinstance(layer, dict) or not isinstance(layer.get("name"), str):
            raise DistrustError(f"its description has a layer without a name in the {part}")
        name, kind = layer["name"], layer.get("type")
        if kind == "Sequential":
            if not GROUP.fullmatch(name) or name in groups:
                raise DistrustError(f"its description has an unknown group in the {part}")
            seen += width
            width = seen + message if groups else CHANNELS
            groups[name] = group = torch.nn.Sequential()
            continue
        if not groups or name != f"{list(groups)[-1]}.{len(group)}":
            raise DistrustError(f"its description has a layer out of order in the {part}")
        made = _layer(layer, width)
        width = made.out_channels if isinstance(made, torch.nn.Conv2d) else width
        group.append(made)
    if not all(len(made) and isinstance(made[0], torch.nn.Conv2d) for made in groups.values()):
        raise DistrustError(f"its description has a group without a convolution in the {part}")
    if width != outputs or (message and len(groups) == 1):
        raise DistrustError(f"the {part} in its description does not fit its depth")
    return torch.nn.ModuleDict(groups)


def _layer(entries: dict[str, Any], width: int) -> torch.nn.Module:
    """Build one layer for ``width`` input channels."""
    kind = entries.get("type")
    if kind == "Conv2d":
        if entries.get("kernel_size") != [3, 3] or entries.get("padding") != [1, 1]:
            raise DistrustError("its description has a convolution that is not 3x3")
        if _whole(entries, "in_channels", LARGEST_WIDTH) != width:
            raise DistrustError(
                "its description has a convolution that does not fit those before it"
            )
        outputs = _whole(entries, "out_channels", LARGEST_WIDTH)
        return torch.nn.Conv2d(width, outputs, kernel_size=3, padding=1)
    if kind == "BatchNorm2d":
        return torch.nn.BatchNorm2d(width, eps=_small(entries, "eps"))
    if kind == "LeakyReLU":
        return torch.nn.LeakyReLU(_small(entries, "negative_slope"))
    if kind == "Tanh":
        return torch.nn.Tanh()
    raise DistrustError("its description has a layer of an unknown type")


def _whole(entries: dict[str, Any], name: str, largest: int) -> int:
    value = entries.get(name)
    if type(value) is not int or not 1 <= value <= largest:
        raise DistrustError(f"{name} in its description is not a whole number from 1 to {largest}")
    return value


def _small(entries: dict[str, Any], name: str) -> float:
    value = entries.get(name)
    if type(value) is not float or not 0 < value < 1:
        raise DistrustError(f"{name} in its description is not between 0 and 1")
    return value


def _tensors(data: bytes, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read the tensors, and check names, shapes, types and values."""
    tensors = {name: torch.from_numpy(each.copy()) for name, each in finite_tensors(data).items()}
    if tensors.keys() != expected.keys():
        raise DistrustError("its tensors are not those of its description")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise DistrustError(f"{name} has another shape or type than in its description")
        if name.endswith("running_var") and bool((tensor < 0).any()):
            raise DistrustError(f"{name} holds variances below 0")
    return tensors
