"""In tests, the shapes and types in annotations are checked at run time; a browser and the page."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

if not any(name.startswith("stegfield.fields") for name in sys.modules):
    install_import_hook("stegfield", "beartype.beartype")

collect_ignore = [] if find_spec("gradio") else ["app/test_gate.py"]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-background-networking"]

from stegfield import cli  # noqa: E402 - once annotations are checked
from stegfield.keys import KeyStream  # noqa: E402
from stegfield.payload import law  # noqa: E402

settings.register_profile(
    "quick",
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("quick")


@pytest.fixture(autouse=True)
def no_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the defaults of whoever runs the tests."""
    monkeypatch.setenv("STEGFIELD_CONFIG", "")


@pytest.fixture
def _same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw every field alike, so that runs with one seed can be compared to the bit."""
    monkeypatch.setattr(law, "system_stream", lambda: KeyStream(bytes(32)))


@pytest.fixture
def _sigterm() -> Iterator[None]:
    """Take SIGTERM as the program does, not as Python."""
    before = signal.signal(signal.SIGTERM, cli._as_ctrl_c)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Run with one thread, and put the number back."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="it drives the browser")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with playwright.sync_playwright() as runs:
        running = runs.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def serving() -> Any:
    """Takes a folder for files, and flags; a context that serves the page at an address."""
    return _serving


@contextmanager
def _serving(folder: Path, *limits: str) -> Iterator[str]:
    """Serve the page from a process of its own, and see that it leaves no file in the folder."""
    with subprocess.Popen(
        [sys.executable, "-m", "stegfield", "app", "--port", "0", *limits],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    ) as served:
        try:
            assert served.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/", served.stdout.readline())
            assert found is not None
            yield found[0]
            served.terminate()
            assert served.wait(60) == 0
        finally:
            served.kill()
    assert not any(path.is_file() for path in folder.rglob("*"))
