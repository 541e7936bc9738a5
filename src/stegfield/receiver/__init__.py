"""The receiver: a page that reads messages in a browser, offline, as one HTML file.

Its program is in `receiver/` of the repository; `make receiver` builds it into `page.html` here.
"""

from __future__ import annotations

import base64
import html
from importlib import resources
from pathlib import Path

from stegfield import files
from stegfield.errors import InputError

LARGEST_CARRIED = 64 << 20
"""Bytes of a file that travels inside the page; mail takes less."""
PLACE = '<script type="application/octet-stream" id="carried" data-name=""></script>'
TYPES = {".png": "image/png", ".bmp": "image/bmp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
"""Kinds of files that the page shows, by the ends of their names."""


def page(carried: Path | None = None) -> bytes:
    """Return the page.

    Args:
        carried: A stego file that travels inside it; its name does too.

    Raises:
        InputError: The file cannot be read, is empty, or has more than 64 MiB.

    Example:
        >>> page().startswith(b"<!doctype html>")
        True
    """
    text = resources.files(__name__).joinpath("page.html").read_bytes()
    if carried is None:
        return text
    data = files.read_bounded(carried, LARGEST_CARRIED)
    if not data:
        raise InputError(f"{carried} is empty", hint="name the stego file")
    before, after = text.split(PLACE.encode())
    return before + _carrying(carried, data) + after


def _carrying(path: Path, data: bytes) -> bytes:
    """Return the element that carries a file; browsers do not run it."""
    opened = PLACE.removesuffix(' data-name=""></script>')
    name = html.escape(path.name)
    kind = TYPES.get(path.suffix.lower(), "application/octet-stream")
    start = f'{opened} data-name="{name}" data-type="{kind}">'
    return start.encode() + base64.b64encode(data) + b"</script>"
