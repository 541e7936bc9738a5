"""Field files: a header (see `stegfield.fields.header`), then the field's weights."""

from __future__ import annotations

from pathlib import Path

import torch

from stegfield import files
from stegfield.errors import ConfigError, FieldFileError
from stegfield.fields.architectures import ARCHITECTURES
from stegfield.fields.field import Field
from stegfield.fields.header import LARGEST_FILE, FieldFile, Header, decode, in_order


def to_bytes(field: Field) -> bytes:
    """Encode a field as the bytes of its file; equal fields give equal bytes."""
    return to_file(field).to_bytes()


def to_file(field: Field) -> FieldFile:
    """Return what a field's file holds, as arrays."""
    header = Header(field.architecture, field.sizes, field.public, field.grains)
    tensors = {name: t.detach().cpu().numpy() for name, t in field.state_dict().items()}
    return FieldFile(header, in_order(tensors))


def save(path: Path, field: Field, *, force: bool = False) -> None:
    """Write a field file, whole or not at all.

    Raises:
        OutputError: The file exists (unless ``force``) or cannot be written.
    """
    files.write_new(path, to_bytes(field), force=force)


def load(source: Field | Path | str) -> Field:
    """Read a field file; return what is a field already as it is.

    Raises:
        InputError: The file is missing or cannot be read.
        FieldFileError: The file is not as `save` writes it.
        PluginNeededError: The field is of an architecture or a medium that is not installed.
    """
    if isinstance(source, Field):
        return source
    return from_bytes(files.read_bounded(Path(source), LARGEST_FILE), source)


def from_bytes(data: bytes, name: Path | str = "the data") -> Field:
    """Decode the bytes of a field file; errors mention ``name``.

    Raises:
        FieldFileError: Anything about the bytes is not as `to_bytes` writes it.
        PluginNeededError: The field is of an architecture or a medium that is not installed.
    """
    return from_file(decode(data, name), name)


def from_file(found: FieldFile, name: Path | str = "the data") -> Field:
    """Build the field of a file that was read; errors mention ``name``.

    Raises:
        FieldFileError: The tensors are not those of the field that the header describes.
        PluginNeededError: The field is of an architecture that is not installed.
    """
    try:
        field = _empty_field(found.header)
    except (ConfigError, RuntimeError) as error:  # not of its medium, or of sizes too large
        raise FieldFileError(name, str(error)) from None
    expected = field.state_dict()
    if found.tensors.keys() != expected.keys():
        raise FieldFileError(name, "its tensors are not those of its architecture")
    for entry, tensor in found.tensors.items():
        if tensor.shape != tuple(expected[entry].shape):
            raise FieldFileError(name, f"{entry} has another shape than its architecture")
    tensors = {entry: torch.from_numpy(tensor) for entry, tensor in found.tensors.items()}
    field.load_state_dict(tensors, assign=True)
    field.grains = found.header.grains
    return field


def _empty_field(header: Header) -> Field:
    """Build the field that a header describes, without memory for its weights."""
    with torch.device("meta"):
        return ARCHITECTURES[header.architecture](header.sizes, header.public, None)
