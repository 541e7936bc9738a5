"""The documents are true: their commands and programs run, their table is what was measured."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image
from skimage import data

from stegfield import bench, cli, signals
from stegfield.fields import choosing
from stegfield.signals import chords, clip, to_samples, waves

HOME = Path(__file__).parent.parent
NO_API = {
    "app",
    "archives",
    "toml_files",
    "cli",
    "demo",
    "files",
    "lazy",
    "machine",
    "pictures",
    "receiver",
    "registry",
    "tensor_files",
}
"""Packages that serve the others, or are commands and pages and no calls."""
DOCUMENTS = [HOME / "README.md", HOME / "CONTRIBUTING.md", *sorted((HOME / "docs").glob("*.md"))]


LETTER = " ".join((HOME / "docs" / "security.md").read_text().split())[:3000]
"""A page of ordinary text, which deflates to about 1,300 bytes."""
FINGERPRINT, ANY_FINGERPRINT = re.compile("[0-9a-f]{4}(-[0-9a-f]{4}){3}"), "0000-0000-0000-0000"
PHONE = (4000, 3000)
"""Pixels of an ordinary phone's photographs."""


def blocks(language: str, document: Path) -> list[tuple[str | None, str]]:
    """Find the blocks of one language, each with its title: the name of a file."""
    found = re.findall(
        rf"```{language}(?: title=\"(.*?)\")?\n(.*?)```", document.read_text(), re.DOTALL
    )
    return [(title or None, text) for title, text in found]


