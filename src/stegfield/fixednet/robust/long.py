"""Long messages: the block network, with strong parity, for files that keep their size.

See `stegfield.fixednet.robust.blocks` for the network, `coding` for the bits that it carries, and
`search` for the sender's solver.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from stegfield.errors import UnreadableError
from stegfield.fixednet.progress import EmbedProgress, EmbedWatch
from stegfield.fixednet.robust import coding, search
from stegfield.fixednet.robust.blocks import INDICES, BlockNetwork, block_order, find_networks
from stegfield.fixednet.robust.coding import (
    FULLEST,
    HEADER_BITS,
    HEADER_CODE,
    HEADER_COPIES,
    LEAST_PARITY,
    BodyCode,
    fullest,
    net_bytes,
)
from stegfield.fixednet.robust.ecc import Code
from stegfield.keys import IMAGE_SALT, SALT_BYTES, Key
from stegfield.metrics import psnr_db
from stegfield.payload import Content, Header, check_room, open_body

LOADS = (2.25, 2.0, 1.5, 1.0)
"""Bits a block that copies and parity may fill; tried in order while they cost too much."""
COPIES_DB = 41.0
"""Below this PSNR, only one copy with the least parity is embedded."""
CANDIDATES = 3
"""Networks whose header a receiver tries to open."""
TOO_MUCH = (
    "re-encoding would destroy the message: take a larger cover, one with fewer samples that are "
    "quite black or white, or a shorter message"
)


def embed(
    levels: UInt8[np.ndarray, "rows columns channels"],
    content: Content,
    key: Key,
    *,
    salt: bytes | None = None,
    known_cover: bool = False,
    watch: EmbedWatch | None = None,
) -> tuple[UInt8[np.ndarray, "rows columns channels"], int]:
    """Change an image so that it carries a message through lossy encoders.

    Args:
        levels: The cover.
        content: The message.
        key: Decides the networks, one of which the salt chooses.
        salt: 16 bytes, never used twice, for repeatable results [default: random].
        known_cover: Whether the receiver has the cover too.
        watch: Called with the progress of the work.

    Returns:
        The stego image, and the number of bits carried, header included.

    Raises:
        CapacityError: The message does not fit.
    """
    room = fullest(*levels.shape[:2])
    least = BodyCode(Code(content.length, LEAST_PARITY[0]), 1)
    check_room(content, needed=least.bits, available=room, net=net_bytes(room))
    salt = salt or secrets.token_bytes(SALT_BYTES)
    order = block_order(key, *levels.shape[:2])
    cover = search.cosines(levels) if known_cover else None
    roomy = (
        coding.strongest(content.length, int(load * room / FULLEST)) or least for load in LOADS
    )
    tries = list(dict.fromkeys([*roomy, least]))
    for done, body in enumerate(tries):

        def told(progress: EmbedProgress, done: int = done) -> None:
            if watch is not None:
                watch(replace(progress, fraction=(done + progress.fraction) / len(tries)))

        # one salt for all tries, since only one result leaves this function
        sealed = coding.seal(content, key, body, salt)
        network = BlockNetwork(key, int.from_bytes(salt[:2]) % INDICES, order, body.bits, cover)
        least_db = 0.0 if body == least else COPIES_DB
        stego = search.solve(levels, network, body, sealed, least_db=least_db, watch=told)
        if psnr_db(levels, stego) >= least_db:
            break
    return stego, body.bits


def extract(
    levels: UInt8[np.ndarray, "rows columns channels"],
    key: Key,
    cover: UInt8[np.ndarray, "rows columns _channels"] | None = None,
) -> bytes:
    """Read a message.

    Args:
        levels: The stego image.
        key: The key that it was embedded with.
        cover: The cover, for messages with a known cover.

    Raises:
        UnreadableError: There is no message for this key, or too much of it was lost.
    """
    room = fullest(*levels.shape[:2])
    if room < HEADER_BITS:
        raise UnreadableError
    cosines, order = search.cosines(levels), block_order(key, *levels.shape[:2])
    for network in find_networks(
        key,
        order,
        cosines,
        bits=HEADER_BITS,
        copies=HEADER_COPIES,
        count=CANDIDATES,
        cover=None if cover is None else search.cosines(cover),
    ):
        try:
            sealed = coding.decode(HEADER_CODE, network.logits(cosines), HEADER_COPIES)
            header = Header.open(sealed, key, IMAGE_SALT)
        except UnreadableError:
            continue
        body = BodyCode.from_header(header)
        if body.bits > room:  # a header that this program would never write
            raise UnreadableError
        logits = replace(network, bits=body.bits).logits(cosines)[HEADER_BITS:]
        return open_body(coding.decode(body.code, logits, body.copies), key, header)
    raise UnreadableError
