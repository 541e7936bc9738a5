"""The web page: the commands in a browser, for whoever sits at this machine.

    page ─► tabs: fields, messages, detection ─► parts, session ─► the library

It calls what the command line calls. It listens on this machine alone unless told otherwise, loads
nothing from elsewhere, and forgets files and passphrases.
"""

from __future__ import annotations

from stegfield.config import AppConfig

__all__ = ["serve"]


def serve(limits: AppConfig, *, host: str = "127.0.0.1", port: int = 7860) -> None:
    """Serve the page until interrupted.

    Raises:
        InputError: Gradio is not installed.
        OutputError: The port is taken.
    """
    from stegfield.app.page import launch

    served = launch(limits, host=host, port=port)
    print(f"stegfield is at {served.address} (Ctrl-C ends it)", flush=True)  # noqa: T201
    try:
        served.wait()
    finally:
        served.close()
