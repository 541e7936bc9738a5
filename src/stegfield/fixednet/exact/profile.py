"""The exact profile: the sine network and the trellis solver, for files that keep every sample.

    one segment's samples:  [ header | body ........... ]    all others':  [ body ......... ]

The header has a network of its own over the first samples of one segment that the key chooses: a
sixteenth of all samples if that is enough, and 14,080 at most. The body's network reads all others;
its settings are in the header. Carriers of every medium are treated alike.

A few bytes of Reed-Solomon parity in each codeword let a message survive some altered samples. The
seals detect any more, and then nothing is read.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Integer
from numpy.typing import NDArray

from stegfield import carriers
from stegfield.carriers import Carrier
from stegfield.config import DescentConfig, EmbedConfig, changed
from stegfield.errors import CapacityError, ConfigError, InputError, UnreadableError, Wording
from stegfield.fixednet.exact.sine import (
    CONSTRAINT_HEIGHT,
    KeyedOrder,
    SineNetwork,
    segment_order,
    segments,
)
from stegfield.fixednet.exact.trellis import plan, solve
from stegfield.fixednet.profile import Profile
from stegfield.fixednet.progress import EmbedWatch
from stegfield.keys import IMAGE_SALT, Key
from stegfield.payload import (
    HEADER_BYTES,
    SETTINGS,
    Code,
    Content,
    Header,
    bits_of,
    bytes_of,
    check_room,
    fill,
    longest_message,
    open_body,
    seal,
)
from stegfield.signals import Medium, Signal

PARITY = 8
"""Bytes of each codeword of 255: four wrong bytes in it are corrected."""
NETWORK = struct.Struct("<IIB")
"""Bits in the lower and the upper plane, constraint height."""
HEADER_CODE = Code(HEADER_BYTES, PARITY)
HEADER_BITS = 8 * HEADER_CODE.coded_length
HEADER_SHARE = 16  # of all samples, one in this many,
HEADER_SPARSITY = 32  # but at most this many samples for each bit of the header
FULLEST = 1.5
"""Most bits a sample: 4.5 bits a pixel in RGB. Two planes could carry 2."""
JPEG_SETTINGS = frozenset({"allow_recompress", "costs", "loud", "quality", "strip_metadata"})
"""Settings of messages in JPEG files."""
LOSSY = (".jpg", ".jpeg")
"""Kinds of files that keep coefficients, not samples."""
AT_HAND = 1 << 26
"""Samples whose order a sender keeps in memory; that of more is made twice."""
RATES = (1, 2, 3, 4)
"""Bits a pixel or point for which capacities are shown."""
net_bytes = partial(longest_message, header=HEADER_BITS, parity=PARITY)
assert NETWORK.size == SETTINGS  # noqa: S101 - a fact about this file


def header_samples(samples: int) -> int:
    """Return the number of samples that carry the header.

    Raises:
        CapacityError: There are too few samples for a header.
    """
    fewest = samples // segments(samples)
    if fewest < 2 * HEADER_BITS:
        needed = 2 * HEADER_BITS
        raise CapacityError(needed=needed, available=fewest, unit="samples", holder="cover")
    return min(max(samples // HEADER_SHARE, HEADER_BITS), HEADER_SPARSITY * HEADER_BITS)


def fullest(samples: int) -> int:
    """Return the most bits that samples can carry, header included."""
    return HEADER_BITS + int(FULLEST * (samples - header_samples(samples)))


def bits_for(content: Content) -> int:
    """Return the bits that a message needs, header included."""
    return HEADER_BITS + 8 * Code(content.length, PARITY).coded_length


def header_segment(key: Key, samples: int) -> int:
    """Return the segment that has the header, for a number of samples."""
    draw = key.stream("header-segment", salt=IMAGE_SALT).integers(1)
    return int(draw[0]) % segments(samples)


def header_network(key: Key, samples: int) -> SineNetwork:
    """Return the network that reads the header, from the first samples of its segment.

    Raises:
        CapacityError: There are too few samples for a header.
    """
    size = header_samples(samples)
    order = segment_order(key, samples, header_segment(key, samples))
    return SineNetwork(key, "header", [order[:size]], (HEADER_BITS, 0))


def body_network(
    key: Key, samples: int, bits: tuple[int, int], constraint_height: int
) -> SineNetwork:
    """Return the network that reads the body, from all other samples.

    Raises:
        ConfigError: The bits are more than the samples, or the constraint height is out of range.
    """
    order = KeyedOrder(key, samples, header_segment(key, samples), header_samples(samples))
    return SineNetwork(key, "body", order, bits, constraint_height)


def embed(
    carrier: Carrier,
    content: Content,
    key: Key,
    *,
    constraint_height: int = CONSTRAINT_HEIGHT,
    bits: int | None = None,
    salt: bytes | None = None,
    watch: EmbedWatch | None = None,
) -> tuple[NDArray[np.int8], int]:
    """Find the change of a carrier that carries a message at the least cost.

    Args:
        carrier: The cover.
        content: The message.
        key: Decides the network.
        constraint_height: Number of bits in which a sample has weights; more is better and slower.
        bits: How many to carry, random ones behind the message [default: as the message needs].
        salt: 16 bytes, never used twice, for repeatable results [default: random].
        watch: Called with the progress of the work.

    Returns:
        The change of each level, and the number of bits carried.

    Raises:
        CapacityError: The message does not fit.
    """
    samples, code = len(carrier.levels), Code(content.length, PARITY)
    most = fullest(samples)
    if bits is not None and bits > most:
        raise CapacityError(
            needed=bits,
            available=most,
            unit="bits",
            holder="cover",
            hint=Wording("lower {bpp}, or leave it out"),
        )
    room = most if bits is None else bits
    needed = HEADER_BITS + 8 * code.coded_length
    try:
        check_room(content, needed=needed, available=room, net=net_bytes(room))
    except CapacityError as error:
        if bits is not None:
            error.hint = Wording("raise {bpp}, or leave it out")
        raise
    carried = 8 * code.coded_length if bits is None else room - HEADER_BITS
    body = body_network(key, samples, (0, 0), constraint_height)
    if samples <= AT_HAND and isinstance(body.order, KeyedOrder):
        body = replace(body, order=body.order.at_once())
    planned = plan(carrier, carried, body.order)
    settings = NETWORK.pack(*planned.bits, constraint_height)
    sealed = seal(content, key, settings, (HEADER_CODE, code), salt)
    solve_for = partial(solve, carrier=carrier, salt=sealed.salt)
    change = solve_for(
        replace(body, bits=planned.bits),
        fill(sealed.body, carried, key, sealed.salt),
        lambda_=planned.lambda_,
        watch=watch,
    )
    change += solve_for(
        header_network(key, samples),
        bits_of(sealed.header),
        lambda_=1.0,  # of no effect where the upper plane carries nothing
    )
    return change, HEADER_BITS + carried


def extract(samples: Integer[np.ndarray, " samples"], key: Key) -> bytes:
    """Read a message.

    Raises:
        UnreadableError: There is no message for this key, or too many samples were altered.
    """
    try:
        head = header_network(key, len(samples))
    except CapacityError:
        raise UnreadableError from None
    sealed = bytes_of(head.read(samples))
    header = Header.open(HEADER_CODE.decode(sealed), key, IMAGE_SALT)
    lower, upper, height = NETWORK.unpack(header.settings)
    code = Code(header.length, PARITY)
    if 8 * code.coded_length > lower + upper:
        raise UnreadableError
    try:
        network = body_network(key, len(samples), (lower, upper), height)
    except ConfigError:  # a header that this program would never write
        raise UnreadableError from None
    coded = bytes_of(network.read(samples))[: code.coded_length]
    return open_body(code.decode(coded), key, header)


class Exact(Profile):
    """The exact profile: any carrier, at any rate; hard to detect, and lost if samples change."""

    name = "exact"
    heeds = frozenset({"bpp", "flat", "constraint_height", *JPEG_SETTINGS})
    quiet = True

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
        return {name: net_bytes(bits) for name, bits in {**rates, "at most": most}.items()}

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
