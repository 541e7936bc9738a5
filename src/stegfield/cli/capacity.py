"""``stegfield capacity``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stegfield.cli import field_files
from stegfield.cli.signal_files import read_signal
from stegfield.cli.terminal import answer
from stegfield.cli.weights import is_model, tell_model_capacity
from stegfield.errors import ConfigError


def capacity(
    cover: Path,
    /,
    *,
    key: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")] = (),
    flatten: bool = False,
    json: bool = False,
) -> None:
    """Show how many bytes an image, a climate field, a sound, a field or a model can carry.

    Messages are deflated first, so a text may be two or three times as long.

    Args:
        cover: Image, climate field named .nc, sound: .wav or .flac, or field or model:
            .safetensors; - is stdin.
        key: Key files of messages that a field carries already: what is left beside them. Other
            messages are not seen.
        flatten: Put a transparent image onto white.
        json: Print the result as JSON.
    """
    from rich.console import Console
    from rich.table import Table

    from stegfield import fixednet

    if field_files.is_field(cover):
        field_files.capacity(cover, key, json=json)
        return
    if key:
        raise ConfigError("--key is for fields, and shows what is left", hint="leave it out")
    if is_model(cover):
        tell_model_capacity(cover, as_json=json)
        return
    signal = read_signal(cover, flatten=flatten)
    room = fixednet.capacity(signal)
    if json:
        answer(room.to_json())
        return
    table = Table("profile", "rate", "bytes", box=None)
    for profile, rates in room.profiles.items():
        for rate, count in rates.items():
            table.add_row(profile, rate, f"{count:,}")
    Console().print(table)
