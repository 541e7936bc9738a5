"""``stegfield capacity``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stegfield.cli import field_files
from stegfield.cli.signal_files import read_signal
from stegfield.cli.streams import name_of
from stegfield.cli.terminal import answer, say
from stegfield.cli.weights import is_model, tell_model_capacity
from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.fixednet.drawn import Kept


def capacity(
    cover: Path,
    /,
    *,
    key: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")] = (),
    flatten: bool = False,
    json: bool = False,
) -> None:
    """Show how many bytes an image, a climate field, a sound, a field or a model can carry.

    Messages are deflated first, so a text may be two or three times as long. With --key, show how
    much room the messages in a cover with grain leave.

    Args:
        cover: Image, climate field named .nc, sound: .wav or .flac, or field or model:
            .safetensors; - is stdin.
        key: Key files of messages that a field or a cover with grain carries already: what is left
            beside them. Other messages are not seen.
        flatten: Put a transparent image onto white.
        json: Print the result as JSON.
    """
    from rich.console import Console
    from rich.table import Table

    from stegfield import fixednet
    from stegfield.fixednet import drawn

    if field_files.is_field(cover):
        field_files.capacity(cover, key, json=json)
        return
    if is_model(cover):
        if key:
            raise ConfigError("--key has no meaning for a model", hint="leave it out")
        tell_model_capacity(cover, as_json=json)
        return
    signal = read_signal(cover, flatten=flatten)
    if key:
        _tell_kept(cover, drawn.kept(signal, key), json=json)
        return
    room = fixednet.capacity(signal)
    if json:
        answer(room.to_json())
        return
    table = Table("profile", "rate", "bytes", box=None)
    for profile, rates in room.profiles.items():
        for rate, count in rates.items():
            table.add_row(profile, rate, f"{count:,}")
    Console().print(table)


def _tell_kept(cover: Path, kept: Kept, *, json: bool) -> None:
    if json:
        answer(kept.to_json())
        return
    say(
        f"{name_of(cover)}: {kept.message_bytes:,} bytes of {kept.messages} "
        f"{'message' if kept.messages == 1 else 'messages'} in {kept.parts} of 64 parts\n"
        f"{kept.parts_left} parts are left beside them, {kept.bytes_left:,} bytes at most, unless "
        "there are messages of other keys, which nobody else can tell"
    )
