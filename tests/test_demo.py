from __future__ import annotations

import html
import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from stegfield import cli, demo, hiding
from stegfield.config import FitConfig
from stegfield.errors import OutputExistsError
from stegfield.hiding import HideResult


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenes of few pixels and steps."""
    pytest.importorskip("skimage")
    scenes = [
        replace(scene, longest=32, training=FitConfig(steps=30, batch=256, seed=1))
        for scene in demo.hidden.SCENES
    ]
    monkeypatch.setattr(demo.hidden, "SCENES", tuple(scenes))
    exact, jpeg = demo.messages.SCENES
    monkeypatch.setattr(demo.messages, "SCENES", (replace(exact, longest=200), jpeg))


@pytest.mark.usefixtures("quick")
def test_the_demo_writes_a_gallery_of_what_it_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "gallery"
    assert cli.run(["demo", "-o", str(folder)]) == 0
    table = capsys.readouterr().out
    page = (folder / "index.html").read_text()
    for scene in demo.hidden.SCENES:
        assert html.escape(scene.title) in page
        assert (folder / f"{scene.name}-sheet.png").stat().st_size > 1000
        for name in scene.photographs:
            assert name in table
            assert (folder / f"{scene.name}-{name}-again.png").is_file()
    for message in demo.messages.SCENES:
        assert html.escape(message.title) in page
        assert message.message in table
        original = folder / f"{message.name}-{message.message}"
        again = original.with_name(f"{original.stem}-again{original.suffix}")
        assert again.read_bytes() == original.read_bytes()
    with pytest.raises(OutputExistsError):
        demo.run(folder, lambda _: False, lambda _: None)
    assert cli.run(["demo", "-o", str(folder)]) == 1
    capsys.readouterr()
    assert cli.run(["demo", "-o", str(folder), "--force", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["gallery"] == str(folder / "index.html")
    assert [told["message"] for told in facts["messages"]] == ["cat.jpg", "letter.txt"]
    for scene, told in zip(demo.hidden.SCENES, facts["scenes"], strict=True):
        assert told["field"] == scene.architecture
        assert not told["stopped"]
        assert [image["photograph"] for image in told["images"]] == list(scene.photographs)


@pytest.mark.usefixtures("quick")
def test_ctrl_c_ends_the_whole_demo_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hide = hiding.hide_functions

    def interrupted(*arguments: object, **settings: object) -> HideResult:
        signal.raise_signal(signal.SIGINT)
        return hide(*arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(hiding, "hide_functions", interrupted)
    assert cli.run(["demo", "-o", str(tmp_path), "--json"]) == 0
    captured = capsys.readouterr()
    assert "stopped early" in captured.err
    [told] = json.loads(captured.out)["scenes"]
    assert told["stopped"]
    first, second = demo.hidden.SCENES
    assert html.escape(first.title) in (tmp_path / "index.html").read_text()
    assert (tmp_path / f"{first.name}-sheet.png").is_file()
    assert not list(tmp_path.glob(f"{second.name}-*"))
    assert not list(tmp_path.glob(".*"))


def test_without_scikit_image_generated_faces_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stegfield.demo.photographs.find_spec", lambda name: None)
    exact, _ = demo.messages.SCENES
    monkeypatch.setattr(demo.messages, "SCENES", (replace(exact, longest=200),))
    monkeypatch.setattr(demo.hidden, "SCENES", ())
    assert cli.run(["demo", "-o", str(tmp_path)]) == 0
    assert "demo shows generated faces instead" in capsys.readouterr().err
    assert "bytes in generated face 1" in (tmp_path / "index.html").read_text()
