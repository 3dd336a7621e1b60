"""The recorder as a child of ``oscsynth serve``: it is there while a recording runs, and again when it was killed. Parent, main thread."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from .child import LEAVE_SECONDS, MAX_QUICK_DEATHS, Child
from .tap import Order, Recording, Tap


class RecordingChild:
    """Starts the recorder as control asks, and watches over it.

    Parameters
    ----------
    tap : Tap
        Where the sound is, and where the recorder says how far it has come.
    say : Callable[[str], None]
        Tells the user a sentence.

    Attributes
    ----------
    child : Child
        The recorder's process, where there is one.
    """

    def __init__(self, tap: Tap, say: Callable[[str], None]) -> None:
        self._tap, self._say = tap, say
        self.child = Child("recorder", "recorder", self._arguments)
        self._order: Order | None = None  # of the recording that runs
        self._until: tuple[int, int] | None = None  # where it is to end

    def _arguments(self, events: Connection) -> tuple[Any, ...]:
        assert self._order is not None
        again = self._tap.recording().number == self._order.number
        return str(self._tap.path), self._order, events, again

    def take(self, event: dict[str, Any]) -> None:
        """Begin a recording or end it, as control asks."""
        if "order" in event:
            if self._order is not None and self.child.process is not None:
                self.child.process.join(1.0)  # control knows that it has ended; it is leaving
                self.look()
            if self._order is None:
                self._order, self._until = event["order"], None
                self.child.quick_deaths = 0
                self.look()
        else:
            self._until = event["until"]
            self._end_at(self._until)

    def look(self) -> None:
        """Start the recorder when it is wanted, again when it was killed."""
        child = self.child
        if child.process is not None and not child.process.is_alive():
            killed = child.bury() != 0 and self._tap.recording().state not in ("done", "failed")
            if killed and child.quick_deaths < MAX_QUICK_DEATHS:
                self._say("The recorder stopped; it goes on in the same file.")
            else:
                self._forget(killed)
        if self._order is not None and child.process is None and time.monotonic() >= child.start_at_seconds:
            child.start()
            self._end_at(self._until)

    def _forget(self, killed: bool) -> None:
        if killed and self._order is not None:
            self._tap.tell(Recording(self._order.number, "failed", self._order.path, sentence="the recorder stopped again and again"))
        self._order = None

    def _end_at(self, until: tuple[int, int] | None) -> None:
        if until is not None and self.child.events is not None:
            with contextlib.suppress(OSError):
                self.child.events.send(until)

    def end(self) -> None:
        """Have what is left written, and wait for that."""
        if self.child.events:
            self.child.events.close()  # it writes what is left, and ends
        if self.child.process:
            self.child.process.join(LEAVE_SECONDS)
