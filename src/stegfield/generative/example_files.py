"""Files of examples: which files of a folder or an archive are examples, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
TEMPERATURES = (".npz",)
LARGEST_FILE = 1 << 30


def is_example(name: Path, suffixes: Sequence[str]) -> bool:
    """Tell whether a file is an example; macOS writes second files of the same suffix."""
    of_macos = name.name.startswith("._") or "__MACOSX" in name.parts
    return name.suffix.lower() in suffixes and not of_macos


def below(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """List the examples in a folder and the folders below it, relative to the folder."""
    names = (path.relative_to(folder) for path in folder.rglob("*"))
    return sorted(name for name in names if is_example(name, suffixes))
