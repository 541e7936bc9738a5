"""Commands that train, render and learn nothing need no torch, which takes seconds to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stegfield import fields, fixednet, signals
from stegfield.keys import Key, KeyFile
from stegfield.payload.law import Message

SCRIPT = """
import sys
sys.modules["torch"] = None  # whatever imports it fails

from stegfield import cli
sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a cover, a stego image, a field, a message and a key."""
    cover, key = signals.waves(64, 64), Key(bytes(range(32)))
    (tmp_path / "cover.png").write_bytes(signals.to_png(cover))
    (tmp_path / "stego.png").write_bytes(fixednet.embed(cover, b"noon", key).file)
    field = fields.new_field(signals.waves(12, 16), sizes={"width": 16, "depth": 3}, seed=1)
    fields.draw(field, [Message(b"noon", key)])
    fields.save(tmp_path / "field.safetensors", field)
    (tmp_path / "letter.txt").write_bytes(b"noon")
    KeyFile(key).write(tmp_path / "alice.key")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ["keygen", "bob.key"],
        ["embed", "cover.png", "letter.txt", "-o", "sent.png", "--key", "alice.key"],
        ["extract", "stego.png", "-o", "again.txt", "--key", "alice.key"],
        ["capacity", "cover.png"],
        ["compare", "cover.png", "stego.png"],
        ["inspect", "field.safetensors"],
        ["embed", "field.safetensors", "letter.txt", "-o", "f.safetensors", "--key", "alice.key"],
        ["extract", "field.safetensors", "-o", "again.txt", "--key", "alice.key"],
        ["reveal", "field.safetensors", "-o", "again.txt", "--key", "alice.key"],
        ["capacity", "field.safetensors"],
        ["detect", "stego.png"],
        ["detect", "field.safetensors"],
    ],
    ids=" ".join,
)
def test_a_command_runs_without_torch(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
