"""`hide` and `reveal` of files, `fit`, and `embed`, `extract` and `capacity` of a field."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stegfield import cli, fields, signals
from stegfield.fields import finishing, header
from stegfield.keys import Key, KeyFile
from stegfield.payload import law
from stegfield.signals import waves

QUICK = ["--sizes", "width=48,depth=2", "--steps", "5", "--seed", "1"]
LETTER, ZIP = b"%PDF-1.7 " + bytes(range(256)), b"PK\x03\x04" + bytes(300)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(signals.to_png(waves(20, 32)))
    Path("letter.pdf").write_bytes(LETTER)
    Path("parts.zip").write_bytes(ZIP)
    for name in ("alice", "bob", "eve"):
        KeyFile(Key(name.encode().ljust(32, b"."))).write(Path(f"{name}.key"))
    return tmp_path


def run(words: str) -> int:
    return cli.run(words.split())


def hide(*more: str) -> int:
    return cli.run(["hide", "photo.png", "-o", "public.safetensors", *QUICK, *more])


ALICE, BOB = ("--secret", "letter.pdf", "alice.key"), ("--secret", "parts.zip", "bob.key")


def test_files_of_any_type_come_back_bit_for_bit(capsys: pytest.CaptureFixture[str]) -> None:
    assert hide(*ALICE, *BOB, "--decoy", "photo.png") == 0
    said = capsys.readouterr().err
    assert f"letter.pdf: {len(LETTER)} bytes, key alice.key" in said
    assert "photo.png: " in said
    assert "a decoy" in said
    assert "detectors" not in said
    assert run("reveal public.safetensors -o back.pdf --key alice.key") == 0
    assert Path("back.pdf").read_bytes() == LETTER
    assert Path("back.pdf").stat().st_mode & 0o77 == 0
    assert run("reveal public.safetensors -o back --key bob.key --json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == {"file": "back.zip", "bytes": len(ZIP), "suffix": ".zip"}
    assert Path("back.zip").read_bytes() == ZIP
    assert run("reveal public.safetensors -o wrong --key eve.key") == 1
    assert run("reveal public.safetensors -o back --key bob.key") == 1  # it exists
    assert not list(Path().glob("wrong*"))


def test_another_suffix_is_taken_as_it_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert hide(*ALICE) == 0
    capsys.readouterr()
    assert run("reveal public.safetensors -o back.bin --key alice.key") == 0
    assert Path("back.bin").read_bytes() == LETTER
    assert "ended in .pdf" in capsys.readouterr().err


def test_passphrases_hide_and_reveal(monkeypatch: pytest.MonkeyPatch) -> None:
    phrase = "correct horse battery staple\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(phrase))
    assert hide("--secret", "letter.pdf", "--passphrase-stdin") == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO(phrase))
    assert run("reveal public.safetensors -o back.pdf --passphrase-stdin") == 0
    assert Path("back.pdf").read_bytes() == LETTER


@pytest.mark.parametrize(
    "option",
    ["--slots keyed", "--slots random", "--ratio 0.1", "--values matched", "--as functions"],
)
def test_options_of_functions_imply_them_and_warn_once(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("one.png").write_bytes(signals.to_png(waves(16, 16, phase=1.0)))
    assert hide("--secret", "one.png", "new.key", *option.split()) in (0, 1)
    words = ["--secret", "one.png", "alice.key", "--force", *option.split()]
    assert hide(*words) == 0
    said = capsys.readouterr().err
    assert said.count("detectors classify 81 to 100 %") in (1, 2)
    assert "--as files" in said
    assert run("reveal public.safetensors -o back.png --key alice.key") == 0
    assert signals.read(Path("back.png")).size == (16, 16)


@pytest.mark.parametrize("option", ["--slots keyed", "--ratio 0.1", "--like clean.safetensors"])
def test_files_have_no_slots(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert hide(*ALICE, "--as", "files", *option.split()) == 2
    said = capsys.readouterr().err
    assert f"{option.split(maxsplit=1)[0]} has no meaning for files" in said
    assert "--as functions" in said
    assert not Path("public.safetensors").exists()


def test_hide_refuses_what_conflicts(capsys: pytest.CaptureFixture[str]) -> None:
    assert hide() == 2
    assert "no secret" in capsys.readouterr().err
    assert hide(*ALICE, "--secret", "parts.zip", "alice.key") == 2
    assert "same key" in capsys.readouterr().err
    Path("large.bin").write_bytes(np.random.default_rng(0).bytes(10_000))
    assert hide("--secret", "large.bin", "alice.key") == 1
    said = capsys.readouterr().err
    assert "10,004 bytes are needed" in said
    assert "--sizes" in said
    assert not Path("public.safetensors").exists()


def test_fit_and_hide_write_and_say_the_same_but_for_the_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Record U of a run that hides, and feed it to the one that hides nothing."""
    planes: list[NDArray[np.bool_]] = []

    def record(*words: Any, **more: Any) -> NDArray[np.bool_]:
        planes.append(law.compose(*words, **more))
        return planes[-1].copy()

    monkeypatch.setattr(finishing, "compose", record)
    assert hide(*ALICE, *BOB, "--json") == 0
    stego = json.loads(capsys.readouterr().out)
    monkeypatch.setattr(finishing, "compose", lambda *_: planes[-1].copy())
    assert cli.run(["fit", "photo.png", "-o", "innocent.safetensors", *QUICK, "--json"]) == 0
    innocent = json.loads(capsys.readouterr().out)
    assert Path("innocent.safetensors").read_bytes() == Path("public.safetensors").read_bytes()
    assert stego.keys() - innocent.keys() == {"secrets", "room"}
    own = {"field", "seconds", "secrets", "room"}
    assert {k: v for k, v in stego.items() if k not in own} == {
        k: v for k, v in innocent.items() if k not in own
    }


