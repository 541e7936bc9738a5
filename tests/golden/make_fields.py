"""Write fields/: a field of the first format that hides an image; made with version 0.1.0.

This version writes another format, so the script is a record of how the file was made: it runs with
the sources of that version alone.
"""

from __future__ import annotations

import json
from pathlib import Path

from stegfield import fields, hiding, signals
from stegfield.config import FitConfig
from stegfield.keys import Key

FOLDER = Path(__file__).with_name("fields")
KEY = Key(bytes(range(32)))


def main() -> None:
    """Write the field, and what its key reveals."""
    cover, secret = signals.waves(12, 16), signals.waves(10, 8, phase=1.0)
    result = hiding.hide(
        cover,
        [hiding.Secret(secret, KEY)],  # type: ignore[list-item]
        sizes={"width": 16, "depth": 2, "w0": 10.0},
        training=FitConfig(steps=300, batch=64, seed=1),
    )
    FOLDER.mkdir(exist_ok=True)
    fields.save(FOLDER / "first.safetensors", result.field)
    shown = hiding.reveal(result.field, KEY).signal  # type: ignore[union-attr]
    facts = {"key": KEY.secret.hex(), "levels": signals.to_samples(shown).tolist()}
    (FOLDER / "first.json").write_text(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
