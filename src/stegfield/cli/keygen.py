"""``stegfield keygen``."""

from __future__ import annotations

from pathlib import Path

from stegfield.cli.terminal import answer, say


def keygen(out: Path, /, *, json: bool = False, force: bool = False) -> None:
    """Write a new key file: 32 random bytes, readable by its owner only.

    Args:
        out: Key file to write.
        json: Print the result as JSON.
        force: Replace an existing file; what was hidden with its key is then lost.
    """
    from stegfield.keys import Key, KeyFile

    KeyFile(Key.generate()).write(out, force=force)
    if json:
        answer({"key": str(out)})
    else:
        say(f"{out}: a new key")
