from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stegfield import fields
from stegfield.errors import FieldFileError, InputError
from stegfield.fields import ARCHITECTURES, header
from stegfield.fields.architectures import sizes_of
from stegfield.fields.sizes import SIZES
from stegfield.signals import waves


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_file_tells_the_same_with_and_without_its_network(
    architecture: str, tmp_path: Path
) -> None:
    field = fields.new_field(waves(9, 17, channels=1), architecture=architecture)
    path = tmp_path / "field.safetensors"
    fields.save(path, field)
    found = header.read(path)
    assert found.header.to_json() == field.header()
    assert found.header.sizes == field.sizes
    assert found.header.public == field.public
    assert found.weight_count == field.weight_count()
    assert found.tensors.keys() == field.state_dict().keys()
    for name, tensor in field.state_dict().items():
        assert np.array_equal(found.tensors[name], tensor.numpy())


def test_every_architecture_has_its_sizes() -> None:
    assert list(SIZES) == list(ARCHITECTURES)
    for name, architecture in ARCHITECTURES.items():
        assert architecture.architecture == name
        assert architecture.sizes_type is sizes_of(name)


def test_tensors_come_layer_by_layer() -> None:
    field = fields.new_field(waves(9, 17), sizes={"width": 8, "depth": 11})
    names = [f"decoder.layers.{at}.{what}" for at in range(12) for what in ("bias", "weight")]
    assert list(header.decode(fields.to_bytes(field)).tensors) == names


def test_the_repr_of_a_file_shows_no_numbers() -> None:
    field = fields.new_field(waves(9, 17), sizes={"width": 8, "depth": 2})
    assert repr(header.decode(fields.to_bytes(field))) == "FieldFile(siren, 123 weights)"


@pytest.mark.parametrize("length", [0, 8, 100, -1])
def test_a_truncated_file_is_refused(length: int, tmp_path: Path) -> None:
    data = fields.to_bytes(fields.new_field(waves(9, 17), sizes={"width": 8, "depth": 2}))
    path = tmp_path / "field.safetensors"
    path.write_bytes(data[:length])
    with pytest.raises(FieldFileError, match=r"field\.safetensors"):
        header.read(path)
    with pytest.raises(InputError, match="does not exist"):
        header.read(tmp_path / "nothing")


@pytest.mark.parametrize("command", ["inspect", "keygen"])
def test_what_needs_no_network_imports_no_torch(command: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if command == "inspect":
        fields.save(out, fields.new_field(waves(9, 17), sizes={"width": 8, "depth": 2}))
    script = (
        "import sys; sys.modules['torch'] = None; from stegfield import cli; "
        f"sys.exit(cli.run([{command!r}, {str(out)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
