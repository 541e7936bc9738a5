"""``stegfield capacity``."""

from __future__ import annotations

from pathlib import Path

from stegfield.cli.signal_files import read_signal
from stegfield.cli.terminal import answer
from stegfield.cli.weights import is_model, tell_model_capacity


def capacity(cover: Path, /, *, flatten: bool = False, json: bool = False) -> None:
    """Show how many bytes an image, a climate field, a sound or a model can carry.

    Messages are deflated first, so a text may be two or three times as long.

    Args:
        cover: Image, climate field named .nc, sound: .wav or .flac, or model: .safetensors; - is
            stdin.
        flatten: Put a transparent image onto white.
        json: Print the result as JSON.
    """
    from rich.console import Console
    from rich.table import Table

    from stegfield import fixednet

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
