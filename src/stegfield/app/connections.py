"""Connections: they say in time what they want, and one address has not all of them.

The server's own protocol waits for a request without end, so that silent connections would take
all that the system allows. Bodies that come slower than any line are cut off as well.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Message, Receive

SILENT_SECONDS = 20.0
"""Longest time without a request, and without the beginning of a body."""
SLOWEST = 10_000
"""Least bytes of a body in a second, on average."""
MOST_CONNECTIONS = 256
"""Of one address."""
SUBNET = 64
"""Bits of an IPv6 address that a network gives; its owner chooses the others."""


def source_of(host: str | None) -> str:
    """Return what tells the visitors of an address from others; nothing for this machine.

    Example:
        >>> source_of("192.0.2.7"), source_of("2001:db8::7"), source_of("127.0.0.1")
        ('192.0.2.7', '2001:db8::/64', '')
    """
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            network = ipaddress.ip_network((address, SUBNET), strict=False)
            return "" if address.is_loopback else str(network)
        address = address.ipv4_mapped
    return "" if address.is_loopback else str(address)


class Timed(H11Protocol):
    """A connection that is closed where no request comes, or where its address has too many."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        source = _source(self)
        if source and sum(_source(each) == source for each in self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._last: Any = None
        self._timer = self.loop.call_later(SILENT_SECONDS, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        if hasattr(self, "_timer"):
            self._timer.cancel()
        super().connection_lost(exc)

    def _check(self) -> None:
        """Close a connection that is idle and had no request since the last time."""
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is self._last:
            self.transport.close()
            return
        self._last = self.cycle
        self._timer = self.loop.call_later(SILENT_SECONDS, self._check)


def _source(connection: Any) -> str:
    client = getattr(connection, "client", None)
    return source_of(client[0] if client else None)


def timely(receive: Receive) -> Receive:
    """Return a body that is cut off, as if its sender had left, where it comes too slowly."""
    clock = asyncio.get_running_loop().time
    end, whole = clock() + SILENT_SECONDS, False

    async def received() -> Message:
        nonlocal end, whole
        if whole:  # what is left to receive is that the visitor leaves
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), end - clock())
        except TimeoutError:
            return {"type": "http.disconnect"}
        end += len(message.get("body", b"")) / SLOWEST
        whole = not message.get("more_body", False)
        return message

    return received
