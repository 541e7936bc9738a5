"""Covers that are generated: what a function shows, with grain, with messages or without.

A seed decides what is shown and nothing else. The grain is always drawn by the system's randomness
(`stegfield.fixednet.drawn`), and messages are in it. So an adversary may know the model and the
seed, and still cannot tell a cover with messages from one without, if the ciphers hold.

Where a key decides the cover (``known_cover``, for the robust profile), there is no grain, so that
the receiver can generate it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stegfield import fields, fixednet, signals
from stegfield.config import EmbedConfig
from stegfield.errors import ConfigError
from stegfield.fields import RenderWatch
from stegfield.fixednet import EmbedResult, drawn
from stegfield.generative.keyed import generate_keyed
from stegfield.generative.model import Model
from stegfield.generative.seeds import check_seed, new_seed
from stegfield.generative.store import load
from stegfield.keys import KeySource
from stegfield.signals import Signal

Size = int | tuple[int, ...] | None
"""Points along the longer side, or along each axis; None is the size of the examples."""


def generate(
    model: str | Path | Model = "faces",
    *,
    size: Size = None,
    seed: int | None = None,
    grain: float | None = None,
) -> Signal:
    """Generate a signal that never existed, such as a face, with grain as a camera has it.

    Args:
        model: ``faces``, ``climate``, ``digits``, a file that `stegfield train` wrote, or a model.
        size: Points along the longer side, or along each axis [default: as the examples were].
        seed: Decides what is shown [default: drawn, and forgotten]. The grain is another one each
            time.
        grain: Standard deviation of the grain, in levels of a file, from 1 to 16 [default: 1.5; 6
            for climate fields].

    Raises:
        InputError: no model has this name, and no file of this name exists.
        ConfigError: the size, the seed or the grain is out of range.

    Example:
        >>> one, other = (generate("digits", size=16, seed=7) for _ in range(2))
        >>> one.size, bool((one.values == other.values).all())
        ((16, 16), False)
    """
    source = model if isinstance(model, Model) else load(model)
    shown = function_shown(source, size, seed=seed)
    return drawn.draw(shown, grain or drawn.usual_grain(shown.medium))


def generate_stego(
    model: str | Path | Model,
    message: bytes | Path,
    key: KeySource,
    *,
    also: Sequence[tuple[bytes | Path, KeySource]] = (),
    size: Size = None,
    seed: int | None = None,
    grain: float | None = None,
    suffix: str | None = None,
) -> EmbedResult:
    """Generate as `generate` does, with messages in the grain; `fixednet.extract` reads them.

    Args:
        model: ``faces``, ``climate``, ``digits``, a file that `stegfield train` wrote, or a model.
        message: Any bytes, or the path of a file.
        key: Only its owner can extract the message.
        also: More messages, each with a key of its own.
        size: Points along the longer side, or along each axis [default: as the examples were].
        seed: Decides what is shown [default: drawn, and forgotten].
        grain: Standard deviation of the grain; from 3 on, a sample carries two bits.
        suffix: Kind of file to write, one that keeps every sample [default: .png or .nc].

    Raises:
        InputError: no model has this name, or a message cannot be read.
        CapacityError: the messages do not fit.
        ConfigError: the size, the seed or the grain is out of range, or two keys are the same.

    Example:
        >>> from stegfield.keys import Key
        >>> key = Key.generate()
        >>> sent = generate_stego("digits", b"noon", key, size=64)
        >>> fixednet.extract(sent.stego, key)
        b'noon'
    """
    source = model if isinstance(model, Model) else load(model)
    shown = function_shown(source, size, seed=seed)
    config = EmbedConfig(profile="drawn", grain=grain)
    return fixednet.embed(shown, message, key, also=also, config=config, suffix=suffix)


def function_shown(
    model: Model,
    size: Size = None,
    *,
    seed: int | None = None,
    watch: RenderWatch | None = None,
) -> Signal:
    """Return what the function of a seed shows, between levels and without grain.

    Do not embed in it without grain: an adversary with the model can find the function, and would
    see every change.

    Args:
        model: Generates the function.
        size: Points along the longer side, or along each axis [default: as the examples were].
        seed: Decides the function [default: drawn, and forgotten].
        watch: Is told how many points are done.

    Raises:
        ConfigError: the size or the seed is out of range.
    """
    shown_at = size_at(model, size)
    if seed is None:
        seed = new_seed()
    check_seed(seed)
    return fields.render(model.field(seed), shown_at, watch=watch)


def known_cover(
    model: Model, size: Size = None, *, key: KeySource, watch: RenderWatch | None = None
) -> Signal:
    """Generate one of a key's covers, without grain, so that the receiver generates it again.

    It is for messages embedded with ``EmbedConfig(profile="robust", known_cover=True)``; the
    receiver takes `cover_of`.

    Raises:
        ConfigError: the size is out of range.
    """
    return fields.render(generate_keyed(model, key), size_at(model, size), watch=watch)


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
