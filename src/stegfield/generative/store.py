"""Model files: safetensors, half precision, with a JSON header that tells what the weights are.

Loading trusts nothing, as with fields: the header's length and entries, each tensor's name, shape
and type, and that all numbers are finite. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from importlib import resources
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from stegfield import files
from stegfield.config import GanConfig, gan_config
from stegfield.errors import ConfigError, InputError
from stegfield.generative.model import Model, new_generator, weight_shapes

ENTRY = "stegfield-model"
FORMAT = 1
LARGEST_FILE = 1 << 29
LARGEST_HEADER = 1 << 16
LENGTH_BYTES = 8
LARGEST_SIDE = 4096
SHIPPED = ("digits", "faces", "climate")
KNOWN = {"format", "name", "medium", "channels", "size", "steps", "examples", "config"}


class ModelFileError(InputError):
    """A model file is truncated, crafted or of another version; nothing of it was used."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(
            f"{path} is not a model that can be trusted: {why}",
            hint="models are written by `stegfield train`; get the file again",
        )


def to_bytes(model: Model) -> bytes:
    """Encode a model as the bytes of its file."""
    header = {
        "format": FORMAT,
        "name": model.name,
        "medium": model.medium,
        "channels": model.channels,
        "size": list(model.size),
        "steps": model.steps,
        "examples": model.examples,
        "config": asdict(model.config),
    }
    tensors = {
        name: parameter.detach().half().contiguous()
        for name, parameter in model.generator.named_parameters()
        if not name.startswith("template.")
    }
    return safetensors.torch.save(tensors, {ENTRY: json.dumps(header)})


def save(path: Path, model: Model, *, force: bool = False) -> None:
    """Write a model file, whole or not at all.

    Raises:
        OutputError: The file exists (unless ``force``) or cannot be written.
    """
    files.write_new(path, to_bytes(model), force=force)


def load(name: str | Path) -> Model:
    """Load a model that comes with the library by its name, or any from its file.

    Raises:
        InputError: There is neither.
        ModelFileError: Anything about the file is not as `save` writes it.
    """
    if str(name) in SHIPPED:
        shipped = resources.files("stegfield.generative") / "models" / f"{name}.safetensors"
        return from_bytes(shipped.read_bytes(), str(name))
    path = Path(name)
    try:
        there = path.exists()
    except OSError:  # a name too long, or a folder above that is not ours to look into
        there = False
    if not there:
        raise InputError(
            f"there is no model {name}",
            hint=f"name one of {', '.join(SHIPPED)}, or a file that `stegfield train` wrote",
        )
    return from_bytes(files.read_bounded(path, LARGEST_FILE), path)


def from_bytes(data: bytes, name: Path | str = "the data") -> Model:
    """Decode the bytes of a model file; ``name`` stands in the errors.

    Raises:
        ModelFileError: Anything about it is not as `to_bytes` writes it.
    """
    try:
        header = _header(data)
        config = _config(header)
        shapes = weight_shapes(header["medium"], header["channels"], config)
        tensors = safetensors.torch.load(data)
    except (safetensors.SafetensorError, _DistrustError, ConfigError) as error:
        raise ModelFileError(name, str(error)) from None
    except (KeyError, ValueError, RuntimeError):
        raise ModelFileError(name, "its tensors cannot be read") from None
    # the generator is built when it is known to be no larger than the file
    if tensors.keys() != shapes.keys():
        raise ModelFileError(name, "its tensors are not those of its sizes")
    for entry, tensor in tensors.items():
        if tuple(tensor.shape) != shapes[entry] or tensor.dtype != torch.float16:
            raise ModelFileError(name, f"{entry} has another shape or type than its sizes say")
        if not tensor.isfinite().all():
            raise ModelFileError(name, f"{entry} holds numbers that are not finite")
    with torch.random.fork_rng([]):
        generator = new_generator(header["medium"], header["channels"], config)
    generator.load_state_dict(
        {entry: tensor.float() for entry, tensor in tensors.items()}, strict=False
    )
    return Model(
        name=header["name"],
        generator=generator,
        config=config,
        medium=header["medium"],
        channels=header["channels"],
        size=tuple(header["size"]),
        steps=header["steps"],
        examples=header["examples"],
    )


class _DistrustError(Exception):
    """Says what is wrong with a header."""


def _header(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    if not 2 <= length <= min(LARGEST_HEADER, len(data) - LENGTH_BYTES):
        raise _DistrustError("its header is missing or too long")
    try:
        outer = json.loads(data[LENGTH_BYTES : LENGTH_BYTES + length])
        header = json.loads(outer["__metadata__"][ENTRY])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _DistrustError("its header does not tell about a model") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise _DistrustError(f"its format is not version {FORMAT}, which this program knows")
    if header.keys() != KNOWN:
        raise _DistrustError("its header has other entries than a model's")
    return header


def _config(header: dict[str, Any]) -> GanConfig:
    """Check the entries of a header, and give the settings among them."""
    size, channels, medium = header["size"], header["channels"], header["medium"]
    sides = isinstance(size, list) and len(size) == 2
    if not sides or not all(type(side) is int and 0 < side <= LARGEST_SIDE for side in size):
        raise _DistrustError("the size of what it draws is out of range")
    known = (("image", 1), ("image", 3), ("climate", 1))
    if type(channels) is not int or (medium, channels) not in known:
        raise _DistrustError("what it draws is unknown")
    counts = header["steps"], header["examples"]
    if not (isinstance(header["name"], str) and all(type(c) is int and c >= 0 for c in counts)):
        raise _DistrustError("its name or counts are not readable")
    settings, names = header["config"], {entry.name for entry in fields(GanConfig)}
    if not isinstance(settings, dict) or settings.keys() != names:
        raise _DistrustError("its settings are not those that this program knows")
    return gan_config(settings)
