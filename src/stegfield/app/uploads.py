"""Uploads: each goes into the folder of the visitor who sends it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import gradio as gr
from gradio.route_utils import upload_fn
from gradio.routes import file_upload_statuses
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response

from stegfield.app.session import FULL, FULL_HINT, Desk
from stegfield.app.visitors import visitor_of

if TYPE_CHECKING:
    from starlette.requests import Request

OVERHEAD = 1 << 16
"""Most bytes of a request besides those of the file."""


class Uploads:
    """The handler of uploads; Gradio's own would put those of all visitors into one folder.

    Args:
        desk: The visitors' folders and limits.
        blocks: The page; it removes old files.
    """

    def __init__(self, desk: Desk, blocks: gr.Blocks) -> None:
        self._desk, self._blocks = desk, blocks

    async def answer(self, request: Request) -> Response:
        """Write the files of a request, and answer with their paths."""
        length = request.headers.get("content-length", "")
        if not length.isdecimal():  # browsers always send it
            return PlainTextResponse("the length is missing\n", 411)
        size = int(length)
        largest = self._desk.limits.max_upload
        if size > largest * 1_000_000 + OVERHEAD:  # before it takes the room that others need
            return PlainTextResponse(f"a file may have at most {largest} MB\n", 413)
        visitor = visitor_of(request.cookies)
        self._desk.visitors.sweep()
        if not self._desk.has_room(visitor, size):
            with suppress(ClientDisconnect):
                async for _ in (
                    request.stream()
                ):  # unread bytes break the connection, and the browser misses the answer
                    pass
            return PlainTextResponse(f"{FULL}: {FULL_HINT}\n", 413)
        self._desk.coming[visitor] += size
        try:
            return await self._written(request, visitor)
        finally:
            self._desk.coming[visitor] -= size
            if not self._desk.coming[visitor]:
                del self._desk.coming[visitor]
            self._desk.visitors.sweep()  # the visitor may have left meanwhile

    async def _written(self, request: Request, visitor: str) -> Response:
        try:
            paths, _, _ = await upload_fn(
                request,
                self._desk.visitors.home(visitor),
                self._desk.limits.max_upload * 1_000_000,
                request.query_params.get("upload_id"),
                upload_progress=file_upload_statuses,
            )
        except MultiPartException as error:
            return PlainTextResponse(error.message, 413 if "maximum" in error.message else 400)
        except ClientDisconnect:  # or it came too slowly
            return PlainTextResponse("the upload broke off\n", 408)
        except OSError:
            if self._desk.visitors.pages(visitor):
                raise
            return PlainTextResponse("the page was closed\n", 404)
        self._blocks.upload_file_set.update(paths)
        return JSONResponse(paths)
