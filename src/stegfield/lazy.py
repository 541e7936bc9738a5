"""Lazy packages: names that are imported at first use (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def resolver(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package whose names live in other modules.

    Args:
        package: The package's name.
        homes: Full names of modules, each with the names that the package exports from it.

    Example:
        >>> resolver("examples", {"math": ["pi"]})("pi")
        3.141592653589793
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def resolve(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(home_of[name]), name)

    return resolve
