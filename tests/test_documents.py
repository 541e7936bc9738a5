"""The documents are true: their commands and programs run, their table is what was measured."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from stegfield import cli, signals
from stegfield.signals import chords, clip, to_samples, waves

HOME = Path(__file__).parent.parent
DOCUMENTS = [HOME / "README.md", HOME / "CONTRIBUTING.md", *sorted((HOME / "docs").glob("*.md"))]


def blocks(language: str) -> list[str]:
    """Find the blocks of one language in all documents."""
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the documents speak of; training is cut short."""
    monkeypatch.chdir(tmp_path)
    for name, image in (
        ("photo.png", waves(32, 40)),
        ("one.png", waves(20, 20, phase=1.0)),
        ("two.jpg", waves(16, 24, phase=2.0)),
    ):
        Image.fromarray(to_samples(image)).save(name)
    Path("letter.txt").write_text("Dear Bob")
    Path("song.wav").write_bytes(signals.encode(chords(9000), ".wav"))
    Path("word.wav").write_bytes(signals.encode(chords(600), ".wav"))
    Path("clip.mp4").write_bytes(signals.encode(clip(4, 16, 16), ".mp4"))
    monkeypatch.setattr("stegfield.fields.training.LEAST_STEPS", 20)
    monkeypatch.setattr("stegfield.fields.training.PASSES", 0)
    return tmp_path


def test_commands_in_the_documents_run(folder: Path) -> None:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    commands = [shlex.split(line[2:]) for line in lines]
    ours = [words[1:] for words in commands if words[0] == "stegfield"]
    assert {words[0] for words in ours} >= {"keygen", "hide", "reveal", "embed", "extract"}
    for words in ours:
        assert cli.run(words) == 0, words


def test_make_targets_in_the_documents_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (HOME / "Makefile").read_text(), flags=re.MULTILINE)
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    named = re.findall(r"(?:`|\$ )make ([a-z]+)", text)
    assert {"demo", "test"} <= set(named) <= set(targets)


def test_programs_in_the_documents_run(folder: Path) -> None:
    programs = blocks("python")
    assert programs
    for program in programs:
        exec(compile(program, "document", "exec"), {})
    assert signals.read(Path("two-again.png")).size == (16, 24)


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if not target.startswith("https://"):
                assert (document.parent / target).exists(), (document, target)


def test_the_documents_figures_are_those_of_the_benchmark() -> None:
    spec = importlib.util.spec_from_file_location("report", HOME / "benchmarks" / "report.py")
    assert spec is not None
    assert spec.loader is not None
    report = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(report)
    for name, table in report.tables().items():
        assert table in report.DOCUMENTS.get(name, HOME / "README.md").read_text()


def test_every_file_of_golden_vectors_has_the_script_that_made_it() -> None:
    golden = HOME / "tests" / "golden"
    for vectors in golden.glob("*.json"):
        assert (golden / f"make_{vectors.stem}.py").exists()
