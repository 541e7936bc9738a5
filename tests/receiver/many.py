"""Read many random carriers in a browser, and time a large one: python tests/receiver/many.py.

Not a part of the tests: it takes minutes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import psutil
from playwright.sync_api import sync_playwright
from receiver_carriers import KEY, MAKERS
from receiver_page import found, key_file, read

from stegfield import fixednet, receiver, signals
from stegfield.keys import Key
from stegfield.signals import Signal

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-background-networking"]


def main() -> None:
    """Read as many carriers as asked, each with its key and with another one."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=300)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--megapixels", type=float, default=12)
    words = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as runs:
        path = Path(folder) / "receiver.html"
        path.write_bytes(receiver.page())
        browser = runs.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.goto(path.as_uri())
        if words.count:
            print(read_many(page, words.count, words.seed))
        if words.megapixels:
            print(time_large(page, Path(folder), words.megapixels))
        browser.close()


def read_many(page: Any, count: int, seed: int) -> str:
    """Read random carriers of all kinds in turn; count what came back and what a wrong key gave."""
    draws, kinds = np.random.default_rng(seed), list(MAKERS)
    exact = refused = 0
    for at in range(count):
        key = Key.generate()
        stego = MAKERS[kinds[at % len(kinds)]](draws, key)
        exact += found(page, stego, key) == stego.message
        page.set_input_files("#key", key_file(KEY))
        read(page)
        refused += page.inner_text("#status").startswith("Nothing can be read")
    return f"{exact} of {count} read bit for bit; {refused} of {count} refused with another key"


def time_large(page: Any, folder: Path, megapixels: float) -> str:
    """Read a large photograph-like PNG that carries 100 kB, and one with nothing in it."""
    columns = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    smooth = signals.waves(columns * 3 // 4, columns)
    noise = np.random.default_rng(0).normal(0, 0.02, smooth.values.shape)
    cover = Signal((smooth.values + noise).clip(-1, 1).astype(np.float32))
    message = np.random.default_rng(1).bytes(100_000)
    told = []
    for name, file in (
        ("100 kB", fixednet.embed(cover, message, KEY, suffix=".png").file),
        ("nothing", signals.to_png(cover)),
    ):
        (folder / f"{name}.png").write_bytes(file)
        page.set_input_files("#file", folder / f"{name}.png")
        page.set_input_files("#key", key_file(KEY))
        with most_memory() as most:
            began = time.perf_counter()
            read(page)
            seconds = time.perf_counter() - began
        said = page.inner_text("#status") or page.inner_text("#facts")
        told.append(
            f"{len(file) / 1e6:.1f} MB of {megapixels:g} megapixels with {name}: {seconds:.1f} s, "
            f"{most.bytes / 1e6:.0f} MB in all of the browser's renderers; {said}"
        )
    return "\n".join(told)


class most_memory:  # noqa: N801 - a context
    """Watch the memory of the browser's renderers."""

    def __init__(self) -> None:
        self.bytes, self._done = 0, Event()
        self._watch = Thread(target=self._look)

    def __enter__(self) -> most_memory:
        """Begin to look."""
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking."""
        self._done.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._done.wait(0.05):
            self.bytes = max(self.bytes, sum(map(_resident, psutil.Process().children(True))))


def _resident(process: psutil.Process) -> int:
    try:
        renders = any("--type=renderer" in word for word in process.cmdline())
        return process.memory_info().rss if renders else 0
    except psutil.Error:
        return 0


if __name__ == "__main__":
    main()
