from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path

import pytest

from stegfield import cli, demo
from stegfield.config import FitConfig
from stegfield.errors import OutputExistsError


def test_the_demo_writes_a_gallery_of_what_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("skimage")
    quick = [
        replace(scene, longest=32, training=FitConfig(steps=30, batch=256, seed=1))
        for scene in demo.SCENES
    ]
    monkeypatch.setattr(demo, "SCENES", tuple(quick))
    folder = tmp_path / "gallery"
    assert cli.run(["demo", "-o", str(folder)]) == 0
    table = capsys.readouterr().out
    page = (folder / "index.html").read_text()
    for scene in demo.SCENES:
        assert html.escape(scene.title) in page
        assert (folder / f"{scene.name}-sheet.png").stat().st_size > 1000
        for name in scene.photographs:
            assert name in table
            assert (folder / f"{scene.name}-{name}-again.png").is_file()
    with pytest.raises(OutputExistsError):
        demo.run(folder, lambda _: lambda _: False)
    assert cli.run(["demo", "-o", str(folder)]) == 1
    assert cli.run(["demo", "-o", str(folder), "--force"]) == 0
