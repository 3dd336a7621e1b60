"""The sockets: UDP and TCP over IPv4 and IPv6, all on one port.

Control process, on its event loop; imports ``connection`` and ``guard``. Nothing here ever waits: whoever reads too slowly is let go.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from ..errors import OscsynthError
from .connection import MAX_CONNECTIONS, Connection, Sender, Where, host_of, not_let_in
from .guard import Guard, is_loopback

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
SEND_BUFFER_BYTES = 1024 * 1024
_PACKETS_A_WAKE_UP = 64  # then whatever else waits on the loop has its turn
_TRIES = 10
_LEAVE_SECONDS = 0.5
EVERYWHERE = "0.0.0.0"


class Sockets:
    """All sockets of one port.

    Parameters
    ----------
    handle : callable
        Called with each packet and its sender.
    lose : callable
        Called with the number of packets that a TCP connection lost to broken frames, why, and its sender.
    leave : callable
        Called with each TCP connection that is gone.
    guard : Guard
        Judges what does not come from this machine.

    Attributes
    ----------
    address : tuple
        Host and port of the first UDP socket.
    receive_buffer_bytes : int
        What the system granted.
    sentences : list of str
        What could not be had, for the user.
    """

    def __init__(
        self,
        handle: Callable[[bytes, Sender], None],
        lose: Callable[[int, str, Sender], None],
        leave: Callable[[Sender], None],
        guard: Guard,
    ) -> None:
        self.address: Where = ("", 0)
        self.receive_buffer_bytes = 0
        self.sentences: list[str] = []
        self.unsent = self.slow_readers = 0
        self.handle, self.lose, self.leave, self.guard = handle, lose, leave, guard
        self.connections: set[Connection] = set()
        self._udp: dict[int, socket.socket] = {}  # by the length of an address
        self._outlets: dict[int, socket.socket] = {}
        self._private: dict[Where, socket.socket] = {}  # by sender
        self._leaving: set[socket.socket] = set()
        self._listeners: list[socket.socket] = []
        self._servers: list[asyncio.Task[asyncio.Server]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    # ---- opening and closing

    def open(self, host: str, port: int) -> None:
        """Bind; port 0 takes any that is free. Loopback and "all" are opened for IPv4 and IPv6, where there is IPv6.

        Raises
        ------
        OscsynthError
            With a sentence that says what to do, when the port is in use or the host is not this machine's.
        """
        for attempt in range(_TRIES):
            try:
                return self._open(_BOTH.get(host, (host,)), port)
            except OSError as error:
                self.close()
                if port or error.errno != errno.EADDRINUSE or attempt == _TRIES - 1:
                    raise OscsynthError(_why_not_open(host, port, error)) from error

    def _open(self, hosts: Sequence[str], port: int) -> None:
        first, *others = hosts
        self._add_udp(first, port)
        self.address = next(iter(self._udp.values())).getsockname()
        opened = [first]
        for host in others:
            with _unless_there_is_no_ipv6():
                self._add_udp(host, self.address[1])
                opened.append(host)
        for host in opened:
            try:
                self._listeners.append(_bind(host, self.address[1], socket.SOCK_STREAM))
                self._listeners[-1].listen(MAX_CONNECTIONS)
            except OSError as error:
                if not port and error.errno == errno.EADDRINUSE:
                    raise
                self.sentences.append(f"TCP port {self.address[1]} cannot be had ({error.strerror or error}): OSC comes over UDP alone.")

    def _add_udp(self, host: str, port: int) -> None:
        opened = _bind(host, port, socket.SOCK_DGRAM)
        self._udp[len(opened.getsockname())] = opened
        granted = opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        # Linux counts its own book-keeping in, and answers twice what was asked for.
        self.receive_buffer_bytes = granted // 2 if sys.platform.startswith("linux") else granted

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Handle what arrives from now on."""
        self._loop = loop
        for opened in (*self._udp.values(), *self._private.values()):
            loop.add_reader(opened, self._drain, opened.recvfrom)
        for listener in self._listeners:
            self._servers.append(loop.create_task(loop.create_server(lambda: Connection(self), sock=listener)))

    def close(self) -> None:
        """Let all of them go."""
        for connection in list(self.connections):
            connection.abort()
        for server in self._servers:
            if server.done() and not server.cancelled() and not server.exception():
                server.result().close()
            server.cancel()
        for opened in (*self._udp.values(), *self._private.values(), *self._leaving):
            self._close(opened)
        for opened in (*self._outlets.values(), *self._listeners):
            opened.close()
        self._udp, self._outlets, self._private, self._leaving, self._listeners, self._servers = {}, {}, {}, set(), [], []

    def _close(self, opened: socket.socket) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(opened)
        opened.close()

    # ---- sockets of their own

    def keep_apart(self, sender: Sender) -> None:
        """Give a UDP sender a socket of its own on the same port, so that its packets need not wait behind a flood from others.

        Linux hands packets to the socket that is connected to their sender; elsewhere all come through the same one.
        """
        listening = self._udp.get(len(sender)) if isinstance(sender, tuple) else None
        if listening is None or not isinstance(sender, tuple) or sender in self._private or sys.platform != "linux":
            return
        # Only for this moment: a program that is started on the same port by mistake shall be told so.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            opened = _bind(listening.getsockname()[0], self.address[1], socket.SOCK_DGRAM, is_shared=True)
            self._private[sender] = opened
            opened.connect(sender)
            if self._loop is not None:
                self._loop.add_reader(opened, self._drain, opened.recvfrom)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)

    def let_go(self, sender: Sender) -> None:
        """Close the socket that a sender had of its own, a little later: what waits in it is still handled."""
        if isinstance(sender, tuple) and (opened := self._private.pop(sender, None)) is not None:
            self._leaving.add(opened)
            if self._loop is not None:
                self._loop.call_later(_LEAVE_SECONDS, self._leave, opened)

    def _leave(self, opened: socket.socket) -> None:
        if opened in self._leaving:
            self._drain(opened.recvfrom)
            self._leaving.discard(opened)
            self._close(opened)

    def shortages(self) -> Iterator[str]:
        """Yield a sentence about each thing that could not be had."""
        yield from self.sentences
        if self.receive_buffer_bytes < RECEIVE_BUFFER_BYTES:
            remedy = f": sudo sysctl -w net.core.rmem_max={RECEIVE_BUFFER_BYTES} grants more" if sys.platform.startswith("linux") else ""
            yield (
                f"The system grants a receive buffer of {self.receive_buffer_bytes // 1024} KiB, not {RECEIVE_BUFFER_BYTES // 1024}: "
                f"a burst of more than about {self.receive_buffer_bytes // 800} messages loses some{remedy}."
            )

    # ---- packets

    def _drain(self, receive: Callable[[int], tuple[bytes, Where]]) -> None:
        for _ in range(_PACKETS_A_WAKE_UP):
            try:
                packet, sender = receive(65536)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.EBADF:  # what was read just now had it closed
                    return
                continue  # some systems tell here that an earlier reply found nobody
            if is_loopback(sender[0]):
                self.handle(packet, sender)
            elif self.guard.admits(sender[0]):
                self.handle_timed(packet, sender)
            elif self.guard.is_refused(sender[0]):
                self.lose(0, not_let_in(sender[0]), sender)

    def handle_timed(self, packet: bytes, sender: Sender) -> None:
        """Handle a packet of the network, and count the time that it takes."""
        start = time.perf_counter()
        self.handle(packet, sender)
        self.guard.charge(host_of(sender), time.perf_counter() - start)

    def send(self, packet: bytes, to: Sender) -> None:
        """Send a packet, from the socket that listens; what cannot be sent is counted."""
        try:
            if not isinstance(to, tuple):
                to.send(packet)
            elif self._udp:
                self._socket_to(to).sendto(packet, to)
        except (OSError, ValueError):
            self.unsent += 1

    def _socket_to(self, to: Where) -> socket.socket:
        listening = self._udp.get(len(to))
        if listening is not None and (is_loopback(to[0]) or not is_loopback(listening.getsockname()[0])):
            return listening
        # What listens on loopback alone cannot send into the network, where the user may want feedback to go.
        outlet = self._outlets.get(len(to))
        if outlet is None:
            outlet = self._outlets[len(to)] = _bind("0.0.0.0" if len(to) == 2 else "::", 0, socket.SOCK_DGRAM)
        return outlet


