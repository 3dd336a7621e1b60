"""What control tells the parent: which parts play what, and the pipe by which it hears of it.

Control process; a thread of its own writes to each pipe, so that nothing ever waits for whoever should read.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

from .control.instrument import Instrument
from .parameters import MAX_PARTS


class Outbox:
    """A pipe that is written to by a thread of its own. With a limit, what nobody reads is dropped."""

    def __init__(self, connection: Connection, limit: int) -> None:
        self._connection = connection
        self._queue: queue.Queue[object] = queue.Queue(limit)
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, message: object) -> None:
        """Send a message some time; never waits."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(message)

    def flush(self, seconds: float = 0.5) -> None:
        """Wait until everything was sent, but not for ever."""
        until = time.monotonic() + seconds
        while self._queue.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.005)

    def _run(self) -> None:
        while True:
            message = self._queue.get()
            with contextlib.suppress(OSError, ValueError):  # the other side is gone; its parent knows
                self._connection.send(message)
            self._queue.task_done()


class News:
    """Tells the parent what parts play and which gates are open, once each time that it changes."""

    def __init__(self, instrument: Instrument, events: Outbox) -> None:
        self._instrument, self._events = instrument, events
        self._known: dict[str, dict[str, Any]] = {}  # as they were told last

    def look(self) -> None:
        """Tell what is new."""
        for number in range(1, MAX_PARTS + 1):
            part = self._instrument.parts.get(number)
            if part is not None and part.version is not None:
                self._tell(f"patch {number}", {"event": "patch", "part": number, "name": part.version.patch.name})
                self._tell(f"gate {number}", {"event": "gate", "part": number, "open": bool(part.get("gate"))})
            elif part is None and self._known.pop(f"patch {number}", {}):
                self._known.pop(f"gate {number}", None)
                self._events.put({"event": "closed", "part": number})

    def _tell(self, key: str, event: dict[str, Any]) -> None:
        if self._known.get(key) != event:
            self._known[key] = event
            self._events.put(event)
