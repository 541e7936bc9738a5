"""Help with the range of every setting, as its annotation declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cyclopts import App, Parameter

from stegfield.config.settings import declared_by

if TYPE_CHECKING:
    from cyclopts import ArgumentCollection


class Commands(App):
    """A command line whose help adds ranges to the docstrings, and shows no ``False``."""

    def assemble_argument_collection(self, **options: Any) -> ArgumentCollection:
        """Return the arguments of a command, with ranges if help texts are asked for."""
        arguments = super().assemble_argument_collection(**options)
        for argument in arguments if options.get("parse_docstring") else ():
            allowed = declared_by(argument.field_info.annotation).range
            told: dict[str, Any] = {}
            if allowed is not None:
                told["help"] = f"{argument.parameter.help} [{allowed}]"
            if argument.field_info.default is False:
                told["show_default"] = False
            argument.parameter = Parameter.combine(argument.parameter, Parameter(**told))
        return arguments
