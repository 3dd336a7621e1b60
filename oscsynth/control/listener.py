"""One WebSocket client: what it listens to, what it was told last, and the OSC packets that it sends.

Control process, on its event loop; imports ``namespace`` and ``guard``. Whoever reads slowly gets the newest values, later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .encoding import encode
from .guard import Guard, is_loopback
from .namespace import Namespace, topmost
from .row import Reply

if TYPE_CHECKING:
    from aiohttp import web

    from .connection import Sender

POLL_SECONDS = 1 / 30
MAX_LISTENED = 4096  # by one client
MAX_UNREAD = 1024  # answers that a client may let wait
_UNASKED_ROUNDS = 15  # what no message changes, such as /status, is looked at that much more seldom

Receive = Callable[[bytes, "Sender"], None]


class Listener:
    """A sender as a TCP connection is one: answers to its packets go back through the stream.

    Parameters
    ----------
    namespace : Namespace
        What it may listen to.
    stream : web.WebSocketResponse
        Where it is told.
    host : str
        Its address.

    Attributes
    ----------
    host : str
        As above.
    """

    def __init__(self, namespace: Namespace, stream: web.WebSocketResponse, host: str = "") -> None:
        self.host = host
        self._namespace, self._stream = namespace, stream
        self._told: dict[str, tuple[Any, ...] | None] = {}  # by address; None: nothing yet
        self._live: set[str] = set()  # those of them that change by themselves, all the time
        self._paths, self._playing = namespace.paths(), namespace.playing()
        self._seen: tuple[object, ...] | None = None
        self._answers: deque[bytes] = deque(maxlen=MAX_UNREAD)
        self._woken = asyncio.Event()

    # ---- what it says

    def command(self, text: str) -> None:
        """Take a JSON command; what is none is ignored, as the proposal has no answer for it."""
        try:
            command = json.loads(text)
            name, path = command["COMMAND"], command["DATA"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if not isinstance(path, str):
            return
        if name == "IGNORE":
            self._told.pop(path, None)
            self._live.discard(path)
        elif name == "LISTEN" and len(self._told) < MAX_LISTENED and self._namespace.value(path) is not None:
            self._told[path] = None
            self._seen = None
            if self._namespace.is_live(path):
                self._live.add(path)

    def packet(self, data: bytes, receive: Receive, guard: Guard) -> None:
        """Take an OSC packet; one of the network has its share of control's time, as everywhere."""
        self._told_otherwise(data)
        if is_loopback(self.host):
            receive(data, self)
        elif guard.admits(self.host):
            begun_seconds = time.perf_counter()
            receive(data, self)
            guard.charge(self.host, time.perf_counter() - begun_seconds)

    def _told_otherwise(self, data: bytes) -> None:
        # What it sets itself it has in view already: it must hear of the old value again, should that be back before the next round.
        path = data[: max(data.find(0), 0)].decode(errors="replace")
        if path in self._told:
            self._told[path] = self._seen = None

    # ---- what it is told

    def send(self, packet: bytes) -> None:
        """Have a packet sent to it soon."""
        self._answers.append(packet)
        self._woken.set()

    async def tell(self) -> None:
        """Send what changes, and what it is answered, until nobody is there."""
        rounds, next_seconds = 0, 0.0
        with contextlib.suppress(ConnectionError):
            while not self._stream.closed:
                while self._answers:
                    await self._stream.send_bytes(self._answers.popleft())
                if (now := time.monotonic()) >= next_seconds:
                    rounds, next_seconds = rounds + 1, now + POLL_SECONDS
                    for told in self._news(rounds % _UNASKED_ROUNDS == 0):
                        await (self._stream.send_str(told) if isinstance(told, str) else self._stream.send_bytes(told))
                await self._pause(next_seconds - time.monotonic())

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._woken.wait()
        self._woken.clear()

    def _news(self, is_thorough: bool) -> list[str | bytes]:
        seen = self._namespace.fingerprint()
        if seen == self._seen and not is_thorough:
            return [*self._new_values(self._live)]
        self._seen = seen
        return [*self._new_paths(), *self._new_values(list(self._told))]

    def _new_paths(self) -> list[str]:
        paths, playing = self._namespace.paths(), self._namespace.playing()
        if paths is self._paths and playing == self._playing:
            return []
        gone, come = topmost(self._paths - paths), topmost(paths - self._paths)
        changed = ["/"] if playing != self._playing else []
        self._paths, self._playing = paths, playing
        commands = (("PATH_REMOVED", gone), ("PATH_ADDED", come), ("PATH_CHANGED", changed))
        return [json.dumps({"COMMAND": name, "DATA": path}) for name, found in commands for path in found]

    def _new_values(self, paths: list[str] | set[str]) -> list[bytes]:
        packets = []
        for path in paths:
            value = self._namespace.value(path)
            if value is not None and value != self._told[path]:
                self._told[path] = value
                packets.append(encode(Reply(path, value)))
        return packets
