"""Every error that a user can meet: one sentence, and a hint what to try next.

The command line prints ``error:`` and ``hint:`` from these and exits with `exit_code`; a program
catches `StegfieldError`. Anything else that escapes is a defect of ours.
"""

from __future__ import annotations

from pathlib import Path


class StegfieldError(Exception):
    """One sentence on what went wrong, in lower case; ``hint`` says what to try next."""

    hint: str | None = None
    exit_code: int = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class ConfigError(StegfieldError, ValueError):
    """A setting is out of its range."""

    exit_code = 2


class PluginError(StegfieldError):
    """A package that adds to this one cannot be imported."""

    def __init__(self, noun: str, name: str, package: str, error: Exception) -> None:
        super().__init__(
            f"the {noun} {name!r} of the package {package} cannot be imported: "
            f"{type(error).__name__}: {error}",
            hint=f"update {package}, or uninstall it",
        )


class InputError(StegfieldError):
    """A file is missing, cannot be read, or is not what it should be."""


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


class FieldFileError(InputError):
    """A field file is truncated, crafted or of another version; nothing of it was used."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(
            f"{path} is not a field file that can be trusted: {why}",
            hint="fields are written by `stegfield fit` and `stegfield hide`; get the file again",
        )


class KeyFileError(InputError):
    """A key file is not one."""

    hint = "`stegfield keygen NAME.key` writes a key file"


class OutputError(StegfieldError):
    """A result could not be written; nothing was left behind."""


class OutputExistsError(OutputError):
    """The output is there already."""

    hint = "choose another name, or overwrite it with --force"

    def __init__(self, path: Path, *, hint: str | None = None) -> None:
        super().__init__(f"{path} exists already", hint=hint)


class CapacityError(StegfieldError):
    """More is to be hidden than fits; both counts are in ``unit``."""

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

    A wrong key, a damaged file and an innocent one look the same: whoever tries keys must not
    learn which of them it was. So this error takes no details that could leak; a hint belongs to a
    command, not to what it found.
    """

    hint = "check the key, and that the file is the one that was sent"

    def __init__(self, *, hint: str | None = None) -> None:
        super().__init__("nothing can be read with this key", hint=hint)


class NotEmbeddedError(StegfieldError):
    """The file as it would be written does not give the message back; nothing was written."""

    hint = "take another cover, a shorter message, or another profile"

    def __init__(self, *, hint: str | None = None) -> None:
        super().__init__(
            "the message does not come back from the file as it would be written", hint=hint
        )


class DivergedError(StegfieldError):
    """Training left the range of finite numbers."""

    hint = "take a smaller --learning-rate; of a model, --generator-rate and --critic-rate"

    def __init__(self) -> None:
        super().__init__("training diverged")
