"""Every architecture by name; a new one is one file, its sizes, and one line here.

The network of an architecture is imported at first use: names and sizes need no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stegfield.fields.sizes import SIZES, Sizes
from stegfield.registry import Registry

if TYPE_CHECKING:
    from stegfield.fields.field import Field

ARCHITECTURES: Registry[type[Field]] = Registry(
    "stegfield.fields",
    "architecture",
    {
        "siren": "stegfield.fields.siren:Siren",
        "fourier": "stegfield.fields.fourier:Fourier",
        "grid": "stegfield.fields.grid:Grid",
    },
    named_by="architecture",
)


def sizes_of(architecture: str) -> type[Sizes]:
    """Return the type of an architecture's sizes; only those of other packages load a network."""
    return SIZES[architecture] if architecture in SIZES else ARCHITECTURES[architecture].sizes_type
