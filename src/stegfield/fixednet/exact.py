"""The profile for files that keep every sample: the sine network and the lattice solver.

    one segment's samples:  [ header | body ........... ]    all others':  [ body ......... ]

The header has a network of its own over the first samples of one segment that the key picks, a
sixteenth of all samples where that is enough, and 14,080 at most. The body's network reads all
others; its settings stand in the header.

A few bytes of Reed-Solomon parity in each codeword let a message survive some altered samples; any
more are noticed by the seals, and nothing is read then.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import partial

import numpy as np
from jaxtyping import Float32, Integer
from numpy.typing import NDArray

from stegfield.errors import CapacityError, ConfigError, UnreadableError
from stegfield.fixednet.progress import Watch
from stegfield.fixednet.sine import SPAN, SineNetwork, keyed_order, segment_order, segments
from stegfield.fixednet.trellis import plan, solve
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
    longest_message,
    open_body,
)

PARITY = 8
"""Bytes of each codeword of 255: four wrong bytes in it are corrected."""
NETWORK = struct.Struct("<IIB")
"""Bits in the lower and the upper plane, span."""
HEADER_CODE = Code(HEADER_BYTES, PARITY)
HEADER_BITS = 8 * HEADER_CODE.coded_length
HEADER_SHARE = 16  # of all samples, one in this many,
HEADER_SPARSITY = 32  # but at most this many samples for each bit of the header
FULLEST = 1.5
"""Bits a sample, at most: 4.5 bits a pixel in RGB. The planes' limit is 2."""
net_bytes = partial(longest_message, header=HEADER_BITS, parity=PARITY)
assert NETWORK.size == SETTINGS  # noqa: S101 - a fact about this file


def header_samples(samples: int) -> int:
    """Give the number of samples that carry the header.

    Raises:
        CapacityError: There are too few.
    """
    fewest = samples // segments(samples)
    if fewest < 2 * HEADER_BITS:
        needed = 2 * HEADER_BITS
        raise CapacityError(needed=needed, available=fewest, unit="samples", holder="cover")
    return min(max(samples // HEADER_SHARE, HEADER_BITS), HEADER_SPARSITY * HEADER_BITS)


def fullest(samples: int) -> int:
    """Give the most bits that samples can carry, those of the header included."""
    return HEADER_BITS + int(FULLEST * (samples - header_samples(samples)))


def header_segment(key: Key, samples: int) -> int:
    """Give the segment that has the header, for a number of samples."""
    draw = key.stream("header-segment", salt=IMAGE_SALT).integers(1)
    return int(draw[0]) % segments(samples)


def header_network(key: Key, samples: int) -> SineNetwork:
    """Give the network that reads the header, from the first samples of its segment.

    Raises:
        CapacityError: There are too few samples for a header.
    """
    size = header_samples(samples)
    order = segment_order(key, samples, header_segment(key, samples))
    return SineNetwork(key, "header", [order[:size]], (HEADER_BITS, 0))


def body_network(key: Key, samples: int, bits: tuple[int, int], span: int) -> SineNetwork:
    """Give the network that reads the body, from all other samples.

    Raises:
        ConfigError: It cannot be: the bits are more than the samples, or the span out of range.
    """
    order, holder = keyed_order(key, samples), header_segment(key, samples)
    order[holder] = order[holder][header_samples(samples) :]
    return SineNetwork(key, "body", order, bits, span)


def embed(
    samples: Integer[np.ndarray, " samples"],
    prices: Float32[np.ndarray, " samples"],
    content: Content,
    key: Key,
    *,
    bounds: tuple[int, int],
    span: int = SPAN,
    bits: int | None = None,
    salt: bytes | None = None,
    rounding: Float32[np.ndarray, " samples"] | None = None,
    watch: Watch | None = None,
) -> tuple[NDArray[np.int8], int]:
    """Find the change of integer samples that carries a message at the least price.

    Args:
        samples: Levels of the cover, in any fixed order.
        prices: What a change by one level costs at each; by d levels, d^2 times that.
        content: The message.
        key: Decides the network.
        bounds: Least and largest level.
        span: Over how many bits a sample has weights: more is better and slower.
        bits: How many to carry; those without a message are random [default: as the message needs].
        salt: 16 bytes, never used twice, for repeatable results [default: random].
        rounding: By how much each sample is above what the cover was before it was rounded; where
            a value lay half way between levels, either of them is nearly as good [default: 0].
        watch: Told how far the work has come.

    Returns:
        What to add to each sample, and the number of bits carried.

    Raises:
        CapacityError: The message does not fit.
    """
    code = Code(content.length, PARITY)
    most = fullest(len(samples))
    if bits is not None and bits > most:
        raise CapacityError(needed=bits, available=most, unit="bits", holder="cover")
    room = most if bits is None else bits
    needed = HEADER_BITS + 8 * code.coded_length
    check_room(content, needed=needed, available=room, net=net_bytes(room))
    carried = 8 * code.coded_length if bits is None else room - HEADER_BITS
    body = body_network(key, len(samples), (0, 0), span)
    planned = plan(samples, prices, carried, bounds, body.order, rounding=rounding)
    header = content.header(NETWORK.pack(*planned.bits, span), salt)
    coded = code.encode(content.seal(key, header))
    filling = key.stream("filling", salt=header.salt).bytes(carried // 8 + 1 - len(coded))
    solve_for = partial(
        solve,
        samples=samples,
        prices=prices,
        bounds=bounds,
        salt=header.salt,
        rounding=rounding,
    )
    change = solve_for(
        replace(body, bits=planned.bits),
        bits_of(coded + filling)[:carried],
        strictness=planned.strictness,
        watch=watch,
    )
    change += solve_for(
        header_network(key, len(samples)),
        bits_of(HEADER_CODE.encode(header.seal(key, IMAGE_SALT))),
        strictness=1.0,  # of no effect where the upper plane carries nothing
    )
    return change, HEADER_BITS + carried


def extract(samples: Integer[np.ndarray, " samples"], key: Key) -> bytes:
    """Read a message.

    Raises:
        UnreadableError: There is none for this key, or too many samples were altered.
    """
    try:
        head = header_network(key, len(samples))
    except CapacityError:
        raise UnreadableError from None
    sealed = bytes_of(head.read(samples))
    header = Header.open(HEADER_CODE.decode(sealed), key, IMAGE_SALT)
    lower, upper, span = NETWORK.unpack(header.settings)
    code = Code(header.length, PARITY)
    if 8 * code.coded_length > lower + upper:
        raise UnreadableError
    try:
        network = body_network(key, len(samples), (lower, upper), span)
    except ConfigError:  # a sender with the key, but not this program
        raise UnreadableError from None
    coded = bytes_of(network.read(samples))[: code.coded_length]
    return open_body(code.decode(coded), key, header)
