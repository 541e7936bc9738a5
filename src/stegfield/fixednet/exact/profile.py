"""The exact profile: the sine network and the trellis solver, for files that keep every sample.

    samples of one header network:  [ header ]      all others:  [ body ............... ]

One of a key's 1,024 header networks, which the sender's system draws, carries the sealed header
(see `stegfield.fixednet.exact.header`). It holds the settings of the body's network and a random
salt, from which that network and the order of its samples follow. Carriers of every medium are
treated alike.

What a carrier holds is ciphertext and nothing else: no parity, which would be linear over GF(2),
and so show in the ranks of many files by one key. One altered sample loses the message.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Integer
from numpy.typing import NDArray

from stegfield import carriers
from stegfield.carriers import Carrier
from stegfield.config import DescentConfig, EmbedConfig, changed
from stegfield.errors import CapacityError, ConfigError, InputError, UnreadableError, Wording
from stegfield.fixednet.exact.header import BITS as HEADER_BITS
from stegfield.fixednet.exact.header import NETWORKS, HeaderNetworks, header_samples
from stegfield.fixednet.exact.order import KeyedOrder
from stegfield.fixednet.exact.sine import CONSTRAINT_HEIGHT, PLANES, SineNetwork
from stegfield.fixednet.exact.trellis import Plan, plan, solve
from stegfield.fixednet.profile import Profile
from stegfield.fixednet.progress import EmbedProgress, EmbedWatch
from stegfield.keys import IMAGE_SALT, Key, system_stream
from stegfield.payload import (
    SETTINGS,
    Content,
    Header,
    bits_of,
    bytes_of,
    check_room,
    fill,
    longest_message,
    open_body,
)
from stegfield.signals import Medium, Signal

NETWORK = struct.Struct("<IIB")
"""Bits in the lower and the upper plane, constraint height."""
FULLEST = {1: 0.5, 2: 1.5}
"""Most bits a sample by the number of planes: of two, 4.5 bits a pixel in RGB."""
JPEG_SETTINGS = frozenset({"allow_recompress", "costs", "loud", "quality", "strip_metadata"})
"""Settings of messages in JPEG files."""
LOSSY = (".jpg", ".jpeg")
"""Kinds of files that keep coefficients, not samples."""
RATES = (1, 2, 3, 4)
"""Bits a pixel or point for which capacities are shown."""
assert NETWORK.size == SETTINGS  # noqa: S101 - a fact about this file


def fullest(samples: int, planes: int = PLANES) -> int:
    """Return the most bits that samples can carry in their lowest planes, header included.

    Raises:
        CapacityError: There are too few samples for a header.
    """
    return HEADER_BITS + int(FULLEST[planes] * (samples - header_samples(samples)))


def bits_for(content: Content) -> int:
    """Return the bits that a message needs, header included."""
    return HEADER_BITS + 8 * content.length


def body_network(key: Key, header: Header, order: Sequence[NDArray[np.int32]]) -> SineNetwork:
    """Return the network that reads the body.

    Args:
        key: With the header's salt, decides the weights.
        header: Its settings are those of the network.
        order: The samples that the network reads.

    Raises:
        ConfigError: The bits are more than the samples, or the constraint height is out of range.
    """
    lower, upper, height = NETWORK.unpack(header.settings)
    return SineNetwork(key, "body", order, (lower, upper), height, header.salt)


def embed(
    carrier: Carrier,
    content: Content,
    key: Key,
    *,
    constraint_height: int = CONSTRAINT_HEIGHT,
    bits: int | None = None,
    planes: int = PLANES,
    watch: EmbedWatch | None = None,
) -> tuple[NDArray[np.int8], int]:
    """Find the change of a carrier that carries a message at the least cost.

    Args:
        carrier: The cover.
        content: The message.
        key: Decides the network.
        constraint_height: Number of bits in which a sample has weights; more is better and slower.
        bits: How many to carry, random ones behind the message [default: as the message needs].
        planes: 1 where only the lowest bit of a sample may carry anything.
        watch: Called with the progress of the work.

    Returns:
        The change of each level, and the number of bits carried.

    Raises:
        CapacityError: The message does not fit.
    """
    samples, needed = len(carrier.levels), 8 * content.length
    most = fullest(samples, planes)
    if bits is not None and bits > most:
        raise CapacityError(
            needed=bits,
            available=most,
            unit="bits",
            holder="cover",
            hint=Wording("lower {bpp}, or leave it out"),
        )
    room = most if bits is None else bits
    try:
        check_room(content, needed=HEADER_BITS + needed, available=room, net=longest_message(room))
    except CapacityError as error:
        if bits is not None:
            error.hint = Wording("raise {bpp}, or leave it out")
        raise
    carried = needed if bits is None else room - HEADER_BITS
    if watch is not None:
        watch(EmbedProgress(0.0, carried, math.inf))  # costs and plan take a while
    head = HeaderNetworks(key, samples).network(system_stream().below(NETWORKS))
    header = content.header(bytes(SETTINGS))
    order = KeyedOrder(key, samples, header.salt, head.order[0])
    planned = plan(carrier, carried, order) if planes > 1 else Plan((carried, 0), 1.0)
    header = replace(header, settings=NETWORK.pack(*planned.bits, constraint_height))
    body = body_network(key, header, order)
    said = fill(content.seal(key, header), carried)
    change = solve(body, said, carrier, lambda_=planned.lambda_, watch=watch)
    sealed = bits_of(header.seal(key, IMAGE_SALT))
    change += solve(head, sealed, carrier, lambda_=1.0)  # its upper plane carries nothing
    return change, HEADER_BITS + carried


def extract(samples: Integer[np.ndarray, " samples"], key: Key) -> bytes:
    """Read a message.

    Raises:
        UnreadableError: There is no message for this key, or a sample was altered.
    """
    try:
        heads = HeaderNetworks(key, len(samples))
    except CapacityError:
        raise UnreadableError from None
    index, header = Header.first(heads.read(samples), key, IMAGE_SALT)
    taken = heads.network(index).order[0]
    try:
        network = body_network(key, header, KeyedOrder(key, len(samples), header.salt, taken))
    except ConfigError:  # a header that this program would never write
        raise UnreadableError from None
    if 8 * header.length > sum(network.bits):
        raise UnreadableError
    return open_body(bytes_of(network.read(samples)[: 8 * header.length]), key, header)


class Exact(Profile):
    """The exact profile: any carrier, at any rate; hard to detect, and lost if samples change."""

    name = "exact"
    heeds = frozenset({"bpp", "flat", "constraint_height", *JPEG_SETTINGS})
    quiet = True

    def suffix(self, cover: Signal, config: EmbedConfig) -> str:
        """Let a JPEG stay one; equal costs, which have no meaning there, are for its samples."""
        stays = cover.jpeg is not None and not config.flat
        return LOSSY[0] if stays else super().suffix(cover, config)

    def for_file(self, cover: Signal, suffix: str, config: EmbedConfig) -> tuple[Profile, Signal]:
        """Return what embeds in the coefficients of a JPEG, if the file to write is one."""
        if suffix.lower() in LOSSY:
            from stegfield.fixednet.exact import coefficients  # which needs this module

            return coefficients.for_cover(cover, config)
        for name in JPEG_SETTINGS.intersection(changed(config)):
            raise ConfigError(
                Wording(f"{{{name}}} has no meaning for {{suffix}} files", suffix=suffix),
                hint="it goes with .jpg files",
            )
        return self, cover

    def check_suffix(self, medium: Medium, suffix: str) -> None:
        """Refuse a kind of file that would lose the message; a JPEG keeps it in coefficients."""
        if suffix.lower() not in LOSSY or suffix.lower() not in medium.written:
            super().check_suffix(medium, suffix)

    def capacity(self, cover: Signal) -> dict[str, int]:
        """Return the bytes of the longest message for each rate that the cover has room for."""
        if cover.jpeg is not None:
            with suppress(InputError):  # the samples of any picture carry messages
                profile, cover = self.for_file(cover, LOSSY[0], EmbedConfig())
                return profile.capacity(cover)
        try:
            most = fullest(len(carriers.of(cover).levels))
        except CapacityError:
            most = 0
        rates = {f"{bpp} bpp": bpp * cover.points for bpp in RATES if bpp * cover.points <= most}
        return {name: longest_message(bits) for name, bits in {**rates, "at most": most}.items()}

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
        """Change the levels of a carrier at the least cost."""
        carrier = carriers.of(cover, flat=config.flat)
        change, bits = embed(
            carrier,
            content,
            key,
            constraint_height=config.constraint_height,
            bits=None if config.bpp is None else round(config.bpp * cover.points),
            watch=watch,
        )
        return carrier.apply(change), bits

    def extract(
        self, stego: Signal, key: Key, *, cover: Signal | None = None, weights: Path | None = None
    ) -> bytes:
        """Read a message from the levels of a carrier, or a JPEG's coefficients."""
        if stego.jpeg is not None:
            from stegfield.fixednet.exact import coefficients  # which needs this module

            return coefficients.extract(stego.jpeg, key)
        return extract(carriers.of(stego).levels, key)


PROFILE = Exact()
