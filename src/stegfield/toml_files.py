"""TOML of strangers, or of a user's own: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import tomllib
from typing import Any


def plain_toml(text: str | bytes) -> dict[str, Any]:
    """Read a document.

    Raises:
        ValueError: The text is not TOML in UTF-8, is nested too deeply, or has a number of more
            digits than Python reads.
    """
    try:
        return tomllib.loads(text.decode() if isinstance(text, bytes) else text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
