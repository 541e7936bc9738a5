"""Files of examples: which of a folder or an archive they are, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
TEMPERATURES = (".npz",)
LARGEST_FILE = 1 << 30


def is_example(name: Path, suffixes: Sequence[str]) -> bool:
    """Tell by the name, of which macOS writes second ones that hold no example."""
    of_macos = name.name.startswith("._") or "__MACOSX" in name.parts
    return name.suffix.lower() in suffixes and not of_macos


def below(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Name the examples of a folder and those below it, from the folder on."""
    names = (path.relative_to(folder) for path in folder.rglob("*"))
    return sorted(name for name in names if is_example(name, suffixes))
