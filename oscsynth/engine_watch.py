"""The engine's main thread: what the parent says, whether the device lives, what went wrong in the callback.

It writes down what the rendering thread may not. Engine process; imports ``audio`` and ``renderer``.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from .audio import Backend
from .engine_input import NOT_ASKED
from .errors import told
from .link import EXIT_AGAIN
from .real_time import AUDIO_PRIORITY, hurry, is_hurried
from .renderer import Renderer

LOOK_EVERY_SECONDS = 0.25  # sooner where the parent says something: to wake up is most of what a look costs
DOUBT_SECONDS = 0.1  # between two looks at a device that may be gone
RETRY_EVERY_SECONDS = 1.0  # how often a device that is gone is looked for
COLLECT_EVERY_SECONDS = 10.0
DEAD_AFTER_SECONDS, DEAD_LOOKS = 1.0, 3  # a device that asks for nothing so long, and still does not at the looks that follow, is gone

log = logging.getLogger(__name__)


class Watch:
    """The main thread's round: what the parent says, whether the device lives, what went wrong in the callback."""

    def __init__(
        self, renderer: Renderer, backend: Backend, events: Connection, retry: Callable[[], bool] | None, asked_for_input: bool = False
    ) -> None:
        self._renderer, self._backend, self._events, self._retry = renderer, backend, events, retry
        self._asked_for_input = asked_for_input  # and why there is none was said already
        self._dead_looks = 0
        self._has_settled = False
        self._fault = ""
        self._thread_id = 0
        self._told_already: set[str] = set()
        self.leave = False
        now = time.monotonic()
        self._retry_seconds, self._collect_seconds = now + RETRY_EVERY_SECONDS, now + COLLECT_EVERY_SECONDS

    def run(self) -> int:
        """Return how to exit: 0 when told to leave, `EXIT_AGAIN` when a new engine is needed at once."""
        while not self.leave:
            try:
                if self._events.poll(DOUBT_SECONDS if self._dead_looks or not self._thread_id else LOOK_EVERY_SECONDS):
                    self.leave = self._events.recv() == "stop"
            except (EOFError, OSError):  # the parent was killed
                return 0
            self._hurry()
            self._look_for_faults()
            self._look_at_input()
            if self._is_dead():
                self._tell("lost", f"The sound device {self._backend.device} is gone: keeping time, and trying to take it back every second.")
                return EXIT_AGAIN
            if self._may_retry() and self._retry is not None and self._retry():
                self._tell("back", "A sound device is there: taking it.")
                return EXIT_AGAIN
            if time.monotonic() > self._collect_seconds:
                self._collect_seconds += COLLECT_EVERY_SECONDS
                self._collect()
        return 0

    def _collect(self) -> None:
        """Let go what is no longer needed and forms circles.

        Meanwhile the rendering thread waits for the interpreter: 0.1 ms while only what is new is looked through, 3 ms for all that was loaded since
        the start, 5 ms for what a start leaves behind.
        """
        if not self._has_settled:
            self._has_settled = True
            gc.freeze()  # nearly all of it is here to stay
        elif self._renderer.engine.sounding_parts:
            gc.collect(0)
        else:
            gc.collect()

    def _hurry(self) -> None:
        """Give the thread that renders its place; only the device's own thread knows which one it is."""
        thread_id = self._renderer.guard.thread_id
        if thread_id not in (self._thread_id, threading.get_native_id()):  # this one rendered the first blocks
            self._thread_id = thread_id
            if refused := hurry(AUDIO_PRIORITY, thread_id):
                self._tell("priority", refused)
            self._renderer.is_hurried = is_hurried(thread_id)

    def _is_dead(self) -> bool:
        # Looked at several times in a row: a process that was stopped for a while is no lost device.
        silent_seconds = time.monotonic() - self._renderer.guard.last_call_seconds
        dead = silent_seconds > DEAD_AFTER_SECONDS or not self._backend.is_running()
        self._dead_looks = self._dead_looks + 1 if dead else 0
        return self._dead_looks >= DEAD_LOOKS

    def _may_retry(self) -> bool:
        if time.monotonic() < self._retry_seconds:
            return False
        self._retry_seconds = time.monotonic() + RETRY_EVERY_SECONDS
        return True

    def _look_for_faults(self) -> None:
        if (error := self._renderer.guard.take_error()) and (fault := told(error)) not in self._told_already:
            log.debug("the engine could not render", exc_info=error)
            self._told_already.add(fault)  # each fault once: it may come with every block
            self._tell("fault", f"A fault in the engine made the sound stop for a moment: {fault}.")
        if self._backend.fault != self._fault:
            self._fault = self._backend.fault
            self._tell("fault", f"{self._fault}. The sound goes on without it.")

    def _look_at_input(self) -> None:
        """Say once that what is listened to is not there, or is no more."""
        heard = self._renderer.input
        if heard is None:
            if self._renderer.engine.is_listening and not self._asked_for_input:
                self._once("input", NOT_ASKED)
        elif not heard.is_running():
            self._renderer.input = None
            self._once("input", f"The sound input {heard.name} is gone: what listens hears silence. Start again to take it back.")

    def _once(self, event: str, sentence: str) -> None:
        if sentence not in self._told_already:
            self._told_already.add(sentence)
            self._tell(event, sentence)

    def _tell(self, event: str, sentence: str) -> None:
        with contextlib.suppress(OSError):
            self._events.send({"event": event, "sentence": sentence})
