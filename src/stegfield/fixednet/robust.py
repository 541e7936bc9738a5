"""The profile for files that are re-encoded on their way: the block network, with strong parity.

    bits, kernel after kernel:  [ header | body ............ ]  the rest is free

Half of what is sent is parity, and the least certain bytes count as erased, so that some bits in a
hundred may be wrong. The sender moves every z to the nearest centre of a cell that says its bit,
sends the result through real encoders, and moves each z against what they did to it, several times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from stegfield import channel
from stegfield.errors import UnreadableError
from stegfield.fixednet.blocks import BlockNetwork, luma
from stegfield.fixednet.progress import Progress, Watch
from stegfield.fixednet.sine import SALT
from stegfield.keys import Key
from stegfield.metrics import PEAK, psnr_db
from stegfield.payload import (
    HEADER_BYTES,
    SETTINGS,
    TAG,
    Code,
    Content,
    Header,
    bits_of,
    bytes_of,
    check_room,
    open_body,
)

HEADER_CODE = Code(HEADER_BYTES, 64)
HEADER_BITS = 8 * HEADER_CODE.coded_length
PARITY = 126
"""Bytes of each codeword of at most 255."""
FULLEST = 3
"""Bits a block, at most: about 40 dB."""
CHANNELS = {
    "JPEG 70": channel.jpeg(70),
    "JPEG 80": channel.jpeg(80),
    "JPEG 90": channel.jpeg(90),
    "WebP 80": channel.webp(80),
}
"""What the sender tries."""
ROUNDS = 8
STEP = 0.5  # of what encoders did to a z, a round takes back this much
PROJECTIONS = 3
FURTHEST = 0.5  # of a cell: how far from its centre a z may be put


@dataclass(frozen=True, eq=False)
class Robust:
    """An image that carries a message through re-encoding."""

    levels: UInt8[np.ndarray, "rows columns channels"]
    bits: int
    """Carried, those of the header included."""
    survived: dict[str, bool]
    """For each encoder tried, whether the message came back."""


def fullest(rows: int, columns: int) -> int:
    """Give the most bits that an image can carry, those of the header included."""
    return FULLEST * (rows // 8) * (columns // 8)


def net_bytes(bits: int) -> int:
    """Give the bytes of the longest message, as it is after deflating, for a number of bits."""
    return max(0, Code.longest(max(0, bits - HEADER_BITS) // 8, PARITY) - TAG)


def embed(
    levels: UInt8[np.ndarray, "rows columns channels"],
    content: Content,
    key: Key,
    *,
    salt: bytes | None = None,
    watch: Watch | None = None,
) -> Robust:
    """Change an image so that it carries a message through lossy encoders.

    Args:
        levels: The cover.
        content: The message.
        key: Decides the network.
        salt: 16 bytes, never used twice, for repeatable results [default: random].
        watch: Told how far the work has come.

    Raises:
        CapacityError: The message does not fit.
    """
    code = Code(content.length, PARITY)
    bits, room = HEADER_BITS + 8 * code.coded_length, fullest(*levels.shape[:2])
    check_room(content, needed=bits, available=room, net=net_bytes(room))
    header = content.header(bytes(SETTINGS), salt)
    sent = HEADER_CODE.encode(header.seal(key, SALT)) + code.encode(content.seal(key, header))
    said = bits_of(sent).astype(np.int64)

    network = BlockNetwork(key, *levels.shape[:2])
    start = network.project(luma(levels))[:bits]
    target = 2 * np.rint((start - said) / 2) + said  # even cells say 0, odd ones 1
    push = np.zeros(bits)
    best, fewest = levels, bits + 1
    for attempt in range(ROUNDS):
        moved = _moved(levels, network, target + push)
        outcomes = [encoder(moved) for encoder in (lambda a: a, *CHANNELS.values())]
        errors = np.stack([network.project(luma(seen))[:bits] - target for seen in outcomes])
        wrong = int((np.abs(errors) > 1 / 2).sum(axis=1).max())  # after the worst encoder
        if wrong < fewest:
            best, fewest = moved, wrong
        if watch is not None:
            watch(Progress((attempt + 1) / ROUNDS, wrong, psnr_db(levels, moved)))
        if wrong == 0:
            break
        middle = (errors.max(axis=0) + errors.min(axis=0)) / 2
        push = np.clip(push - STEP * middle, -FURTHEST, FURTHEST)
    message = content.message()
    survived = {name: _reads(encoder(best), key, message) for name, encoder in CHANNELS.items()}
    return Robust(best, bits, survived)


def extract(levels: UInt8[np.ndarray, "rows columns channels"], key: Key) -> bytes:
    """Read a message.

    Raises:
        UnreadableError: There is none for this key, or too much of it was lost.
    """
    network = BlockNetwork(key, *levels.shape[:2])
    if network.bits < HEADER_BITS:
        raise UnreadableError
    logits = network.logits(levels)
    sealed = _decode(HEADER_CODE, logits[:HEADER_BITS])
    header = Header.open(sealed, key, SALT)
    code = Code(header.length, PARITY)
    end = HEADER_BITS + 8 * code.coded_length
    if end > len(logits):
        raise UnreadableError
    return open_body(_decode(code, logits[HEADER_BITS:end]), key, header)


def _decode(code: Code, logits: NDArray[np.float64]) -> bytes:
    reliability = np.abs(logits).reshape(-1, 8).min(axis=1)
    return code.decode(bytes_of(logits < 0), reliability)


def _reads(levels: NDArray[np.uint8], key: Key, message: bytes) -> bool:
    try:
        return extract(levels, key) == message
    except UnreadableError:
        return False


def _moved(
    levels: NDArray[np.uint8], network: BlockNetwork, wanted: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Change an image until the network's first z are as wanted, or nearly so.

    Where samples are at the end of their range half of a change is lost; what is missing is added
    again, which moves the block's mean away from the end.
    """
    changed = levels.astype(np.float64)
    moves = np.zeros(network.bits)
    for _ in range(PROJECTIONS):
        moves[: len(wanted)] = wanted - network.project(luma(changed))[: len(wanted)]
        changed = np.clip(changed + network.unproject(moves)[..., None], 0, PEAK)
    return np.rint(changed).astype(np.uint8)
