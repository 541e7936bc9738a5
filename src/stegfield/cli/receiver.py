"""``stegfield receiver``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stegfield.cli.terminal import answer, say


def receiver(
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    with_: Annotated[Path | None, Parameter(name="--with")] = None,
    json: bool = False,
    force: bool = False,
) -> None:
    """Write a page that reads messages in a browser, without an installation or a network.

    It is one HTML file. Open it in Chromium or Firefox, drop a stego file on it, and choose the key
    file or type the passphrase. It reads PNG, JPEG, BMP and 16-bit WAV files, and fields.

    Args:
        output: HTML file to write.
        with_: A stego file that travels inside the page. Such a page tells everyone who finds it
            that the file may carry a message.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files
    from stegfield import receiver as pages

    files.check_apart([output], [] if with_ is None else [with_])
    page = pages.page(with_)
    files.write_new(output, page, force=force)
    if json:
        answer({"page": str(output), "bytes": len(page)})
        return
    say(f"{output}: {len(page):,} bytes; open it in a browser")
    if with_ is not None:
        say(f"it carries {with_.name}, and so tells that this file may carry a message")
