"""Work in a process of its own ends in time, and its errors come back."""

from __future__ import annotations

import ast
import multiprocessing
import os
import subprocess
import time
from pathlib import Path

import pytest

from stegfield import app, fixednet, signals
from stegfield.app import bounded
from stegfield.errors import StegfieldError, UnreadableError
from stegfield.keys import Key


def test_the_result_comes_back() -> None:
    assert bounded.call(sorted, [2, 1], seconds=60.0) == [1, 2]


def test_what_takes_too_long_is_killed() -> None:
    began = time.monotonic()
    with pytest.raises(bounded.TooLongError, match=r"longer than the 0\.01 seconds"):
        bounded.call(time.sleep, 600, seconds=0.01)
    with pytest.raises(bounded.TooLongError):
        bounded.call(time.sleep, 600, seconds=600.0, waited_for=lambda: False)
    assert time.monotonic() - began < 300
    assert multiprocessing.active_children() == []


def test_errors_come_back_with_their_hints() -> None:
    with pytest.raises(StegfieldError, match="is not an image") as raised:
        bounded.call(signals.decode, b"\x89PNG", Path("x.png"), seconds=60.0)
    with pytest.raises(StegfieldError) as read:
        bounded.call(fixednet.extract, signals.waves(48, 64), Key(bytes(32)), seconds=60.0)
    assert str(read.value) == str(UnreadableError())
    assert raised.value.hint is None or raised.value.hint


def test_a_process_that_ends_by_itself_is_told() -> None:
    with pytest.raises(MemoryError):
        bounded.call(os._exit, 3, seconds=60.0)


def test_other_errors_are_defects() -> None:
    with pytest.raises(RuntimeError, match="TypeError"):
        bounded.call(len, 3, seconds=60.0)


def test_a_process_that_takes_too_much_memory_is_refused_it() -> None:
    with pytest.raises(MemoryError):
        bounded.call(bytearray, 2_000_000_000, seconds=60.0, megabytes=200)
    assert len(bounded.call(bytes, 10_000_000, seconds=60.0, megabytes=200)) == 10_000_000


def test_what_a_killed_process_has_started_is_killed_with_it(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    command = ["sh", "-c", f"echo $$ > {begun}.new; mv {begun}.new {begun}; exec sleep 600"]
    with pytest.raises(bounded.TooLongError):
        bounded.call(subprocess.run, command, seconds=600.0, waited_for=lambda: not begun.exists())
    status = Path(f"/proc/{int(begun.read_text())}/status")
    for _ in range(1000):
        if not status.exists() or "State:\tZ" in status.read_text():
            return
        time.sleep(0.01)
    raise AssertionError("it goes on")


DECODERS = {"decode", "read", "stored", "from_bytes", "load", "open", "extract", "embed", "render"}
FROM = DECODERS - {"stored"}  # of `visitors`: it counts bytes
OURS = {"signals", "fields", "fixednet", "hiding", "generative", "jpeg", "Image"}


def test_the_server_itself_decodes_nothing() -> None:
    """All that parses a visitor's bytes is called by name in another process."""
    found = []
    for path in sorted(Path(app.__file__).parent.glob("*.py")):
        if path.stem in {"work", "findings"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id in OURS and node.attr in DECODERS:
                    found.append(f"{path.stem}: {node.value.id}.{node.attr}")
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stegfield."):
                found += [f"{path.stem}: {each.name}" for each in node.names if each.name in FROM]
    assert found == ["runs: fields.render"]  # of the field in training
