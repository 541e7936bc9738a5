"""Settings of embedding a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from stegfield.config.settings import Range, Settings

LARGEST_BPP = 6
CONSTRAINT_HEIGHTS = Range(6, 14)
"""Constraint heights of the exact profile."""
GRAINS = Range(1, 16)
"""Standard deviations of grain, in levels. Below 1, a sample's value would tell its low bit."""
GRAIN = 1.5

JPEG_QUALITIES = Range(50, 98)
Target = Literal["whatsapp", "telegram", "signal", "instagram", "mail"]


@dataclass(frozen=True, kw_only=True)
class EmbedConfig(Settings):
    """How a message is embedded in an image."""

    profile: str | None = None
    """exact: for files that keep every sample; drawn: with grain, of a law that is known; robust:
    survives JPEG and WebP; paper: the paper's network and solver, for comparison [default: drawn
    with --grain, robust with --target, else exact]."""

    grain: Annotated[float | None, GRAINS] = None
    """Draw grain of this standard deviation, in levels, over the cover, as `stegfield grain` does
    without a message: nobody can tell which was done. 3 and more carry twice as much as less."""

    bpp: Annotated[float | None, Range(0, LARGEST_BPP, above=True)] = None
    """Bits a pixel, padding included [default: as few as the message needs; 1 for paper]."""

    flat: bool = False
    """Let all changes cost the same: the highest PSNR, but changes in plain areas too."""

    known_cover: bool = False
    """The receiver has the cover too, and names it; the message survives more damage."""

    target: Target | None = None
    """A service that the message must outlast, as far as its usual treatment of pictures is known.
    A larger picture is reduced to what the service leaves of it. Goes with robust, and means it."""

    constraint_height: Annotated[int, CONSTRAINT_HEIGHTS] = 10
    """Bits of the message that each sample takes part in, in a JPEG at least 12; one more doubles
    the time for a small gain."""

    costs: Literal["uerd", "j-uniward"] = "uerd"
    """Of a JPEG's coefficients: uerd is quick; j-uniward takes seconds for a large photo."""

    loud: bool = False
    """Embed in a JPEG even what detectors find: more than 0.2 bits per non-zero coefficient."""

    quality: Annotated[int | None, JPEG_QUALITIES] = None
    """Of a JPEG that is made of another kind of picture, or of a reduced one [default: the tables
    of the JPEG that was reduced, else 90]."""

    allow_recompress: bool = False
    """Write a progressive JPEG as a baseline one; the picture stays, but the kind of file shows."""

    strip_metadata: bool = False
    """Leave out what a JPEG's file tells beside its picture: EXIF data, thumbnails, comments."""

    @property
    def chosen(self) -> str:
        """The name of the profile, where none is given by what the other settings need."""
        if self.profile is None and self.target is not None:
            return "robust"
        return self.profile or ("exact" if self.grain is None else "drawn")
