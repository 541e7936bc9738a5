"""Drawing covers: one function for those that carry messages and those that carry none.

    what is shown ─► f ─┐
    messages ─law─► U ──┼─► G ─► samples
    the system ─► R ────┘

Nothing here depends on the messages but U.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64

from stegfield.config import GRAINS
from stegfield.errors import ConfigError, UnreadableError, Wording
from stegfield.fixednet.drawn.network import Triangular
from stegfield.fixednet.drawn.sampler import BAND, MOST_BITS, Sampler
from stegfield.fixednet.drawn.samples import Samples
from stegfield.keys import SALT_BYTES, KeySource, system_stream, unlock
from stegfield.payload import bytes_of, law
from stegfield.signals import Signal

LOSSY = ("JPEG", "WebP", "HEIC", "AVIF")
"""Origins of signals that are never drawn covers: such files change samples."""
NETWORK = Triangular()


def draw(shown: Signal, grain: float, messages: Sequence[law.Message] = ()) -> Signal:
    """Draw grain over a signal, by the system's randomness alone.

    Args:
        shown: What the cover shows: values of a function, or a picture.
        grain: Standard deviation of the grain, in levels of the file: from 1 to 16.
        messages: What it carries; its law is the same whatever that is.

    Raises:
        CapacityError: The messages do not fit.
        ConfigError: The grain is out of range, the file has too few levels for it, or two messages
            have the same key.

    Example:
        >>> from stegfield import signals
        >>> one, other = (draw(signals.waves(16, 16), 1.5) for _ in range(2))
        >>> bool((one.samples == other.samples).all())
        False
    """
    GRAINS.check(grain, owner="draw", name="grain")
    sampler, samples = _sampler(grain), Samples(shown)
    low, high = samples.bounds
    if high - low < 2 << sampler.bits:
        raise ConfigError(
            Wording(
                "{grain} needs more levels than the {levels} of this file",
                levels=max(0, high - low + 1),
            )
        )
    plane = law.compose(messages, sampler.bits * samples.count, network=NETWORK)
    low_bits = plane.reshape(sampler.bits, -1)
    random = system_stream()
    levels = np.empty(samples.count, np.result_type(*map(np.min_scalar_type, samples.bounds)))
    for start in range(0, samples.count, BAND):
        some = slice(start, min(start + BAND, samples.count))
        drawn = random.integers(some.stop - start)
        given = _integers(low_bits[:, some])
        levels[some] = sampler.draw(samples.shown(some), given, drawn, samples.bounds)
    return samples.with_levels(levels)


def salt(cover: Signal) -> bytes:
    """Return the salt of all keys of a drawn cover: the lowest bits of its first samples.

    Raises:
        UnreadableError: The signal is no drawn cover, since it is too small or of a lossy file.
    """
    samples = Samples(cover)
    if cover.origin in LOSSY or samples.count < 8 * SALT_BYTES:
        raise UnreadableError
    return bytes_of(samples.plane(1)[: 8 * SALT_BYTES])


def find(cover: Signal, key: KeySource) -> law.Found:
    """Read the message of a key in a drawn cover, whatever its grain.

    Raises:
        UnreadableError: There is no message of this key, or it was altered.
        KeyFileError: The key is a path, and its file is missing, damaged, or not a key file.
    """
    return _find(cover, key)[0]


def _find(cover: Signal, key: KeySource) -> tuple[law.Found, int]:
    """Read a message, and return the bits of the plane that it was found in as well."""
    opened = unlock(key, salt(cover))  # one for both planes, since both begin with it
    samples = Samples(cover)
    with suppress(UnreadableError):
        return law.find(samples.plane(1), opened, network=NETWORK), samples.count
    plane = samples.plane(MOST_BITS)
    return law.find(plane, opened, network=NETWORK), len(plane)


@dataclass(frozen=True)
class Kept:
    """The messages of some keys in a drawn cover, and the room beside them."""

    messages: int
    message_bytes: int
    """Bytes of all of them."""
    parts: int
    """Parts that they take, of 64."""
    parts_left: int
    bytes_left: int
    """Bytes of the longest message, deflated, that fits beside them."""

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return asdict(self)


def kept(cover: Signal, keys: Sequence[KeySource]) -> Kept:
    """Read the messages of some keys, and tell how much room they leave.

    Nobody can tell whether there are messages of other keys.

    Raises:
        UnreadableError: There is no message of one of the keys.
        ConfigError: The list of keys is empty.
    """
    if not keys:
        raise ConfigError("there is no key to read messages with", hint="give one or more")
    found, bits = zip(*(_find(cover, key) for key in keys), strict=True)
    messages = list({each.slot: each for each in found}.values())
    parts = sum(each.parts for each in messages)
    return Kept(
        messages=len(messages),
        message_bytes=sum(len(each.data) for each in messages),
        parts=parts,
        parts_left=law.PARTS - parts,
        bytes_left=law.longest(bits[0], messages),
    )


def places(cover: Signal, grain: float) -> law.Places:
    """Return the places of messages in a cover with this grain."""
    return law.Places(Sampler(grain).bits * Samples(cover).count)


@lru_cache(maxsize=4)
def _sampler(grain: float) -> Sampler:
    """Keep samplers, whose tables take longer than a small cover."""
    return Sampler(grain)


def _integers(planes: Bool[np.ndarray, "bits samples"]) -> Int64[np.ndarray, " samples"]:
    """Return the low bits of each sample as an integer; the first plane is the lowest."""
    whole = np.zeros(planes.shape[1], np.int64)
    for bit, plane in enumerate(planes):
        whole |= plane.astype(np.int64) << bit
    return whole
