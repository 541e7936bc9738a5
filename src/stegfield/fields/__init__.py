"""Fields: signals as functions. Build, fit, render, save and load them."""

from stegfield.config import FitConfig
from stegfield.fields.architectures import ARCHITECTURES
from stegfield.fields.field import (
    Dense,
    Field,
    Public,
    RenderWatch,
    SlotValues,
    render,
    substitute,
)
from stegfield.fields.fitting import FitResult, fit, new_field
from stegfield.fields.optim import Muon
from stegfield.fields.store import from_bytes, load, save, to_bytes
from stegfield.fields.training import Progress, Target, Training, Watch, train

__all__ = [
    "ARCHITECTURES",
    "Dense",
    "Field",
    "FitConfig",
    "FitResult",
    "Muon",
    "Progress",
    "Public",
    "RenderWatch",
    "SlotValues",
    "Target",
    "Training",
    "Watch",
    "fit",
    "from_bytes",
    "load",
    "new_field",
    "render",
    "save",
    "substitute",
    "to_bytes",
    "train",
]
