"""One TCP client: packets out of its stream, replies into it.

Control process, on its event loop; imports ``framing`` and ``guard``. A sender is either such a stream or the address of a UDP socket.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..errors import OscParseError
from .framing import Unframer
from .guard import is_loopback

if TYPE_CHECKING:
    from .sockets import Sockets

MAX_CONNECTIONS = 128
MAX_UNREAD_BYTES = 1024 * 1024  # that a client may let wait, beside what the system keeps for it
_BYTES_A_WAKE_UP = 8192  # then whatever else waits on the loop has its turn

Where: TypeAlias = tuple[Any, ...]  # of UDP: two items with IPv4, four with IPv6


class Stream(Protocol):
    """A client with a connection of its own: TCP's, or a WebSocket's."""

    host: str

    def send(self, packet: bytes) -> None:
        """Send a packet; never waits."""


Sender: TypeAlias = Where | Stream


class Connection(asyncio.BufferedProtocol):
    """One TCP client: a sender, to whom replies can be sent.

    Attributes
    ----------
    host : str
        Its address.
    """

    def __init__(self, sockets: Sockets) -> None:
        self.host = ""
        self._sockets = sockets
        self._unframer = Unframer()
        self._buffer = bytearray(_BYTES_A_WAKE_UP)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it in, if there is room and it is let in."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, sockets = transport, self._sockets
        self.host = (transport.get_extra_info("peername") or ("",))[0]
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not sockets.guard.admits(self.host):
            sockets.lose(0, not_let_in(self.host), self)
        elif len(sockets.connections) >= MAX_CONNECTIONS:
            sockets.lose(0, f"there are {MAX_CONNECTIONS} connections already", self)
        else:
            sockets.connections.add(self)
            return
        transport.abort()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Handle the packets that end within the bytes that have come."""
        sockets, unframer = self._sockets, self._unframer
        handle = sockets.handle if is_loopback(self.host) else self._handle_from_network
        try:
            for packet in unframer.feed(memoryview(self._buffer)[:nbytes]):
                handle(packet, self)
        except OscParseError as error:
            sockets.lose(1, str(error), self)
            self.abort()
        if unframer.malformed:
            sockets.lose(unframer.malformed, "a SLIP frame is broken", self)
            unframer.malformed = 0

    def _handle_from_network(self, packet: bytes, sender: Sender) -> None:
        if self._sockets.guard.admits(self.host):
            self._sockets.handle_timed(packet, self)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell that it is gone, and hold nothing back."""
        self._transport, self._buffer, self._unframer = None, bytearray(), Unframer()
        if self in self._sockets.connections:
            self._sockets.connections.discard(self)
            self._sockets.leave(self)

    def send(self, packet: bytes) -> None:
        """Send a packet; a client that does not read is let go."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(self._unframer.frame(packet))
        if transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self._sockets.slow_readers += 1
            self._sockets.lose(0, "let go, as it does not read what it asked for", self)
            self.abort()

    def abort(self) -> None:
        """Let it go at once."""
        if self._transport is not None:
            self._transport.abort()


def not_let_in(host: str) -> str:
    """Return why a host is turned away, and what lets it in."""
    return f"it is in no network that is let in; --allow {host} lets it in"


def host_of(sender: Sender) -> str:
    """Return the address of a sender."""
    return str(sender[0]) if isinstance(sender, tuple) else sender.host
