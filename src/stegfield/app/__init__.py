"""The web page: the commands in a browser, for whoever sits at this machine.

    page ─► tabs: fields, messages, detection ─► parts ─► session ─► visitors, the library

It calls what the command line calls. It listens on this machine alone unless told otherwise, loads
nothing from elsewhere, and forgets files and passphrases.
"""

from __future__ import annotations

from collections.abc import Callable

from stegfield.config import AppConfig

__all__ = ["serve"]


def serve(
    limits: AppConfig,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    announce: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the page until interrupted.

    Args:
        limits: What a visitor may ask for.
        host: Address to listen on; 127.0.0.1 is this machine alone.
        port: Port to listen on; 0 takes a free one.
        announce: Told the address when it can be opened.

    Raises:
        InputError: Gradio is not installed.
        OutputError: The port is taken.
    """
    from stegfield.app.page import run

    run(limits, host, port, announce)
