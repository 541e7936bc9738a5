"""Settings of embedding a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from stegfield.config.settings import Range, Settings

LARGEST_BPP = 6
CONSTRAINT_HEIGHTS = Range(6, 14)
"""Constraint heights of the exact profile."""


@dataclass(frozen=True, kw_only=True)
class EmbedConfig(Settings):
    """How a message is embedded in an image."""

    profile: str = "exact"
    """exact: for files that keep every sample; robust: survives JPEG and WebP; paper: the paper's
    network and solver, for comparison."""

    bpp: Annotated[float | None, Range(0, LARGEST_BPP, above=True)] = None
    """Bits a pixel, padding included [default: as few as the message needs; 1 for paper]."""

    flat: bool = False
    """Let all changes cost the same: the highest PSNR, but changes in plain areas too."""

    known_cover: bool = False
    """The receiver has the cover too, and names it; the message survives more damage."""

    constraint_height: Annotated[int, CONSTRAINT_HEIGHTS] = 10
    """Bits of the message that each sample takes part in; one more doubles the time for a small
    gain."""
