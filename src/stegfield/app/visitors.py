"""Visitors: each browser has a secret cookie, and meets only what is its own.

All files lie in one temporary folder that no other account may read. Who uploaded a file, or had it
made, may fetch it and work with it; when a visitor's last page closes, their files are gone.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import threading
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import cookie_parser

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "stegfield-visitor"
HEADERS = {
    "content-security-policy": (
        "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""The browser itself refuses every request to another host."""
NOT_SERVED = ("/proxy=", "/stream/")
FILES = ("/file=", "/file/")
LARGEST_REQUEST = 1 << 24
"""Bytes of a request that is no upload."""
LEAST_COUNTED = 1 << 16
"""Bytes that a file counts for at least, so that there are never too many to look at."""
FULL = "there is no room for more files"
FULL_HINT = "close other pages of stegfield, or try again later"
ABANDONED_SECONDS = 600


class Visitors:
    """Who has which pages, files and runs."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._pages: dict[str, set[str]] = defaultdict(set)
        self._files: dict[Path, set[str]] = defaultdict(set)
        self._runs: dict[str, threading.Event] = {}

    def enter(self, visitor: str, page: str) -> None:
        """Note that a visitor opened a page."""
        with self._lock:
            self._pages[visitor].add(page)

    def leave(self, visitor: str, page: str) -> None:
        """End a page's run; with the visitor's last page, all files go that are theirs alone."""
        self.end(page)
        with self._lock:
            self._pages[visitor].discard(page)
            if self._pages[visitor]:
                return
            del self._pages[visitor]
            for path in [path for path, owners in self._files.items() if visitor in owners]:
                self._files[path].discard(visitor)
                if not self._files[path]:
                    del self._files[path]
                    _remove(path)

    def sweep(self, folder: Path) -> None:
        """Remove what is left of uploads that broke off: nobody's, and not written to any more."""
        for path in folder.iterdir():
            with suppress(OSError):
                if path.is_file() and time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()

    def own(self, visitor: str, path: str | Path) -> None:
        """Note whose a file is; two who uploaded the same share it."""
        with self._lock:
            self._files[Path(path).resolve()].add(visitor)

    def keep(self, visitor: str, path: Path) -> bool:
        """Note whose a new file is, or remove it where the visitor has left; tell which."""
        with self._lock:
            here = visitor in self._pages
            if here:
                self.own(visitor, path)
            else:
                _remove(path)
            return here

    def may_use(self, visitor: str, path: str) -> bool:
        """Tell whether a file is a visitor's."""
        try:
            known = Path(path).resolve()
        except (OSError, ValueError):  # no file has such a name
            return False
        with self._lock:
            return visitor in self._files.get(known, set())

    def begin(self, page: str) -> threading.Event:
        """Wind down the page's earlier run, if any, and give what asks the new one to end."""
        self.end(page)
        with self._lock:
            return self._runs.setdefault(page, threading.Event())

    def end(self, page: str) -> None:
        """Ask a page's run to wind down."""
        with self._lock:
            asked = self._runs.pop(page, None)
        if asked is not None:
            asked.set()


