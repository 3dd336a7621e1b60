"""The parent of ``oscsynth serve``: starts control and engine, watches them, starts either again when it dies, and ends both.

It holds the shared memory and every end of the pipes, so that either child can go and come. It knows nothing of patches or sound, and imports
nothing heavy: what it does not hold cannot fail on stage. Main thread; the screen's keys have a thread of their own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from .audio import AudioSettings, free_name, kind
from .child import LEAVE_SECONDS, MAX_QUICK_DEATHS, Child, drain, how, pipe
from .choices import remember_lan
from .link import EXIT_AGAIN, EXIT_HOPELESS, SharedMemory
from .options import Options
from .recording_child import RecordingChild
from .tap import Tap, tap_path

LOOK_EVERY_SECONDS = 0.5  # sooner where a child says something or ends, or the bell rings: to wake up is most of what a round costs
DECIDE_SECONDS = 0.2  # until a signal to the whole group has reached this process too
SHOW_SECONDS = 1.0  # by then the face is shown, whatever the children say


class Face(Protocol):
    """What the user sees: told every event, and looked after in each round."""

    def show(self, event: dict[str, Any]) -> None: ...  # noqa: D102
    def tick(self) -> None: ...  # noqa: D102
    def say(self, sentence: str, fault: bool = False) -> None: ...  # noqa: D102
    def leave(self) -> None: ...  # noqa: D102


OpenFace = Callable[[Options, Callable[[], None], Callable[[], None]], Face]  # what was asked for, what ends it, what lets the network in


def _open_screen(options: Options, leave: Callable[[], None], open_network: Callable[[], None]) -> Face:
    from .screen import Screen  # rich: only once both children are there, and have the processor no more to share

    return Screen(options, leave, open_network)


class Daemon:
    """The two children, what connects them, and the round that watches over them."""

    def __init__(self, options: Options, open_face: OpenFace = _open_screen) -> None:
        self.options, self._open_face = options, open_face
        self.memory = SharedMemory()
        self._tap = Tap(tap_path(self.memory.path), create=True)
        self._loads_out, self._loads_in = pipe()
        self._loaded_out, self._loaded_in = pipe()
        self._audio = options.audio
        self._has_sounded = False
        self._bell, self._rung = pipe()
        self._stop = threading.Event()
        self._opening = threading.Event()  # the network is to be let in
        self._reloading = threading.Event()  # the folders are to be read again
        self._is_control_expected_to_end = False
        self._exit_code = 0
        self._face: Face | None = None
        self._sentences: list[str] = []
        self._early: list[dict[str, Any]] = []  # events that came before there was a face
        if kind(self._audio) == ".wav" and (free := free_name(Path(self._audio))) != Path(self._audio):
            self._sentences.append(f"{self._audio} exists and stays as it is: recording into {free}.")
            self._audio = str(free)
        self.engine = Child("engine", "engine_process", self._engine_arguments)
        self.control = Child("control", "control_process", self._control_arguments)
        self._recording = RecordingChild(self._tap, self._say)

    def _engine_arguments(self, events: Connection) -> tuple[Any, ...]:
        options, again = self.options, self._has_sounded
        settings = AudioSettings(options.sample_rate_hz, options.block_size, options.device, options.render_ahead, append=again, input=options.input)
        return self.memory.path, self._loads_in, self._loaded_out, events, self._audio, settings, again

    def _control_arguments(self, events: Connection) -> tuple[Any, ...]:
        return self.memory.path, self._loads_out, self._loaded_in, events, self.options

    def stop(self, *_: object) -> None:
        """End the round (any thread, or a signal)."""
        self._ring(self._stop)

    def _ring(self, event: threading.Event) -> None:
        """Set an event that the round shall see at once (any thread, or a signal)."""
        if not event.is_set():
            event.set()
            with contextlib.suppress(OSError):  # the end has come already
                self._bell.send_bytes(b"")

    def hang_up(self, *_: object) -> None:
        """Take up what the folders hold now; end the round where it was a terminal that went (a signal)."""
        self._ring(self._stop if sys.stdin is not None and sys.stdin.isatty() else self._reloading)

    def _reload(self) -> None:
        self._reloading.clear()
        if self.control.process is not None and self.control.process.pid:
            self._say("Reading the patches again.")
            os.kill(self.control.process.pid, signal.SIGHUP)

    def open_network(self) -> None:
        """Let the local network in, now and at the next start (any thread)."""
        self._ring(self._opening)

    def _open_network(self) -> None:
        self._opening.clear()
        if self.options.lan or not self.control.process:
            return
        remember_lan(True)
        self.options = replace(self.options, lan=True)
        self._say("Phones and computers in this network are let in from now on, here and at the next start; `oscsynth serve --no-lan` ends that.")
        # A new control listens anew; the sound goes on, and who is told of changes stays so.
        self._is_control_expected_to_end = True
        self.control.process.terminate()

    def run(self) -> int:
        """Start both, watch until stopped, end both; return the exit code."""
        try:
            # Control has the longer way to go: patches to read and to check.
            self.control.start()
            self.engine.start()
            while not self._stop.is_set():
                self._look()
        finally:
            self._end()
        return self._exit_code

    def _show(self) -> Face:
        if self._face is None:
            self._face = self._open_face(self.options, self.stop, self.open_network)
            for sentence in self._sentences:
                self._face.say(sentence)
            for event in self._early:
                self._face.show(event)
        return self._face

    def _is_face_due(self) -> bool:
        come = {event["event"] for event in self._early}
        return come >= {"audio", "listening"} or time.monotonic() > self.engine.started_seconds + SHOW_SECONDS

    def _look(self) -> None:
        if self._opening.is_set():
            self._open_network()
        if self._reloading.is_set():
            self._reload()
        children = (self.engine, self.control)
        waiting: list[Any] = [c.events for c in children if c.events]
        waiting += [c.process.sentinel for c in (*children, self._recording.child) if c.process]
        starts_in_seconds = [child.start_at_seconds - time.monotonic() for child in children if child.process is None]
        wait([self._rung, *waiting], max(0.0, min([LOOK_EVERY_SECONDS, *starts_in_seconds])))
        if self._rung.poll():
            self._rung.recv_bytes()
        self._recording.look()
        for child in children:
            self._hear(child)
            if child.process is not None and not child.process.is_alive():
                self._mourn(child)
            if child.process is None and time.monotonic() >= child.start_at_seconds and not self._stop.is_set():
                child.start()
        if self._face or self._is_face_due():
            self._show().tick()

    def _hear(self, child: Child) -> None:
        with contextlib.suppress(EOFError, OSError):  # it died: its process says so too
            while child.events is not None and child.events.poll():
                self._take_event(child, child.events.recv())

    def _take_event(self, child: Child, event: dict[str, Any]) -> None:
        if event["event"] == "fatal":
            child.sentences.append(event["sentence"])
            return
        if event["event"] == "record":
            self._recording.take(event)
        self._has_sounded |= event["event"] == "audio"
        if self._face:
            self._face.show(event)
        else:
            self._early.append(event)

    def _mourn(self, child: Child) -> None:
        """Say why a child is gone, and what happens now."""
        self._hear(child)
        code = child.bury()
        if child is self.control and self._is_control_expected_to_end:
            self._is_control_expected_to_end = False
            return
        if child is self.engine:
            drain(self._loads_in)
        if code == 0:
            # A signal to the whole group reaches the children first: is it the end for everybody?
            self._stop.wait(DECIDE_SECONDS)
        if self._stop.is_set() or (code == EXIT_AGAIN and child is self.engine):
            return
        if code == EXIT_HOPELESS or child.quick_deaths >= MAX_QUICK_DEATHS:
            self._despair(child, code)
        else:
            self._say(f"{_SENTENCES[child.name]} ({how(code)}); starting it again.")

    def _despair(self, child: Child, code: int) -> None:
        """Give up on a child that cannot live, or on its sound card."""
        why = " ".join(child.sentences) or f"{_SENTENCES[child.name]} {child.quick_deaths} times in a row, at last {how(code)}."
        child.sentences.clear()
        if child is self.engine and self._audio != "null" and (self._has_sounded or code != EXIT_HOPELESS):
            self._say(f"{why} Going on silently (as with --audio null).")
            self._audio, child.quick_deaths = "null", 0
            return
        self._say(why, fault=True)
        self._exit_code = 1
        self._stop.set()

    def _say(self, sentence: str, fault: bool = False) -> None:
        self._show().say(sentence, fault)

    def _end(self) -> None:
        """Fade out and end both children, the terminal last."""
        if self._face:
            self._face.leave()
        if self.engine.events:
            with contextlib.suppress(OSError):
                self.engine.events.send("stop")
        children = [child.process for child in (self.engine, self.control) if child.process]
        if self.control.process:
            self.control.process.terminate()
        until = time.monotonic() + LEAVE_SECONDS
        for process in children:
            process.join(max(0.0, until - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        self._recording.end()
        self._rung.close()
        self._bell.close()
        self._tap.close()
        self.memory.close()


_SENTENCES = {"engine": "The sound engine stopped", "control": "OSC control stopped; the sound goes on"}


def serve(options: Options, open_face: OpenFace = _open_screen) -> int:
    """Run the daemon until it is told to stop (Ctrl-C, SIGTERM, the q key); return the exit code.

    Parameters
    ----------
    options : Options
        As the command line gives them.
    open_face : callable
        Opens what the user sees, instead of the screen.

    Returns
    -------
    int
        0 when it was told to stop, 1 when it cannot run; the reason was printed.
    """
    daemon = Daemon(options, open_face)
    handlers = {"SIGINT": daemon.stop, "SIGTERM": daemon.stop, "SIGHUP": daemon.hang_up}
    signals = {getattr(signal, name): handler for name, handler in handlers.items() if hasattr(signal, name)}
    # What is ignored stays ignored: under nohup the sound outlives its terminal.
    before = {number: signal.signal(number, handler) for number, handler in signals.items() if signal.getsignal(number) is not signal.SIG_IGN}
    try:
        return daemon.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
