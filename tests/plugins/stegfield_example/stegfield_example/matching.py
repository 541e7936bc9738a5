"""A profile: lowest bits of levels in the key's order, changed up or down by one (LSB matching)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegfield import carriers, payload
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import UnreadableError
from stegfield.fixednet import EmbedWatch, Profile
from stegfield.keys import IMAGE_SALT, Key
from stegfield.payload import HEADER_BYTES, SETTINGS, Code, Content, Header
from stegfield.signals import Signal

PARITY = 8
HEADER = Code(HEADER_BYTES, PARITY)
HEADER_BITS = 8 * HEADER.coded_length


class Matching(Profile):
    """Any carrier, a bit a level at most."""

    name = "matching"
    heeds = frozenset()

    def capacity(self, cover: Signal) -> dict[str, int]:
        """Return the bytes of the longest message."""
        return {"at most": longest(len(carriers.of(cover).levels))}

    def embed(
        self,
        cover: Signal,
        content: Content,
        key: Key,
        *,
        config: EmbedConfig,
        descent: DescentConfig,
        watch: EmbedWatch | None,
    ) -> tuple[Signal, int]:
        """Change levels whose lowest bit is not the one to carry."""
        carrier = carriers.of(cover)
        count, code = len(carrier.levels), Code(content.length, PARITY)
        needed = HEADER_BITS + 8 * code.coded_length
        payload.check_room(content, needed=needed, available=count, net=longest(count))
        sealed = payload.seal(content, key, bytes(SETTINGS), (HEADER, code))
        bits = payload.bits_of(sealed.header + sealed.body)
        at = order(key, count)[: len(bits)]
        wrong = at[(carrier.levels[at] & 1) != bits]
        up = key.stream("matching-steps", salt=sealed.salt).bits(len(wrong))
        low, high = carrier.bounds
        step = np.where(
            (up | (carrier.levels[wrong] == low)) & (carrier.levels[wrong] < high), 1, -1
        )
        change = np.zeros(count, np.int8)
        change[wrong] = step
        return carrier.apply(change), len(bits)

    def extract(
        self, stego: Signal, key: Key, *, cover: Signal | None = None, weights: Path | None = None
    ) -> bytes:
        """Read a message."""
        levels = carriers.of(stego).levels
        bits = (levels & 1).astype(bool)[order(key, len(levels))]
        head, rest = bits[:HEADER_BITS], bits[HEADER_BITS:]
        if len(head) < HEADER_BITS:
            raise UnreadableError
        header = Header.open(HEADER.decode(payload.bytes_of(head)), key, IMAGE_SALT)
        code = Code(header.length, PARITY)
        if 8 * code.coded_length > len(rest):
            raise UnreadableError
        body = payload.bytes_of(rest[: 8 * code.coded_length])
        return payload.open_body(code.decode(body), key, header)


def longest(levels: int) -> int:
    """Return the bytes of the longest message in so many levels."""
    return payload.longest_message(levels, header=HEADER_BITS, parity=PARITY)


def order(key: Key, count: int) -> NDArray[np.int64]:
    """Return the order in which levels carry bits."""
    return key.stream("matching-order", salt=IMAGE_SALT).choose(count, count)


MATCHING = Matching()
