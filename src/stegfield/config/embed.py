"""Settings of embedding a message."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from stegfield.config.descent import DescentConfig
from stegfield.config.settings import Range, Settings, changed
from stegfield.errors import ConfigError, Wording

Profile = Literal["exact", "robust", "paper"]
LARGEST_BPP = 6
CONSTRAINT_HEIGHT = Range(3, 14)
"""Bits that a sample of the exact profile may have a say in."""
HEEDED: dict[str, tuple[Profile, ...]] = {
    "bpp": ("exact", "paper"),
    "flat": ("exact",),
    "known_cover": ("robust",),
    "constraint_height": ("exact",),
}
"""The profiles that heed a setting of `EmbedConfig`."""


@dataclass(frozen=True, kw_only=True)
class EmbedConfig(Settings):
    """How a message is embedded in an image."""

    profile: Profile = "exact"
    """exact: for files that keep every sample; robust: survives JPEG and WebP; paper: the paper's
    network and solver, for comparison."""

    bpp: Annotated[float | None, Range(0, LARGEST_BPP, above=True)] = None
    """Bits a pixel, padding included [default: as few as the message needs; 1 for paper]."""

    flat: bool = False
    """Let all changes cost the same: the highest PSNR, but changes in plain areas too."""

    known_cover: bool = False
    """The receiver has the cover too, and names it: the message outlasts more."""

    constraint_height: Annotated[int, CONSTRAINT_HEIGHT] = 10
    """Bits that each sample has a say in: one more gains little and doubles the time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in changed(self):
            if self.profile not in HEEDED.get(name, (self.profile,)):
                raise _ignored(name, HEEDED[name], self.profile)
        if self.profile == "paper" and self.bpp not in (None, 1, 2, 3, 4):
            raise ConfigError(Wording("{bpp} must be 1, 2, 3 or 4 with {profile:paper}"))


def check_solver(profile: Profile, descent: DescentConfig) -> None:
    """Refuse settings of the paper's solver where another profile embeds.

    Raises:
        ConfigError: A setting of the solver is not its default.
    """
    if profile != "paper":
        for name in changed(descent):
            raise _ignored(name, ("paper",), profile)


def check_weights(profile: Profile | None, weights: Path | None) -> None:
    """Refuse a released network where another profile than the paper's is to be read.

    Raises:
        ConfigError: A released network is named.
    """
    if weights is not None and profile != "paper":
        raise _ignored("weights", ("paper",), profile)


def _ignored(name: str, profiles: tuple[Profile, ...], profile: Profile | None) -> ConfigError:
    given = "without a profile" if profile is None else f"for the {profile} profile"
    meant = " and ".join(f"{{profile:{each}}}" for each in profiles)
    return ConfigError(
        Wording(f"{{{name}}} has no meaning {given}"), hint=Wording(f"it goes with {meant}")
    )
