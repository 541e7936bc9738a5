from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from stegfield import cli, fields, fixednet, signals
from stegfield.errors import CapacityError, InputError, UnreadableError
from stegfield.fixednet.weights import embed_weights, extract_weights, weights_capacity
from stegfield.keys import Key, KeyFile

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
NOISE = np.random.default_rng(9).bytes(2000)


def model(count: int = 20_000, kind: Any = np.float32, **metadata: str) -> bytes:
    rng = np.random.default_rng(1)
    tensors = {
        "lora_a": rng.normal(0, 0.02, count).astype(kind),
        "lora_b": np.zeros(100, np.float32),
        "alpha": np.full(1, 16.0, np.float32),
    }
    return safetensors.numpy.save(tensors, metadata or None)


@pytest.mark.parametrize("kind", [np.float32, np.float16])
@given(st.binary(max_size=200))
@settings(max_examples=4)
def test_extracting_undoes_embedding(kind: Any, message: bytes) -> None:
    data = model(kind=kind, name="portrait")
    result = embed_weights(data, message, KEY)
    assert extract_weights(result.file, KEY) == message
    assert len(result.file) == len(data)
    before, after = (np.frombuffer(each, np.uint8) for each in (data, result.file))
    assert int((before != after).sum()) == result.changed > 0
    with pytest.raises(UnreadableError):
        extract_weights(result.file, OTHER)
    with pytest.raises(UnreadableError):
        extract_weights(data, KEY)


def test_the_longest_message_fits_and_one_byte_more_does_not() -> None:
    data = model(3000)
    longest = weights_capacity(data)
    assert extract_weights(embed_weights(data, NOISE[:longest], KEY).file, KEY) == NOISE[:longest]
    with pytest.raises(CapacityError, match=str(longest)):
        embed_weights(data, NOISE[: longest + 1], KEY)


def test_a_model_without_weights_to_change_carries_nothing() -> None:
    data = safetensors.numpy.save({"ones": np.ones(5000, np.float32)})
    assert weights_capacity(data) == 0
    with pytest.raises(CapacityError):
        embed_weights(data, b"noon", KEY)
    with pytest.raises(UnreadableError):
        extract_weights(data, KEY)


def test_a_few_changed_weights_lose_the_message() -> None:
    file = bytearray(embed_weights(model(), b"noon", KEY).file)
    file[-4000::64] = bytes(len(file[-4000::64]))
    with pytest.raises((UnreadableError, InputError)):
        extract_weights(bytes(file), KEY)


# the command line


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "model.safetensors").write_bytes(model())
    (tmp_path / "letter.txt").write_bytes(b"meet me at noon")
    KeyFile(KEY).write(tmp_path / "alice.key")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_model_goes_through_the_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given_key = ["--key", "alice.key"]
    embedding = ["embed", "model.safetensors", "letter.txt", "-o", "sent.safetensors", *given_key]
    assert cli.run(embedding) == 0
    told = capsys.readouterr().err
    assert "no law of such weights is known" in told
    assert "weights changed by one unit in the last place" in told
    assert cli.run(["extract", "sent.safetensors", "-o", "back.txt", *given_key]) == 0
    assert (folder / "back.txt").read_bytes() == b"meet me at noon"
    assert cli.run(["capacity", "model.safetensors"]) == 0
    assert "exact" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["-o", "sent.png"], "name an output that ends in .safetensors"),
        (["-o", "sent.safetensors", "--bpp", "1"], "--bpp has no meaning for the weights"),
        (["-o", "sent.safetensors", "--profile", "robust"], "--profile has no meaning"),
        (["-o", "model.safetensors"], "named twice"),
    ],
)
def test_what_makes_no_sense_for_a_model_is_refused(
    command: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.run(["embed", "model.safetensors", "letter.txt", "--key", "alice.key", *command])
    assert code != 0
    assert words in capsys.readouterr().err
    assert not (folder / "sent.safetensors").exists()


def test_a_damaged_model_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "model.safetensors").write_bytes(model()[:-1])
    command = ["embed", "model.safetensors", "letter.txt", "-o", "x.safetensors"]
    assert cli.run([*command, "--key", "alice.key"]) != 0
    assert "do not fill the file" in capsys.readouterr().err


def test_a_field_is_no_model(folder: Path) -> None:
    from stegfield.cli.weights import is_model

    field = fields.new_field(signals.waves(12, 16), sizes={"width": 16, "depth": 2}, seed=1)
    fields.save(folder / "field.safetensors", field)
    (folder / "cover.png").write_bytes(signals.to_png(signals.waves(16, 16)))
    assert is_model(folder / "model.safetensors")
    assert not is_model(folder / "field.safetensors")
    assert not is_model(folder / "cover.png")
    assert fixednet.capacity(folder / "cover.png")["exact"]["at most"] > 0
