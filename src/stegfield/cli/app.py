"""``stegfield app``."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from stegfield.cli.terminal import say
from stegfield.config import AppConfig
from stegfield.errors import ConfigError

LOCAL = ("127.0.0.1", "localhost", "::1")


def app(
    *,
    port: int = 7860,
    host: str = "127.0.0.1",
    limits: Annotated[AppConfig, Parameter(name="*")] = AppConfig(),
) -> None:
    """Serve a web page with these commands, on this machine alone.

    The page loads nothing from other machines and sends them nothing. Each visitor sees only their
    own files, which are removed when the page closes.

    Args:
        port: Port to listen on; 0 takes a free one.
        host: Address to listen on. With any other than 127.0.0.1, people on other machines can use
            the page without a password, and what they send travels unencrypted.
    """
    from stegfield.app import serve

    if not 0 <= port < 1 << 16:
        raise ConfigError(f"--port must be from 0 to 65535, got {port}")
    if host not in LOCAL:
        say(
            f"warning: everyone who can reach {host} can use this page, and passphrases travel "
            "unencrypted\n"
            "hint: leave --host out, or put a proxy with HTTPS and passwords in front"
        )

    def announce(address: str) -> None:
        print(f"stegfield is at {address} (Ctrl-C ends it)", flush=True)  # noqa: T201

    serve(limits, host=host, port=port, announce=announce)
