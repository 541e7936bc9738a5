"""The page: its tabs, its looks, and how it is served."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stegfield.app.session import Desk, Runs
from stegfield.config import AppConfig
from stegfield.errors import InputError, OutputError

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

try:
    import gradio as gr
except ImportError:
    raise InputError(
        "the web page takes the package gradio, which is not installed",
        hint="install it with: pip install 'stegfield[app]'",
    ) from None

from stegfield.app.detection_tab import detect_tab
from stegfield.app.field_tabs import hide_tab, render_tab, reveal_tab
from stegfield.app.message_tabs import embed_tab, extract_tab, generate_tab

KEPT_SECONDS, SWEPT_SECONDS = 3600, 600
WAITING = 16
TITLE = "stegfield"
STYLE = """
.gradio-container{width:100%;min-width:0;max-width:min(70rem,100vw) !important;margin:auto}
.said p{margin:0;padding:.6rem .8rem;border-radius:.4rem;border-left:.25rem solid}
.said .done{border-color:#2e8b57;background:#2e8b5718}
.said .failed{border-color:#c0392b;background:#c0392b18}
.said .failed span{display:block;opacity:.85}
@media (max-width:640px){.gradio-container{padding:.5rem !important}}
"""


def build(desk: Desk) -> gr.Blocks:
    """Lay the page out."""
    runs = Runs()
    page: gr.Blocks
    with gr.Blocks(
        title=TITLE,
        analytics_enabled=False,
        delete_cache=(SWEPT_SECONDS, KEPT_SECONDS),
    ) as page:
        gr.Markdown(
            f"# {TITLE}\nHides images in the weights of neural fields, and files in the samples of "
            "images. Files are gone from here after an hour at most; passphrases are not kept."
        )
        with gr.Tabs():
            with gr.Tab("Embed"):
                embed_tab(desk)
            with gr.Tab("Extract"):
                extract_tab(desk)
            with gr.Tab("Hide"):
                hide_tab(desk, runs)
            with gr.Tab("Reveal"):
                reveal_tab(desk)
            with gr.Tab("Render"):
                render_tab(desk)
            with gr.Tab("Generate"):
                generate_tab(desk)
            with gr.Tab("Detect"):
                detect_tab(desk)

        def leave(request: gr.Request) -> None:
            runs.end(str(request.session_hash))

        page.unload(leave)
    return page


@dataclass(frozen=True)
class Served:
    """A page that is being served."""

    page: gr.Blocks
    address: str
    folder: tempfile.TemporaryDirectory[str]
    """Where all files of visitors are."""

    def wait(self) -> None:
        """Wait until interrupted."""
        self.page.block_thread()

    def close(self) -> None:
        """End it, and remove all files of visitors."""
        self.page.close(verbose=False)
        self.folder.cleanup()


def launch(limits: AppConfig, *, host: str, port: int) -> Served:
    """Begin to serve the page.

    Args:
        limits: What a visitor may ask for.
        host: Address to listen on; 127.0.0.1 is this machine alone.
        port: Port to listen on; 0 takes a free one.

    Raises:
        OutputError: The port is taken.
    """
    folder = tempfile.TemporaryDirectory(prefix="stegfield-app-")
    os.environ["GRADIO_TEMP_DIR"] = folder.name
    page = build(Desk(Path(folder.name), limits))
    page.queue(default_concurrency_limit=limits.jobs, max_size=WAITING, api_open=False)
    theme = gr.themes.Soft(
        font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port or None,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            max_file_size=limits.max_upload * 1_000_000,
            footer_links=[],
            enable_monitoring=False,
            run_history=False,
            ssr_mode=False,
            pwa=False,
            theme=theme,
            css=STYLE,
        )
    except OSError:
        folder.cleanup()
        raise OutputError(f"port {port} of {host} is taken", hint="take another --port") from None
    return Served(page, address, folder)
