"""Every architecture by name; a new one is one file and one line here."""

from __future__ import annotations

from stegfield.fields.field import Field
from stegfield.fields.fourier import Fourier
from stegfield.fields.grid import Grid
from stegfield.fields.siren import Siren

ARCHITECTURES: dict[str, type[Field]] = {"siren": Siren, "fourier": Fourier, "grid": Grid}
