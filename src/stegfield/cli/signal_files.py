"""Files of what fields show and keys reveal: their suffix must be one of the signal's medium."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.signals import Signal

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")


def file_of(signal: Signal, output: Path) -> bytes:
    """Encode a signal as the file that a name stands for; images are PNG.

    Raises:
        ConfigError: The name is that of another medium, or of an image but no PNG.
    """
    from stegfield import signals

    medium = signal.medium
    if signals.medium_of(output) != medium:
        usual = ".png" if medium == "image" else signals.MEDIA[medium].SUFFIXES[0]
        raise ConfigError(
            f"this is {signals.noun(medium)}, and {output} would be {_would_be(output)}",
            hint=f"name an output that ends in {usual}",
        )
    if medium == "image":
        check_png(output)
    return signals.to_png(signal) if medium == "image" else signals.encode(signal, output.suffix)


def _would_be(output: Path) -> str:
    from stegfield import signals

    return signals.noun(signals.medium_of(output))


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

    if path.suffix.lower() in PICTURES or signals.medium_of(path) != "image":
        raise ConfigError(
            f"{path} would be a field", hint="give it a name that ends in .safetensors"
        )
