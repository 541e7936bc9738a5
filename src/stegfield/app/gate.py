"""The gate: which requests of a browser reach Gradio's server, and for which visitor.

Only the requests of `ROUTES` pass: those that the page makes. All others get "no such thing". A
request for a page or a file passes only for the visitor who owns it. Requests from pages of other
sites do not pass. Gradio gets only what was checked: each request is built anew from its checked
parts.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from stegfield.app.connections import source_of, timely
from stegfield.app.kept import Kept
from stegfield.app.visitors import COOKIE, MOST_PAGES, Visitors

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE_BYTES = 32
WELL_FORMED = re.compile(r"[\w-]{43}", re.ASCII)
"""A cookie as the gate sets it."""
HEADERS = {
    "content-security-policy": (
        "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""The browser itself refuses every request to another host."""
MOST_LOOKS = 32
"""Most previews that are drawn or wait; Gradio has 40 threads for these and for runs."""
LARGEST_REQUEST = 1 << 23
"""Largest request other than an upload, in bytes."""
MOST_VALUES = 10_000
"""Most values in such a request; Gradio makes several objects of each."""
MOST_RUNS = 3
"""Most runs of one visitor that wait or are under way."""
MOST_REQUESTS = 8
"""Most requests of one visitor to one route that are answered at a time."""
SHARE = 4
"""How many times as many one address may have, whose visitors may be one with many cookies."""


class Tie(Enum):
    """What ties a request to a visitor."""

    NONE = auto()
    """Nothing: everybody gets the same answer."""
    OPENS = auto()
    """It opens a page for the visitor; when the request ends, the page closes."""
    PAGE = auto()
    """It names a page that the visitor has open."""
    THERE = auto()
    """The visitor has a page open."""
    FILE = auto()
    """It names a file that the visitor owns."""


@dataclass(frozen=True)
class Route:
    """One kind of request that the page makes.

    A group named ``page`` or ``file`` in the pattern names these; otherwise a page is named in the
    query, or in the body of a POST, as ``session_hash``.
    """

    method: str
    path: str
    tie: Tie = Tie.NONE
    query: tuple[str, ...] = ()
    """Parameters of the query that are passed on."""
    json: bool = False
    """Whether the body is JSON, which is read and checked here."""
    most: int = MOST_REQUESTS
    """Of one visitor at a time."""
    of_all: int | None = None
    """Of all visitors at a time; None is any number."""


JOIN = Route("POST", "/gradio_api/queue/join", Tie.PAGE, json=True, most=MOST_RUNS)
ROUTES = (
    Route("GET", "/"),
    Route("GET", r"/assets/[\w.-]+"),
    Route("GET", r"/static/(img|js)/[\w./-]+"),
    Route("GET", r"/theme\.css"),
    Route("GET", r"/favicon\.ico"),
    Route("GET", "/gradio_api/app_id"),  # to notice that the server was started anew
    Route("GET", r"/gradio_api/heartbeat/(?P<page>[a-z0-9]{1,64})", Tie.OPENS, most=MOST_PAGES),
    Route("POST", "/gradio_api/run/predict", Tie.PAGE, json=True, most=4, of_all=MOST_LOOKS),
    JOIN,
    Route("GET", "/gradio_api/queue/data", Tie.PAGE, query=("session_hash",), most=MOST_PAGES),
    Route("POST", "/gradio_api/upload", Tie.THERE, query=("upload_id",)),
    Route("GET", "/gradio_api/upload_progress", Tie.THERE, query=("upload_id",)),
    Route("GET", "/gradio_api/file=(?P<file>.+)", Tie.FILE),
)
"""The requests of Gradio 6.31, recorded from the page in a browser; the tests use all tabs."""


