"""Write keys.json: what keys decide, worked out from the RFCs without stegfield.

Run it only for a new format version. HKDF, ChaCha20 and the noise are written out in plain Python
here; Argon2id is cryptography's, and agreed with the reference implementation (argon2-cffi 25.1) on
these vectors.

Sources: RFC 5869 (HKDF), RFC 8439 (ChaCha20), RFC 9106 (Argon2).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import unicodedata
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

PASSPHRASES = [
    ("correct horse battery staple", bytes(range(16))),
    ("Gr\u00fc\u00dfe, \u4e16\u754c", bytes(range(16, 32))),
]
PURPOSES = [
    (bytes(32), "slots", bytes(16)),
    (bytes(range(32)), "record", bytes(range(16))),
    (bytes(range(32)), "record", bytes(range(1, 17))),
    (bytes(range(32)), "", b""),
    (b"\xff" * 32, "\u00e9 \u4e16", b"\xff" * 16),
]
MASK = 0xFFFFFFFF
QUARTERS = [
    *[(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)],
    *[(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)],
]


def argon2id(text: str, salt: bytes) -> bytes:
    """Derive a key from a passphrase: 3 passes, 4 lanes, 64 MiB."""
    data = unicodedata.normalize("NFC", text).encode()
    return Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=65536).derive(data)


def hkdf_sha256(key: bytes, salt: bytes, info: bytes) -> bytes:
    """Derive 32 bytes: RFC 5869, one step of extraction and one of expansion."""
    extracted = hmac.digest(salt or bytes(32), key, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)


def chacha20(key: bytes, count: int) -> bytes:
    """Give the first bytes of the keystream with nonce 0 from block 0: RFC 8439, section 2.3."""
    stream = b""
    while len(stream) < count:
        counter = len(stream) // 64
        start = [*struct.unpack("<4I", b"expand 32-byte k"), *struct.unpack("<8I", key)]
        start += [counter, 0, 0, 0]
        state = list(start)
        for _ in range(10):
            for a, b, c, d in QUARTERS:
                for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    state[x] = (state[x] + state[y]) & MASK
                    mixed = state[z] ^ state[x]
                    state[z] = (mixed << turn | mixed >> (32 - turn)) & MASK
        stream += struct.pack("<16I", *((s + t) & MASK for s, t in zip(state, start, strict=True)))
    return stream[:count]


def integers(key: bytes, count: int, width: int = 8) -> list[int]:
    """Cut the keystream into little-endian integers of ``width`` bytes."""
    data = chacha20(key, count * width)
    return [int.from_bytes(data[at : at + width], "little") for at in range(0, len(data), width)]


def choose(key: bytes, count: int, size: int) -> list[int]:
    """Order the numbers below ``size`` by a drawn integer each, and keep the first ones."""
    drawn = integers(key, size)
    return sorted(range(size), key=drawn.__getitem__)[:count]


def uniform(key: bytes, count: int) -> list[float]:
    """Give the middle of one of 2^32 equal parts of (-1, 1) for each 32-bit integer."""
    return [(2 * drawn + 1 - 2**32) / 2**32 for drawn in integers(key, count, 4)]


def normal(key: bytes, count: int) -> list[float]:
    """Add twelve 16-bit uniforms of mean 0 and variance 1/12 for each value."""
    drawn = integers(key, 12 * count, 2)
    sums = [sum(drawn[at : at + 12]) for at in range(0, len(drawn), 12)]
    return [(total - 6 * (2**16 - 1)) / 2**16 for total in sums]


def vectors() -> dict[str, Any]:
    """Work out all vectors; bytes are in hexadecimal, floats are exact."""
    subkeys = [
        {
            "key": key.hex(),
            "label": label,
            "salt": salt.hex(),
            "subkey": hkdf_sha256(key, salt, b"stegfield/1/" + label.encode()).hex(),
        }
        for key, label, salt in PURPOSES
    ]
    noise = []
    for entry in subkeys[:2]:
        key = bytes.fromhex(entry["subkey"])
        noise.append(
            {
                "subkey": key.hex(),
                "bytes": chacha20(key, 80).hex(),
                "integers": integers(key, 6),
                "choose": {"size": 300, "chosen": choose(key, 10, 300)},
                "uniform": uniform(key, 8),
                "normal": normal(key, 8),
            }
        )
    return {
        "passphrases": [
            {"text": text, "salt": salt.hex(), "key": argon2id(text, salt).hex()}
            for text, salt in PASSPHRASES
        ],
        "subkeys": subkeys,
        "noise": noise,
    }


def main() -> None:
    """Write the vectors beside this script."""
    Path(__file__).with_name("keys.json").write_text(json.dumps(vectors(), indent=1) + "\n")


if __name__ == "__main__":
    main()
