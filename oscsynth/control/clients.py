"""Who is told of what changes: leases, and what goes to whom when. Knows no sockets; the time is given.

Control process, on its event loop; imports ``feedback`` and ``encoding``. Each change goes to everybody but the one who makes it, at most 30 times a
second; what has come to rest goes to everybody; and everything goes now and then, for what a network lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .addresses import Route
from .encoding import pack
from .feedback import Entry, Group, Picture, group_of
from .guard import is_loopback
from .row import Refused

if TYPE_CHECKING:
    from .instrument import Instrument

LEASE_SECONDS = 60.0
TICK_SECONDS = 1 / 30
SETTLE_SECONDS = 0.3
SWEEP_SECONDS = 5.0
MAX_CLIENTS = 256
MAX_CLIENTS_OF_A_HOST = 16  # of the network
_MAX_SENDERS = 16  # ports that one client has sent from
_MAX_NAMES = 256


class Client:
    """One who is told. ``where`` is the address or the connection to which feedback goes; without a lease it stays."""

    __slots__ = ("expires_seconds", "has_lease", "names", "senders", "sweep_seconds", "where")

    def __init__(self, where: Any, has_lease: bool) -> None:
        self.where = where
        self.has_lease = has_lease
        self.expires_seconds = math.inf
        self.sweep_seconds = 0.0  # everything at once
        self.names: dict[str, None] = {}  # addresses by name that it has used
        self.senders: list[Any] = []


class Clients:
    """All who are told.

    Parameters
    ----------
    instrument : Instrument
        Whose values; it tells of each message through `watch`.
    send : callable
        Sends a packet to where a client is.
    is_own : callable
        Says whether packets to an address would come back to this program.
    clock : callable
        Seconds.
    may_subscribe : callable, optional
        Says whether a host may subscribe just now.
    """

    def __init__(
        self,
        instrument: Instrument,
        send: Callable[[bytes, Any], None],
        is_own: Callable[[Any], bool],
        clock: Callable[[], float],
        may_subscribe: Callable[[str], bool] = lambda host: True,
    ) -> None:
        self._instrument = instrument
        self._send = send
        self._is_own = is_own
        self._clock = clock
        self._may_subscribe = may_subscribe
        self.bound: Callable[[Any], None] = lambda sender: None  # a sender of theirs has come
        self.unbound: Callable[[Any], None] = lambda sender: None
        self._clients: dict[Any, Client] = {}  # by where they are
        self._of_sender: dict[Any, Client] = {}
        self._picture = Picture(instrument)
        self._touched: dict[Group, tuple[Client | None, float]] = {}  # who moves what, and until when that counts
        self._settling: dict[Entry, float] = {}

    def __len__(self) -> int:
        return len(self._clients)

    # ---- subscribing

    def subscribe(self, sender: Any, port: int | None) -> None:
        """Tell a sender from now on, at its own port or another; everything first.

        Raises
        ------
        Refused
            When that cannot be.
        """
        where = _where(sender, port)
        if self._is_own(where):
            raise Refused(f"port {where[1]} is the one on which oscsynth itself listens: name the port on which you do")
        if not self._may_subscribe(_host(where)):
            raise Refused("was sent too often from this address: once is enough, and any packet renews it")
        client = self._clients.get(where)
        if client is None:
            self._check_room(where)
            client = self._add(Client(where, has_lease=isinstance(where, tuple)))
        self._bind(client, sender)
        client.sweep_seconds = 0.0
        self.heard(sender)

    def stay(self, where: Any) -> None:
        """Tell an address for good."""
        if (client := self._clients.get(where)) is not None:
            self._end(client)
        self._bind(self._add(Client(where, has_lease=False)), where)

    def kept(self) -> list[dict[str, Any]]:
        """Return who has a lease, for the notes; a new control process tells them without being asked."""
        clients = [client for client in self._clients.values() if client.has_lease]
        return [{"where": client.where, "senders": client.senders, "names": list(client.names)} for client in clients]

    def restore(self, kept: Iterable[dict[str, Any]]) -> None:
        """Tell those again whom an earlier control process told."""
        for each in kept:
            client = self._add(Client(tuple(each["where"]), has_lease=True))
            client.expires_seconds = self._clock() + LEASE_SECONDS
            client.names = dict.fromkeys(each["names"])
            for sender in each["senders"]:
                self._bind(client, tuple(sender))

    def unsubscribe(self, sender: Any, port: int | None) -> None:
        """Tell a sender no more."""
        client = self._of_sender.get(sender) if port is None else self._clients.get(_where(sender, port))
        if client is not None:
            self._end(client)

    def leave(self, connection: Any) -> None:
        """Forget a connection that is gone."""
        if (client := self._clients.get(connection)) is not None:
            self._end(client)

    def where(self, sender: Any) -> Any:
        """Return where replies to a sender go."""
        client = self._of_sender.get(sender)
        return sender if client is None else client.where

    def is_told(self, sender: Any) -> bool:
        """Say whether a sender has subscribed."""
        return sender in self._of_sender

    def _check_room(self, where: Any) -> None:
        host = _host(where)
        n_here = sum(_host(other) == host for other in self._clients)
        if len(self._clients) >= MAX_CLIENTS or (n_here >= MAX_CLIENTS_OF_A_HOST and not is_loopback(host)):
            raise Refused(f"there are already {n_here} subscribers at {host}, {len(self._clients)} in all, and no room for another")

    def _add(self, client: Client) -> Client:
        self._clients[client.where] = client
        self._instrument.noted = True
        self._instrument.watch = self.watch
        return client

    def _bind(self, client: Client, sender: Any) -> None:
        if self._of_sender.get(sender) is client:
            return
        if (other := self._of_sender.get(sender)) is not None:  # it wants to be told elsewhere from now on
            other.senders.remove(sender)
        client.senders.append(sender)
        self._instrument.noted = True
        self._of_sender[sender] = client
        self.bound(sender)
        if len(client.senders) > _MAX_SENDERS:
            self._unbind(client.senders.pop(0))

    def _unbind(self, sender: Any) -> None:
        del self._of_sender[sender]
        self.unbound(sender)

    def _end(self, client: Client) -> None:
        del self._clients[client.where]
        self._instrument.noted = True
        for sender in client.senders:
            self._unbind(sender)
        if not self._clients:
            self._instrument.watch = None
            self._touched.clear()
            self._settling.clear()

    # ---- what they do

    def heard(self, sender: Any) -> None:
        """Renew the lease of whoever sent a packet."""
        client = self._of_sender.get(sender)
        if client is not None and client.has_lease:
            client.expires_seconds = self._clock() + LEASE_SECONDS

    def watch(self, route: Route, sender: Any, is_write: bool) -> None:
        """Take notice of a message: who moves what, and by which names."""
        client = self._of_sender.get(sender) or self._staying_at(sender)
        if client is not None and route.named and len(client.names) < _MAX_NAMES:
            client.names[route.reply] = None
        if is_write:
            self._picture.told(route.part.number)
            if route.row.act is None and route.row.types != "s":  # a name is chosen, not moved
                self._touched[group_of(route)] = client, self._clock() + SETTLE_SECONDS

    def _staying_at(self, sender: Any) -> Client | None:
        """Return the client of ``--feedback`` at the sender's address, which may send from any port; on this machine that says nothing."""
        host = _host(sender)
        if is_loopback(host):
            return None
        return next((client for client in self._clients.values() if isinstance(client.where, tuple) and client.where[0] == host), None)

    # ---- telling

    def tick(self) -> float | None:
        """Tell everybody what there is to tell; return in how many seconds there may be more, None if nobody listens."""
        now = self._clock()
        for client in [client for client in self._clients.values() if client.expires_seconds <= now]:
            self._end(client)
        if not self._clients:
            return None
        changed, is_switched = self._picture.look()
        self._touched = {group: touch for group, touch in self._touched.items() if touch[1] > now}
        settling = [entry for entry in changed if entry.group in self._touched] if is_switched else changed  # all is said then anyway
        self._settling.update(dict.fromkeys(settling, now + SETTLE_SECONDS))
        telling = _Telling(changed + self._settled(now), self._picture.entries, self._held())
        for client in self._clients.values():
            is_all = is_switched or client.sweep_seconds <= now
            if is_all:
                client.sweep_seconds = now + SWEEP_SECONDS
            for packet in telling.packets(client, is_all):
                self._send(packet, client.where)
        return min([*self._settling.values(), *(min(client.sweep_seconds, client.expires_seconds) for client in self._clients.values())]) - now

    def _settled(self, now: float) -> list[Entry]:
        """Return what has come to rest: nobody has touched it for a while."""
        for entry in self._settling:
            if entry.group in self._touched:
                self._settling[entry] = max(self._settling[entry], self._touched[entry.group][1])
        settled = [entry for entry, at in self._settling.items() if at <= now]
        for entry in settled:
            del self._settling[entry]
        return [entry for entry in settled if not entry.is_gone]

    def _held(self) -> dict[Client, set[Group]]:
        held: dict[Client, set[Group]] = {}
        for group, (client, _) in self._touched.items():
            if client is not None:
                held.setdefault(client, set()).add(group)
        return held


