"""The server: packets in, replies and feedback out.

Control process, on its event loop; imports ``sockets``, ``osc``, ``instrument`` and ``clients``. Nothing that arrives can end it: what is malformed
or goes wrong is counted, said at most once a second, and the next packet is handled.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from ..errors import OscParseError, OscsynthError
from ..parameters import State
from .clients import TICK_SECONDS, Clients
from .connection import Sender, Where, host_of
from .encoding import encode
from .guard import Guard
from .instrument import Instrument
from .osc import parse
from .row import Reply
from .sockets import RECEIVE_BUFFER_BYTES, Sockets, address_of

__all__ = ["MAX_FAILS_A_SECOND", "RECEIVE_BUFFER_BYTES", "Server", "encode"]

log = logging.getLogger(__name__)
MAX_FAILS_A_SECOND = 10
_MAX_SENDERS = 256


class Server:
    """The sockets, those who listen to them, and the instrument that all play.

    Parameters
    ----------
    instrument : Instrument
        What the messages are for.
    write_state : callable
        Called with the state after each packet that changed it.
    complain : callable
        Called with a sentence for the user, at most once a second.
    guard : Guard, optional
        Judges what comes from the network; without it nothing is let in.
    clock : callable, optional
        Seconds, for leases and feedback.
    """

    def __init__(
        self,
        instrument: Instrument,
        write_state: Callable[[State], None],
        complain: Callable[[str], None],
        guard: Guard | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.instrument = instrument
        self.perform = instrument.perform  # what each packet is given to
        self.leave: Callable[[Sender], None] = instrument.voices.leave  # told of each connection that ends
        self.guard = guard or Guard()
        self.sockets = Sockets(self.handle, self._lose, self._leave, self.guard)
        self.clients = instrument.clients = Clients(instrument, self._feed, self._is_own, clock, self.guard.may_subscribe)
        self.clients.bound, self.clients.unbound = self.sockets.keep_apart, self.sockets.let_go
        self.received = self.malformed = self.errors = 0
        self._write_state = write_state
        self._complaints = _Complaints(complain)
        self._budget = _Budget()
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ticked_seconds = float("-inf")

    # ---- the sockets

    def open(self, host: str, port: int) -> None:
        """Bind, as `Sockets.open` does.

        Raises
        ------
        OscsynthError
            With a sentence that says what to do, when the port is in use or the host is not this machine's.
        """
        self.sockets.open(host, port)
        self._port = self.sockets.address[1]
        self.clients.restore(self.instrument.kept_clients)

    @property
    def address(self) -> Where:
        """Host and port that it listens on."""
        return self.sockets.address

    @property
    def shortage(self) -> str:
        """A sentence if the system granted less than was asked for."""
        return " ".join(self.sockets.shortages())

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Handle what arrives from now on."""
        self._loop = loop
        self.sockets.start(loop)
        self._wake()

    def close(self) -> None:
        """Let the sockets go."""
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
        self.sockets.close()

    # ---- packets

    def handle(self, packet: bytes, sender: Sender) -> None:
        """Do what one packet says and answer it."""
        self.received += 1
        if self._is_own(sender):
            return  # a reply to oneself would go round for ever
        instrument = self.instrument
        if self.clients:
            self.clients.heard(sender)
        try:
            replies = self.perform(parse(packet), sender, self._budget.is_spent(sender))
        except OscParseError as error:
            self._lose(1, str(error), sender)
            return
        except Exception as error:
            self.errors += 1
            log.exception("a packet of %d bytes could not be handled", len(packet))
            self._complaints.add("messages that could not be handled", f"from {host_of(sender)}: {type(error).__name__}: {error}")
            replies = [Reply(f"{instrument.prefix}/fail", ("", f"something is wrong inside oscsynth: {type(error).__name__}: {error}"))]
        self.publish()
        if replies:
            self.send(replies, sender)

    def publish(self) -> None:
        """Show the engine what has changed, and soon those who listen."""
        if self.instrument.changed:
            self.instrument.changed = False
            self._write_state(self.instrument.state)
        if self.clients:
            self._wake()

    def send(self, replies: Iterable[Reply], sender: Sender) -> None:
        """Send replies to a sender, or to where it wants to be told; what cannot be sent is counted."""
        limited = f"{self.instrument.prefix}/fail", f"{self.instrument.prefix}/late"
        where = self.clients.where(sender)
        for reply in replies:
            if reply.address in limited and not self._budget.spend(sender):
                continue
            packet = encode(reply)
            if self.guard.grants(host_of(sender), len(packet)):
                self.sockets.send(packet, where)

    def _is_own(self, where: Sender) -> bool:
        return where.__class__ is tuple and where[1] == self._port and self.guard.is_own(where[0])

    def _lose(self, n_malformed: int, why: str, sender: Sender) -> None:
        self.malformed += n_malformed
        host = host_of(sender)
        if n_malformed:
            self._complaints.add("malformed packets", f"from {host}: {why}")
        else:
            self._complaints.add("clients that were turned away", f"from {host}: {why}")

    def _leave(self, connection: Sender) -> None:
        self.clients.leave(connection)
        self._budget.forget(connection)
        self.leave(connection)
        self.publish()

    # ---- feedback

    def feed(self, where: str) -> None:
        """Tell an address of every change, for good.

        Raises
        ------
        OscsynthError
            When it is none.
        """
        address = address_of(where)
        if self._is_own(address):
            raise OscsynthError(f"--feedback {where}: that is where oscsynth itself listens; name the port of the program that shall be told")
        self.clients.stay(address)

    def _feed(self, packet: bytes, where: Sender) -> None:
        self.sockets.send(packet, where)

    def _wake(self) -> None:
        """Have those who listen told as soon as may be."""
        if self._loop is None or not self.clients:
            return
        soon = self._ticked_seconds + TICK_SECONDS
        if self._timer is not None:
            if self._timer.when() <= soon:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(soon, self._tick)

    def _tick(self) -> None:
        assert self._loop is not None
        self._timer, self._ticked_seconds = None, self._loop.time()
        wait = self.clients.tick()
        if wait is not None and self._timer is None:
            self._timer = self._loop.call_later(max(wait, TICK_SECONDS), self._tick)

    def statistics(self) -> dict[str, int]:
        """Return what ``/status`` says of it."""
        return {
            "received": self.received,
            "malformed": self.malformed,
            "errors": self.errors,
            "dropped": self.guard.dropped,
            "refused": self.guard.refused,
            "unsent": self.sockets.unsent,
            "clients": len(self.clients),
            "connections": len(self.sockets.connections),
            "slow_readers": self.sockets.slow_readers,
        }


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

    def forget(self, sender: Sender) -> None:
        """Keep nothing of one who is gone."""
        self._left.pop(sender, None)

    def _now(self, sender: Sender) -> float:
        since, left = self._left.get(sender, (0.0, float(MAX_FAILS_A_SECOND)))
        return min(MAX_FAILS_A_SECOND, left + MAX_FAILS_A_SECOND * (time.monotonic() - since))
