"""Deciding: whether secrets are hidden as files or as functions."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from stegfield.config import FitConfig, HideConfig, changed
from stegfield.errors import ConfigError, Wording

Kind = Literal["files", "functions"]


def kind_of(
    given: Kind | None,
    config: HideConfig,
    training: FitConfig,
    *,
    like: Path | None = None,
    checkpoint: Path | None = None,
) -> Kind:
    """Return how secrets are hidden: as files, unless something is given that functions alone have.

    Args:
        given: What the sender says, if anything.
        config: Any setting of it implies functions.
        training: Robust training implies functions, unless files are given.
        like: A clean field to be like implies functions.
        checkpoint: That of a run that trains several signals implies functions.

    Raises:
        ConfigError: Files are given, and something that functions alone have.
        InputError: The checkpoint is damaged.
    """
    named = [f"{{{name}}}" for name in changed(config)] + (["{like}"] if like else [])
    if given == "files" and named:
        raise ConfigError(
            Wording(f"{named[0]} has no meaning for files"),
            hint=Wording("leave it out, or hide images as functions with {as:functions}"),
        )
    if given is not None:
        return given
    joint = checkpoint is not None and checkpoint.exists() and _is_joint(checkpoint)
    return "functions" if named or training.robust or joint else "files"


def _is_joint(checkpoint: Path) -> bool:
    """Return whether a run trains several signals, from how many errors it notes."""
    from stegfield.fields import checkpoints

    with checkpoints.distrusting(checkpoint):
        return len(checkpoints.facts_of(checkpoint)["errors"]) > 1
