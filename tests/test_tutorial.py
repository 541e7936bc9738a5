"""The tutorial's notebook runs, and shows what is stored in it."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parent.parent / "docs" / "tutorial.ipynb"
MOST_LINES = 25
LARGEST = 1 << 18


def outputs(notebook: Any) -> list[list[Any]]:
    """What each cell shows: kinds of data, and text but for its numbers."""
    return [
        [
            (sorted(output.get("data", ())), re.sub(r"[\d.,]+", "#", text(output)))
            for output in cell.get("outputs", ())
        ]
        for cell in notebook.cells
    ]


def text(output: Any) -> str:
    found = output.get("text", output.get("data", {}).get("text/plain", ""))
    return str(found)


def test_the_notebook_does_both_main_jobs_in_few_lines_and_shows_what_is_stored(
    tmp_path: Path,
) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    stored, notebook = (nbformat.read(PATH, as_version=4) for _ in range(2))
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert sum(len(source.splitlines()) for source in code) <= MOST_LINES
    assert PATH.stat().st_size < LARGEST
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the client
        client = nbclient.NotebookClient(notebook, timeout=120, record_timing=False)
        client.execute(cwd=str(tmp_path))
    assert outputs(notebook) == outputs(stored)
    shown = [name for cell in outputs(notebook) for kinds, _ in cell for name in kinds]
    assert shown.count("image/png") == 4