def address_of(text: str) -> Where:
    """Return the address that a person wrote as ``HOST:PORT``, IPv6 in brackets.

    Raises
    ------
    OscsynthError
        When it is none.
    """
    host, _, port = text.rpartition(":")
    try:
        if not 0 < int(port) < 65536 or not host:
            raise ValueError
        where: Where = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0][4]
    except (ValueError, OSError):
        raise OscsynthError(f"--feedback {text}: must be an address and a port, such as 192.168.1.20:9000 or [::1]:9000") from None
    return where


_BOTH = {host: ("127.0.0.1", "::1") for host in ("127.0.0.1", "localhost")} | {EVERYWHERE: (EVERYWHERE, "::")}


def _bind(host: str, port: int, kind: socket.SocketKind, is_shared: bool = False) -> socket.socket:
    family, _, protocol, _, where = socket.getaddrinfo(host, port, type=kind)[0]
    opened = socket.socket(family, kind, protocol)
    try:
        if sys.platform == "win32":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif kind == socket.SOCK_STREAM or is_shared:
            # Otherwise the connections of the program before would keep the port for a minute.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_DGRAM:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        opened.bind(where)
    except OSError:
        opened.close()
        raise
    opened.setblocking(False)
    return opened


@contextlib.contextmanager
def _unless_there_is_no_ipv6() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise


def _why_not_open(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use: is another oscsynth running? End it, or take another port: oscsynth serve --port {port + 1}"
    if error.errno == errno.EACCES:
        return f"port {port} may not be used: the system forbids it or another program holds it; take another: oscsynth serve --port 57140"
    return f"{host} port {port} cannot be opened ({error.strerror or error}): is it an address of this machine?"
