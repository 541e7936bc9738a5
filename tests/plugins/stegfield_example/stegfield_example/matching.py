"""A profile: lowest bits of levels in the key's order, changed up or down by one (LSB matching)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegfield import carriers, payload
from stegfield.config import DescentConfig, EmbedConfig
from stegfield.errors import UnreadableError
from stegfield.fixednet import EmbedWatch, Profile
from stegfield.keys import IMAGE_SALT, Key, system_stream
from stegfield.payload import HEADER_BYTES, SETTINGS, Content, Header
from stegfield.signals import Signal

HEADER_BITS = 8 * HEADER_BYTES


class Matching(Profile):
    """Any carrier, a bit a level at most."""

    name = "matching"
    heeds = frozenset()

    def capacity(self, cover: Signal) -> dict[str, int]:
        """Return the bytes of the longest message."""
        return {"at most": payload.longest_message(len(carriers.of(cover).levels))}

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
        count = len(carrier.levels)
        needed, net = HEADER_BITS + 8 * content.length, payload.longest_message(count)
        payload.check_room(content, needed=needed, available=count, net=net)
        sealed = payload.seal(content, key, bytes(SETTINGS))
        bits = payload.bits_of(sealed.header + sealed.body)
        at = order(key, count)[: len(bits)]
        wrong = at[(carrier.levels[at] & 1) != bits]
        up = system_stream().bits(len(wrong))
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
        header = Header.open(payload.bytes_of(head), key, IMAGE_SALT)
        if 8 * header.length > len(rest):
            raise UnreadableError
        return payload.open_body(payload.bytes_of(rest[: 8 * header.length]), key, header)


def order(key: Key, count: int) -> NDArray[np.int64]:
    """Return the order in which levels carry bits."""
    return key.stream("matching-order", salt=IMAGE_SALT).choose(count, count)


MATCHING = Matching()
