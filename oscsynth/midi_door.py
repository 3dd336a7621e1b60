"""What stands between MIDI inputs and the instrument, and between what is learned and the patch files.

Control process: `hear` is called on the threads of the inputs, and everything else happens on the event loop. A MIDI input is a client like any
other: what it sends becomes a message, and its notes end when it goes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .control.instrument import Instrument
from .control.midi_controls import Lesson
from .control.midi_device import from_bytes, is_system
from .control.osc import Message
from .control.part import Part
from .control.row import Reply
from .errors import OscsynthError, shown
from .library import Library
from .midi_ports import Ports
from .midi_systems import Port
from .patch import Patch
from .yaml_file import read_yaml
from .yaml_write import save_yaml

NONE = "none"  # the name of no input
_COMPLAIN_SECONDS = 1.0
_LATEST_SECONDS, _WAIT_SECONDS = 3.0, 0.1

Perform = Callable[[Message, Any], list[Reply]]
Deliver = Callable[[list[tuple[Any, Reply]]], None]


class MidiDoor:
    """The MIDI inputs of one instrument.

    Parameters
    ----------
    instrument : Instrument
        What they play.
    perform, deliver : callable
        Do what a message says; show what has changed, and send replies, each with whom it is for.
    library : Library
        Where patches lie, and where one that has learned something is kept.
    say, complain : callable
        Take a sentence for the user.

    Attributes
    ----------
    malformed : int
        Messages that were none.
    """

    def __init__(
        self,
        instrument: Instrument,
        perform: Perform,
        deliver: Deliver,
        library: Library,
        say: Callable[[str], None],
        complain: Callable[[str], None],
    ) -> None:
        self._instrument, self._perform, self._deliver, self._library = instrument, perform, deliver, library
        self._say, self._complain = say, complain
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ports: Ports | None = None
        self._there: set[Port] = set()
        self._complain_seconds = 0.0
        self.malformed = 0
        instrument.midi.controls.learned = self._keep

    def open(self, wanted: Sequence[str], name: str, loop: asyncio.AbstractEventLoop) -> None:
        """Look for inputs from now on, and offer a virtual one of that name."""
        self._loop = loop
        if NONE not in wanted:
            self._ports = Ports(wanted, name, self.hear, self._later(self._change), self._later(self._say))
            self._start(time.monotonic() + _LATEST_SECONDS)

    def _start(self, latest: float) -> None:
        """Begin as soon as a patch plays: nothing stands in the way of the first sound."""
        if self._loop is None or self._ports is None:
            return
        if self._instrument.parts[1].version is not None or time.monotonic() > latest:
            self._ports.start()
        else:
            self._loop.call_later(_WAIT_SECONDS, self._start, latest)

    def close(self) -> None:
        """Hear no more."""
        self._loop = None
        if self._ports is not None:
            self._ports.close()

    def suspect(self) -> None:
        """Have the systems looked after: the engine has just come back, perhaps because a server died."""
        if self._ports is not None:
            self._ports.suspect()

    def statistics(self) -> dict[str, int]:
        """Return what ``/status`` says of it."""
        return {"midi": self._instrument.midi.received, "midi_malformed": self.malformed, "midi_inputs": len(self._there)}

    def _later(self, call: Callable[..., None]) -> Callable[..., None]:
        """Return what has something called on the loop, from any thread; nothing once that has ended."""

        def later(*arguments: Any) -> None:
            loop = self._loop
            if loop is not None and not loop.is_closed():
                loop.call_soon_threadsafe(call, *arguments)

        return later

    # ---- playing

    def hear(self, port: Port, data: bytes, seconds: float) -> None:
        """Take a message that has come (any thread)."""
        self._later(self._take)(port, data)

    def _take(self, port: Port, data: bytes) -> None:
        midi = from_bytes(port.number, data)
        if midi is not None:
            self._play(Message(f"{self._instrument.prefix}/midi", (midi,)), port)
        elif not is_system(data):
            self.malformed += 1

    def _play(self, message: Message, port: Port) -> None:
        replies = self._perform(message, port)
        self._deliver([])
        faults = [": ".join(map(str, reply.arguments)) for reply in replies if reply.address.endswith("/fail")]
        if faults and time.monotonic() >= self._complain_seconds:
            self._complain_seconds = time.monotonic() + _COMPLAIN_SECONDS
            self._complain(f"MIDI from {port.label}: {faults[0]}")

    def _change(self, port: Port, is_there: bool) -> None:
        if is_there:
            self._there.add(port)
            return
        self._there.discard(port)
        for message in self._instrument.midi.forget(port.number):
            self._play(message, port)

    # ---- what is learned

    def _keep(self, part: Part, changes: dict[int, str], lesson: Lesson | None) -> None:
        """Write what was learned into the patch's file, on a thread; a factory patch becomes the user's own."""
        assert part.version is not None
        patch, prefix = part.version.patch, self._instrument.prefix
        answer = [(lesson.sender, Reply(f"{prefix}/done", (f"{prefix}/midi/learn", _learned(changes))))] if lesson is not None else []
        if self._loop is not None:
            self._loop.call_soon(self._deliver, answer)
            threading.Thread(target=self._save, args=(patch, changes), daemon=True).start()

    def _save(self, patch: Patch, changes: dict[int, str]) -> None:
        try:
            path = keep_controls(patch, changes, self._library)
        except (OSError, ValueError, OscsynthError) as error:
            why = getattr(error, "strerror", None) or error
            self._later(self._complain)(f"{patch.name}: what was learned holds until the program ends, as its file cannot be written: {why}")
        else:
            self._later(self._say)(f"{patch.name}: {_learned(changes)}; kept in {shown(path)}")


def keep_controls(patch: Patch, changes: dict[int, str], library: Library) -> Path:
    """Let a patch's file say other controls, with all else in it as it is, and return it; a factory patch is copied to the user's folder first.

    Raises
    ------
    OSError, ValueError
        When it cannot be written, or not without harm.
    OscsynthError
        When there is nothing to change, or no folder of the user's.
    """
    source = Path(patch.path)
    document = read_yaml(source)
    if document.faults:
        raise OscsynthError(document.faults[0][1])
    settings = document.data.get("midi") or {}
    controls = {**(settings.get("control_changes") or {}), **{str(number): address for number, address in changes.items()}}
    kept = {number: address for number, address in controls.items() if address}
    data = {**document.data, "midi": {**settings, "control_changes": kept}}
    path = _own(source, library)
    save_yaml(path, data, source.read_bytes().decode("utf-8-sig"))
    return path


def _own(source: Path, library: Library) -> Path:
    if source.parent != library.factory_folder:
        return source
    if library.user_folder is None:
        raise OscsynthError("there is no folder of your own")
    names = (library.user_folder / f"{source.stem}{'-' * (number > 1)}{number if number > 1 else ''}.yaml" for number in range(1, 1000))
    return next(path for path in names if not path.exists())


def _learned(changes: dict[int, str]) -> str:
    moves = [f"control {number} moves {address}" for number, address in changes.items() if address]
    return ", ".join(moves or [f"control {number} moves nothing any more" for number in changes])
