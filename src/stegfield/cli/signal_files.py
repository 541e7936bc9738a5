"""Files of signals: what is read, and the names of what is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stegfield.cli.streams import is_stream, name_of, read_stdin
from stegfield.cli.terminal import say
from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.fields import Field
    from stegfield.signals import Medium, Signal

LARGEST_INPUT = 1 << 30

FIELDS = ".safetensors"


def read_signal(path: Path, *, flatten: bool = False) -> Signal:
    """Read a signal of any medium, and say what became of the file that nobody would expect."""
    from stegfield import signals

    source = read_file(path, LARGEST_INPUT) if is_stream(path) else path
    signal = signals.read(source, flatten=flatten)
    for note in signal.notes:
        say(f"note: {name_of(path)} {note}")
    return signal


def suffix_of(output: Path, medium: Medium) -> str:
    """Return the suffix of a file to write; on stdout it is the usual one of the medium."""
    return medium.written[0] if is_stream(output) else output.suffix


def read_field(path: Path) -> Field:
    """Read a field file; - is stdin.

    Raises:
        InputError: the file or stdin cannot be read.
        FieldFileError: the bytes are not those of a field file.
    """
    from stegfield import fields
    from stegfield.fields.header import LARGEST_FILE

    return fields.from_bytes(read_file(path, LARGEST_FILE), name_of(path))


def read_file(path: Path, limit: int) -> bytes:
    """Read the bytes of a file; - is stdin.

    Raises:
        InputError: the file or stdin cannot be read, or is too long.
    """
    from stegfield import files

    if is_stream(path):
        return read_stdin(limit, "file")
    return files.read_bounded(path, limit)


def file_of(signal: Signal, output: Path) -> bytes:
    """Encode a signal as the kind of file that a name ends in; images must be PNG, as on stdout.

    Raises:
        ConfigError: The name ends like a file of another medium, or like an image that is no PNG.
    """
    from stegfield import signals

    medium = signal.medium
    if is_stream(output):
        return signals.encode(signal, medium.written[0])
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
        if path is not None and not is_stream(path) and path.suffix.lower() != ".png":
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
