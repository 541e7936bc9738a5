"""Messages of the paper profile: ReLU networks or a released SteganoGAN, and gradients.

Every pixel carries as many bits as the rate says. The receiver tries the ten networks of a key, or
a released SteganoGAN, at every rate. Header and body have no parity: one wrong bit loses the
message, and embedding fails if the solver leaves one.

Source: GINR-Stega, Sec. 3.4; see `stegfield.fixednet.paper.gradient` for what differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from stegfield.config import LARGEST_NETWORKS, DescentConfig
from stegfield.errors import ConfigError, UnreadableError
from stegfield.fixednet.paper.gradient import descend, embed_bits, noise_around, read_logits
from stegfield.fixednet.paper.network import FixedNetwork
from stegfield.fixednet.paper.published import CHANNELS, PublishedNetwork
from stegfield.fixednet.paper.relu import DEEPEST, ReluNetwork
from stegfield.fixednet.progress import EmbedWatch
from stegfield.keys import IMAGE_SALT, Key, system_stream
from stegfield.metrics import PEAK
from stegfield.payload import (
    HEADER_BYTES,
    SETTINGS,
    Content,
    Header,
    bytes_of,
    check_room,
    fill,
    longest_message,
    open_body,
    seal,
)

HEADER_BITS = 8 * HEADER_BYTES
SPREAD = 2 / 255  # of the noise that a descent may begin with


def embed(
    levels: UInt8[np.ndarray, "rows columns channels"],
    content: Content,
    key: Key,
    *,
    depth: int,
    config: DescentConfig,
    watch: EmbedWatch | None = None,
) -> UInt8[np.ndarray, "rows columns channels"]:
    """Change an image until one of the key's ReLU networks reads a message.

    Args:
        levels: The cover.
        content: The message.
        key: Decides the networks.
        depth: Bits a pixel, from 1 to 4.
        config: How to search.
        watch: Called with the progress of the work.

    Returns:
        The best image found; the message can be extracted only if every bit is right.

    Raises:
        CapacityError: The message does not fit.
    """
    room = depth * levels.shape[0] * levels.shape[1]
    needed = HEADER_BITS + 8 * content.length
    check_room(
        content,
        needed=needed,
        available=room,
        net=longest_message(room),
    )
    sealed = seal(content, key, bytes(SETTINGS))
    bits = fill(sealed.header + sealed.body, room)
    watch = watch or (lambda progress: None)
    start = None
    if config.start == "noise":
        seed = int.from_bytes(system_stream().bytes(7))
        start = noise_around(levels, SPREAD, torch.Generator().manual_seed(seed))
    if config.weights is None:
        done = embed_bits(key, bits, levels, depth, config=config, start=start, watch=watch)
        return done.descent.levels
    _check_channels(levels)
    network = PublishedNetwork(config.weights, depth=depth)
    if config.start == "encoder":
        start = network.encode(torch.tensor(levels, dtype=torch.float32) / PEAK, bits)
    return descend(network, bits, levels, config=config, start=start, watch=watch).levels


def extract(
    levels: UInt8[np.ndarray, "rows columns channels"], key: Key, weights: Path | None = None
) -> bytes:
    """Read a message.

    Args:
        levels: The stego image.
        key: Decides the networks, and opens the message.
        weights: The released network that it was embedded for [default: the key's networks].

    Raises:
        UnreadableError: There is no message for this key, or a bit of it is wrong.
        InputError: The weights are not a network that can be trusted.
    """
    channels = levels.shape[2]
    networks: Iterable[FixedNetwork] = (
        ReluNetwork(key, seed_index=index, depth=DEEPEST, channels=channels)
        for index in range(LARGEST_NETWORKS)
    )
    if weights is not None:
        _check_channels(levels)
        networks = [PublishedNetwork(weights)]
    for network in networks:
        logits = read_logits(network, levels)
        for depth in range(1, min(network.depth, DEEPEST) + 1):
            data = bytes_of(logits[..., :depth].reshape(-1) > 0)
            try:
                header = Header.open(data[:HEADER_BYTES], key, IMAGE_SALT)
            except UnreadableError:
                continue
            body = data[HEADER_BYTES : HEADER_BYTES + header.length]
            return open_body(body, key, header)
    raise UnreadableError


def _check_channels(levels: UInt8[np.ndarray, "rows columns channels"]) -> None:
    if levels.shape[2] != CHANNELS:
        raise ConfigError("released networks read colour images only")
