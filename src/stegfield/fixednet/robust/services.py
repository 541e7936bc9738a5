"""Services that a message must outlast: how large a picture they leave, and how they encode it.

The table `services.toml` holds assumptions, each with its source and its date.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

from stegfield.channel import Channel
from stegfield.fixednet.robust.sending import shown_smaller
from stegfield.toml_files import plain_toml


class Service(NamedTuple):
    """What a service is assumed to make of a photo."""

    name: str
    side: int
    """Pixels of the longer side to which it reduces larger pictures."""
    quality: int
    """Of the JPEG that it makes."""
    source: str
    date: str

    @property
    def channel(self) -> Channel:
        """What becomes of an image on its way."""
        return shown_smaller(self.side, self.quality)

    @property
    def label(self) -> str:
        """What a sender is told of it."""
        return f"{self.name} ({self.side:,} pixels, JPEG {self.quality})"


@cache
def services() -> dict[str, Service]:
    """Return the services by name."""
    table = resources.files("stegfield.fixednet.robust") / "services.toml"
    return {
        name: Service(name=name, **entries)
        for name, entries in plain_toml(table.read_bytes()).items()
    }
