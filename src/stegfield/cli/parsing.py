"""Parsing of words that cyclopts itself would read too loosely, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from cyclopts import ArgumentCollection


def whole_numbers(app: object, commands: object, arguments: ArgumentCollection) -> None:
    """Refuse fractions for flags that take whole numbers: cyclopts would round them.

    Raises:
        ConfigError: A flag that takes a whole number got a fraction.
    """
    for argument in arguments:
        if int in (argument.hint, *get_args(argument.hint)):
            for token in argument.tokens:
                if "." in token.value:
                    raise ConfigError(f"{argument.name} must be a whole number, got {token.value}")


def parse_sizes(text: str | None) -> dict[str, int | float]:
    """Read the sizes of an architecture, as in ``width=256,depth=4``.

    Raises:
        ConfigError: The text is not of this form, or names a size twice.
    """
    sizes: dict[str, int | float] = {}
    for entry in (text or "").split(",") if text else []:
        name, _, value = entry.strip().partition("=")
        name = name.strip()
        if name in sizes:
            raise ConfigError(f"--sizes names {name} twice")
        try:
            sizes[name] = float(value) if "." in value or "e" in value else int(value)
        except ValueError:
            raise ConfigError(f"sizes are written like width=256,depth=4, got {text!r}") from None
    return sizes
