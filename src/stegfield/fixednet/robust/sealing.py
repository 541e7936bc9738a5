"""Sealing a short message with 8 bytes: the tag is the salt, and there is no header.

    message ─deflate, if shorter─► fill to 16, 24, 32, ... 512 bytes ─MAC─► tag ─┐
                                              └──ChaCha20 under the tag──────┴─► tag, ciphertext

The receiver tries every length; the tag says which one is right, and in what way the message was
filled. A tag of 64 bits accepts one altered image in 2^64 / 4 tries. The tag depends on the network
of the image too, so one message in two images has two ciphertexts.

Source: Rogaway and Shrimpton (2006), SIV, with HMAC-SHA256 cut to 64 bits and ChaCha20.
"""

from __future__ import annotations

import hmac
from itertools import product

from stegfield.errors import UnreadableError
from stegfield.keys import IMAGE_SALT, Key
from stegfield.payload import Content
from stegfield.payload.frame import inflated

TAG = 8
LENGTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Bytes of the message, deflated and filled."""
LONGEST = LENGTHS[-1]
FILLING = b"\x80"
"""The byte behind a message that does not fill its length; zeros follow."""


def seal(content: Content, key: Key, context: str, length: int) -> bytes:
    """Encrypt and authenticate a message.

    Args:
        content: The message.
        key: Only its owner can open the result.
        context: The network that carries it; `unseal` needs the same.
        length: Bytes that the message is filled to, one of `LENGTHS`, no fewer than it has.
    """
    filled = len(content.data) < length
    data = (content.data + FILLING if filled else content.data).ljust(length, b"\0")
    tag = _tag(data, key, context, filled=filled, deflated=content.deflated)
    return tag + _crypt(data, key, tag)


def unseal(sealed: bytes, key: Key, context: str) -> bytes:
    """Check and decrypt a message.

    Raises:
        UnreadableError: the bytes are for another key or network, or were altered.
    """
    tag, data = sealed[:TAG], _crypt(sealed[TAG:], key, sealed[:TAG])
    for filled, deflated in product((True, False), (True, False)):
        own = _tag(data, key, context, filled=filled, deflated=deflated)
        if hmac.compare_digest(own, tag):
            content = data.rstrip(b"\0")[:-1] if filled else data
            return inflated(content) if deflated else content
    raise UnreadableError


def _tag(data: bytes, key: Key, context: str, *, filled: bool, deflated: bool) -> bytes:
    said = f"{context}/{len(data)}/{filled:d}{deflated:d}/".encode()
    secret = key.derive("short/tag", salt=IMAGE_SALT)
    return hmac.digest(secret, said + data, "sha256")[:TAG]


def _crypt(data: bytes, key: Key, tag: bytes) -> bytes:
    drawn = key.stream("short/message", salt=tag).bytes(len(data))
    return bytes(a ^ b for a, b in zip(data, drawn, strict=True))
