"""Write vectors.json: every step of reading a message, worked out from docs/format.md alone.

The reader below imports nothing of stegfield: numpy for arrays, the ciphers from cryptography. Only
`main`, which makes new carriers, needs stegfield; run it for a new format version.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import zlib
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305

KEY = bytes(range(32))
CONSTANT = b"stegfield image "
NETWORKS, HEADER_BITS, MASKS = 1024, 376, 8
SHOWN = (0, 5, 1023)
"""Networks whose bits are told."""


# keys


def derive(key: bytes, label: str, salt: bytes) -> bytes:
    """Derive a sub-key: HKDF-SHA256 (RFC 5869)."""
    extracted = hmac.digest(salt, key, hashlib.sha256)
    return hmac.digest(extracted, f"stegfield/1/{label}".encode() + b"\x01", hashlib.sha256)


class Stream:
    """A key stream: ChaCha20 (RFC 8439) under a sub-key, with a nonce and a counter of zeros."""

    def __init__(self, key: bytes, label: str, salt: bytes) -> None:
        subkey = derive(key, label, salt)
        self.cipher = Cipher(algorithms.ChaCha20(subkey, bytes(16)), None).encryptor()

    def numbers(self, kind: str, count: int) -> Any:
        """Draw unsigned integers, in little-endian order."""
        size = np.dtype(kind).itemsize
        return np.frombuffer(self.cipher.update(bytes(size * count)), kind).astype(
            np.int64 if size < 8 else np.uint64
        )

    def ordered(self, things: Any) -> Any:
        """Put things into the order of 16-bit draws."""
        return things[np.argsort(self.numbers("<u2", len(things)), kind="stable")]


# the cost format


def segments(samples: int, longest: int) -> int:
    """Count the segments."""
    count = -(-samples // longest)
    while gcd(count, samples) > 1:
        count += 1
    return count


class Headers:
    """The networks of a key that read headers."""

    def __init__(self, key: bytes, samples: int) -> None:
        stream, count = Stream(key, "header-pool", CONSTANT), segments(samples, 1 << 18)
        self.segment = int(stream.numbers("<u8", 1)[0]) % count
        order = stream.ordered(np.arange(self.segment, samples, count))
        self.size = min(max(samples // 16 // HEADER_BITS, 1), 32)
        self.groups = order[: len(order) // self.size * self.size].reshape(-1, self.size)
        starts = Stream(key, "header-starts", CONSTANT).numbers("<u8", NETWORKS)
        self.starts = [int(start) % len(self.groups) for start in starts]
        words = Stream(key, "header-masks", CONSTANT).numbers("<u4", NETWORKS * MASKS * HEADER_BITS)
        self.masks = words.reshape(NETWORKS, MASKS, HEADER_BITS)

    def places(self, index: int) -> Any:
        """Return the samples that a network reads, one group a row."""
        return self.groups[(self.starts[index] + np.arange(HEADER_BITS)) % len(self.groups)]

    def read(self, levels: Any, index: int) -> bytes:
        """Read a sealed header."""
        bits = np.zeros(HEADER_BITS + 10, dtype=np.int64)
        for group, samples in enumerate(self.places(index)):
            for place in np.flatnonzero(levels[samples] & 1):
                bits[group] ^= 1
                bits[group + 9] ^= 1
                for further in range(MASKS):
                    bits[group + 1 + further] ^= self.masks[index, further, group] >> place & 1
        return np.packbits(bits[:HEADER_BITS].astype(np.uint8)).tobytes()


def body(key: bytes, levels: Any, taken: Any, settings: bytes, salt: bytes) -> Any:
    """Read the bits of a body."""
    *planes, height = struct.unpack("<IIB", settings)
    count, read = segments(len(levels), 1 << 16), []
    parts = [np.setdiff1d(np.arange(at, len(levels), count), taken) for at in range(count)]
    total = sum(map(len, parts))
    for plane, carried in enumerate(planes):
        before = 0
        for segment, part in enumerate(parts):
            order = Stream(key, f"order/{segment}", salt).ordered(part)
            after = before + len(part)
            share = after * carried // total - before * carried // total
            before = after
            columns = Stream(key, f"sine/body/{segment}/{plane}", salt).numbers("<u2", len(part))
            bits = np.zeros(share + height, dtype=np.int64)
            for at, (sample, column) in enumerate(zip(order, columns, strict=True)):
                if share and levels[sample] >> plane & 1:
                    weights = (int(column) | 1 | 1 << height - 1) & (1 << height) - 1
                    first = at * share // len(part)
                    bits[first : first + height] ^= weights >> np.arange(height) & 1
            read.append(bits[:share])
    return np.concatenate(read).astype(np.uint8)


def read_cost(key: bytes, levels: Any) -> dict[str, Any]:
    """Read a message from levels, and tell every step."""
    heads, cipher = Headers(key, len(levels)), AESSIV(derive(key, "header", CONSTANT))
    for index in range(NETWORKS):
        sealed = heads.read(levels, index)
        try:
            facts = cipher.decrypt(sealed, None)
            break
        except InvalidTag:
            continue
    else:
        raise ValueError("no network of this key reads a header")
    version, deflated, length, settings, salt = struct.unpack("<BBI9s16s", facts)
    taken = heads.places(index).reshape(-1)
    bits = body(key, levels, taken, settings, salt)
    sealed_body = np.packbits(bits).tobytes()[:length]
    data = ChaCha20Poly1305(derive(key, "message", salt)).decrypt(bytes(12), sealed_body, facts)
    return {
        "segment": heads.segment,
        "samples_a_group": heads.size,
        "groups": len(heads.groups),
        "first_groups": heads.groups[:4].tolist(),
        "starts": [heads.starts[at] for at in SHOWN],
        "masks": [heads.masks[at, :, 0].tolist() for at in SHOWN],
        "headers": [heads.read(levels, at).hex() for at in SHOWN],
        "network": index,
        "sealed_header": sealed.hex(),
        "header": facts.hex(),
        "version": version,
        "settings": list(struct.unpack("<IIB", settings)),
        "body": sealed_body.hex(),
        "message": (zlib.decompress(data) if deflated else data).hex(),
    }


# the law format


def read_law(key: bytes, plane: bytes, bits: int) -> dict[str, Any]:
    """Read a message from a plane of bits, and tell every step."""
    every = np.unpackbits(np.frombuffer(plane, np.uint8))[:bits]
    slots = max(1, min(8, bits // 8 // 384))
    first = 8 * (16 + 30 * slots)
    size = (bits - first) // 64
    salt = np.packbits(every[:128]).tobytes()
    for slot in range(slots):
        start = 128 + 240 * slot
        sealed = np.packbits(every[start : start + 240]).tobytes()
        try:
            facts = AESSIV(derive(key, f"law/header/{slot}", salt)).decrypt(sealed, None)
            break
        except InvalidTag:
            continue
    else:
        raise ValueError("no slot has a header of this key")
    version, flags, length, mask = struct.unpack("<BBIQ", facts)
    parts = every[first : first + 64 * size].reshape(64, size)
    read = np.concatenate([parts[at] for at in range(64) if mask >> at & 1])
    sealed_body = np.packbits(read[: 8 * length]).tobytes()
    cipher = ChaCha20Poly1305(derive(key, "law/body", salt + sealed))
    data = cipher.decrypt(bytes(12), sealed_body, None)
    data = zlib.decompress(data) if flags & 1 else data
    return {
        "slots": slots,
        "first_part": first,
        "bits_a_part": size,
        "salt": salt.hex(),
        "slot": slot,
        "sealed_header": sealed.hex(),
        "header": facts.hex(),
        "version": version,
        "mask": mask,
        "body": sealed_body.hex(),
        "suffix": data[1 : 1 + data[0]].decode(),
        "message": data[1 + data[0] :].hex(),
    }


# the low bits of a drawn field


def read_low(weights: Any, exponent: int, bits: int) -> list[int]:
    """Read the low bits of weights that are integers times 2^exponent."""
    integers = [int(float(weight) / 2.0**exponent) for weight in weights]
    return [(integer + (1 << bits - 1)) % (1 << bits) for integer in integers]


def steps(given: dict[str, Any]) -> dict[str, Any]:
    """Work out all steps from the carriers alone."""
    cost, law, field = given["cost"], given["law"], given["field"]
    return {
        "cost": [read_cost(KEY, np.array(levels)) for levels in cost],
        "law": [read_law(KEY, bytes.fromhex(each["plane"]), each["bits"]) for each in law],
        "field": [
            read_low(
                np.frombuffer(bytes.fromhex(each["weights"]), "<f4"), each["exponent"], each["bits"]
            )
            for each in field
        ],
    }


def carriers() -> dict[str, Any]:
    """Make carriers with stegfield; each run draws others."""
    from stegfield import signals
    from stegfield.carriers import Carrier
    from stegfield.fields.drawing import Grain
    from stegfield.fixednet.exact import profile as exact
    from stegfield.keys import Key
    from stegfield.payload import Content, bytes_of, law

    key, draws, cost = Key(KEY), np.random.default_rng(0), []
    for count, message in ((752, b"noon"), (12_100, b"The moon rises at nine. " * 20)):
        levels = draws.integers(0, 256, count)
        carrier = Carrier(
            levels,
            (0, 255),
            lambda: np.ones(len(levels), dtype=np.float32),  # noqa: B023 - used at once
            put_back=lambda _: signals.waves(8, 8),
        )
        bits = None if count < 1000 else 9000
        change, _ = exact.embed(carrier, Content.of(message), key, bits=bits)
        cost.append((levels + change).tolist())
    planes = []
    for bits, message, suffix in ((3000, b"noon", ""), (20_001, b"The moon rises. " * 40, ".txt")):
        messages = [law.Message(message, key, suffix), law.Message.decoy(20)][: 1 + bits // 9000]
        planes.append({"bits": bits, "plane": bytes_of(law.compose(messages, bits)).hex()})
    grain = Grain(exponent=-20, bits=6)
    theta = draws.normal(0, 0.02, 8).astype(np.float32)
    weights = grain.draw(theta, draws.integers(0, 64, 8))
    field = {"exponent": -20, "bits": 6, "weights": weights.astype("<f4").tobytes().hex()}
    return {"cost": cost, "law": planes, "field": [field]}


def main() -> None:
    """Write the vectors beside this script."""
    given = carriers()
    vectors = {"key": KEY.hex(), "carriers": given, "steps": steps(given)}
    Path(__file__).with_name("vectors.json").write_text(json.dumps(vectors) + "\n")


if __name__ == "__main__":
    main()
