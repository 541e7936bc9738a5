"""The page: its tabs, its style, and the server."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import fastapi
import gradio as gr
import uvicorn
from gradio.routes import App
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount
from starlette.types import ASGIApp

from stegfield.app import bounded
from stegfield.app.comparison_tab import compare_tab
from stegfield.app.connections import Timed
from stegfield.app.detection_tab import detect_tab
from stegfield.app.field_tabs import hide_tab, render_tab, reveal_tab
from stegfield.app.gate import Gate
from stegfield.app.kept import Kept
from stegfield.app.key_tab import keys_tab
from stegfield.app.message_tabs import embed_tab, extract_tab, generate_tab
from stegfield.app.session import Desk
from stegfield.app.start_tab import start_tab
from stegfield.app.uploads import Uploads
from stegfield.app.visitors import Visitors
from stegfield.config import AppConfig
from stegfield.errors import OutputError, Wording

KEPT_SECONDS, SWEPT_SECONDS = 3600, 600
WAITING = 16
TITLE = "stegfield"
LOCAL = ("127.0.0.1", "localhost", "::1")
FONTS, MONO = ("system-ui", "sans-serif"), ("ui-monospace", "monospace")
TABS: dict[str, Callable[[Desk], None]] = {
    "Start": start_tab,
    "Embed": embed_tab,
    "Extract": extract_tab,
    "Hide": hide_tab,
    "Reveal": reveal_tab,
    "Render": render_tab,
    "Generate": generate_tab,
    "Detect": detect_tab,
    "Compare": compare_tab,
    "Keys": keys_tab,
}
STYLE = """
.gradio-container{width:100%;min-width:0;max-width:min(70rem,100vw) !important;margin:auto}
.said p{margin:0;padding:.6rem .8rem;border-radius:.4rem;border-left:.25rem solid}
.said .done{border-color:#2e8b57;background:#2e8b5718}
.said .failed{border-color:#c0392b;background:#c0392b18}
.said .failed span{display:block;opacity:.85}
/* labels of pictures stand above them, not upon them */
.block:has(>.image-container)>label.float{position:static;display:inline-flex;margin:.3rem}
.block>label.float+.image-container{height:calc(100% - 2.6rem)}
@media (max-width:640px){.gradio-container{padding:.5rem !important}}
"""


def build(desk: Desk) -> gr.Blocks:
    """Lay out the page."""
    page: gr.Blocks
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, delete_cache=(SWEPT_SECONDS, KEPT_SECONDS)
    ) as page:
        gr.Markdown(
            f"# {TITLE}\nPuts files into pictures and neural fields, and takes them out again "
            "bit for bit. Files are removed when the page closes; passphrases are not kept."
        )
        with gr.Tabs():
            for name, lay_out in TABS.items():
                with gr.Tab(name):
                    lay_out(desk)

        page.unload(lambda: None)  # without it, Gradio's page has no heartbeat
    page.queue(default_concurrency_limit=desk.limits.jobs, max_size=WAITING, api_open=False)
    return page


def application(desk: Desk, hosts: list[str]) -> ASGIApp:
    """Return the whole application.

    Args:
        desk: The visitors, and their limits.
        hosts: Host names that requests may use; other names, as in DNS rebinding, are refused.
    """
    api, page = fastapi.FastAPI(openapi_url=None), build(desk)
    api.add_route("/gradio_api/upload", Uploads(desk, page).answer, methods=["POST"])
    gr.mount_gradio_app(
        api,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=desk.limits.max_upload * 1_000_000,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=gr.themes.Soft(font=FONTS, font_mono=MONO).set(
            input_border_width="1px",
            input_border_color="*neutral_300",
            block_border_width="1px",
        ),
        css=STYLE,
    )
    mounted = [route.app for route in api.routes if isinstance(route, Mount)]
    [server] = [app for app in mounted if isinstance(app, App)]
    gate = Gate(api, desk.visitors, Kept(page, server))
    return TrustedHostMiddleware(gate, allowed_hosts=hosts)


def run(limits: AppConfig, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C or SIGTERM, then remove all files of visitors.

    Args:
        limits: What a visitor may ask for.
        host: Address to listen on; 127.0.0.1 is this machine alone.
        port: Port to listen on; 0 takes a free one.
        announce: Called with the address when the page can be opened.

    Raises:
        OutputError: The port is taken, or the address does not belong to this machine.
    """
    with tempfile.TemporaryDirectory(prefix="stegfield-app-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        bounded.prepare()
        desk = Desk(limits, Visitors(Path(folder)))
        server = application(desk, [*LOCAL, "[::1]"] if host in LOCAL else ["*"])
        listener = _listen(host, port)
        shown = f"[{host}]" if ":" in host else host
        announce(f"http://{shown}:{listener.getsockname()[1]}/")
        # uvicorn raises the signal again that ended it; temporary files must go in any case
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        config = uvicorn.Config(
            server, http=Timed, log_level="warning", access_log=False, timeout_graceful_shutdown=1
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise OutputError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint=Wording("take another {port}"),
        ) from error
