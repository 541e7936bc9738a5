"""Reading examples by the name of what is learned: images, temperatures or digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from stegfield.config import PRESETS
from stegfield.errors import ConfigError, InputError, Wording
from stegfield.generative.example_files import SUFFIXES, TEMPERATURES, below
from stegfield.generative.examples import Arrays, Examples
from stegfield.generative.image_files import Images
from stegfield.generative.temperatures import globes
from stegfield.signals import CLIMATE, IMAGE, Medium


def medium_to_learn(what: str, data: Path | None) -> Medium:
    """Tell the medium of examples: by the name of a preset, or else by what the data holds."""
    if what in PRESETS or data is None:
        return CLIMATE if what == "climate" else IMAGE
    if data.is_file():
        return CLIMATE if data.suffix.lower() in TEMPERATURES else IMAGE
    more = len(below(data, TEMPERATURES)) > len(below(data, SUFFIXES))
    return CLIMATE if more else IMAGE


def read_examples(what: str, data: Path | None, size: int, *, medium: Medium) -> Examples:
    """Read examples of a medium: images are reduced to a size.

    Raises:
        ConfigError: ``data`` is missing, and these are not the digits.
        InputError: the folder or file does not exist, or holds too few examples or damaged ones.
    """
    if what == "digits" and data is None:
        return digits()
    if data is None:
        raise ConfigError(
            f"there are no examples to learn {what} from",
            hint=Wording(
                "name them with {data}: a folder or a zip of images, or a folder of .npz files"
            ),
        )
    return globes(data) if medium.on_globe else Images(data, size)


def digits() -> Arrays:
    """Return scikit-learn's 1,797 handwritten digits, 8x8.

    Source: Alpaydin and Kaynak (1998), UCI optical recognition of handwritten digits.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise InputError(
            "the digits come with scikit-learn, which is not installed",
            hint="pip install 'stegfield[analysis]'",
        ) from None
    levels = load_digits().images
    return Arrays(torch.from_numpy(levels.astype(np.float32) / 8 - 1)[..., None])
