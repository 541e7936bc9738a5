"""``stegfield keygen``."""

from __future__ import annotations

from pathlib import Path

from stegfield.cli.terminal import say


def keygen(out: Path, /, *, force: bool = False) -> None:
    """Write a new key file: 32 random bytes, readable by its owner only.

    Args:
        out: Key file to write.
        force: Replace an existing file; what its key reveals is then lost.
    """
    from stegfield.keys import Key

    Key.generate().write(out, force=force)
    say(f"{out}: a new key")
