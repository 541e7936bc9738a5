"""Fields: signals as functions. Build, fit, render, save and load them.

Names are imported at first use: `stegfield.fields.header`, which reads field files without their
networks, needs no torch.
"""

from typing import TYPE_CHECKING

from stegfield.lazy import resolver

if TYPE_CHECKING:
    from stegfield.config import FitConfig
    from stegfield.fields.architectures import ARCHITECTURES
    from stegfield.fields.field import Dense, Field, RenderWatch, SlotValues, render, substitute
    from stegfield.fields.finishing import draw
    from stegfield.fields.fitting import FitResult, fit, new_field
    from stegfield.fields.header import Public
    from stegfield.fields.optim import Muon
    from stegfield.fields.sizes import Sizes
    from stegfield.fields.store import from_bytes, load, save, to_bytes
    from stegfield.fields.training import (
        AfterStep,
        FitProgress,
        FitWatch,
        Target,
        Training,
        train,
    )
else:
    __getattr__ = resolver(
        __name__,
        {
            "stegfield.config": ["FitConfig"],
            "stegfield.fields.architectures": ["ARCHITECTURES"],
            "stegfield.fields.field": [
                "Dense",
                "Field",
                "RenderWatch",
                "SlotValues",
                "render",
                "substitute",
            ],
            "stegfield.fields.finishing": ["draw"],
            "stegfield.fields.fitting": ["FitResult", "fit", "new_field"],
            "stegfield.fields.header": ["Public"],
            "stegfield.fields.optim": ["Muon"],
            "stegfield.fields.sizes": ["Sizes"],
            "stegfield.fields.store": ["from_bytes", "load", "save", "to_bytes"],
            "stegfield.fields.training": [
                "AfterStep",
                "FitProgress",
                "FitWatch",
                "Target",
                "Training",
                "train",
            ],
        },
    )

__all__ = [
    "ARCHITECTURES",
    "AfterStep",
    "Dense",
    "Field",
    "FitConfig",
    "FitProgress",
    "FitResult",
    "FitWatch",
    "Muon",
    "Public",
    "RenderWatch",
    "Sizes",
    "SlotValues",
    "Target",
    "Training",
    "draw",
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
