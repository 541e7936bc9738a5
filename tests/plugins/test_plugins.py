"""A package that is installed beside stegfield adds one of everything, without editing ours.

What is run stands in ``docs/extending.md``, as the files of the package do.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stegfield import bench, fields, signals
from stegfield.errors import PluginNeededError
from stegfield.signals import waves

HERE = Path(__file__).parent
PACKAGE = HERE / "stegfield_example"
PAGE = (HERE.parents[1] / "docs" / "extending.md").read_text()
SOURCE = Path(signals.__file__).parents[2]
FILES = dict(re.findall(r'```\w+ title="(.*?)"\n(.*?)```', PAGE, re.DOTALL))
COMMANDS = [
    shlex.split(line)[1:]
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("stegfield ")
]
Run = Callable[[list[str]], "subprocess.CompletedProcess[str]"]


def quicker(command: list[str]) -> list[str]:
    """Train for a moment, and alike each time."""
    words = ["20" if word == "200" else word for word in command]
    trained = {"fit": ["--seed", "0"], "hide": ["--seed", "0"]}
    return [*words, *trained.get(command[0], [])]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, as pip puts it there without a network."""
    folder = tmp_path_factory.mktemp("site-packages")
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target"]
    subprocess.run([*command, str(folder), str(PACKAGE)], check=True)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph, hills, a letter and the suite."""
    path = tmp_path_factory.mktemp("work")
    (path / "photo.png").write_bytes(signals.to_png(waves(64, 80)))
    across, down = np.meshgrid(np.arange(96), np.arange(64))
    heights = (300 + 200 * np.sin(across / 9) * np.cos(down / 7)).astype(int)
    rows = "\n".join(" ".join(map(str, row)) for row in heights)
    (path / "hills.asc").write_text(
        f"ncols 96\nnrows 64\nxllcorner 0\nyllcorner 0\ncellsize 1\n{rows}\n"
    )
    (path / "letter.txt").write_text("meet me at noon")
    (path / "roughening.toml").write_text((PACKAGE / "roughening.toml").read_text())
    return path


@pytest.fixture(scope="module")
def run(installed: Path, folder: Path) -> Run:
    """Run a command where the package is installed."""
    paths = os.pathsep.join([str(installed), str(SOURCE)])

    def one(command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stegfield", *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths},
            check=False,
            capture_output=True,
            text=True,
        )

    return one


@pytest.fixture(scope="module")
def said(run: Run) -> dict[str, str]:
    """What the commands of the page said, by their first words."""
    told = {}
    for command in COMMANDS:
        done = run(quicker(command))
        assert done.returncode == 0, (command, done.stderr)
        told[command[0]] = done.stdout + done.stderr
    return told


def test_the_page_shows_the_files_of_the_package() -> None:
    assert set(FILES) == {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*")
        if path.suffix in (".py", ".toml") and path.name != "__init__.py"
    }
    for name, text in FILES.items():
        assert text == (PACKAGE / name).read_text(), name


def test_a_field_of_another_package_is_fitted_and_hides(said: dict[str, str], folder: Path) -> None:
    assert "gaussian: width 64, depth 3, spread 0.1" in said["inspect"]
    assert "20 steps" in said["fit"]
    for name in ("photo.safetensors", "hidden.safetensors"):
        needed = "needs the plug-in that brings the architecture 'gaussian'"
        with pytest.raises(PluginNeededError, match=needed):
            fields.load(folder / name)


def test_a_medium_of_another_package_is_read_hidden_revealed_and_compared(
    said: dict[str, str], folder: Path
) -> None:
    assert "96x64" in said["reveal"]
    assert (folder / "revealed.asc").read_text().startswith("ncols 96\nnrows 64\n")
    assert "largest difference" in said["compare"]


def test_a_carrier_and_a_profile_of_another_package_carry_a_message(
    said: dict[str, str], folder: Path
) -> None:
    assert "matching" in said["capacity"]
    assert "exact" in said["capacity"]
    assert "15 bytes" in said["embed"]
    assert "a cell; read back and compared" in said["embed"]
    assert (folder / "again.txt").read_text() == "meet me at noon"


def test_a_detector_of_another_package_judges_alone_and_beside_ours(
    said: dict[str, str], run: Run
) -> None:
    assert said["detect"].startswith("photo.png: not suspected by roughness: ")
    beside = json.loads(run(["detect", "photo.png", "--json"]).stdout)["files"]["photo.png"]
    assert beside["suspected"] is False
    assert beside["scores"]["roughness"]["threshold"] == 20


def test_an_experiment_and_a_column_of_another_package_are_run_and_reported(
    said: dict[str, str], folder: Path
) -> None:
    assert "2 jobs, 0 failed" in said["bench"]
    suite = bench.load(str(folder / "roughening.toml"))
    results = bench.Results(folder / "bench")
    found = [results.of(job) for job in suite.jobs(quick=True)]
    assert [entry and entry.settings["method"] for entry in found] == ["ours", "sines"]
    assert all(entry and "rougher_percent" in entry.facts.figures for entry in found)
    assert "sines" in (folder / "bench" / "report.html").read_text()


def test_the_page_offers_what_another_package_brings(installed: Path) -> None:
    pytest.importorskip("gradio", reason="the page comes with stegfield[app]")
    program = (
        "from stegfield import fields, fixednet\n"
        "from stegfield.app import parts\n"
        "assert '.asc' in parts.SIGNALS and '.asc' in parts.COVERS\n"
        "print(*parts.brought(fields.ARCHITECTURES).values())\n"
        "print(*parts.brought(fixednet.PROFILES))\n"
    )
    paths = os.pathsep.join([str(installed), str(SOURCE)])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": paths},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "gaussian\nmatching, of another package\n"


def test_a_name_that_does_not_exist_is_refused_with_those_that_do(run: Run) -> None:
    for command, names in (
        ("fit photo.png -o x.safetensors --field gausian", "siren, fourier, grid, gaussian"),
        (
            "embed photo.png letter.txt -o x.png --key alice.key --profile mtching",
            "paper, matching",
        ),
        ("detect photo.png --detector rough", "mantissas, roughness"),
    ):
        done = run(shlex.split(command))
        assert done.returncode == 2, done.stderr
        assert re.search(f"hint: try .*{names}$", done.stderr, re.MULTILINE), done.stderr


def test_packages_are_not_searched_for_help_or_for_names_of_ours(folder: Path) -> None:
    program = (
        "import importlib.metadata, stegfield.registry\n"
        "del stegfield.registry.entry_points\n"
        "from stegfield import cli\n"
        "for words in (['--help'], ['fit', '--help'], ['compare', 'photo.png', 'photo.png'],\n"
        "              ['keygen', 'new.key'],\n"
        "              ['embed', 'photo.png', 'letter.txt', '-o', 'x.png', '--key', 'new.key'],\n"
        "              ['fit', 'photo.png', '-o', 'x.safetensors', '--field', 'siren',\n"
        "               '--steps', '1'], ['inspect', 'x.safetensors'],\n"
        "              ['extract', 'x.png', '-o', 'x.txt', '--key', 'new.key']):\n"
        "    assert cli.run(words) == 0, words\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
