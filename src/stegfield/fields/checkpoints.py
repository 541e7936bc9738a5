"""Checkpoints: a training run's weights and optimiser states, in safetensors, never pickle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from stegfield import files
from stegfield.errors import InputError
from stegfield.keys import KEY_BYTES, SALT_BYTES
from stegfield.tensor_files import plain_json

ENTRY = "stegfield-checkpoint"


def save(
    path: Path,
    field: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    facts: dict[str, Any],
) -> None:
    """Replace the checkpoint by a whole new one, readable by its owner only."""
    data = safetensors.torch.save(tensors_of(field, optimizers), {ENTRY: json.dumps(facts)})
    files.write_new(path, data, force=True, private=True)


def tensors_of(field: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Return all tensors of a run, by their names in a checkpoint."""
    tensors = {f"field.{name}": tensor for name, tensor in field.state_dict().items()}
    tensors |= {name: state[entry] for name, state, entry in _states(optimizers)}
    return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}


def put(
    tensors: dict[str, Tensor], field: nn.Module, optimizers: Sequence[torch.optim.Optimizer]
) -> None:
    """Put back the tensors of `tensors_of`."""
    tensors = dict(tensors)
    weights = {name: tensors.pop(f"field.{name}") for name in field.state_dict()}
    _fill(optimizers, tensors)
    field.load_state_dict(weights)


def facts_of(path: Path) -> dict[str, Any]:
    """Return the facts of a checkpoint: everything but its tensors.

    Raises:
        InputError: The file is damaged.
    """
    with distrusting(path), safetensors.safe_open(path, "pt") as stream:
        return _facts(stream)


def start(path: Path) -> tuple[bytes, bytes]:
    """Return how the field of a checkpoint began: what its weights were drawn from, and its salt.

    Raises:
        InputError: The file is damaged.
    """
    with distrusting(path), safetensors.safe_open(path, "pt") as stream:
        facts = _facts(stream)
        draw, salt = bytes.fromhex(facts["draw"]), bytes.fromhex(facts["salt"])
        if len(draw) != KEY_BYTES or len(salt) != SALT_BYTES:
            raise ValueError(path)
        return draw, salt


def architecture(path: Path) -> str | None:
    """Return the architecture of a checkpoint's field; None if it was written before that was kept.

    Raises:
        InputError: The file is damaged.
    """
    with distrusting(path):
        name = facts_of(path).get("architecture")
        if not (name is None or isinstance(name, str)):
            raise TypeError(path)
        return name


def note(path: Path) -> dict[str, Any]:
    """Return the note that the caller of a run kept in its checkpoint.

    Raises:
        InputError: The file is damaged.
    """
    with distrusting(path), safetensors.safe_open(path, "pt") as stream:
        kept = _facts(stream)["note"]
        if not isinstance(kept, dict):
            raise TypeError(path)
        return kept


def load(
    path: Path, field: nn.Module, optimizers: Sequence[torch.optim.Optimizer], run: str
) -> dict[str, Any]:
    """Load a checkpoint into a field and its optimisers, and return its facts.

    Args:
        path: A file that `save` wrote.
        field: Gets the weights.
        optimizers: Get their states.
        run: Digest of the run, as in ``facts["run"]``.

    Raises:
        InputError: The file is damaged or comes from another run.
    """
    with distrusting(path), safetensors.safe_open(path, "pt") as stream:
        facts = _facts(stream)
        if facts["run"] != run:
            raise InputError(
                f"{path} belongs to another run",
                hint="repeat the command that wrote it, or name another file to start afresh",
            )
        tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        if not all(tensor.isfinite().all() for tensor in tensors.values()):
            raise ValueError(path)
        put(tensors, field, optimizers)
    return facts


@contextmanager
def distrusting(path: Path) -> Iterator[None]:
    """Turn every error of a damaged file into one `InputError`."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception:  # not told, since a checkpoint holds what keys come from
        raise InputError(
            f"{path} is a damaged checkpoint", hint="name another file to start again"
        ) from None


def _facts(stream: safetensors.safe_open) -> dict[str, Any]:
    metadata = stream.metadata() or {}  # type: ignore[no-untyped-call]
    facts = plain_json(metadata[ENTRY])
    if not isinstance(facts, dict):
        raise TypeError(ENTRY)
    return facts


def _states(
    optimizers: Sequence[torch.optim.Optimizer],
) -> Iterator[tuple[str, dict[str, Tensor], str]]:
    for number, optimizer in enumerate(optimizers):
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for index, parameter in enumerate(parameters):
            state = optimizer.state[parameter]
            for entry in state:
                yield f"optimizer.{number}.{index}.{entry}", state, entry


def _fill(optimizers: Sequence[torch.optim.Optimizer], tensors: dict[str, Tensor]) -> None:
    for number, optimizer in enumerate(optimizers):
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for name, tensor in tensors.items():
            _, owner, index, entry = name.split(".")
            if int(owner) == number:
                parameter = parameters[int(index)]
                if tensor.shape != (torch.Size() if entry == "step" else parameter.shape):
                    raise ValueError(name)
                place = "cpu" if entry == "step" else parameter.device
                optimizer.state[parameter][entry] = tensor.to(place)
