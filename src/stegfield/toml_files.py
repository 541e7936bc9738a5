"""TOML of strangers, or of a user's own: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import re
import tomllib
from typing import Any

LONGEST_KEY = 64
"""Parts of a dotted key; `tomllib` takes time and memory by their square."""
BETWEEN_KEYS = re.compile(r"[=\n{}\[\],]")


def plain_toml(text: str | bytes) -> dict[str, Any]:
    """Read a document.

    Raises:
        ValueError: The text is not TOML in UTF-8, is nested too deeply, or has a key of more parts
            or a number of more digits than are read.
    """
    text = text.decode() if isinstance(text, bytes) else text
    if any(each.count(".") >= LONGEST_KEY for each in BETWEEN_KEYS.split(text)):
        raise ValueError("it has a key of too many parts, or too many dots in a row")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
