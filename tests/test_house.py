"""The rules of the house: what a reviewer would otherwise have to look for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import stegfield
from stegfield import fixednet, signals
from stegfield.fixednet.profiles import PROFILES

SOURCE = Path(stegfield.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
LONGEST = 400
NAMES = {*signals.MEDIA, *PROFILES}
LEARNS = (
    "attacks/damage.py",
    "attacks/guessing.py",
    "bench/experiments/",
    "bench/peers/",
    "bench/measuring.py",
    "fields/",
    "fixednet/paper/",
    "generative/",
    "hiding/",
    "publishing.py",
    "steganalysis/learning.py",
    "steganalysis/networks.py",
    "steganalysis/pools/",
)
"""What trains, renders or learns, and so may import torch."""


def place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def strings(node: ast.expr) -> Iterator[str]:
    inner = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    for each in inner:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def test_no_file_is_longer_than_a_reader_can_keep_in_mind() -> None:
    lengths = {place(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_media_and_profiles_are_asked_and_not_compared_by_name() -> None:
    own = {"signals", *(f"fixednet/{name}" for name in PROFILES)}
    found = [
        f"{place(path)}:{node.lineno}"
        for path in FILES
        if not any(place(path).startswith(each) for each in own)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        and NAMES.intersection(
            text for each in (node.left, *node.comparators) for text in strings(each)
        )
    ]
    assert len(found) <= 5, found


def test_torch_is_imported_where_something_is_trained_rendered_or_learned() -> None:
    found = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "torch" for name in names):
                found.append(place(path))
    assert [name for name in dict.fromkeys(found) if not name.startswith(LEARNS)] == []


def test_every_profile_of_ours_is_a_folder() -> None:
    folder = Path(fixednet.__file__).parent
    assert all((folder / name / "__init__.py").exists() for name in PROFILES)