class _Telling:
    """The packets of one moment: most clients get the same ones, which are made once."""

    def __init__(self, some: list[Entry], everything: list[Entry], held: dict[Client, set[Group]]) -> None:
        self._entries = (some, everything)
        self._held = held
        self._same: dict[bool, list[bytes]] = {}

    def packets(self, client: Client, is_all: bool) -> list[bytes]:
        """Return what goes to one client."""
        entries = self._entries[is_all]
        held = self._held.get(client)
        if not held and not client.names:
            if is_all not in self._same:
                self._same[is_all] = list(pack(entry.packet() for entry in entries))
            return self._same[is_all]
        return list(pack(_messages([entry for entry in entries if not held or entry.group not in held], client.names)))


def _messages(entries: list[Entry], names: dict[str, None]) -> Iterable[bytes]:
    for entry in entries:
        yield entry.packet()
        for name in entry.names:
            if name in names:
                yield entry.packet(name)


def _where(sender: Any, port: int | None) -> Any:
    """Return the address of a sender with another port; a connection stays what it is."""
    if not isinstance(sender, tuple) or port is None:
        return sender
    if not 0 < port < 65536:
        raise Refused(f"takes 1 or 0, and a port from 1 to 65535, not {port}")
    return (sender[0], port, *sender[2:])


def _host(where: Any) -> str:
    return str(where[0]) if isinstance(where, tuple) else str(getattr(where, "host", ""))