def stored(folder: Path) -> int:
    """Count the bytes of all files that lie in a folder, uploads that broke off included."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # it has gone
                total += max(LEAST_COUNTED, (Path(place) / name).stat().st_size)
    return total


class Private:
    """Serves an application so that every visitor meets only what is theirs.

    Args:
        app: What is served.
        visitors: Who they are.
        folder: Where the files of all of them lie.
        most: Bytes that may lie there.
    """

    def __init__(self, app: ASGIApp, visitors: Visitors, folder: Path, most: int) -> None:
        self.app, self.visitors, self.folder, self.most = app, visitors, folder, most
        self._coming = 0.0  # bytes of uploads under way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or answer that there is no such thing."""
        if scope["type"] == "websocket":  # the page has none
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visitor, known = _cookie(scope), True
        if visitor is None:
            visitor, known = secrets.token_urlsafe(32), False
            # handlers see the cookie with the first request already
            scope["headers"] = [*scope["headers"], (b"cookie", f"{COOKIE}={visitor}".encode())]
        path = scope["path"]
        if self._refuses(visitor, path):
            await _say(send, 404, b"there is no such file\n")
            return
        uploads = scope["method"] == "POST" and path.endswith("/upload")
        size = _length(scope) if uploads else 0
        if not self._has_room(size):
            await _drain(receive)  # or browsers see a broken connection, not the answer
            await _say(send, 413, f"{FULL}: {FULL_HINT}\n".encode())
            return
        if scope["method"] == "POST" and not uploads:
            asked = await _whole(receive)
            if asked is None or _leads_elsewhere(asked):
                await _say(send, 400, b"this is no request of the page\n")
                return
            receive = _again(asked, receive)
        body = bytearray() if uploads else None

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                if not known:
                    cookie = f"{COOKIE}={visitor}; Path=/; HttpOnly; SameSite=Strict"
                    headers.append((b"set-cookie", cookie.encode()))
                message["headers"] = [*message.get("headers", []), *headers]
            elif body is not None:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    for uploaded in _paths(bytes(body)):
                        self.visitors.own(visitor, uploaded)
            await send(message)

        self._coming += size
        try:
            await self.app(scope, receive, answer)
        finally:
            self._coming -= size

    def _has_room(self, size: float) -> bool:
        """Tell whether an upload fits beside all files and the uploads that are under way."""
        if not size:
            return True
        self.visitors.sweep(self.folder)
        return stored(self.folder) + self._coming + size <= self.most

    def _refuses(self, visitor: str, path: str) -> bool:
        if any(part in path for part in NOT_SERVED):
            return True
        for mark in FILES:
            if mark in path:
                return not self.visitors.may_use(visitor, path.split(mark, 1)[1])
        return False


def visitor_of(cookies: Any) -> str:
    """Give the visitor whom a request comes from."""
    return str(cookies[COOKIE])


def _cookie(scope: Scope) -> str | None:
    """Read the cookie as Starlette does, among whatever others this machine's pages have set."""
    for name, value in scope["headers"]:
        if name == b"cookie" and (found := cookie_parser(value.decode("latin-1")).get(COOKIE)):
            return found
    return None


def _length(scope: Scope) -> float:
    """Read how long a request's body is; servers let none be longer. Browsers always tell."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return math.inf


async def _drain(receive: Receive) -> None:
    """Read the body of a request, and forget it."""
    while (await receive()).get("more_body"):
        pass


async def _say(send: Send, status: int, text: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": text})


async def _whole(receive: Receive) -> bytes | None:
    """Read the body of a request; None if it is too long, or breaks off."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body.extend(message.get("body", b""))
        more = message.get("more_body", False)
        if message["type"] != "http.request" or len(body) > LARGEST_REQUEST:
            return None
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a request's body once more, and then whatever else there is."""
    left = [body]

    async def replay() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replay


def _leads_elsewhere(body: bytes) -> bool:
    """Tell whether a request names a file of another host, which Gradio would fetch."""
    try:
        left = [json.loads(body)] if body else []
    except (ValueError, RecursionError):
        return False  # Gradio reads nothing in it either
    while left:
        value = left.pop()
        if isinstance(value, dict):
            named = value.get("path")
            if isinstance(named, str) and "://" in named:
                return True
            left += value.values()
        elif isinstance(value, list):
            left += value
    return False


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    with suppress(OSError):  # another visitor's file may lie beside it
        path.parent.rmdir()


def _paths(body: bytes) -> list[str]:
    """Read the paths that Gradio answers an upload with; an error has none."""
    try:
        paths = json.loads(body)
    except ValueError:
        return []
    return [str(path) for path in paths] if isinstance(paths, list) else []
