"""The control process: OSC in, the state out, and patches loaded. Started by ``daemon``; knows no NumPy.

One thread runs the event loop and everything of `control`; three daemon threads do nothing but wait for pipes, so nothing here ever waits.
A control that was killed leaves state and notes in shared memory, and the next one goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from .analysis import Analyst
from .control.discovery import DEFAULT_PORT
from .control.guard import Guard, is_loopback
from .control.instrument import Instrument
from .control.notes import from_notes, to_notes
from .control.publisher import Publisher
from .control.row import Reply
from .control.server import Server
from .control.sockets import EVERYWHERE
from .control.timeline import Timeline
from .doors import Doors
from .errors import OscsynthError
from .keeper import Keeper
from .lan import addresses
from .librarian import Librarian
from .library import Library, factory_folder, user_folder
from .link import EXIT_HOPELESS, Load, Loaded, SharedMemory
from .midi_door import MidiDoor
from .news import News, Outbox
from .options import Options
from .parameters import State
from .patch import Patch
from .real_time import CONTROL_PRIORITY, hurry
from .session import SessionFile, state_folder
from .studio import RecordingStudio, recordings_folder
from .tap import open_tap, tap_path

log = logging.getLogger(__name__)
ROUND_SECONDS = 0.1  # notes and events are at most that old
CALM_SECONDS = 0.5  # as long as nobody says anything: to wake up takes more of a processor than to look
PORT_SECONDS = 1.5  # in which children whose parent was killed leave
FORGET_SECONDS = 1.0  # after that the engine has seen every switch
_MAX_EVENTS = 100
_FREEZE_SECONDS = (1, 5, 15)  # what is there then stays: looking through it for garbage would hold up messages for 20 ms


def main(shared_memory_path: str, loads: Connection, loaded: Connection, events: Connection, options: Options) -> None:
    """Run until SIGTERM.

    Parameters
    ----------
    shared_memory_path : str
        Of the `SharedMemory` that parent and engine share.
    loads, loaded : Connection
        `Load` goes out, `Loaded` comes in.
    events : Connection
        Dicts for the parent's screen go out; they are dropped when nobody reads them.
    options : Options
        As the command line gives them.
    """
    hurry(CONTROL_PRIORITY)  # the engine says it where that is refused
    outbox = Outbox(events, _MAX_EVENTS)
    try:
        control = Control(SharedMemory(shared_memory_path), loads, outbox, options)
        # The selector loop is the one that takes UDP sockets as they are, on every system.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(control.run(loaded))
    except OscsynthError as error:
        outbox.put({"event": "fatal", "sentence": str(error)})
        outbox.flush()
        sys.exit(EXIT_HOPELESS)


class Control:
    """Everything of the process, put together."""

    def __init__(self, memory: SharedMemory, loads: Connection, events: Outbox, options: Options) -> None:
        self._memory = memory
        self._loads = Outbox(loads, 0)
        self._events = events
        self._options = options
        notes = memory.read_notes()
        # An engine that has just been started says so; to one that was there before this control, what is new is sent at once.
        self._engine_is_there = bool(notes) or memory.read_telemetry().engine_pid > 0
        self._tap = open_tap(memory.path)
        self._analyst = Analyst(tap_path(memory.path))
        self.instrument = Instrument(
            self._request_load, memory.restore_state(), status=self._status, heard=self._analyst.figures, track=memory.read_track
        )
        self._publisher = Publisher(memory, _call_later)
        self.timeline = Timeline(self.instrument, _call_later, self._deliver, memory.write_queue, self._complain)
        self.timeline.restore(memory.read_queue())
        with self.timeline.ahead.foreseen():  # what is handed over was performed: the notes know of it
            is_known = from_notes(self.instrument, notes)
        self._is_known = is_known
        self._keeper: Keeper | None = None
        if not is_known and self._engine_is_there:
            # Which numbers the engine knows is lost: none of these was ever given.
            self.instrument.shelf.next_number = int(time.time())
        self.server = Server(self.instrument, self._write, self._complain, Guard(options.lan, options.allow))
        self.server.perform, self.server.leave = self.timeline.perform, self.timeline.leave
        self._studio: RecordingStudio | None = None
        self._midi: MidiDoor | None = None
        self._news = News(self.instrument, events)
        self._forget_at = 0.0
        self._stirred = asyncio.Event()  # something may be new

    async def run(self, loaded: Connection) -> None:
        """Listen, load and watch until told to stop."""
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        _on_sigterm(loop, stopped)
        await self._open()
        for where in self._options.feedback:
            self.server.feed(where)
        host, port = self.server.address[:2]
        hosts = " or ".join(addresses(host)) or host
        self._events.put({"event": "listening", "host": host, "hosts": hosts, "port": port, "sentence": self.server.shortage})
        library = self._library()
        librarian = Librarian(library, self.instrument, self._deliver, self._complain)
        librarian.read()
        self._open_studio()
        self._resume()
        librarian.open(self._options.patch)
        self.server.publish()
        self.timeline.advance()
        self.server.start(loop)
        self._midi = MidiDoor(self.instrument, self.timeline.perform, self._deliver, library, self._say, self._complain)
        self._midi.open(self._options.midi, f"oscsynth {port}" if port != DEFAULT_PORT else "oscsynth", loop)
        for seconds in _FREEZE_SECONDS:
            loop.call_later(seconds, gc.freeze)
        threading.Thread(target=self._receive, args=(loaded, loop, librarian, stopped), daemon=True).start()
        http_port, announce = self._options.http_port, self._options.announce
        doors = Doors(self.server, http_port, announce, self._complain, self._tap)
        work = [loop.create_task(each) for each in (librarian.run(), self._round(), doors.run(self._is_sounding))]
        for task in work:
            task.add_done_callback(_log_error)
        _on_sighup(loop, lambda: work.append(loop.create_task(librarian.read_again())))
        await stopped.wait()
        for task in work:
            task.cancel()
        self._midi.close()
        self.server.close()
        self._analyst.close()
        self.timeline.save()
        self._publisher.flush()
        self._look()
        if self._keeper:
            self._keeper.close()

    def _open_studio(self) -> None:
        if self._tap is not None:
            folder = self._options.recordings or recordings_folder()
            self._studio = self.instrument.studio = RecordingStudio(self.instrument, self._tap, folder, self._events.put)

    def _resume(self) -> None:
        """Take up the session, unless an earlier control has; a port that is another each time has none."""
        if not self._options.port:
            return
        self._keeper = Keeper(self.instrument, SessionFile(state_folder(), self._options.port, self._complain), self._complain)
        if not self._is_known and not self._options.fresh:
            self._keeper.resume(self._options.patch)
            self.server.clients.restore(self.instrument.kept_clients)

    async def _open(self) -> None:
        """Listen; what an instrument that was killed a moment ago still holds is waited for."""
        host, until = self._host(), time.monotonic() + PORT_SECONDS
        while True:
            try:
                return self.server.open(host, self._options.port)
            except OscsynthError as error:
                if time.monotonic() > until or getattr(error.__cause__, "errno", None) != errno.EADDRINUSE:
                    raise
            await asyncio.sleep(0.05)

    def _host(self) -> str:
        """Return where to listen: everywhere as soon as anybody else is let in."""
        host, is_open = self._options.host, self._options.lan or self._options.allow
        if is_open:
            return EVERYWHERE if is_loopback(host) else host
        if not is_loopback(host) and host != "localhost":
            raise OscsynthError(f"--host {host} lets nobody in by itself: add --lan, or --allow with the network that shall be let in")
        return host

    def _library(self) -> Library:
        folder = self._options.patches
        if folder is not None and not folder.is_dir():
            raise OscsynthError(f"--patches {folder}: there is no such folder")
        if folder is None:
            folder = user_folder()
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)  # so that it can be watched from the start
        return Library(folder.absolute(), factory_folder())

    # ---- engine

    def _request_load(self, number: int, patch: Patch | None) -> None:
        if self._engine_is_there:
            self._loads.put(Load(number, patch))

    def _receive(self, loaded: Connection, loop: asyncio.AbstractEventLoop, librarian: Librarian, stopped: asyncio.Event) -> None:
        """Hand on what the engine says (a thread that waits for it)."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            try:
                while True:
                    loop.call_soon_threadsafe(self._take_loaded, loaded.recv(), librarian)
            except (EOFError, OSError):  # the parent is gone
                loop.call_soon_threadsafe(stopped.set)

    def _take_loaded(self, message: Loaded, librarian: Librarian) -> None:
        if message.number < 0:
            self._engine_is_there = True
            if self._midi:
                self._midi.suspect()
            if self._keeper:
                self._keeper.engine_started()
            self.instrument.repertoire.load_again()
            return
        if message.error:
            self._complain(message.error)
        replies = self.instrument.repertoire.loaded(message.number, message.error)
        librarian.start_another()
        self._forget_at = time.monotonic() + FORGET_SECONDS
        self._deliver(replies)
        self._look()

    def _deliver(self, replies: list[tuple[Any, Reply]]) -> None:
        self._stirred.set()
        self.server.publish()
        for sender, reply in replies:
            if sender is not None:
                self.server.send((reply,), sender)

    def _write(self, _: State) -> None:
        self._stirred.set()
        self._publisher.write(self.timeline.ahead.shown(time.monotonic(), lambda: self._memory.read_telemetry().reached_seconds))

    # ---- parent

    def _say(self, sentence: str) -> None:
        self._events.put({"event": "said", "sentence": sentence})

    def _complain(self, sentence: str) -> None:
        self._events.put({"event": "fault", "sentence": sentence})

    async def _round(self) -> None:
        while True:
            self._look()
            if self._forget_at and time.monotonic() > self._forget_at:
                self._forget_at = 0.0
                self.instrument.repertoire.forget()
            is_recording = self._studio is not None and self._studio.path  # how that fares, nobody says
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), ROUND_SECONDS if is_recording else CALM_SECONDS)
                await asyncio.sleep(ROUND_SECONDS)
            self._stirred.clear()

    def _look(self) -> None:
        """Keep the notes, and tell the parent what is new."""
        if self._keeper:
            self._keeper.look(self.instrument.noted)
        if self._studio:
            replies, sentence = self._studio.look()
            if sentence:
                self._deliver(replies)
                self._events.put({"event": "recorded", "sentence": sentence})
        if self.instrument.noted:
            self.instrument.noted = False
            try:
                self._memory.write_notes(to_notes(self.instrument))
            except ValueError as error:
                self._complain(str(error))
        self._news.look()

    def _is_sounding(self) -> bool:
        return self._memory.read_telemetry().sounding_parts > 0

    def _status(self) -> Mapping[str, Any]:
        midi = self._midi.statistics() if self._midi else {}
        return {**self._memory.read_telemetry().figures(), **self.server.statistics(), **self.timeline.statistics(), **midi}


def _call_later(seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, call)


def _on_sigterm(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    try:
        loop.add_signal_handler(signal.SIGTERM, stopped.set)
    except NotImplementedError:  # Windows
        signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(stopped.set))


def _on_sighup(loop: asyncio.AbstractEventLoop, read_again: Callable[[], None]) -> None:
    with contextlib.suppress(NotImplementedError, AttributeError):  # Windows
        loop.add_signal_handler(signal.SIGHUP, read_again)


def _log_error(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a task of control ended", exc_info=error)