def test_fields_are_drawn_unless_research_says_no(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fit", "photo.png", "-o", "plain.safetensors", *QUICK, "--no-draw"]) == 0
    assert header.read(Path("plain.safetensors")).header.grains is None
    assert run("inspect plain.safetensors --json") == 0
    assert json.loads(capsys.readouterr().out)["grain"] is None
    assert run("inspect plain.safetensors") == 0
    assert "as they were trained" in capsys.readouterr().out
    assert cli.run(["fit", "photo.png", "-o", "drawn.safetensors", *QUICK]) == 0
    assert run("inspect drawn.safetensors") == 0
    assert "drawn" in capsys.readouterr().out
    assert run("generate digits -o digit.safetensors --seed 1") == 0
    assert header.read(Path("digit.safetensors")).header.grains
    assert fields.load(Path("digit.safetensors")).grains


def test_a_field_that_fit_wrote_carries_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fit", "photo.png", "-o", "field.safetensors", *QUICK]) == 0
    both = "--key alice.key --also parts.zip bob.key"
    assert run(f"embed field.safetensors letter.pdf -o stego.safetensors {both}") == 0
    said = capsys.readouterr().err
    assert f"letter.pdf, {len(LETTER)} bytes" in said
    assert "room for" in said
    assert run("extract stego.safetensors -o back --key alice.key") == 0
    assert Path("back.pdf").read_bytes() == LETTER
    assert run("reveal stego.safetensors -o back --key bob.key") == 0
    assert Path("back.zip").read_bytes() == ZIP
    before, after = (header.read(Path(f"{name}.safetensors")) for name in ("field", "stego"))
    assert before.header == after.header
    assert Path("field.safetensors").stat().st_size == Path("stego.safetensors").stat().st_size

    again = "embed stego.safetensors letter.pdf -o third.safetensors --key eve.key --keep bob.key"
    assert run(again) == 0
    assert run("extract third.safetensors -o kept --key bob.key") == 0
    assert Path("kept.zip").read_bytes() == ZIP
    assert run("extract third.safetensors -o lost --key alice.key") == 1
    assert "nothing can be read with this key" in capsys.readouterr().err


def test_capacity_of_a_field_sees_known_messages_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert hide(*ALICE, *BOB) == 0
    assert cli.run(["fit", "photo.png", "-o", "clean.safetensors", *QUICK]) == 0
    told = []
    for words in ("public.safetensors", "clean.safetensors", "public.safetensors --key alice.key"):
        capsys.readouterr()
        assert run(f"capacity {words} --json") == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    assert told[0]["parts"] == law.PARTS > told[2]["parts"]
    assert told[2]["messages"] == told[0]["messages"] - 1
    assert run("capacity public.safetensors --key alice.key") == 0
    assert "beside 1 known message: " in capsys.readouterr().out
    assert run("capacity public.safetensors --key eve.key") == 1
    assert run("capacity photo.png --key eve.key") == 1  # a cover with grain could carry one


def test_fields_that_cannot_carry_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = Path(__file__).parents[1] / "golden" / "fields" / "first.safetensors"
    Path("first.safetensors").write_bytes(first.read_bytes())
    assert cli.run(["fit", "photo.png", "-o", "plain.safetensors", *QUICK, "--no-draw"]) == 0
    capsys.readouterr()
    for name, why in (("first", "format 1"), ("plain", "never drawn")):
        for words in ("embed {} letter.pdf -o x --key alice.key", "capacity {}"):
            assert run(words.format(f"{name}.safetensors")) == 1
            said = capsys.readouterr().err
            assert f"{name}.safetensors" in said
            assert why in said
            assert said.startswith("error: ")
    assert run("embed photo.png letter.pdf -o x.png --key alice.key --keep bob.key") == 2
    assert "--keep is for fields" in capsys.readouterr().err


@pytest.mark.parametrize(
    "entry", ["[-20, 10000000000]", "[1000000, 10]", '{"a": 1}', "[[-20, 10]]"]
)
def test_a_hostile_grain_is_refused_in_one_line(
    entry: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["fit", "photo.png", "-o", "field.safetensors", *QUICK]) == 0
    data = Path("field.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    outer = json.loads(data[8 : 8 + length])
    inner = json.loads(outer["__metadata__"]["stegfield"])
    inner["grain"]["decoder.layers.0.weight"] = json.loads(entry)
    outer["__metadata__"]["stegfield"] = json.dumps(inner)
    forged = json.dumps(outer).encode()
    Path("forged.safetensors").write_bytes(
        len(forged).to_bytes(8, "little") + forged + data[8 + length :]
    )
    capsys.readouterr()
    for words in ("reveal forged.safetensors -o x --key alice.key", "inspect forged.safetensors"):
        assert run(words) == 1
        assert "the grain of one of its tensors is out of range" in capsys.readouterr().err
