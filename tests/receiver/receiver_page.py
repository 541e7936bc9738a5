"""What a visitor of the receiver does: choose a file and a key, read, take the message away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from receiver_carriers import KEY, Stego

from stegfield.keys import Key, KeyFile


def key_file(key: Key = KEY) -> dict[str, Any]:
    return {"name": "alice.key", "mimeType": "", "buffer": KeyFile(key).to_bytes()}


def choose(page: Any, name: str, data: bytes) -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "", "buffer": data})


def read(page: Any) -> None:
    """Press the button, and wait for a message or a sentence."""
    page.get_by_role("button", name="Read the message").click()
    page.locator("#result:visible, #status:not(:empty)").first.wait_for()


def downloaded(page: Any) -> tuple[str, bytes]:
    """Take the message away."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def found(page: Any, stego: Stego, key: Key = KEY) -> bytes:
    """Read a file with a key file."""
    choose(page, stego.name, stego.file)
    page.set_input_files("#key", key_file(key))
    read(page)
    assert page.inner_text("#status") == ""
    return downloaded(page)[1]
