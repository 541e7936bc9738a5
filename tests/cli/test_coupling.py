"""The coupling: with the same U and R, a run without messages writes the very same file.

What the operating system's randomness gives is put in by these tests. All other random sources
raise: so nothing else can have decided a sample. See docs/proof.md.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch._dynamo  # or else the first optimiser loads it, and it draws names
from numpy.typing import NDArray
from PIL import Image

from stegfield import cli, generative, signals
from stegfield.cli.grain import OF_MESSAGES
from stegfield.fields import finishing
from stegfield.fixednet.drawn import drawing
from stegfield.keys import Key, KeyStream
from stegfield.payload import law

SOURCES: list[tuple[Any, str]] = [
    (os, "urandom"),
    (secrets, "token_bytes"),
    (secrets, "randbelow"),
    (random, "random"),
    (random.SystemRandom, "random"),
    (np.random, "default_rng"),
    (np.random, "rand"),
    (np.random, "random"),
    (np.random, "normal"),
    (np.random, "RandomState"),
    (torch, "rand"),
    (torch, "randn"),
    (torch, "randint"),
    (torch, "normal"),
    (torch, "bernoulli"),
    (torch, "Generator"),
]
"""Random sources other than `system_stream`; names of temporary files have one of their own."""
OF_FILES = ("secrets", "message_bytes", "room")
"""What a report of a field says of files."""
MESSAGES = {
    "one message": [["letter.txt", "alice.key"]],
    "three messages": [["letter.txt", "alice.key"], ["long.bin", "bob.key"], ["empty", "eve.key"]],
}


class Recorded(KeyStream):
    """R: what a run drew, in order."""

    def __init__(self, subkey: bytes, drawn: list[NDArray[np.uint64]]) -> None:
        super().__init__(subkey)
        self.drawn = drawn

    def integers(self, count: int) -> NDArray[np.uint64]:
        self.drawn.append(super().integers(count))
        return self.drawn[-1]


class Replayed(KeyStream):
    """U and R of another run; anything else that is drawn fails."""

    def __init__(self, plane: NDArray[np.bool_], drawn: list[NDArray[np.uint64]]) -> None:
        self.plane, self.drawn = plane, iter(drawn)

    def bits(self, count: int) -> NDArray[np.bool_]:
        assert count == len(self.plane)
        return self.plane.copy()

    def integers(self, count: int) -> NDArray[np.uint64]:
        drawn = next(self.drawn)
        assert len(drawn) == count
        return drawn

    def bytes(self, count: int) -> bytes:
        raise AssertionError("something else is drawn")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder with a picture, messages and keys; models are loaded."""
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(signals.to_png(signals.waves(72, 64)))
    wide = np.random.default_rng(0).integers(0, 1 << 16, (96, 96), np.uint16)
    Image.fromarray(wide).save("16-bit.png")
    Image.fromarray(np.asarray(Image.open("photo.png").convert("L"))).save("grey.png")
    with wave.open("tone.wav", "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", "not compressed"))
        file.writeframes((9000 * np.sin(np.arange(18_000) / 30)).astype("<i2").tobytes())
    Path("letter.txt").write_bytes(b"meet me at noon")
    Path("long.bin").write_bytes(np.random.default_rng(1).bytes(300))
    Path("empty").write_bytes(b"")
    for name in ("alice", "bob", "eve"):
        assert cli.run(["keygen", f"{name}.key"]) == 0
    kept = {name: generative.load(name) for name in ("faces", "digits", "climate")}
    monkeypatch.setattr(generative, "load", kept.__getitem__)
    yield
    monkeypatch.undo()


def forbidden(*given: object, **named: object) -> object:
    raise AssertionError("another random source is called")


