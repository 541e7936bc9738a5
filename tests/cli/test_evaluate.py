"""Judging a model as a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from stegfield import cli


def test_evaluate_as_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["evaluate", "digits", "-o", "samples.png", "--count", "60"]) == 0
    told = capsys.readouterr().err
    assert all(name in told for name in ("drawn", "real", "blurred", "noise"))
    with Image.open("samples.png") as picture:
        assert picture.width > 100
    assert cli.run(["evaluate", "digits", "-o", "samples.png"]) == 1
