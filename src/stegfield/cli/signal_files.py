"""Files of signals: what is read, and the names of what is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stegfield.cli.terminal import say
from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.signals import Signal

FIELDS = ".safetensors"


def read_signal(path: Path, *, flatten: bool = False) -> Signal:
    """Read a signal of any medium, and say what became of the file that nobody would expect."""
    from stegfield import signals

    signal = signals.read(path, flatten=flatten)
    for note in signal.notes:
        say(f"note: {path} {note}")
    return signal


def file_of(signal: Signal, output: Path) -> bytes:
    """Encode a signal as the kind of file that a name ends in; images must be PNG.

    Raises:
        ConfigError: The name ends like a file of another medium, or like an image that is no PNG.
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
    """Refuse names that do not end in .png.

    Raises:
        ConfigError: A name ends otherwise.
    """
    for path in paths:
        if path is not None and path.suffix.lower() != ".png":
            raise ConfigError(
                f"{path} would be a PNG file", hint="give it a name that ends in .png"
            )


def check_field_name(path: Path) -> None:
    """Refuse a name for a field that ends like a picture or another signal.

    Raises:
        ConfigError: The name ends like a picture or another signal.
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
