"""Registries: objects of one kind by name, ours and those that other packages bring.

Ours stand in the code, as an object or as ``module:object``, which is imported when it is asked
for. Another package adds one by an entry point of the registry's group in its ``pyproject.toml``:

    [project.entry-points."stegfield.fields"]
    gaussian = "my_package.gaussian:Gaussian"

Installed packages are searched for plug-ins when a name is asked for that is not ours, or when all
names are; never for a name of ours.

Source: the entry points of the Python packaging specifications.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from stegfield.errors import ConfigError, PluginError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Names to objects of one kind: ours in their own order, then plug-ins by name.

    A plug-in is imported when it is asked for, so that one that is broken harms nobody else.

    Example:
        >>> shapes: Registry[object] = Registry("stegfield.examples", "shape", {"unit": 1})
        >>> list(shapes), shapes["unit"]
        (['unit'], 1)
    """

    def __init__(
        self, group: str, noun: str, ours: Mapping[str, T | str], *, named_by: str | None = None
    ) -> None:
        """Make a registry.

        Args:
            group: The entry points that plug-ins are found by.
            noun: What one of its objects is called in errors.
            ours: Objects, or where to import them from, as ``module:object``.
            named_by: Attribute of its objects that files take the name from; in a plug-in it must
                be the name of the entry point.
        """
        self.group, self.noun, self.named_by = group, noun, named_by
        self._ours: dict[str, T | str] = dict(ours)
        self._loaded: dict[str, T] = {}

    @cached_property
    def plugins(self) -> dict[str, EntryPoint]:
        """Entry points of other packages, by name; a name that is ours stays ours."""
        found = sorted(entry_points(group=self.group), key=lambda point: point.name)
        return {point.name: point for point in found if point.name not in self._ours}

    def __iter__(self) -> Iterator[str]:
        yield from self._ours
        yield from self.plugins

    def __len__(self) -> int:
        return len(self._ours) + len(self.plugins)

    def __contains__(self, name: object) -> bool:
        return name in self._ours or name in self.plugins

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def find(self, name: str) -> T:
        """Return the object of a name that a user gave.

        Raises:
            ConfigError: No object has this name.
            PluginError: The package that brings it cannot be imported, or names it otherwise.
        """
        self.check(name)
        return self[name]

    def check(self, name: str) -> None:
        """Refuse a name that there is not, without importing what has it.

        Raises:
            ConfigError: No object has this name.
        """
        if name not in self:
            raise ConfigError(f"there is no {self.noun} {name!r}", hint=f"try {', '.join(self)}")

    def usable(self) -> Iterator[T]:
        """Load one after the other: ours, then plug-ins, but for those that cannot be imported."""
        for name in self:
            with suppress(PluginError):
                yield self[name]

    def add(self, name: str, what: T) -> None:
        """Add an object for this process; for other processes too, a package brings it.

        Raises:
            ConfigError: The name is taken.
        """
        if name in self:
            raise ConfigError(f"there is a {self.noun} {name!r} already", hint="take another name")
        self._ours[name] = what

    def _load(self, name: str) -> T:
        if name in self._ours:
            what = self._ours[name]
            if not isinstance(what, str):
                return what
            module, _, attribute = what.partition(":")
            return cast(T, getattr(import_module(module), attribute))
        point = self.plugins[name]  # a KeyError is what a mapping raises
        package = point.dist.name if point.dist else point.module
        try:
            found = point.load()
            own = name if self.named_by is None else getattr(found, self.named_by)
        except Exception as error:
            why = f"cannot be imported: {type(error).__name__}: {error}"
            raise PluginError(self.noun, name, package, why) from error
        if own != name:
            raise PluginError(self.noun, name, package, f"calls itself {own!r}")
        return cast(T, found)
