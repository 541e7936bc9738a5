"""The web page: the commands in a browser, for whoever sits at this machine.

    browser ─► gate: what passes, and whose it is ─► Gradio ─► page, uploads
    page ─► tabs: fields, messages, detection ─► parts ─► session ─► visitors, the library

It calls what the command line calls. It listens on this machine alone unless told otherwise, loads
nothing from elsewhere, and forgets files and passphrases.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from stegfield.config import AppConfig
from stegfield.errors import InputError

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
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before it is imported
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import gradio  # noqa: F401
    except ImportError:
        raise InputError(
            "the web page takes the package gradio, which is not installed",
            hint="install it with: pip install 'stegfield[app]'",
        ) from None
    from stegfield.app.page import run

    run(limits, host, port, announce)
