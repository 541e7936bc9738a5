"""Write stego/: images that carry messages; run it only for a new format version.

Each run draws other salts: what counts is that a later version reads what an earlier one wrote.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from stegfield import carriers, fixednet, signals
from stegfield.config import EmbedConfig
from stegfield.fixednet.exact import profile as exact
from stegfield.fixednet.robust import long as robust
from stegfield.keys import IMAGE_SALT, Key, Passphrase
from stegfield.payload import Content

FOLDER = Path(__file__).with_name("stego")
KEY = Key(bytes(range(32)))
PASSPHRASE = "Gr\u00fc\u00dfe, \u4e16\u754c"
OWN_SALT = bytes(range(100, 116))
SHORT = b"Third bench from the gate; bring nobody."
LONG = "Am Abend, 21:40 \u2013 bring the second letter. ".encode() * 9
EXACT = [
    ("rgb_1bpp.png", 3, 1, SHORT, None),
    ("rgb_3bpp.png", 3, 3, LONG, None),
    ("grey.png", 1, None, bytes(range(60)), None),
    ("passphrase.png", 3, None, SHORT, PASSPHRASE),
]


def main() -> None:
    """Write the images and what they carry."""
    FOLDER.mkdir(exist_ok=True)
    vectors = []
    for name, channels, bpp, message, text in EXACT:
        levels = signals.to_samples(signals.waves(48, 44, channels=channels))
        key = KEY if text is None else Passphrase(text).key(IMAGE_SALT)
        carrier = carriers.of(signals.from_samples(levels))
        bits = None if bpp is None else bpp * 48 * 44
        change, _ = exact.embed(carrier, Content.of(message), key, bits=bits)
        (FOLDER / name).write_bytes(signals.to_png(carrier.apply(change)))
        secret = {"key": KEY.secret.hex()} if text is None else {"passphrase": text}
        vectors.append({"file": name, **secret, "message": message.hex()})
    levels = signals.to_samples(signals.waves(256, 256, channels=1))
    sent, _ = robust.embed(levels, Content.of(SHORT[:12]), KEY, salt=OWN_SALT)
    (FOLDER / "jpeg.png").write_bytes(signals.to_png(signals.from_samples(sent)))
    (FOLDER / "jpeg.jpg").write_bytes(signals.encode(signals.from_samples(sent), ".jpg"))
    vectors += [
        {"file": name, "key": KEY.secret.hex(), "message": SHORT[:12].hex()}
        for name in ("jpeg.png", "jpeg.jpg")
    ]
    cover, config = signals.from_samples(levels), EmbedConfig(profile="robust", known_cover=True)
    known = fixednet.embed(cover, SHORT[:12], KEY, config=config)
    (FOLDER / "known_cover.png").write_bytes(signals.to_png(cover))
    (FOLDER / "known.jpg").write_bytes(signals.encode(known.stego, ".jpg"))
    plain = signals.from_samples(np.full((24, 24, 3), 128, np.uint8))
    told = fixednet.embed(plain, SHORT[:4], KEY, config=EmbedConfig(profile="paper"))
    (FOLDER / "paper.png").write_bytes(told.file)
    vectors += [
        {
            "file": "known.jpg",
            "key": KEY.secret.hex(),
            "cover": "known_cover.png",
            "message": SHORT[:12].hex(),
        },
        {
            "file": "paper.png",
            "key": KEY.secret.hex(),
            "profile": "paper",
            "message": SHORT[:4].hex(),
        },
    ]
    (FOLDER / "stego.json").write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
