"""The web page: the commands in a browser, for the people at this machine.

    browser ─► gate: which requests pass, for which visitor ─► Gradio ─► page, uploads
    page ─► tabs: fields, messages, detection ─► parts ─► session ─► visitors, the library

The page calls the same functions as the command line. It listens on this machine alone by default,
loads nothing from elsewhere, and keeps no files and no passphrases.
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
        announce: Called with the address when the page can be opened.

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
            "the web page needs the package gradio, which is not installed",
            hint="install it with: pip install 'stegfield[app]'",
        ) from None
    from stegfield.app.page import run

    run(limits, host, port, announce)
