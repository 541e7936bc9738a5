"""Silent connections and slow bodies end, and one address has not all connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the web page takes stegfield[app]")

from uvicorn import Config
from uvicorn.server import ServerState

from stegfield.app import connections
from stegfield.app.connections import Timed, source_of, timely

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
LATE = 60.0
"""Seconds after which what should end is taken to go on."""


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine, apart from the loop that may drive a browser."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, work).result()


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("127.0.0.9", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        (None, ""),
        ("a name", ""),
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_address_tells_who_has_it(host: str | None, source: str) -> None:
    assert source_of(host) == source


def body(parts: list[bytes], pause: float = 0.0) -> Callable[[], Coroutine[Any, Any, Any]]:
    left = list(parts)

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.sleep(LATE)
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive


async def received(receive: Any) -> tuple[bytes, str]:
    """Read a body as it is passed on; return it, and the type of its last message."""
    within, whole = timely(receive), b""
    while True:
        message = await within()
        whole += message.get("body", b"")
        if not message.get("more_body", False):
            return whole, message["type"]


def test_a_body_passes_as_it_is() -> None:
    assert run(received(body([b"ab", b"", b"c"]))) == (b"abc", "http.request")


def test_a_body_that_stops_or_trickles_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SILENT_SECONDS", 0.1)

    async def silent() -> Any:
        await asyncio.sleep(LATE)

    assert run(received(silent)) == (b"", "http.disconnect")
    trickle = [b"x"] * 100_000
    whole, how = run(received(body(trickle, pause=0.01)))
    assert how == "http.disconnect"
    assert len(whole) < len(trickle)


def test_whoever_has_sent_a_body_may_wait_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SILENT_SECONDS", 0.01)

    async def tried() -> str:
        messages = [{"type": "http.request", "body": b""}, {"type": "http.disconnect"}]

        async def receive() -> Any:
            if len(messages) == 1:
                await asyncio.sleep(0.1)
            return messages.pop(0)

        within = timely(receive)
        return f"{(await within())['type']} {(await within())['type']}"

    assert run(tried()) == "http.request http.disconnect"


async def answering(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def served(tried: Callable[[int], Coroutine[Any, Any, Any]]) -> Any:
    """Serve connections on a free port while something is tried."""
    config, state = Config(answering, http=Timed, timeout_keep_alive=600), ServerState()
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Timed(config, state, {}), "127.0.0.1", 0)
    async with server:
        return await tried(server.sockets[0].getsockname()[1])


@pytest.mark.parametrize("sent", [b"", REQUEST[:9], REQUEST, REQUEST + REQUEST[:9]])
def test_a_connection_without_a_request_is_closed(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "SILENT_SECONDS", 0.05)

    async def tried(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        said = await asyncio.wait_for(reader.read(), LATE)
        writer.close()
        return said

    assert run(served(tried)).count(b"hello") == sent.count(REQUEST)


def test_one_address_has_a_bounded_number_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 2)
    monkeypatch.setattr(connections, "source_of", lambda host: "192.0.2.1")

    async def tried(port: int) -> list[bytes]:
        pairs, said = [], []
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            pairs.append((reader, writer))
            writer.write(REQUEST)
            try:
                said.append(await asyncio.wait_for(reader.read(12), LATE))
            except ConnectionError:
                said.append(b"")
        for _, writer in pairs:
            writer.close()
        return said

    assert run(served(tried)) == [b"HTTP/1.1 200", b"HTTP/1.1 200", b""]
