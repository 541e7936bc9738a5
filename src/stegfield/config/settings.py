"""What all settings share: ranges that are declared once, and one check of every field.

The annotation of a field declares its range, as in ``steps: Annotated[int, Range(1)]``. The check
and the help of the command line read it there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from numbers import Integral, Real
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from stegfield.config.renamed import hint_for
from stegfield.errors import ConfigError, Wording

KINDS: dict[Any, tuple[Any, str]] = {
    bool: (bool, "true or false"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "text"),
}
"""Types of settings: the values of each, and its name."""


@dataclass(frozen=True)
class Range:
    """The numbers that a setting may be; infinity and NaN are never among them."""

    low: int | float
    high: int | float = sys.float_info.max
    above: bool = False
    """Whether ``low`` itself is excluded."""
    words: str | None = None
    """The range in words, where its bounds alone are hard to read."""
    hint: str | None = None
    """What to try if a number is out of range."""

    def __contains__(self, value: Any) -> bool:
        return bool(value > self.low if self.above else value >= self.low) and value <= self.high

    def __str__(self) -> str:
        if self.words is not None:
            return self.words
        if self.high == sys.float_info.max:
            return f"above {self.low:,}" if self.above else f"at least {self.low:,}"
        between = "above {:,} and at most {:,}" if self.above else "from {:,} to {:,}"
        return between.format(self.low, self.high)

    def check(self, value: int | float, *, owner: str, name: str) -> None:
        """Refuse a number that is out of range.

        Args:
            value: The number.
            owner: Class of the setting, for the message.
            name: The setting.

        Raises:
            ConfigError: The number is out of range.
        """
        if value not in self:
            raise ConfigError(_wrong(owner, name, str(self), value), hint=self.hint)


class Declared(NamedTuple):
    """What the annotation of a field says about its values."""

    kind: Any
    optional: bool
    choices: tuple[Any, ...]
    range: Range | None


SEED = Range(0, (1 << 63) - 1, words="from 0 to 2^63 - 1")
"""Seeds that every generator of random numbers takes."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all settings: values that a field's annotation excludes are refused.

    Raises:
        ConfigError: A value has another type, is none of the choices, or is out of range.
    """

    def __post_init__(self) -> None:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, value in checked(type(self), values).items():
            object.__setattr__(self, name, value)


def checked(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Check values for the fields of a class of settings, before an object is made of them.

    Args:
        kind: The class.
        values: Values by the names of its fields.

    Returns:
        The same values, with whole numbers as floats where a field holds floats.

    Raises:
        ConfigError: A value has no field, or the field's annotation excludes it.
    """
    known, taken = declarations(kind), dict(values)
    for name, value in values.items():
        if name not in known:
            raise ConfigError(f"there is no setting {name}", hint=hint_for(name))
        if value is not None or not known[name].optional:
            _check(kind.__name__, name, value, known[name])
            taken[name] = float(value) if known[name].kind is float else value
    return taken


def changed(settings: Settings) -> list[str]:
    """Return the names of the settings that differ from their defaults."""
    return [each.name for each in fields(settings) if getattr(settings, each.name) != each.default]


@cache
def declarations(kind: type) -> dict[str, Declared]:
    """Read the annotations of a dataclass's fields."""
    hints = get_type_hints(kind, include_extras=True)
    return {each.name: declared_by(hints[each.name]) for each in fields(kind)}


def declared_by(hint: Any) -> Declared:
    """Read one annotation: a type, ``| None``, ``Literal`` and a `Range`, in any combination."""
    ranges: list[Range] = []
    if get_origin(hint) is Annotated:
        hint, *metadata = get_args(hint)
        ranges = [each for each in metadata if isinstance(each, Range)]
    optional = NoneType in get_args(hint)
    if optional:
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    return Declared(hint, optional, choices, ranges[0] if ranges else None)


def _check(owner: str, name: str, value: Any, declared: Declared) -> None:
    if declared.choices and value not in declared.choices:
        choices = " or ".join(
            filter(None, (", ".join(declared.choices[:-1]), declared.choices[-1]))
        )
        raise ConfigError(_wrong(owner, name, choices, repr(value)))
    kind, what = KINDS.get(declared.kind, (object, ""))
    if not isinstance(value, kind) or (isinstance(value, bool) and kind in (Integral, Real)):
        raise ConfigError(_wrong(owner, name, what, repr(value)))
    if declared.range is not None:
        declared.range.check(value, owner=owner, name=name)


def _wrong(owner: str, name: str, what: str, value: object) -> Wording:
    return Wording(
        f"{{{name}}} must be {{what}}, got {{value}}", owner=owner, what=what, value=value
    )
