"""``stegfield capacity``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stegfield.cli.signal_files import read_signal
from stegfield.cli.streams import name_of
from stegfield.cli.terminal import answer, say
from stegfield.cli.weights import is_model, tell_model_capacity

if TYPE_CHECKING:
    from stegfield.fixednet.drawn import Kept


def capacity(
    cover: Path,
    /,
    *,
    key: list[Path] = [],  # noqa: B006 - it is not changed
    flatten: bool = False,
    json: bool = False,
) -> None:
    """Show how many bytes an image, a climate field, a sound or a model can carry.

    Messages are deflated first, so a text may be two or three times as long. With --key, show how
    much room the messages in a cover with grain leave.

    Args:
        cover: Image, climate field named .nc, sound: .wav or .flac, or model: .safetensors; - is
            stdin.
        key: Key file of a message in it. Repeat it for others.
        flatten: Put a transparent image onto white.
        json: Print the result as JSON.
    """
    from rich.console import Console
    from rich.table import Table

    from stegfield import fixednet
    from stegfield.fixednet import drawn

    if is_model(cover):
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
