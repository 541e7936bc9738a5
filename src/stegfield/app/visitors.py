"""Visitors: each browser has a secret cookie, and meets only what is its own.

A visitor is there while they have a page open; a page is open while its heartbeat is, a request
that lasts as long as the page. Each visitor's files lie in a folder of their own, which exists
while they are there. So every file has an owner, and goes with its owner's last page.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

COOKIE = "stegfield-visitor"
MOST_PAGES = 16
"""Pages that one visitor may have open."""
LEAST_COUNTED = 1 << 16
"""Bytes that a file counts for at least, so that there are never too many to look at."""


class Visitors:
    """Who has which pages, files and runs.

    Args:
        folder: Where all files lie. No other account may read it, and nothing else is kept there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._lock = threading.RLock()
        self._owners: dict[str, str] = {}  # of the pages that are open
        self._runs: dict[tuple[str, str], threading.Event] = {}

    def enter(self, visitor: str, page: str) -> bool:
        """Open a page, and tell whether that is allowed: not twice, and not too many."""
        with self._lock:
            if page in self._owners or len(self.pages(visitor)) >= MOST_PAGES:
                return False
            self._owners[page] = visitor
            self.home(visitor).mkdir(mode=0o700, exist_ok=True)
            return True

    def leave(self, visitor: str, page: str) -> None:
        """Close a page and end its run; the visitor's files go with their last page."""
        self.end(visitor, page)
        with self._lock:
            del self._owners[page]
        self.sweep()

    def sweep(self) -> None:
        """Remove every file that belongs to nobody who is there."""
        with self._lock:
            homes = {self.home(visitor) for visitor in self._owners.values()}
            for path in self.folder.iterdir():
                if path.is_symlink() or not path.is_dir():
                    path.unlink(missing_ok=True)
                elif path not in homes:
                    shutil.rmtree(path, ignore_errors=True)

    def owns(self, visitor: str, page: str) -> bool:
        """Tell whether a page is open, and a visitor's."""
        return self._owners.get(page) == visitor

    def pages(self, visitor: str) -> set[str]:
        """Return the pages that a visitor has open."""
        with self._lock:
            return {page for page, owner in self._owners.items() if owner == visitor}

    def home(self, visitor: str) -> Path:
        """Return the folder of a visitor's files; its name does not tell the cookie."""
        return self.folder / hashlib.sha256(visitor.encode()).hexdigest()[:32]

    def may_use(self, visitor: str, path: str) -> bool:
        """Tell whether a path lies in the folder of a visitor who is there."""
        try:
            found = Path(path).resolve()
        except (OSError, ValueError):  # no file has such a name
            return False
        return self.home(visitor) in found.parents and bool(self.pages(visitor))

    def begin(self, visitor: str, page: str) -> threading.Event:
        """Wind down the page's earlier run, if any; return what asks the new one to end."""
        self.end(visitor, page)
        with self._lock:
            asked = self._runs.setdefault((visitor, page), threading.Event())
            if not self.owns(visitor, page):  # it was closed before its run began
                self.end(visitor, page)
            return asked

    def end(self, visitor: str, page: str) -> None:
        """Ask the run of a visitor's page to wind down."""
        with self._lock:
            asked = self._runs.pop((visitor, page), None)
        if asked is not None:
            asked.set()


def visitor_of(cookies: Any) -> str:
    """Return the visitor whom a request comes from; the gate lets none in without a cookie."""
    return str(cookies[COOKIE])


def stored(folder: Path) -> int:
    """Count the bytes of all files that lie in a folder, uploads under way included."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # it has gone
                total += max(LEAST_COUNTED, (Path(place) / name).stat().st_size)
    return total