def run(
    words: list[str], capsys: pytest.CaptureFixture[str], *, training: bool = False
) -> dict[str, Any]:
    """Run a command; in a training, a seed may decide batches by torch's generators."""
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patched:
        for module, name in SOURCES:
            if module is not torch or not training:
                patched.setattr(module, name, forbidden)
        code = cli.run([*words, "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    told: dict[str, Any] = json.loads(out)
    said = [line for line in err.splitlines() if "%: step" not in line]  # as the clock has it
    return told | {"said": said}


def without_report(told: dict[str, Any]) -> dict[str, Any]:
    left_out = (*OF_MESSAGES, *OF_FILES, "seconds")
    return {k: v for k, v in told.items() if k not in left_out}


Couple = Callable[[list[str], list[str], str], NDArray[np.bool_]]


@pytest.fixture
def couple(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Couple:
    """Run a command with messages, and the innocent one with its U and R; compare what shows."""

    def coupled(innocent: list[str], sent: list[str], output: str) -> NDArray[np.bool_]:
        planes: list[NDArray[np.bool_]] = []
        drawn: list[NDArray[np.uint64]] = []
        compose = law.compose

        def recorded(*given: Any, **named: Any) -> NDArray[np.bool_]:
            planes.append(compose(*given, **named).copy())
            return planes[-1]

        training = sent[0] == "hide"
        with monkeypatch.context() as patched:
            for module in (law, finishing):
                patched.setattr(module, "compose", recorded)
            patched.setattr(Key, "generate", lambda: Key(bytes([3] * 32)))  # of decoys
            patched.setattr(law, "system_stream", lambda: KeyStream(bytes([1] * 32)))
            patched.setattr(drawing, "system_stream", lambda: Recorded(bytes([2] * 32), drawn))
            told = run(sent, capsys, training=training)
        file = Path(output).read_bytes()
        *tried, plane = planes
        assert len(tried) == training  # for the room alone, before the training
        with monkeypatch.context() as patched:
            patched.setattr(law, "system_stream", lambda: Replayed(plane, []))
            patched.setattr(drawing, "system_stream", lambda: Replayed(plane[:0], drawn))
            again = run(innocent, capsys, training=training)
        assert Path(output).read_bytes() == file
        assert without_report(again) == without_report(told)
        assert not set(again) & {*OF_MESSAGES, *OF_FILES}
        return plane

    return coupled


@pytest.mark.parametrize("messages", MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize(
    ("picture", "options"),
    [
        ("photo.png", ["1.5"]),
        ("photo.png", ["3"]),
        ("photo.png", ["3", "--size", "52"]),
        ("16-bit.png", ["3"]),
    ],
    ids=lambda each: each if isinstance(each, str) else " ".join(each),
)
def test_grain_with_messages_is_grain_without_them(
    picture: str,
    options: list[str],
    messages: list[list[str]],
    couple: Couple,
) -> None:
    (first, key), *others = messages
    sigma, *size = options
    also = [word for each in others for word in ("--also", *each)]
    sent = ["embed", picture, first, "--key", key, *also, "--grain", sigma, *size]
    innocent = ["grain", picture, "--sigma", sigma, *size]
    written = ["-o", "s.png", "--force"]
    couple([*innocent, *written], [*sent, *written], "s.png")


@pytest.mark.parametrize(
    ("picture", "output"),
    [
        ("grey.png", "s.png"),
        ("grey.png", "s.webp"),
        ("photo.png", "s.tiff"),
        ("tone.wav", "s.wav"),
        ("air.nc", "s.nc"),
    ],
)
def test_grain_with_a_message_is_grain_without_one_in_every_kind_of_file(
    picture: str, output: str, couple: Couple
) -> None:
    if picture == "air.nc":
        pytest.importorskip("h5netcdf", reason="NetCDF files need stegfield[media]")
        assert cli.run(["generate", "climate", "--seed", "1", "-o", picture]) == 0
    sent = ["embed", picture, "letter.txt", "--key", "alice.key", "--grain", "2"]
    innocent = ["grain", picture, "--sigma", "2"]
    written = ["-o", output, "--force"]
    couple([*innocent, *written], [*sent, *written], output)


@pytest.mark.parametrize("decoys", [[], ["--decoy", "long.bin"]], ids=["", "and a decoy"])
@pytest.mark.parametrize("messages", MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize("field", ["siren", "grid"])
def test_fields_with_files_are_fields_without_them(
    field: str, messages: list[list[str]], decoys: list[str], couple: Couple
) -> None:
    plan = ["photo.png", "--field", field, "--steps", "3", "--seed", "4"]
    written = ["-o", "f.safetensors", "--force"]
    secrets = [word for each in messages for word in ("--secret", *each)]
    couple(["fit", *plan, *written], ["hide", *plan, *written, *secrets, *decoys], "f.safetensors")


@pytest.mark.parametrize("messages", MESSAGES.values(), ids=MESSAGES)
def test_a_field_that_is_drawn_again_with_files_is_one_without_them(
    messages: list[list[str]], couple: Couple
) -> None:
    """What is made of a field with a file in it, which is kept or lost."""
    assert cli.run(["generate", "digits", "--seed", "7", "-o", "first.safetensors"]) == 0
    assert cli.run(["keygen", "kept.key"]) == 0
    first = ["embed", "first.safetensors", "letter.txt", "--key", "kept.key"]
    assert cli.run([*first, "-o", "held.safetensors"]) == 0
    (message, key), *others = messages
    also = [word for each in others for word in ("--also", *each)]
    written = ["-o", "f.safetensors", "--force"]
    for keep in ([], ["--keep", "kept.key"]):
        sent = ["embed", "held.safetensors", message, "--key", key, *also, *keep, *written]
        couple(["grain", "held.safetensors", *written], sent, "f.safetensors")


def test_grain_of_a_field_leaves_nothing_of_what_it_carried(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["generate", "digits", "-o", "first.safetensors"]) == 0
    sent = ["embed", "first.safetensors", "letter.txt", "--key", "alice.key"]
    assert cli.run([*sent, "-o", "held.safetensors"]) == 0
    assert cli.run(["grain", "held.safetensors", "-o", "again.safetensors"]) == 0
    assert cli.run(["extract", "held.safetensors", "-o", "back", "--key", "alice.key"]) == 0
    assert cli.run(["extract", "again.safetensors", "-o", "none", "--key", "alice.key"]) != 0
    assert len(Path("again.safetensors").read_bytes()) == len(
        Path("first.safetensors").read_bytes()
    )
    capsys.readouterr()
    assert cli.run(["grain", "held.safetensors", "--sigma", "2", "-o", "x.safetensors"]) == 2
    assert "--sigma has no meaning for a field" in capsys.readouterr().err


@pytest.mark.parametrize("messages", MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize(
    ("model", "options", "output"),
    [
        ("faces", [], "s.png"),
        ("digits", ["--size", "96", "--grain", "3"], "s.png"),
        ("climate", [], "s.nc"),
        ("climate", ["--size", "120x60", "--plot", "globe.png"], "s.nc"),
    ],
    ids=lambda each: each if isinstance(each, str) else " ".join(each),
)
def test_generated_covers_with_messages_are_covers_without_them(
    model: str,
    options: list[str],
    output: str,
    messages: list[list[str]],
    couple: Couple,
) -> None:
    if model == "climate":
        pytest.importorskip("h5netcdf", reason="NetCDF files need stegfield[media]")
    (first, key), *others = messages
    if model == "climate" and "--size" not in options:
        others = others[:1]  # a small cover has two slots
    also = [word for each in others for word in ("--also", *each)]
    common = ["generate", model, *options, "--seed", "7", "-o", output, "--force"]
    sent = [*common, "--message", first, "--key", key, *also]
    couple(common, sent, output)


def test_each_message_of_a_coupled_file_comes_back(couple: Couple) -> None:
    sent = ["embed", "photo.png", "letter.txt", "--key", "alice.key", "--grain", "1.5"]
    sent += ["--also", "long.bin", "bob.key", "-o", "s.png"]
    couple(["grain", "photo.png", "-o", "s.png", "--force"], [*sent, "--force"], "s.png")
    for message, key in (("letter.txt", "alice.key"), ("long.bin", "bob.key")):
        assert cli.run(["extract", "s.png", "-o", "back", "--key", key, "--force"]) == 0
        assert Path("back").read_bytes() == Path(message).read_bytes()


def test_two_runs_with_one_seed_differ_in_grain_and_say_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = []
    for _ in range(2):
        capsys.readouterr()
        words = ["generate", "faces", "--seed", "7", "-o", "s.png", "--json", "--force"]
        assert cli.run(words) == 0
        told.append((Path("s.png").read_bytes(), set(json.loads(capsys.readouterr().out))))
    assert told[0][0] != told[1][0]
    assert told[0][1] == told[1][1]


@pytest.mark.parametrize("sigma", ["1.5", "3"])
def test_all_that_is_not_low_bits_comes_from_the_recorded_source(
    sigma: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same U and R give the same samples; with another R most samples are others."""
    monkeypatch.setattr(law, "system_stream", lambda: KeyStream(bytes([1] * 32)))
    samples = []
    for number in (2, 2, 3):
        drawn: list[NDArray[np.uint64]] = []
        stream = Recorded(bytes([number] * 32), drawn)
        monkeypatch.setattr(drawing, "system_stream", lambda stream=stream: stream)
        run(["grain", "photo.png", "--sigma", sigma, "-o", "s.png", "--force"], capsys)
        assert sum(map(len, drawn)) == 72 * 64 * 3
        samples.append(np.asarray(Image.open("s.png")))
    one, again, other = samples
    low = 3 if sigma == "3" else 1
    assert np.array_equal(one, again)
    assert np.array_equal(one & low, other & low)
    assert (one != other).mean() > 0.4


def test_size_and_rate_do_not_depend_on_the_message(couple: Couple) -> None:
    """The plane has as many bits whatever it carries, and the files are of one size."""
    innocent = ["grain", "photo.png", "-o", "s.png", "--force"]
    lengths = set()
    for message in ("letter.txt", "long.bin", "empty"):
        sent = ["embed", "photo.png", message, "--key", "bob.key", "--grain", "1.5"]
        lengths.add(len(couple(innocent, [*sent, "-o", "s.png", "--force"], "s.png")))
    assert lengths == {72 * 64 * 3}


def test_there_is_no_way_to_give_a_salt_or_grain_s_randomness(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (["embed", "photo.png", "letter.txt"], ["grain", "photo.png"]):
        for flag in ("--salt", "--seed", "--random"):
            assert cli.run([*words, flag, "1", "-o", "s.png"]) == 2
    assert not Path("s.png").exists()
