"""The socket: packets in, replies out, over UDP.

Control process, on its event loop; imports ``osc`` and ``instrument``. Nothing that arrives can end it: what is malformed or goes wrong is
counted, said at most once a second, and the next packet is handled.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder

from ..errors import OscParseError, OscsynthError
from ..parameters import State
from .instrument import Instrument, Reply
from .osc import parse

log = logging.getLogger(__name__)
RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
MAX_FAILS_A_SECOND = 10
_PACKETS_A_WAKE_UP = 256  # then whatever else waits on the loop has its turn
_MAX_SENDERS = 256

Sender = tuple[Any, ...]


class Server:
    """One UDP socket, and the instrument that it plays.

    Parameters
    ----------
    instrument : Instrument
        What the messages are for.
    write_state : callable
        Called with the state after each packet that changed it.
    complain : callable
        Called with a sentence for the user, at most once a second.

    Attributes
    ----------
    address : tuple
        Host and port that it listens on.
    receive_buffer_bytes : int
        What the system granted.
    """

    def __init__(self, instrument: Instrument, write_state: Callable[[State], None], complain: Callable[[str], None]) -> None:
        self.instrument = instrument
        self.address: Sender = ("", 0)
        self.receive_buffer_bytes = 0
        self.received = self.malformed = self.errors = self.unsent = 0
        self._write_state = write_state
        self._complaints = _Complaints(complain)
        self._budget = _Budget()
        self._socket: socket.socket | None = None

    # ---- the socket

    def open(self, host: str, port: int) -> None:
        """Bind; port 0 takes any that is free.

        Raises
        ------
        OscsynthError
            With a sentence that says what to do, when the port is in use or the host is not this machine's.
        """
        try:
            family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            if sys.platform == "win32":
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            self._socket.bind(where)
        except OSError as error:
            self.close()
            raise OscsynthError(_why_not_open(host, port, error)) from error
        self._socket.setblocking(False)
        self.address = self._socket.getsockname()
        granted = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        # Linux counts its own book-keeping in, and answers twice what was asked for.
        self.receive_buffer_bytes = granted // 2 if sys.platform.startswith("linux") else granted

    @property
    def shortage(self) -> str:
        """A sentence if the system granted a smaller receive buffer than was asked for."""
        if self.receive_buffer_bytes >= RECEIVE_BUFFER_BYTES:
            return ""
        remedy = f": sudo sysctl -w net.core.rmem_max={RECEIVE_BUFFER_BYTES} grants more" if sys.platform.startswith("linux") else ""
        return (
            f"The system grants a receive buffer of {self.receive_buffer_bytes // 1024} KiB, not {RECEIVE_BUFFER_BYTES // 1024}: "
            f"a burst of more than about {self.receive_buffer_bytes // 800} messages loses some{remedy}."
        )

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Handle what arrives from now on."""
        assert self._socket is not None
        loop.add_reader(self._socket, self._drain)

    def close(self) -> None:
        """Let the socket go."""
        if self._socket is not None:
            with contextlib.suppress(RuntimeError):  # no loop runs
                asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _drain(self) -> None:
        receive = self._socket.recvfrom if self._socket else None
        if receive is None:
            return
        for _ in range(_PACKETS_A_WAKE_UP):
            try:
                packet, sender = receive(65536)
            except BlockingIOError:
                return
            except OSError:
                continue  # some systems tell here that an earlier reply found nobody
            self.handle(packet, sender)

    # ---- packets

    def handle(self, packet: bytes, sender: Sender) -> None:
        """Do what one packet says and answer it."""
        self.received += 1
        if sender == self.address:
            return  # a reply to oneself would go round for ever
        instrument = self.instrument
        try:
            replies = instrument.perform(parse(packet), sender, self._budget.is_spent(sender))
        except OscParseError as error:
            self.malformed += 1
            self._complaints.add("malformed packets", f"from {sender[0]}: {error}")
            return
        except Exception as error:
            self.errors += 1
            log.exception("a packet of %d bytes could not be handled", len(packet))
            self._complaints.add("messages that could not be handled", f"from {sender[0]}: {type(error).__name__}: {error}")
            replies = [Reply(f"{instrument.prefix}/fail", ("", f"something is wrong inside oscsynth: {type(error).__name__}: {error}"))]
        self.publish()
        if replies:
            self.send(replies, sender)

    def publish(self) -> None:
        """Show the engine what has changed."""
        if self.instrument.changed:
            self.instrument.changed = False
            self._write_state(self.instrument.state)

    def send(self, replies: Iterable[Reply], sender: Sender) -> None:
        """Send replies from the socket that listens; what cannot be sent is counted."""
        fail = f"{self.instrument.prefix}/fail"
        for reply in replies:
            if reply.address == fail and not self._budget.spend(sender):
                continue
            try:
                if self._socket is not None:
                    self._socket.sendto(encode(reply), sender)
            except OSError:
                self.unsent += 1

    def statistics(self) -> dict[str, int]:
        """Return what ``/status`` says of it."""
        return {"received": self.received, "malformed": self.malformed, "errors": self.errors, "unsent": self.unsent}


def encode(reply: Reply) -> bytes:
    """Return the packet of a reply."""
    builder = OscMessageBuilder(reply.address)
    for argument in reply.arguments:
        builder.add_arg(argument)
    return bytes(builder.build().dgram)


def _why_not_open(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use: is another oscsynth running? End it, or take another port: oscsynth serve --port {port + 1}"
    if error.errno == errno.EACCES:
        return f"port {port} may not be used: the system forbids it or another program holds it; take another: oscsynth serve --port 57140"
    return f"{host} port {port} cannot be opened ({error.strerror or error}): is it an address of this machine?"


class _Complaints:
    """Says a sentence at most once a second, with how often it was meant."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._counts: dict[str, int] = {}
        self._next_seconds = 0.0

    def add(self, what: str, example: str) -> None:
        self._counts[what] = self._counts.get(what, 0) + 1
        if (now := time.monotonic()) >= self._next_seconds:
            self._next_seconds = now + 1.0
            counts = ", ".join(f"{count} {what}" for what, count in self._counts.items())
            self._counts.clear()
            self._complain(f"{counts}; the last {example}")


class _Budget:
    """How many ``/fail`` each sender still gets."""

    def __init__(self) -> None:
        self._left: dict[Sender, tuple[float, float]] = {}  # when it was counted, and how many were left then

    def is_spent(self, sender: Sender) -> bool:
        return sender in self._left and self._now(sender) < 1.0

    def spend(self, sender: Sender) -> bool:
        left = self._now(sender)
        if sender not in self._left and len(self._left) >= _MAX_SENDERS:
            del self._left[next(iter(self._left))]
        self._left[sender] = (time.monotonic(), left - 1.0 if left >= 1.0 else left)
        return left >= 1.0

    def _now(self, sender: Sender) -> float:
        since, left = self._left.get(sender, (0.0, float(MAX_FAILS_A_SECOND)))
        return min(MAX_FAILS_A_SECOND, left + MAX_FAILS_A_SECOND * (time.monotonic() - since))
