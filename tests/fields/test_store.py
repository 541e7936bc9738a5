from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from stegfield import fields, tensor_files
from stegfield.errors import FieldFileError, InputError, PluginNeededError
from stegfield.fields import ARCHITECTURES
from stegfield.fields import header as headers
from stegfield.signals import chords, waves

FIELD = fields.new_field(
    waves(10, 14), architecture="siren", sizes={"width": 8, "depth": 2}, seed=1
)
fields.draw(FIELD)
DATA = fields.to_bytes(FIELD)


def forged(
    changes: dict[str, Any] | None = None, tensors: dict[str, torch.Tensor] | None = None
) -> bytes:
    """Make a file like `to_bytes` does, with other header entries or other tensors."""
    header = {"format": headers.FORMAT, **FIELD.header(), **(changes or {})}
    header = {name: value for name, value in header.items() if value is not ...}
    plain = {name: t.detach().contiguous() for name, t in FIELD.state_dict().items()}
    return safetensors.torch.save({**plain, **(tensors or {})}, {headers.ENTRY: json.dumps(header)})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_loading_undoes_saving(architecture: str, tmp_path: Path) -> None:
    field = fields.new_field(waves(9, 17, channels=1), architecture=architecture)
    path = tmp_path / "field.safetensors"
    fields.save(path, field)
    loaded = fields.load(path)
    assert fields.to_bytes(loaded) == path.read_bytes() == fields.to_bytes(field)
    assert loaded.header() == field.header()
    assert np.array_equal(fields.render(loaded).values, fields.render(field).values)


def test_a_forged_file_without_changes_is_the_file() -> None:
    assert forged() == DATA


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 1},
        {"format": 3},
        {"format": "2"},
        {"format": True},
        {"grain": ...},
        {"grain": []},
        {"grain": {"decoder.layers.0.weight": 5}},
        {"grain": {"decoder.layers.0.weight": [-20, 10, 1]}},
        {"grain": {"decoder.layers.0.weight": [-20, 10.0]}},
        {"grain": {"decoder.layers.0.weight": [-20, 0]}},
        {"grain": {"decoder.layers.0.weight": [-20, 17]}},
        {"grain": {"decoder.layers.0.weight": [-20, 10**30]}},
        {"grain": {"decoder.layers.0.weight": [-127, 10]}},
        {"grain": {"decoder.layers.0.weight": [104, 10]}},
        {"grain": {"decoder.layers.2.bias": [-20, 10]}},
        {"grain": {"decoder.layers.9.weight": [-20, 10]}},
        {"architecture": "CNN of\n10 layers"},
        {"architecture": ["siren"]},
        {"architecture": "fourier"},
        {"sizes": {"width": 8}},
        {"sizes": {"width": 8, "depth": 2, "w0": 30.0, "more": 1}},
        {"sizes": {"width": 9, "depth": 2, "w0": 30.0}},
        {"sizes": {"width": 10**12, "depth": 2, "w0": 30.0}},
        {"sizes": {"width": "8", "depth": 2, "w0": 30.0}},
        {"sizes": {"width": 8, "depth": 2, "w0": float("nan")}},
        {"sizes": []},
        {"medium": ""},
        {"size": [0, 5]},
        {"size": [10, -14]},
        {"size": [10**6, 10**6]},
        {"size": [10.0, 14]},
        {"size": [10, 14, 3]},
        {"size": "10x14"},
        {"channels": 4},
        {"channels": True},
        {"channels": 1},
        {"seed": "zz"},
        {"seed": "00"},
        {"seed": 5},
        {"seed": ...},
        {"hidden": "yes"},
    ],
)
def test_every_header_entry_is_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(FieldFileError):
        fields.from_bytes(forged(changes))


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({"architecture": "gaussian"}, "the architecture 'gaussian'"),
        ({"medium": "elevation"}, "the medium 'elevation'"),
    ],
)
def test_a_field_that_needs_another_package_says_so(changes: dict[str, Any], needed: str) -> None:
    with pytest.raises(PluginNeededError, match=f"its.file needs the plug-in that brings {needed}"):
        fields.from_bytes(forged(changes), "its file")


@pytest.mark.parametrize(
    "changes",
    [
        {"rate": ...},
        {"rate": 0.0},
        {"rate": 8000},
        {"rate": float("nan")},
        {"rate": 1e9},
        {"range": ...},
        {"range": 0.5},
        {"range": [0.5]},
        {"range": [0.5, 0.5]},
        {"range": [0.5, -0.5]},
        {"range": [-1.5, 0.5]},
        {"range": [-1, 1]},
        {"range": [float("nan"), 0.5]},
        {"size": [400, 1]},
        {"channels": 3},
        {"medium": "volume"},
    ],
)
def test_what_only_sounds_have_is_checked_as_well(changes: dict[str, Any]) -> None:
    sound = fields.new_field(chords(400), sizes={"width": 8, "depth": 2})
    again = fields.from_bytes(fields.to_bytes(sound))
    assert again.public == sound.public
    header = {"format": headers.FORMAT, **sound.header(), **changes}
    header = {name: value for name, value in header.items() if value is not ...}
    plain = {name: t.detach().contiguous() for name, t in sound.state_dict().items()}
    forgery = safetensors.torch.save(plain, {headers.ENTRY: json.dumps(header)})
    with pytest.raises(FieldFileError):
        fields.from_bytes(forgery)


