"""The errors of users: one sentence each, and a hint what to try next.

The command line prints them as ``error:`` and ``hint:``, and exits with `exit_code`; a program
catches `StegfieldError`. Any other exception is a defect of stegfield.

A sentence that names a setting is a `Wording`: the library names it as an argument, the command
line as a flag, and the page by its label.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

PLAIN = re.compile(r"True|False|[0-9.]+")
"""Values that are no strings, in a call."""


class Wording(str):
    """A sentence that names settings; as a string, it names them as arguments of a call.

    In the template, ``{steps}`` stands for a setting, and ``{profile:robust}`` for a setting with
    its value. Values that are passed by name are filled in as they are.

    Example:
        >>> wording = Wording("{steps} must be at least {low}", owner="FitConfig", low=1)
        >>> wording
        'FitConfig(steps=...) must be at least 1'
        >>> wording.spelled(lambda name, value: f"--{name}")
        '--steps must be at least 1'
    """

    _template: str
    _values: dict[str, Any]
    _owner: str | None

    def __new__(cls, template: str, /, *, owner: str | None = None, **values: Any) -> Wording:
        """Fill in the template with settings as arguments of a call.

        Args:
            template: The sentence.
            owner: Class or function of the settings, if the sentence should name it.
            **values: Values of the other names in braces.
        """

        def call(name: str, value: str) -> str:
            quoted = value if PLAIN.fullmatch(value) else f'"{value}"'
            said = f"{name}={quoted if value else '...'}"
            return f"{owner}({said})" if owner else said

        self = super().__new__(cls, _filled(template, values, call))
        self._template, self._values, self._owner = template, values, owner
        return self

    def spelled(self, setting: Callable[[str, str], str]) -> str:
        """Return the sentence with each setting in other words.

        Args:
            setting: Returns the words for a setting, from its name and its value, which may be
                empty.
        """
        return _filled(self._template, self._values, setting)

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self._template,), {"owner": self._owner, **self._values}


def _filled(template: str, values: dict[str, Any], setting: Callable[[str, str], str]) -> str:
    parts = []
    for literal, name, given, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            form = given or ""
            parts.append(format(values[name], form) if name in values else setting(name, form))
    return "".join(parts)


class StegfieldError(Exception):
    """Base of all errors: one sentence on what went wrong; ``hint`` says what to try next."""

    hint: str | None = None
    exit_code: int = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class ConfigError(StegfieldError, ValueError):
    """A setting is out of range, or settings conflict."""

    exit_code = 2


class PluginError(StegfieldError):
    """A package that adds to this one cannot be imported, or is not made as it should be."""

    def __init__(self, noun: str, name: str, package: str, why: str) -> None:
        super().__init__(
            f"the {noun} {name!r} of the package {package} {why}",
            hint=f"update {package}, or uninstall it",
        )


class InputError(StegfieldError):
    """A file is missing, cannot be read, or is of the wrong kind."""


class ImageError(InputError):
    """A file is not an image that can be read safely."""


class ClimateError(InputError):
    """A file is not a climate field that can be read safely."""

    hint = "climate fields are read from NetCDF-4: one temperature variable on a global grid"


class SoundError(InputError):
    """A file is not a sound that can be read safely."""

    hint = "sounds are read from WAV and FLAC files of one or two channels"


class VideoError(InputError):
    """A file is not a video that can be read safely."""

    hint = "videos are read from MP4, MOV, MKV, WebM, AVI, GIF and animated PNG, named .apng"


class VolumeError(InputError):
    """A file is not a volume that can be read safely."""

    hint = "volumes are read from .npy files of three axes"


class ShapeError(InputError):
    """A file is not a mesh that can be read safely."""

    hint = "shapes are read from PLY, OBJ, STL and OFF files of closed surfaces"


class PluginNeededError(InputError):
    """A file is sound as far as can be told, but what it needs comes with another package."""

    def __init__(self, what: Path | str, needed: str) -> None:
        super().__init__(
            f"{what} needs the plug-in that brings {needed}",
            hint="install the package that the sender has it from",
        )


class FieldFileError(InputError):
    """A field file is truncated, crafted or of another version; nothing of it was used."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(
            f"{path} is not a field file that can be trusted: {why}",
            hint="fields are written by `stegfield fit` and `stegfield hide`; get the file again",
        )


class CarrierError(InputError):
    """A field cannot carry messages."""

    hint = "fit the picture again with `stegfield fit`, or hide files in a new field of it"


class KeyFileError(InputError):
    """A file is not a key file, or is damaged."""

    hint = "`stegfield keygen NAME.key` writes a key file"


class OutputError(StegfieldError):
    """A result could not be written; nothing was left behind."""


class OutputExistsError(OutputError):
    """The output exists already."""

    hint = Wording("choose another name, or overwrite it with {force:True}")

    def __init__(self, path: Path, *, hint: str | None = None) -> None:
        super().__init__(f"{path} exists already", hint=hint)


class CapacityError(StegfieldError):
    """More should be hidden than fits; both counts are in ``unit``."""

    def __init__(
        self,
        *,
        needed: int,
        available: int,
        unit: str,
        holder: str = "field",
        hint: str | None = None,
    ) -> None:
        super().__init__(
            f"{needed:,} {unit} are needed, but the {holder} has room for {available:,}",
            hint=hint or f"use a larger {holder}, or hide less",
        )


class UnreadableError(StegfieldError):
    """Nothing can be read with this key.

    A wrong key, a damaged file and an innocent file give the same error: an adversary who tries
    keys must not learn which it was. So this error takes no details that could leak; a hint may
    depend on the command, but not on what it found.
    """

    hint = "check the key, and that the file is the one that was sent"

    def __init__(self, *, hint: str | None = None) -> None:
        super().__init__("nothing can be read with this key", hint=hint)


class NotEmbeddedError(StegfieldError):
    """The message cannot be extracted from the file to write; nothing was written."""

    hint = "take another cover, a shorter message, or another profile"

    def __init__(self, *, hint: str | None = None) -> None:
        super().__init__(
            "the message cannot be extracted from the file that would be written", hint=hint
        )


class DivergedError(StegfieldError):
    """Training diverged: numbers are no longer finite."""

    hint = Wording("take a smaller {learning_rate}; of a model, {generator_rate} and {critic_rate}")

    def __init__(self) -> None:
        super().__init__("training diverged")


@dataclass(frozen=True)
class Caution:
    """One thing to know before going on, and what to do about it."""

    text: str
    hint: str