def having(language: str) -> list[Path]:
    """Find the documents with blocks of a language."""
    return [document for document in DOCUMENTS if blocks(language, document)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the documents speak of; training is cut short."""
    monkeypatch.chdir(tmp_path)
    for name, image in (
        ("one.png", waves(20, 20, phase=1.0)),
        ("two.jpg", waves(16, 24, phase=2.0)),
        ("cup.png", waves(20, 30, phase=3.0)),
        ("cat.png", waves(20, 30, phase=4.0)),
    ):
        Image.fromarray(to_samples(image)).save(name)
    photo = Image.fromarray(data.coffee())  # type: ignore[no-untyped-call]
    photo.resize((160, 120), Image.Resampling.LANCZOS).save("photo.png")
    quarter = (PHONE[0] // 4, PHONE[1] // 4)
    photo.resize(quarter, Image.Resampling.BICUBIC).save("photo.jpg", quality=92)
    Path("photos").mkdir()
    Path("photos/one.png").write_bytes(Path("photo.png").read_bytes())
    Path("letter.txt").write_text(LETTER)
    Path("song.wav").write_bytes(signals.encode(chords(9000), ".wav"))
    Path("word.wav").write_bytes(signals.encode(chords(600), ".wav"))
    weights = np.random.default_rng(0).normal(size=1 << 16).astype(np.float32)
    Path("model.safetensors").write_bytes(safetensors.numpy.save({"weight": weights}))
    Path("clip.mp4").write_bytes(signals.encode(clip(4, 16, 16), ".mp4"))
    quick = choosing.Method(steps=20, shared_steps=20, passes=0)
    monkeypatch.setattr("stegfield.fields.run.method_of", lambda _: quick)
    return tmp_path


def ours(document: Path) -> list[list[str]]:
    """Return the commands of a document that are stegfield's, without the first word."""
    lines = [line for _, block in blocks("console", document) for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [words for line in lines if (words := command(line))]


def command(line: str) -> list[str]:
    """Return the words of a command after the first; none if it is not stegfield's."""
    first, *words = shlex.split(line.removeprefix("$ "))
    return words if first == "stegfield" and words != ["--version"] else []


@pytest.mark.parametrize("document", having("console"), ids=lambda path: path.stem)
def test_commands_and_programs_in_the_documents_run(
    document: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for made in re.findall(r"\$ mkdir (\w+)\n", document.read_text()):
        Path(made).mkdir()
    for title, text in blocks("toml", document):
        assert title is not None
        Path(title).write_text(text)
    for words in ours(document):
        quick = [re.sub(r"^(60|100)$", "5", word) for word in words]  # seconds, steps
        assert cli.run(quick) == 0, words
    for _, text in blocks("text", document):
        if "\nerror: " in text:
            run_transcript(text, capsys)
    run_programs(document)


def test_the_first_commands_take_a_phones_photograph(folder: Path) -> None:
    photo = Image.fromarray(data.coffee())  # type: ignore[no-untyped-call]
    photo.resize(PHONE, Image.Resampling.BICUBIC).save("photo.jpg", quality=92)
    commands = ours(HOME / "README.md")[: commands_before_fields()]
    assert [words[0] for words in commands[:3]] == ["keygen", "embed", "extract"]
    for words in commands:
        assert cli.run(words) == 0, words
    assert Path("letter-again.txt").read_text() == LETTER


def commands_before_fields() -> int:
    """Count the commands of the first section, which is about photographs."""
    return [words[0] for words in ours(HOME / "README.md")].index("hide") - 1


def test_every_document_with_programs_is_run() -> None:
    packages = {HOME / "docs" / "extending.md"}  # in tests/plugins
    assert {*having("python")} <= {*having("console")} | packages


def run_transcript(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run commands, and compare what they say with what is printed."""
    said = ""
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            capsys.readouterr()
            cli.run(command(line))
            said = FINGERPRINT.sub(ANY_FINGERPRINT, capsys.readouterr().err)
        else:
            line = FINGERPRINT.sub(ANY_FINGERPRINT, line)  # noqa: PLW2901 - each key has its own
            assert line == said[: len(line)], text
            said = said[len(line) :]
    assert said == "", text


def run_programs(document: Path) -> None:
    """Run the programs of a document, as files where they have names."""
    for title, program in blocks("python", document):
        if "onnxruntime" in program:
            pytest.importorskip("onnxruntime")
        code = compile(program, title or "document", "exec", dont_inherit=True)
        exec(code, {"__name__": "__main__"})


def test_the_readme_tells_of_the_main_commands() -> None:
    assert {words[0] for words in ours(HOME / "README.md")} >= {
        "keygen",
        "hide",
        "reveal",
        "embed",
        "extract",
    }


def test_the_readme_is_short() -> None:
    assert len((HOME / "README.md").read_text().splitlines()) < 150


def test_make_targets_in_the_documents_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (HOME / "Makefile").read_text(), flags=re.MULTILINE)
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    named = re.findall(r"(?:`|\$ )make ([a-z]+)", text)
    assert {"demo", "test"} <= set(named) <= set(targets)


def test_extras_in_the_documents_exist() -> None:
    project = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]
    text = "\n".join(path.read_text() for path in [*DOCUMENTS, HOME / "Makefile"])
    named = re.findall(r"(?:stegfield|['\" ]\.)\[([a-z,]+)\]", text)
    extras = {extra for group in named for extra in group.split(",")}
    assert {"app", "demo"} <= extras <= project["optional-dependencies"].keys()


def test_links_in_the_documents_lead_somewhere() -> None:
    made = {
        "api/index.md",
        "commands.md",
        "contributing.md",
        "models.md",
        "receiver-page.html",
        "tutorial.md",
    }  # with the site
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
            if not target.startswith("https://") and target not in made:
                assert (document.parent / target).exists(), (document, target)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it."""
    pytest.importorskip("mkdocs", reason="the site takes stegfield[docs]")
    built = tmp_path_factory.mktemp("built") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(built)],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return built


def test_the_site_fetches_nothing_from_other_hosts(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = re.findall(
            r"<(?:script|img|link)[^>]*?(?:src|href)=\"?(http[^\" >]*)", page.read_text()
        )
        assert fetched == [], page


def test_the_site_has_a_page_for_each_public_package(site: Path) -> None:
    packages = {
        path.name.removesuffix(".py")
        for path in (HOME / "src" / "stegfield").iterdir()
        if not path.name.startswith(("_", "py."))
    }
    assert {
        page.stem.removeprefix("stegfield.") for page in (site / "api").glob("stegfield.*.html")
    } == packages - NO_API


def test_the_site_has_a_page_for_each_report_of_experiments(site: Path) -> None:
    reports = (HOME / "results" / "experiments").rglob("*.md")
    pages = {page.stem for page in (site / "experiments").rglob("*.html")}
    assert pages == {report.stem for report in reports} != set()


def test_pictures_of_the_site_can_be_enlarged(site: Path) -> None:
    home = (site / "index.html").read_text()
    assert home.count('<a class="picture" href="embedding.png">') == home.count("<img") == 1


def test_the_figures_are_those_of_the_records() -> None:
    results = bench.Results(HOME / "results" / "experiments")
    sections = bench.sections([bench.load(name) for name in bench.shipped()], results)
    marked = [path for path in DOCUMENTS if " figures -->" in path.read_text()]
    assert {path.name for path in marked} == {"README.md", "results.md", "media.md"}
    for document in marked:
        assert document.read_text() == bench.filled(document.read_text(), sections), document


def test_every_file_of_golden_vectors_has_the_script_that_made_it() -> None:
    golden = HOME / "tests" / "golden"
    for vectors in golden.glob("*.json"):
        assert (golden / f"make_{vectors.stem}.py").exists()
