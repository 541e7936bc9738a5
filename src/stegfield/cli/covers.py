"""Covers: from an image file, or drawn from a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stegfield.cli.signal_files import read_signal
from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.generative import Model
    from stegfield.signals import Signal


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A cover that is drawn, in place of an image file."""

    cover_model: str | None = None
    """Draw the cover: faces, climate, digits, or a file that `stegfield train` wrote."""

    cover_seed: int | None = None
    """Decides which one is drawn [default: --seed, or else 0]."""

    cover_size: str | None = None
    """Its size: pixels along the longer side, or columns x rows [default: as the examples were]."""


def read_cover(
    path: Path | None, drawn: Drawn, *, seed: int | None, flatten: bool
) -> tuple[str, Signal]:
    """Read or draw a cover, and tell what to call it.

    The seed of the training decides what is drawn, where no other is given for that.
    """
    from stegfield import fields, generative

    if (path is None) == (drawn.cover_model is None):
        raise ConfigError("there must be one cover", hint="name an image, or a --cover-model")
    if path is not None and drawn != Drawn():
        raise ConfigError(
            "--cover-seed and --cover-size are for covers that are drawn",
            hint="leave them out, or name a --cover-model in place of a file",
        )
    if path is not None:
        return path.name, read_signal(path, flatten=flatten)
    chosen = (seed or 0) if drawn.cover_seed is None else drawn.cover_seed
    if chosen < 0:
        raise ConfigError(f"--cover-seed must be 0 or more, got {chosen}")
    model = generative.load(str(drawn.cover_model))
    shown = fields.render(model.draw(chosen), size_of(model, drawn.cover_size))
    return f"{model.name} {chosen}", shown


def size_of(model: Model, text: str | None) -> tuple[int, ...]:
    """Read a size; where only the longer side is given, the model's aspect gives the other."""
    from stegfield import signals

    if text is None:
        return model.size
    if not re.fullmatch(r"[0-9]{1,8}", text):
        return signals.parse_size(text)
    if int(text) == 0:
        raise ConfigError("a size is at least 1, got 0")
    rows, columns = signals.scaled(model.size, int(text))
    return signals.parse_size(f"{columns}x{rows}")
