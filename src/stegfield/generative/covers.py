"""Covers that are generated: for a message, by default, so that nobody can generate them again.

An adversary who knows the seed of a cover can generate it, and sees every sample that a message
changed. So the seed and the noise of a message's cover come from the system's randomness and are
forgotten; or the key decides the cover, so that the receiver can generate it.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from stegfield import fields, signals
from stegfield.errors import ConfigError, Wording
from stegfield.fields import RenderWatch
from stegfield.generative.keyed import generate_keyed
from stegfield.generative.model import Model
from stegfield.generative.seeds import check_seed, new_seed
from stegfield.generative.store import load
from stegfield.keys import KEY_BYTES, KeySource, KeyStream
from stegfield.signals import Signal

Size = int | tuple[int, ...] | None
"""Points along the longer side, or along each axis; None is the size of the examples."""


def generate(
    model: str | Path | Model = "faces", *, size: Size = None, seed: int | None = None
) -> Signal:
    """Generate a signal that never existed, such as a face, with noise as a camera has it.

    Args:
        model: ``faces``, ``climate``, ``digits``, a file that `stegfield train` wrote, or a model.
        size: Points along the longer side, or along each axis [default: as the examples were].
        seed: Decides the signal and its noise [default: drawn, and forgotten]. For messages, leave
            it out: see `public_seed_caution`.

    Raises:
        InputError: no model has this name, and no file of this name exists.
        ConfigError: the size or the seed is out of range.

    Example:
        >>> generate("digits", size=16, seed=7).size
        (16, 16)
    """
    source = model if isinstance(model, Model) else load(model)
    return cover_for_message(source, size, seed=seed)


def cover_for_message(
    model: Model,
    size: Size = None,
    *,
    key: KeySource | None = None,
    known_cover: bool = False,
    seed: int | None = None,
    watch: RenderWatch | None = None,
) -> Signal:
    """Generate a cover for a message: one that nobody can generate again, unless asked otherwise.

    Args:
        model: Generates it.
        size: Points along the longer side, or along each axis [default: as the examples were].
        key: The message's key; only needed where the cover is to be known.
        known_cover: Let the key decide the cover, without noise, so that the receiver generates it
            again (`cover_of`), for messages embedded with ``EmbedConfig(known_cover=True)``.
        seed: Let a seed decide cover and noise. It is weaker: show `public_seed_caution`.
        watch: Is told how many points are done.

    Raises:
        ConfigError: the size or the seed is out of range; or the cover is to be known and there is
            no key, or a seed.

    Example:
        >>> from stegfield import generative
        >>> model = generative.load("digits")
        >>> one, other = (cover_for_message(model, 16) for _ in range(2))
        >>> (one.values == other.values).all().item()
        False
    """
    shown_at = size_at(model, size)
    if known_cover:
        if seed is not None:
            raise ConfigError(
                Wording("with {known_cover} the key decides what is generated, not {seed}")
            )
        if key is None:
            raise ConfigError(Wording("{known_cover} needs {key}, which decides the cover"))
        return fields.render(generate_keyed(model, key), shown_at, watch=watch)
    if seed is not None:
        check_seed(seed)
        return model.cover(seed, shown_at, watch=watch)
    noise = KeyStream(secrets.token_bytes(KEY_BYTES))
    return model.cover(new_seed(), shown_at, noise=noise, watch=watch)


def size_at(model: Model, size: Size) -> tuple[int, ...]:
    """Return the size of what a model generates; its aspect gives the side that is left out.

    Raises:
        ConfigError: a side is out of range, or they make too many points.
    """
    if size is None:
        return model.size
    if isinstance(size, int):
        if size < 1:
            raise ConfigError(f"a size is at least 1, got {size}")
        size = signals.scaled(model.size, size)
    return signals.parse_size(signals.size_text(size))