@pytest.mark.parametrize(
    "tensors",
    [
        {"more": torch.zeros(3)},
        {"decoder.layers.0.weight": torch.zeros(2, 8)},
        {"decoder.layers.0.weight": torch.zeros(8, 2, dtype=torch.float64)},
        {"decoder.layers.0.weight": torch.full((8, 2), torch.nan)},
        {"decoder.layers.2.bias": torch.tensor([0.0, torch.inf, 0.0])},
    ],
)
def test_every_tensor_is_checked(tensors: dict[str, torch.Tensor]) -> None:
    with pytest.raises(FieldFileError):
        fields.from_bytes(forged(tensors=tensors))


def test_a_missing_tensor_is_noticed() -> None:
    tensors = safetensors.torch.load(DATA)
    tensors.pop("decoder.layers.1.bias")
    entries = {"format": headers.FORMAT, **FIELD.header(), "grain": None}
    header = {headers.ENTRY: json.dumps(entries)}
    with pytest.raises(FieldFileError, match="tensors are not those"):
        fields.from_bytes(safetensors.torch.save(tensors, header))


def test_a_huge_header_is_refused_before_it_is_read() -> None:
    for length in (tensor_files.LARGEST_HEADER + 1, 1 << 40, (1 << 64) - 1, 0, 1):
        with pytest.raises(FieldFileError, match="header is missing or too long"):
            fields.from_bytes(struct.pack("<Q", length) + DATA[8:])


def test_a_safetensors_file_of_something_else_is_refused() -> None:
    for metadata in (None, {"format": "pt"}, {headers.ENTRY: "[]"}, {headers.ENTRY: "{"}):
        with pytest.raises(FieldFileError):
            fields.from_bytes(safetensors.torch.save({"w": torch.zeros(2)}, metadata))


def test_a_deeply_nested_header_is_refused() -> None:
    body = b'{"__metadata__":{"stegfield":' + b"[" * 30_000 + b"]" * 30_000 + b"}}"
    with pytest.raises(FieldFileError):
        fields.from_bytes(struct.pack("<Q", len(body)) + body)


@given(st.integers(0, len(DATA) - 1))
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(FieldFileError):
        fields.from_bytes(DATA[:length])


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_one_way(data: bytes) -> None:
    with pytest.raises(FieldFileError):
        fields.from_bytes(data)


@given(
    st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), min_size=1, max_size=9)
)
def test_a_damaged_file_loads_whole_or_not_at_all(damage: list[tuple[int, int]]) -> None:
    data = bytearray(DATA)
    for position, value in damage:
        data[position] = value
    try:
        field = fields.from_bytes(bytes(data))
    except FieldFileError:
        return
    assert all(tensor.isfinite().all() for tensor in field.state_dict().values())
    assert fields.render(field, (3, 4)).values.shape[:2] == (3, 4)


def test_missing_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        fields.load(tmp_path / "nothing")
    with pytest.raises(InputError, match="is a folder"):
        fields.load(tmp_path)


@pytest.mark.parametrize("kind", ["F8_E8M0", "F4", "F64", "BOOL", "F99"])
def test_other_types_of_numbers_are_refused(kind: str) -> None:
    length = int.from_bytes(DATA[:8], "little")
    header = DATA[8 : 8 + length].replace(b'"F32"', f'"{kind}"'.encode())
    with pytest.raises(FieldFileError):
        fields.from_bytes(struct.pack("<Q", len(header)) + header + DATA[8 + length :])


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_weights_that_another_program_halved_are_read_as_float32(kind: torch.dtype) -> None:
    tensors = {name: tensor.to(kind) for name, tensor in safetensors.torch.load(DATA).items()}
    length = int.from_bytes(DATA[:8], "little")
    metadata = json.loads(DATA[8 : 8 + length])["__metadata__"]
    field = fields.from_bytes(safetensors.torch.save(tensors, metadata))
    for name, tensor in field.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, tensors[name].float())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer of Git LFS"),
        (b"PK\x03\x04" + bytes(60), "it is a zip"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "it is PNG"),
        (DATA[:-1], "InvalidHeader|incomplete|invalid|header"),
    ],
)
def test_an_error_tells_what_a_file_is_instead(data: bytes, words: str) -> None:
    with pytest.raises(FieldFileError, match=words):
        fields.from_bytes(data)
