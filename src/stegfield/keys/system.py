"""The operating system's randomness as a key stream, used once and forgotten.

The law of a carrier that is made here is defined by random draws. They come from ChaCha20 under 32
bytes of the operating system, with a message and without, and from nothing else: no seed, no
parameter and no flag leads here. See docs/proof.md.
"""

from __future__ import annotations

import secrets

from stegfield.keys.key import KEY_BYTES
from stegfield.keys.stream import KeyStream


def system_stream() -> KeyStream:
    """Start a key stream that nobody can start again."""
    return KeyStream(secrets.token_bytes(KEY_BYTES))
