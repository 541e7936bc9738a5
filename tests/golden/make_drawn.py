"""Write drawn/: covers that carry messages, and what a network reads; only for a new version."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from stegfield import fixednet, signals
from stegfield.config import EmbedConfig
from stegfield.fixednet.drawn.network import Triangular
from stegfield.keys import Key

FOLDER = Path(__file__).with_name("drawn")
ALICE, BOB = Key(bytes(range(32))), Key(bytes(range(32, 64)))
TO_ALICE, TO_BOB = b"Third bench from the gate; bring nobody.", b"a" * 300
SALT = bytes(range(46))
BITS = 200


def main() -> None:
    """Write the covers, the messages, and the vectors of a network."""
    FOLDER.mkdir(exist_ok=True)
    covers = []
    for name, cover, grain in (
        ("colour.png", signals.waves(48, 46), 1.5),
        ("grey.png", signals.waves(64, 60, channels=1), 3.0),
        ("globe.nc", signals.globe(60, 120), 6.0),
    ):
        config, suffix = EmbedConfig(grain=grain), Path(name).suffix
        sent = fixednet.embed(
            cover, TO_ALICE, ALICE, also=[(TO_BOB, BOB)], config=config, suffix=suffix
        )
        (FOLDER / name).write_bytes(sent.file)
        messages = {ALICE.secret.hex(): TO_ALICE.hex(), BOB.secret.hex(): TO_BOB.hex()}
        covers.append({"file": name, "messages": messages})
    bits = np.arange(BITS) * np.arange(BITS) // 7 % 2 == 1
    elements = Triangular().write(bits[None], ALICE, SALT)[0]
    network = {
        "key": ALICE.secret.hex(),
        "salt": SALT.hex(),
        "bits": "".join(str(int(bit)) for bit in bits),
        "elements": "".join(str(int(bit)) for bit in elements),
    }
    vectors = {"covers": covers, "network": network}
    (FOLDER / "drawn.json").write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
