"""Files of what fields show and keys reveal: their suffix must be one of the signal's medium."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.signals import Signal

FIELDS = ".safetensors"


def file_of(signal: Signal, output: Path) -> bytes:
    """Encode a signal as the file that a name stands for; images are PNG.

    Raises:
        ConfigError: The name is that of another medium, or of an image but no PNG.
    """
    from stegfield import signals

    medium = signal.medium
    if signals.medium_of(output) is not medium:
        raise ConfigError(
            f"this is {medium.noun}, and {output} would be {_would_be(output)}",
            hint=f"name an output that ends in {medium.suffixes[0]}",
        )
    if medium is signals.IMAGE:
        check_png(output)
    return signals.encode(signal, output.suffix)


def _would_be(output: Path) -> str:
    from stegfield import signals

    return signals.medium_of(output).noun


def check_png(*paths: Path | None) -> None:
    """Refuse a name that promises another kind of file than the PNG that will be written."""
    for path in paths:
        if path is not None and path.suffix.lower() != ".png":
            raise ConfigError(
                f"{path} would be a PNG file", hint="give it a name that ends in .png"
            )


def check_field_name(path: Path) -> None:
    """Refuse a name that promises a picture or another signal, not the field that will be written.

    Raises:
        ConfigError: The name ends like that of a picture or of a signal.
    """
    from stegfield import signals

    suffix = path.suffix.lower()
    if suffix not in ("", FIELDS) and suffix in signals.medium_of(path).suffixes:
        raise ConfigError(
            f"{path} would be a field", hint="give it a name that ends in .safetensors"
        )


def check_architecture(name: str | None) -> None:
    """Refuse an architecture that there is not, before long work.

    Raises:
        ConfigError: There is no architecture of this name.
    """
    from stegfield.fields import ARCHITECTURES

    if name is not None:
        ARCHITECTURES.check(name)
