"""Model files: safetensors, half precision, with a JSON header that tells what the weights are.

Loading trusts nothing, as with fields: it checks the header's length and entries, each tensor's
name, shape and type, and that all numbers are finite. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from stegfield import files
from stegfield.config import GENERATOR_RANGES, MOST_HIDDEN
from stegfield.errors import ConfigError, InputError
from stegfield.generative.likely import SIDE, Likely
from stegfield.generative.model import GeneratorSizes, Model, new_generator
from stegfield.signals import CLIMATE, IMAGE, MEDIA
from stegfield.tensor_files import DistrustError, entries_of, tensors_of

ENTRY = "stegfield-model"
FORMAT = 1
LARGEST_FILE = 1 << 29
LARGEST_SIDE = 4096
SHIPPED = ("climate", "digits", "faces")
LIKELY = "likely"
"""Entry of the header, and prefix of the tensors, of models that tell torn samples."""
PLAIN = "faces-1"
"""The model faces as it was first: the same generator, which cannot tell torn samples."""
KNOWN = {"format", "name", "medium", "channels", "size", "steps", "examples", "sizes"}


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
        "medium": model.medium.name,
        "channels": model.channels,
        "size": list(model.size),
        "steps": model.steps,
        "examples": model.examples,
        "sizes": asdict(model.sizes),
    }
    held: dict[str, Tensor] = dict(model.generator.named_parameters())
    if model.likely is not None:
        header[LIKELY] = [model.likely.slope, model.likely.limit]
        held |= {f"{LIKELY}.{name}": getattr(model.likely, name) for name in ("mean", "axes")}
    tensors = {name: tensor.detach().half().contiguous() for name, tensor in held.items()}
    return safetensors.torch.save(tensors, {ENTRY: json.dumps(header)})


def save(path: Path, model: Model, *, force: bool = False) -> None:
    """Write a model file, whole or not at all.

    Raises:
        OutputError: the file exists (unless ``force``) or cannot be written.
    """
    files.write_new(path, to_bytes(model), force=force)


def load(name: str | Path) -> Model:
    """Load a model that comes with the library by its name, or any from its file.

    Raises:
        InputError: no such model ships with the library, and there is no such file.
        ModelFileError: anything about the file is not as `save` writes it.
    """
    if str(name) == PLAIN:
        return replace(load("faces"), likely=None)
    if str(name) in SHIPPED:
        shipped = resources.files("stegfield.generative") / "models" / f"{name}.safetensors"
        return from_bytes(shipped.read_bytes(), str(name))
    path = Path(name)
    with suppress(OSError):  # a name too long for a file is none of ours either
        if path.exists():
            return from_bytes(files.read_bounded(path, LARGEST_FILE), path)
    raise InputError(
        f"there is no model {name}",
        hint=f"name one of {', '.join(SHIPPED)}, or a file that `stegfield train` wrote",
    )


def from_bytes(data: bytes, name: Path | str = "the data") -> Model:
    """Decode the bytes of a model file; ``name`` stands in the errors.

    Raises:
        ModelFileError: anything about it is not as `to_bytes` writes it.
    """
    try:
        entries = entries_of(data, ENTRY, version=FORMAT, noun="a model")
        model = _empty(entries)
        tensors = {
            entry: torch.from_numpy(tensor.astype(np.float32))
            for entry, tensor in tensors_of(data, np.float16).items()
        }
        model = replace(model, likely=_likely(entries, tensors, model))
    except (DistrustError, ConfigError) as error:
        raise ModelFileError(name, str(error)) from None
    expected = dict(model.generator.named_parameters())
    if tensors.keys() != expected.keys():
        raise ModelFileError(name, "its tensors are not those of its sizes")
    for entry, tensor in tensors.items():
        if tensor.shape != expected[entry].shape:
            raise ModelFileError(name, f"{entry} has another shape than its sizes tell")
    model.generator.load_state_dict(tensors, strict=False, assign=True)
    return model


def _likely(header: dict[str, Any], tensors: dict[str, Tensor], model: Model) -> Likely | None:
    """Take what tells torn samples out of the tensors, if the header has its limit."""
    if LIKELY not in header:
        return None
    numbers = header[LIKELY]
    mean, axes = (tensors.pop(f"{LIKELY}.{part}", None) for part in ("mean", "axes"))
    known = isinstance(numbers, list) and [type(each) for each in numbers] == [float, float]
    if not known or mean is None or axes is None:
        raise DistrustError("what tells its torn samples is not readable")
    values = SIDE * SIDE * model.channels
    if mean.shape != (values,) or axes.ndim != 2 or axes.shape[1] != values:
        raise DistrustError("what tells its torn samples has another shape than its samples")
    return Likely(mean, axes, *numbers)


def _empty(header: dict[str, Any]) -> Model:
    """Build the model that a header describes, without memory for its weights."""
    if header.keys() | {LIKELY} != KNOWN | {LIKELY}:
        raise DistrustError("its header has other entries than a model's")
    size, channels, name = header["size"], header["channels"], header["medium"]
    sides = isinstance(size, list) and len(size) == 2
    if not sides or not all(type(side) is int and 0 < side <= LARGEST_SIDE for side in size):
        raise DistrustError("the size of its samples is out of range")
    known = (name, channels) in ((IMAGE.name, 1), (IMAGE.name, 3), (CLIMATE.name, 1))
    if not known or type(channels) is not int:
        raise DistrustError("its samples are of an unknown kind")
    counts = header["steps"], header["examples"]
    if not (isinstance(header["name"], str) and all(type(c) is int and c >= 0 for c in counts)):
        raise DistrustError("its name or counts are not readable")
    sizes = _sizes(header["sizes"])
    medium = MEDIA[name]
    with torch.device("meta"):
        generator = new_generator(medium, channels, sizes)
    return Model(
        name=header["name"],
        generator=generator,
        sizes=sizes,
        medium=medium,
        channels=channels,
        size=tuple(size),
        steps=header["steps"],
        examples=header["examples"],
    )


def _sizes(entries: Any) -> GeneratorSizes:
    if not isinstance(entries, dict) or entries.keys() != GENERATOR_RANGES.keys():
        raise DistrustError("its sizes are not those of a generator")
    for name, allowed in GENERATOR_RANGES.items():
        values = entries[name] if name == "hidden" else [entries[name]]
        kinds = (int, float) if name == "std" else (int,)
        if not isinstance(values, list) or not 0 < len(values) <= MOST_HIDDEN:
            raise DistrustError(f"its {name} is not readable")
        if not all(type(value) in kinds and value in allowed for value in values):
            raise DistrustError(f"its {name} is out of range")
    return GeneratorSizes(**{**entries, "hidden": tuple(entries["hidden"])})