class RefusedError(Exception):
    """An error: the request does not pass."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


NO_SUCH_THING = "there is no such thing here; open the page again"
"""The same answer for what does not exist and for what another visitor owns."""


class Gate:
    """An application behind checks: every visitor sees only their own pages and files.

    Args:
        app: The application.
        visitors: The visitors and what they own.
        kept: What the application remembers of pages.
    """

    def __init__(self, app: ASGIApp, visitors: Visitors, kept: Kept) -> None:
        self.app, self.visitors, self.kept = app, visitors, kept
        self._busy: Counter[tuple[str, str, Route]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "websocket":  # the page has none
            await send({"type": "websocket.close"})
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        else:
            try:
                await self._serve(scope, receive, send)
            except RefusedError as refused:
                await _say(send, refused)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, receive = Headers(scope=scope), timely(receive)
        source = source_of((scope.get("client") or (None,))[0])
        _check_origin(scope, headers)
        route, named = _route(scope)
        known = _cookie(headers)
        visitor = known or secrets.token_urlsafe(COOKIE_BYTES)
        given = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        query = {name: given[name] for name in route.query if name in given}
        named |= query
        passed = {"cookie": f"{COOKIE}={visitor}"}  # so that handlers see it at the first request
        if route.json:
            asked, body = await _json(receive)
            self._check_files(visitor, asked)
            receive = _again(body, receive)
            passed |= {"content-type": "application/json", "content-length": str(len(body))}
            named |= {"session_hash": str(asked.get("session_hash"))}
        if "upload_id" in query:  # a visitor cannot name another's
            query["upload_id"] = f"{self.visitors.home(visitor).name}-{query['upload_id']}"
        scope = {
            **scope,
            "headers": _with(headers.raw, passed),
            "query_string": urlencode(query).encode(),
        }

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = dict(HEADERS)
                if route.tie is not Tie.NONE:
                    more["cache-control"] = "no-store"
                if known is None:
                    more["set-cookie"] = f"{COOKIE}={visitor}; Path=/; HttpOnly; SameSite=Lax"
                message["headers"] = _with(message.get("headers", []), more)
            await send(message)

        async with self._admitted(visitor, source, route, named):
            await self.app(scope, receive, answer)

    @asynccontextmanager
    async def _admitted(
        self, visitor: str, source: str, route: Route, named: dict[str, str]
    ) -> AsyncIterator[None]:
        """Let a request pass, unless another visitor owns what it names or there are too many."""
        page = named.get("page") or named.get("session_hash", "")
        if not self._is_theirs(visitor, route, page, named.get("file", "")):
            raise RefusedError(404, NO_SUCH_THING)
        if route.tie is not Tie.NONE:
            self._check_number(visitor, source, route)
        if route.tie is Tie.OPENS and not self.visitors.enter(visitor, page, source):
            raise RefusedError(404, NO_SUCH_THING)
        counted = [("visitor", visitor, route), ("source", source, route), ("all", "", route)]
        self._busy.update(counted)
        try:
            yield
        finally:
            self._busy.subtract(counted)
            for each in counted:
                if not self._busy[each]:
                    del self._busy[each]
            if route.tie is Tie.OPENS:
                self.visitors.leave(visitor, page)
                await self.kept.forget(page)

    def _check_number(self, visitor: str, source: str, route: Route) -> None:
        """Refuse a request where its visitor, its address or all have too many under way."""
        own, near = self._busy["visitor", visitor, route], self._busy["source", source, route]
        if route is JOIN:
            own += self.kept.runs(self.visitors.pages(visitor))
            near += self.kept.runs(self.visitors.pages_from(source))
        if own >= route.most:
            raise RefusedError(429, f"{own} of your requests are under way; wait until one is done")
        if source and near >= SHARE * route.most:
            raise RefusedError(
                429, f"{near} requests of your address are under way; wait until one is done"
            )
        if route.of_all is not None and self._busy["all", "", route] >= route.of_all:
            raise RefusedError(429, "too many requests are under way; try again later")

    def _is_theirs(self, visitor: str, route: Route, page: str, file: str) -> bool:
        match route.tie:
            case Tie.PAGE:
                return self.visitors.owns(visitor, page)
            case Tie.THERE:
                return bool(self.visitors.pages(visitor))
            case Tie.FILE:
                return self.visitors.may_use(visitor, file)
            case _:
                return True

    def _check_files(self, visitor: str, asked: dict[str, Any]) -> None:
        """Refuse a request that names a file of another visitor, or of another host."""
        left, count = list[Any]([asked]), 0
        while left:
            value = left.pop()
            count += len(value) if isinstance(value, dict | list) else 0
            if count > MOST_VALUES:
                raise RefusedError(400, "the request has too many values")
            if isinstance(value, dict):
                path = value.get("path")
                if isinstance(path, str) and not self.visitors.may_use(visitor, path):
                    raise RefusedError(400, "a file is missing; choose it again")
                left += value.values()
            elif isinstance(value, list):
                left += value


def _check_origin(scope: Scope, headers: Headers) -> None:
    """Refuse requests from pages of other sites, except links to this page.

    Browsers name a request's source in ``Sec-Fetch-Site``. Over plain HTTP from another machine
    they leave it out; then ``Origin`` must be this host.
    """
    links = (
        scope["method"] == "GET"
        and scope["path"] == "/"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        fits = site in ("same-origin", "none")
    else:
        fits = origin is None or urlsplit(origin).netloc == headers.get("host")
    if not fits and not links:
        raise RefusedError(403, "the request came from a page of another site")


def _route(scope: Scope) -> tuple[Route, dict[str, str]]:
    """Return the route of a request, and what its path names."""
    for route in ROUTES:
        found = re.fullmatch(route.path, scope["path"], re.ASCII | re.DOTALL)
        if found is not None and scope["method"] == route.method:
            return route, found.groupdict()
    raise RefusedError(404, NO_SUCH_THING)


def _cookie(headers: Headers) -> str | None:
    """Return the visitor of a request's cookie, if any, among cookies of other pages."""
    for header in headers.getlist("cookie"):
        found = cookie_parser(header).get(COOKIE, "")
        if WELL_FORMED.fullmatch(found):
            return found
    return None


def _with(headers: Any, more: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers with some replaced by others of the same names."""
    put = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in more.items()]
    names = {name for name, _ in put}
    return [*((name, value) for name, value in headers if name.lower() not in names), *put]


async def _json(receive: Receive) -> tuple[dict[str, Any], bytes]:
    """Read a request's body, a JSON object; return it, and its bytes written anew."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body.extend(message.get("body", b""))
        more = message.get("more_body", False)
        if message["type"] != "http.request" or len(body) > LARGEST_REQUEST:
            raise RefusedError(400, "the request is too long, or broke off")
    try:
        asked = json.loads(body)
        if isinstance(asked, dict):
            return asked, json.dumps(asked).encode()
    except (ValueError, RecursionError):
        pass
    raise RefusedError(400, "this is not a request of the page")


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a body to be received once more, and then the rest of the messages."""
    left = [body]

    async def replay() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replay


async def _say(send: Send, refused: RefusedError) -> None:
    headers = _with([], HEADERS | {"content-type": "application/json"})
    body = json.dumps({"detail": str(refused)}).encode()
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
