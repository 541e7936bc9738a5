"""Visitors: each browser has a secret cookie, and sees only its own pages and files.

A page is open while its heartbeat runs: a request that lasts as long as the page. A visitor is
present while they have a page open. Their files are in a folder of their own, which is removed with
their last page.
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
"""Most pages that one visitor may have open."""
LEAST_COUNTED = 1 << 16
"""Least bytes that a file counts for, which bounds the number of files."""


class Visitors:
    """The visitors, with their pages, files and runs.

    Args:
        folder: Folder of all files. No other account may read it, and nothing else is in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._lock = threading.RLock()
        self._owners: dict[str, str] = {}  # of the pages that are open
        self._sources: dict[str, str] = {}  # where the requests for them came from
        self._runs: dict[tuple[str, str], threading.Event] = {}

    def enter(self, visitor: str, page: str, source: str = "") -> bool:
        """Open a page, unless it is open already or there are too many; return whether it was.

        Args:
            visitor: The one that opens it.
            page: Its name.
            source: The address that the request is from, if that tells visitors apart.
        """
        with self._lock:
            if page in self._owners or len(self.pages(visitor)) >= MOST_PAGES:
                return False
            self._owners[page], self._sources[page] = visitor, source
            self.home(visitor).mkdir(mode=0o700, exist_ok=True)
            return True

    def leave(self, visitor: str, page: str) -> None:
        """Close a page and end its run; with the last page, remove the visitor's files."""
        self.end(visitor, page)
        with self._lock:
            del self._owners[page], self._sources[page]
        self.sweep()

    def sweep(self) -> None:
        """Remove every file of visitors who have left."""
        with self._lock:
            homes = {self.home(visitor) for visitor in self._owners.values()}
            for path in self.folder.iterdir():
                if path.is_symlink() or not path.is_dir():
                    path.unlink(missing_ok=True)
                elif path not in homes:
                    shutil.rmtree(path, ignore_errors=True)

    def owns(self, visitor: str, page: str) -> bool:
        """Return whether a page is open and belongs to a visitor."""
        return self._owners.get(page) == visitor

    def pages(self, visitor: str) -> set[str]:
        """Return the pages that a visitor has open."""
        with self._lock:
            return {page for page, owner in self._owners.items() if owner == visitor}

    def pages_from(self, source: str) -> set[str]:
        """Return the pages that are open at an address."""
        with self._lock:
            return {page for page, found in self._sources.items() if found == source}

    def beside(self, visitor: str) -> list[set[str]]:
        """Return for each address of a visitor all visitors there; none for this machine."""
        with self._lock:
            sources = {self._sources[page] for page in self.pages(visitor)} - {""}
            return [{self._owners[page] for page in self.pages_from(each)} for each in sources]

    def home(self, visitor: str) -> Path:
        """Return the folder of a visitor's files; its name does not reveal the cookie."""
        return self.folder / hashlib.sha256(visitor.encode()).hexdigest()[:32]

    def may_use(self, visitor: str, path: str) -> bool:
        """Return whether a path lies in the folder of a visitor who is present."""
        try:
            found = Path(path).resolve()
        except (OSError, ValueError):  # no file has such a name
            return False
        return self.home(visitor) in found.parents and bool(self.pages(visitor))

    def begin(self, visitor: str, page: str) -> threading.Event:
        """Wind down the page's earlier run, if any; return the event that ends the new one."""
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
    """Return the visitor of a request; the gate lets none pass without a cookie."""
    return str(cookies[COOKIE])


def stored(folder: Path) -> int:
    """Count the bytes of all files in a folder, uploads under way included."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # removed meanwhile
                total += max(LEAST_COUNTED, (Path(place) / name).stat().st_size)
    return total
