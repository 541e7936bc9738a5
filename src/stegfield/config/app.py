"""Settings of the web page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from stegfield.config.settings import Range, Settings


@dataclass(frozen=True, kw_only=True)
class AppConfig(Settings):
    """Limits of what a visitor of the web page may ask for."""

    max_upload: Annotated[int, Range(1)] = 64
    """Largest file, in MB."""

    max_stored: Annotated[int, Range(1)] = 1000
    """All files of all visitors together, in MB; more are refused until some are removed."""

    max_seconds: Annotated[float, Range(0, above=True)] = 300.0
    """Longest run, in seconds."""

    max_memory: Annotated[int, Range(100)] = 4000
    """Memory that a run on a visitor's file may take, in MB."""

    max_megapixels: Annotated[float, Range(0, above=True)] = 16.0
    """Largest picture, or all pictures of a run together, in megapixels."""

    jobs: Annotated[int, Range(1)] = 1
    """Runs at once; the others wait."""
