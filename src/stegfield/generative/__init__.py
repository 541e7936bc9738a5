"""Fields drawn at random: a GAN over functions."""

from stegfield.config import GanConfig
from stegfield.generative.examples import (
    Arrays,
    Examples,
    Globes,
    Images,
    digits,
    globes,
    medium_to_learn,
    read_examples,
)
from stegfield.generative.keyed import cover_of, draw_keyed
from stegfield.generative.logbook import Progress, Watch
from stegfield.generative.model import Model
from stegfield.generative.processes import Processes, joined
from stegfield.generative.store import SHIPPED, ModelFileError, from_bytes, load, save, to_bytes
from stegfield.generative.training import train

__all__ = [
    "SHIPPED",
    "Arrays",
    "Examples",
    "GanConfig",
    "Globes",
    "Images",
    "Model",
    "ModelFileError",
    "Processes",
    "Progress",
    "Watch",
    "cover_of",
    "digits",
    "draw_keyed",
    "from_bytes",
    "globes",
    "joined",
    "load",
    "medium_to_learn",
    "read_examples",
    "save",
    "to_bytes",
    "train",
]
