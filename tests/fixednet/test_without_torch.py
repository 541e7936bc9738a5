"""What needs no network that is trained needs no torch, which takes seconds to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
sys.modules["torch"] = None  # whoever imports it fails

from stegfield import fixednet, signals
from stegfield.config import EmbedConfig
from stegfield.keys import Key

cover, key, config = {cover}, Key.generate(), EmbedConfig(profile={profile!r})
print(fixednet.capacity(cover).to_json())
stego = fixednet.embed(cover, b"noon", key, config=config).stego
assert fixednet.extract(stego, key) == b"noon"
"""


@pytest.mark.parametrize(
    ("cover", "profile"),
    [
        ("signals.waves(64, 64)", "exact"),
        ("signals.waves(256, 256)", "robust"),
        ("signals.chords(4000)", "exact"),
        ("signals.globe(46, 90)", "exact"),
    ],
)
def test_messages_are_embedded_and_extracted(cover: str, profile: str) -> None:
    script = SCRIPT.format(cover=cover, profile=profile)
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "'exact'" in done.stdout
