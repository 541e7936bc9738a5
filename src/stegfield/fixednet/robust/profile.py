"""The profile for files that are re-encoded on their way: the block network, with strong parity.

    bits, kernel after kernel:  [ 3 x header | 1 to 4 x body ............ ]  the rest is free

The logits of a bit's copies are added up before anything is decided, so that those that are sure
outvote the others; then Reed-Solomon codes correct bytes, the least certain of which count as
erased. There are as many copies, and as much parity, as the cover has room for at a small cost. The
sender moves every z to the nearest centre of a cell that says its bit, sends the result through
real encoders, and moves each z against what they did to it, several times.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Shaped, UInt8
from numpy.typing import NDArray

from stegfield import channel
from stegfield.errors import UnreadableError
from stegfield.fixednet.progress import Progress, Watch
from stegfield.fixednet.robust.blocks import (
    GROUP,
    INDICES,
    BlockNetwork,
    block_cosines,
    block_levels,
    block_order,
    find_networks,
    fold,
    luma,
)
from stegfield.keys import IMAGE_SALT, SALT_BYTES, Key
from stegfield.metrics import PEAK, psnr_db
from stegfield.payload import (
    HEADER_BYTES,
    SETTINGS,
    Code,
    Content,
    Header,
    bits_of,
    bytes_of,
    check_room,
    longest_message,
    open_body,
)

HEADER_CODE = Code(HEADER_BYTES, 24)
HEADER_COPIES = 3
HEADER_BITS = 8 * HEADER_CODE.coded_length * HEADER_COPIES
LEAST_PARITY = (126, 48, 48, 48)
"""Bytes of each codeword of at most 255, at least, for 1 to 4 copies of the body."""
MOST_PARITY = 224
FULLEST = 3
"""Bits a block, at most: about 40 dB."""
LOADS = (2.25, 2.0, 1.5, 1.0)
"""Bits a block that copies and parity may fill up; tried in turn, while they cost too much."""
PRICE_DB = 41.0
"""A PSNR below this costs too much for more than one copy with the least parity."""
SPARE_DB = 40.5
"""A PSNR below this is not spent on more than that all encoders leave the message."""
net_bytes = partial(longest_message, header=HEADER_BITS, parity=LEAST_PARITY[0])
CHANNELS = {
    "JPEG 70": channel.jpeg(70),
    "JPEG 80": channel.jpeg(80),
    "JPEG 90": channel.jpeg(90),
    "WebP 80": channel.webp(80),
}
"""What the sender tries."""
ROUNDS = 8
STEP = 0.5  # of what encoders did to a z, a round takes back this much
SAFE = 0.35  # of a cell: a z that no encoder moves further from the centre stays
FURTHEST = 0.5  # of a cell: how far from its centre a z may be put
PROJECTIONS = 3
CANDIDATES = 3
"""Networks whose header a receiver tries to open."""


@dataclass(frozen=True)
class Sent:
    """How a body is sent; its header tells."""

    code: Code
    copies: int

    @property
    def bits(self) -> int:
        """How many it takes, those of the header included."""
        return HEADER_BITS + 8 * self.code.coded_length * self.copies

    @property
    def settings(self) -> bytes:
        """What a header says of it."""
        return bytes([self.copies, self.code.parity]).ljust(SETTINGS, b"\0")

    @classmethod
    def told(cls, header: Header) -> Sent:
        """Read what a header says.

        Raises:
            UnreadableError: No sender would say so.
        """
        copies, parity, *rest = header.settings
        if not 1 <= copies <= len(LEAST_PARITY) or any(rest):
            raise UnreadableError
        if not LEAST_PARITY[copies - 1] <= parity <= MOST_PARITY:
            raise UnreadableError
        return cls(Code(header.length, parity), copies)


def fullest(rows: int, columns: int) -> int:
    """Give the most bits that an image can carry, those of the header included."""
    return FULLEST * GROUP * ((rows // 8) * (columns // 8) // GROUP)


def embed(
    levels: UInt8[np.ndarray, "rows columns channels"],
    content: Content,
    key: Key,
    *,
    salt: bytes | None = None,
    known_cover: bool = False,
    watch: Watch | None = None,
) -> tuple[UInt8[np.ndarray, "rows columns channels"], int]:
    """Change an image so that it carries a message through lossy encoders.

    Args:
        levels: The cover.
        content: The message.
        key: Decides the networks, one of which the salt picks.
        salt: 16 bytes, never used twice, for repeatable results [default: random].
        known_cover: The receiver has the cover too.
        watch: Told how far the work has come.

    Returns:
        The stego image, and the number of bits carried, those of the header included.

    Raises:
        CapacityError: The message does not fit.
    """
    room = fullest(*levels.shape[:2])
    least = Sent(Code(content.length, LEAST_PARITY[0]), 1)
    check_room(content, needed=least.bits, available=room, net=net_bytes(room))
    salt = salt or secrets.token_bytes(SALT_BYTES)
    order = block_order(key, *levels.shape[:2])
    cover = _cosines(levels) if known_cover else None
    wanted = (_strongest(content.length, int(load * room / FULLEST)) or least for load in LOADS)
    tries = list(dict.fromkeys([*wanted, least]))
    for done, sent in enumerate(tries):

        def told(progress: Progress, done: int = done) -> None:
            if watch is not None:
                watch(replace(progress, fraction=(done + progress.fraction) / len(tries)))

        # one salt for all tries, since only one of them ever leaves this function
        header = content.header(sent.settings, salt)
        sealed = header.seal(key, IMAGE_SALT), content.seal(key, header)
        network = BlockNetwork(key, int.from_bytes(salt[:2]) % INDICES, order, sent.bits, cover)
        least_db = 0.0 if sent == least else PRICE_DB
        stego = _solve(levels, network, sent, sealed, least_db=least_db, watch=told)
        if psnr_db(levels, stego) >= least_db:
            break
    return stego, sent.bits


def extract(
    levels: UInt8[np.ndarray, "rows columns channels"],
    key: Key,
    cover: UInt8[np.ndarray, "rows columns _channels"] | None = None,
) -> bytes:
    """Read a message.

    Args:
        levels: The stego image.
        key: That it was sent with.
        cover: The cover, for messages to a receiver who has it.

    Raises:
        UnreadableError: There is none for this key, or too much of it was lost.
    """
    room = fullest(*levels.shape[:2])
    if room < HEADER_BITS:
        raise UnreadableError
    cosines, order = _cosines(levels), block_order(key, *levels.shape[:2])
    for network in find_networks(
        key,
        order,
        cosines,
        bits=HEADER_BITS,
        copies=HEADER_COPIES,
        count=CANDIDATES,
        cover=None if cover is None else _cosines(cover),
    ):
        try:
            sealed = _decode(HEADER_CODE, fold(network.logits(cosines), HEADER_COPIES))
            header = Header.open(sealed, key, IMAGE_SALT)
        except UnreadableError:
            continue
        sent = Sent.told(header)
        if sent.bits > room:  # by a sender with the key, but not this program
            raise UnreadableError
        logits = replace(network, bits=sent.bits).logits(cosines)[HEADER_BITS:]
        return open_body(_decode(sent.code, fold(logits, sent.copies)), key, header)
    raise UnreadableError


def survived(
    levels: UInt8[np.ndarray, "rows columns channels"],
    key: Key,
    message: bytes,
    cover: UInt8[np.ndarray, "rows columns _channels"] | None = None,
) -> dict[str, bool]:
    """Tell for each encoder that a sender tries whether a message comes back from its output."""
    return {
        name: _reads(encoder(levels), key, message, cover) for name, encoder in CHANNELS.items()
    }


def _strongest(length: int, bits: int) -> Sent | None:
    """Give the most copies, and for these the most parity, that fit into a number of bits."""
    for copies in range(len(LEAST_PARITY), 0, -1):
        for parity in range(MOST_PARITY, LEAST_PARITY[copies - 1] - 1, -1):
            sent = Sent(Code(length, parity), copies)
            if sent.bits <= bits:
                return sent
    return None


def _solve(
    levels: NDArray[np.uint8],
    network: BlockNetwork,
    sent: Sent,
    sealed: tuple[bytes, bytes],
    *,
    least_db: float,
    watch: Watch,
) -> NDArray[np.uint8]:
    """Change an image until a network reads header and body after every encoder, or nearly so.

    Ends early, at whatever it has, where the PSNR falls below the least.
    """
    parts = list(zip((HEADER_CODE, sent.code), sealed, (HEADER_COPIES, sent.copies), strict=True))
    bits = [bits_of(code.encode(data)) for code, data, _ in parts]
    said = np.concatenate([np.tile(part, n) for part, (*_, n) in zip(bits, parts, strict=True)])
    start = network.project(_cosines(levels))
    target = 2 * np.rint((start - said) / 2) + said  # even cells say 0, odd ones 1
    push = np.zeros(network.bits)
    best, rank = levels, (-1, 0)
    for attempt in range(ROUNDS):
        moved = _moved(levels, network, target + push)
        now_db = psnr_db(levels, moved)
        if now_db < least_db:
            return moved
        outcomes = [encoder(moved) for encoder in (lambda a: a, *CHANNELS.values())]
        errors = np.stack([network.project(_cosines(seen)) - target for seen in outcomes])
        whole = sum(_whole(seen, sent, bits) for seen in map(network.read, errors + target))
        most = int((np.abs(errors) > 1 / 2).sum(axis=1).max())  # wrong after the worst encoder
        if (whole, -most) > rank:
            best, rank = moved, (whole, -most)
        watch(Progress((attempt + 1) / ROUNDS, most, now_db))
        if most == 0 or (whole == len(outcomes) and now_db < SPARE_DB):
            break
        middle = (errors.max(axis=0) + errors.min(axis=0)) / 2
        unsafe = np.abs(errors).max(axis=0) > SAFE
        push = np.clip(push - STEP * np.where(unsafe, middle, 0), -FURTHEST, FURTHEST)
    return best


def _whole(logits: NDArray[np.float64], sent: Sent, said: list[NDArray[np.bool_]]) -> bool:
    """Tell whether what is read is corrected."""
    halves = np.split(logits, [HEADER_BITS])
    folded = [fold(*pair) for pair in zip(halves, (HEADER_COPIES, sent.copies), strict=True)]
    return all(
        code.corrects(((read < 0) != bits).reshape(-1, 8).any(axis=1))
        for code, read, bits in zip((HEADER_CODE, sent.code), folded, said, strict=True)
    )


def _decode(code: Code, logits: NDArray[np.float64]) -> bytes:
    reliability = np.abs(logits).reshape(-1, 8).min(axis=1)
    return code.decode(bytes_of(logits < 0), reliability)


def _reads(
    levels: NDArray[np.uint8], key: Key, message: bytes, cover: NDArray[np.uint8] | None
) -> bool:
    try:
        return extract(levels, key, cover) == message
    except UnreadableError:
        return False


def _cosines(levels: Shaped[np.ndarray, "rows columns channels"]) -> NDArray[np.float64]:
    return block_cosines(luma(levels))


def _moved(
    levels: NDArray[np.uint8], network: BlockNetwork, wanted: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Change an image until the network's first z are as wanted, or nearly so.

    Where samples are at the end of their range half of a change is lost; what is missing is added
    again, which moves the block's mean away from the end.
    """
    changed = levels.astype(np.float64)
    for _ in range(PROJECTIONS):
        cosines = _cosines(changed)
        change = network.unproject(wanted - network.project(cosines), len(cosines))
        changed = np.clip(changed + block_levels(change, *levels.shape[:2])[..., None], 0, PEAK)
    return np.rint(changed).astype(np.uint8)
